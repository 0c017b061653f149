"""A linear predictor: every allele of every gene adds what it is worth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.engines import split
from lissnas.predictors.arguments import check_choice, check_number
from lissnas.predictors.labelled import LabelledPredictor, Labels
from lissnas.predictors.labels import LABELS, LabelKind
from lissnas.predictors.ridge import add_alleles, fit_ridge
from lissnas.spaces import SearchSpace

__all__ = ["LinearPredictor"]

_BLOCK = 1 << 14  # rows whose features exist at once


class LinearPredictor(LabelledPredictor):
    """Ridge regression on one-hot features, in closed form.

    It cannot know that two genes depend on each other, and needs few networks: as a first look, and as the yardstick of the
    others.

    Args:
        l2: the penalty on squared weights, in units of the mean square of a feature times the number of networks; None: the
            best of 33 from 1e-7 to 10, by leaving each network out.
        features: which features of the space: ``one-hot``, or another of its ``feature_kinds`` (``path`` in cells).
        labels: what is learned: ``raw``, ``rank-normal``, ``log``, ``logit`` or ``auto`` (see ``XGBoostPredictor``).

    Attributes:
        l2_used: the penalty (after ``fit``).
        weights: float64[F], one per feature, and ``offset`` (after ``fit``).

    Raises:
        UserError: a setting outside its range.
    """

    kind = "linear"
    l2_used: float
    weights: NDArray[np.float64]
    offset: float

    def __init__(self, l2: float | None = None, features: str = "one-hot", labels: LabelKind = "auto") -> None:
        self.l2 = None if l2 is None else check_number("l2", l2, 0, 1e12, other=", or None")
        self.features = features
        self.labels = check_choice("labels", labels, LABELS)  # type: ignore[assignment]

    def check(self, space: SearchSpace) -> None:
        """Refuse features that ``space`` does not have."""
        space.features(space.sample(1, np.random.default_rng(0)), self.features)

    def _settings(self) -> dict[str, object]:
        return {"l2": self.l2, "features": self.features, "labels": self.labels}

    def _learn(self, space: SearchSpace, genotypes: Genotypes, labels: Labels, seed: int) -> None:  # noqa: ARG002 - no chance
        line = fit_ridge(space.features(genotypes, self.features).astype(np.float64), labels, self.l2)
        self.weights, self.offset, self.l2_used = line.weights, line.offset, line.l2

    def _label(self, genotypes: Genotypes) -> Labels:
        if self.features == "one-hot":
            return add_alleles(self.space, self.weights, self.offset, genotypes)
        labels = np.empty(len(genotypes))
        for rows in split(len(genotypes), _BLOCK):
            # summed feature by feature: BLAS would sum in another order for another number of rows
            x = self.space.features(genotypes[rows], self.features)
            total = np.full(len(x), self.offset)
            for column, weight in enumerate(self.weights):
                total += x[:, column] * weight
            labels[rows] = total
        return labels

    def _pack(self) -> dict[str, NDArray[Any]]:
        return {"weights": self.weights, "offset": np.array([self.offset, self.l2_used])}

    def _unpack(self, model: Any, about: dict[str, Any]) -> None:
        super()._unpack(model, about)
        self.weights = model["weights"]
        self.offset, self.l2_used = model["offset"].tolist()
