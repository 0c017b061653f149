"""The contract of a predictor, and how far one can be trusted."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lissnas.arrays import Genotypes, locate, unique
from lissnas.errors import UserError
from lissnas.spaces import Neighbors, SearchSpace

__all__ = ["Assessment", "Predictor", "assign_folds", "check_training", "top_overlap"]

MINIMUM = 20  # different networks: below this no fold holds enough to say anything
LARGEST = 1e100  # squares of scores must stay finite

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Assessment:
    """How well scores of networks that were held out are predicted.

    Attributes:
        kendall: Kendall's tau-b between predicted and measured.
        spearman: Spearman's rank correlation.
        r2: 1 - (squared error) / (variance of the measured scores); negative where the mean would have predicted better.
        top_overlap: of the predicted best tenth (at least one network), the share that is in the measured best tenth.
        n: measured networks.
        folds: how many parts took turns in being held out.
        predicted: float64[n], what was predicted for each network while it was held out, in the order of ``fit``.
        measured: float64[n], its score.
    """

    kendall: float
    spearman: float
    r2: float
    top_overlap: float
    n: int
    folds: int
    predicted: Scores
    measured: Scores


class Predictor(ABC):
    """Learns to score the architectures of a space from some whose score is known.

    ``fit`` checks what it is given and returns the predictor itself; it can be fitted again, to another space too.
    ``clone`` gives an unfitted one with the same settings. Predictions are on the scale of the scores, whatever is learned
    inside, and an architecture's prediction does not depend on which others are asked for beside it.

    A new kind writes ``_fit``, which leaves all it learns in attributes of ``self``, and ``_predict``.

    Attributes:
        space: the space it was fitted to (after ``fit``).
        higher_is_better: what counts as better among its scores (after ``fit``).
    """

    space: SearchSpace
    higher_is_better: bool = True
    _training: tuple[Genotypes, Scores, int] | None = None
    _fitted = False

    def fit(
        self, space: SearchSpace, genotypes: Genotypes, scores: ArrayLike, *, higher_is_better: bool = True, seed: int = 0
    ) -> Self:
        """Learn from measured networks.

        Args:
            space: the space they belong to. A shrunk space may learn from any networks of the space it was shrunk from.
            genotypes: uint8[n, L]. A network may come more than once.
            scores: n finite numbers.
            higher_is_better: which end of the scores is the good one.
            seed: of everything that is left to chance. The same pairs and seed give the same predictor.

        Raises:
            UserError: rows that are no architectures of ``space``, scores that are not finite (the row is named) or not as
                many, fewer than 20 different networks, or all scores equal.
        """
        values = check_training(space, genotypes, scores)
        self._fitted = False
        self.space = space
        self.higher_is_better = bool(higher_is_better)
        self._fit(space, genotypes, values, seed)
        self._training = (genotypes.copy(), values, seed)
        self._fitted = True
        return self

    def predict(self, genotypes: Genotypes) -> Scores:
        """The predicted score of each row, float64[n], on the scale of the scores.

        Raises:
            UserError: not fitted yet, or genotypes of another shape, dtype or with an allele that does not exist.
        """
        self._require_fitted()
        return self._predict(self.space.check(genotypes))

    def predict_neighbors(self, genotypes: Genotypes) -> tuple[Neighbors, Scores]:
        """Every architecture one edit away from each row, and its predicted score, float64[m].

        Neighbors are those of ``space`` (a shrunk space: those that were kept), scores the same that ``predict`` gives.
        """
        self._require_fitted()
        neighbors = self.space.all_neighbors(genotypes)
        return neighbors, self._predict_neighbors(genotypes, neighbors)

    def assess(self, folds: int = 5) -> Assessment:
        """Fit anew with each of ``folds`` parts held out, and compare what is predicted for it with what was measured.

        Parts are drawn with the seed of the fit, by code: equal architectures are always in the same part.

        Raises:
            UserError: not fitted to measured networks here (a loaded predictor has none), or a number of folds below 2 or
                above half the number of networks.
        """
        self._require_fitted()
        if self._training is None:
            raise UserError("a predictor that was loaded does not hold the networks it learned from: fit one to assess it")
        genotypes, scores, seed = self._training
        part = assign_folds(self.space.encode(genotypes), folds, np.random.default_rng(seed))
        predicted = np.empty(len(scores))
        for fold in range(folds):
            held_out = part == fold
            learner = self._clone_for_fold()
            learner.space, learner.higher_is_better = self.space, self.higher_is_better
            known = scores[~held_out]
            if (known == known[0]).all():  # nothing to learn from these
                predicted[held_out] = known[0]
                continue
            learner._fit(self.space, genotypes[~held_out], known, seed)
            predicted[held_out] = learner._predict(genotypes[held_out])
        return _compare(predicted, scores, folds, self.higher_is_better)

    def clone(self) -> Self:
        """An unfitted predictor with the same settings."""
        other = copy.copy(self)
        for name in set(vars(other)) - set(self._settings()):
            delattr(other, name)
        return other

    # -- what a predictor writes ------------------------------------------------------------------------------------

    @abstractmethod
    def _settings(self) -> dict[str, object]:
        """The settings of ``__init__`` by name, which are attributes of the same name."""

    @abstractmethod
    def _fit(self, space: SearchSpace, genotypes: Genotypes, scores: Scores, seed: int) -> None:
        """Learn. What it is given has been checked."""

    @abstractmethod
    def _predict(self, genotypes: Genotypes) -> Scores:
        """Predict. What it is given has been checked."""

    def _predict_neighbors(self, genotypes: Genotypes, neighbors: Neighbors) -> Scores:  # noqa: ARG002 - see there
        """Predict ``neighbors`` of ``genotypes``; for a predictor that gains something from knowing whose they are."""
        return self._predict(neighbors.genotypes)

    def _clone_for_fold(self) -> Self:
        """As ``clone``, without what only pays over many predictions."""
        return self.clone()

    def _require_fitted(self) -> None:
        if not self._fitted:
            raise UserError(f"this {type(self).__name__} has learned nothing yet: call .fit(space, genotypes, scores) first")


def check_training(space: SearchSpace, genotypes: Genotypes, scores: ArrayLike) -> Scores:
    """The scores, float64[n], once a predictor can learn from them; ``fit`` begins with it.

    Raises:
        UserError: as :meth:`Predictor.fit` says.
    """
    space.root.require_valid(genotypes)
    values = _check_scores(genotypes, scores)
    different = len(unique(space.encode(genotypes)))
    if different < MINIMUM:
        raise UserError(
            f"a predictor needs at least {MINIMUM} different measured networks, but got {different}: "
            "measure more (`lissnas sample SPACE -n 300 --out to_measure.csv`)"
        )
    if (values == values[0]).all():
        raise UserError(f"all {len(values)} scores are equal ({values[0]:g}), so there is nothing to learn: check them")
    return values


def assign_folds(codes: NDArray[np.uint64], folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """int64[n]: the fold of each code, drawn so that folds hold as many different codes, and equal codes share one.

    Raises:
        UserError: fewer than 2 folds, or folds of fewer than 2 different codes.
    """
    members = unique(codes)
    if not isinstance(folds, (int, np.integer)) or not 2 <= folds <= len(members) // 2:
        raise UserError(
            f"folds must be a whole number from 2 to {len(members) // 2}, half the different networks, but got {folds!r}"
        )
    return (rng.permutation(len(members)) % folds)[locate(members, codes)]


def top_overlap(predicted: Scores, measured: Scores, higher_is_better: bool = True) -> float:
    """Of the predicted best tenth (at least one), the share that is in the measured best tenth, ties at its edge included."""
    sign = 1.0 if higher_is_better else -1.0
    count = max(1, len(measured) // 10)
    chosen = np.argsort(-sign * predicted, kind="stable")[:count]
    edge = np.sort(sign * measured)[-count]
    return float(np.mean(sign * measured[chosen] >= edge))


def _compare(predicted: Scores, measured: Scores, folds: int, higher_is_better: bool) -> Assessment:
    from scipy.stats import kendalltau, spearmanr

    constant = bool((predicted == predicted[0]).all())
    error = float(np.sum((predicted - measured) ** 2))
    return Assessment(
        kendall=0.0 if constant else float(kendalltau(predicted, measured).statistic),
        spearman=0.0 if constant else float(spearmanr(predicted, measured).statistic),
        r2=1 - error / float(np.sum((measured - measured.mean()) ** 2)),
        top_overlap=top_overlap(predicted, measured, higher_is_better),
        n=len(measured),
        folds=folds,
        predicted=predicted,
        measured=measured.copy(),
    )


def _check_scores(genotypes: Genotypes, scores: ArrayLike) -> Scores:
    try:
        values = np.array(scores, dtype=np.float64)
    except (TypeError, ValueError):
        raise UserError(f"scores must be numbers, one per network, but got {type(scores).__name__} that holds others") from None
    if values.shape != (len(genotypes),):
        raise UserError(f"scores must be float64[{len(genotypes)}], one per network, but got a shape of {list(values.shape)}")
    wrong = np.flatnonzero(~(np.abs(values) < LARGEST))
    if len(wrong):
        row = int(wrong[0])
        raise UserError(
            f"row {row}: a score must be a finite number of at most {LARGEST:g}, but got {values[row]}: leave that network out"
        )
    return values
