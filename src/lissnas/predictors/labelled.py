"""Predictors that learn one label per network in place of its score (see ``labels``)."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.predictors.base import Predictor
from lissnas.predictors.labels import LabelKind, LabelMap, make_labels
from lissnas.spaces import Neighbors, SearchSpace

__all__ = ["LabelledPredictor"]

Labels = NDArray[np.float64]


class LabelledPredictor(Predictor):
    """Scores become labels before anything is learned, and predicted labels become scores.

    A new kind has the setting ``labels``, and writes ``_learn`` and ``_label``.

    Attributes:
        labels: what is learned; a setting.
        labels_used: what was, where the setting is ``auto`` (after ``fit``).
    """

    labels: LabelKind
    labels_used: str
    _label_map: LabelMap

    @abstractmethod
    def _learn(self, space: SearchSpace, genotypes: Genotypes, labels: Labels, seed: int) -> None:
        """Learn ``labels`` float64[n], which are not all equal."""

    @abstractmethod
    def _label(self, genotypes: Genotypes) -> Labels:
        """Predict labels, float64[n]."""

    def _label_neighbors(self, genotypes: Genotypes, neighbors: Neighbors) -> Labels:  # noqa: ARG002 - see Predictor
        """Predict labels of ``neighbors`` of ``genotypes``."""
        return self._label(neighbors.genotypes)

    def _fit(self, space: SearchSpace, genotypes: Genotypes, scores: NDArray[np.float64], seed: int) -> None:
        labels, self._label_map = make_labels(scores, self.labels)
        self.labels_used = self._label_map.kind
        self._learn(space, genotypes, labels, seed)

    def _predict(self, genotypes: Genotypes) -> NDArray[np.float64]:
        return self._label_map.to_scores(self._label(genotypes))

    def _predict_neighbors(self, genotypes: Genotypes, neighbors: Neighbors) -> NDArray[np.float64]:
        return self._label_map.to_scores(self._label_neighbors(genotypes, neighbors))

    def _about(self) -> dict[str, Any]:
        return {**super()._about(), "label_map": self._label_map.to_json()}

    def _unpack(self, model: Any, about: dict[str, Any]) -> None:  # noqa: ARG002 - the kind takes the model
        self._label_map = LabelMap.from_json(about["label_map"])
        self.labels_used = self._label_map.kind
