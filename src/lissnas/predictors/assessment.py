"""How far a predictor can be trusted: what it said of networks that were held out, against what was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lissnas.arrays import Genotypes, locate, unique
from lissnas.errors import UserError
from lissnas.spaces import SearchSpace

if TYPE_CHECKING:
    from lissnas.predictors.base import Predictor

__all__ = ["Assessment", "CurvePoint", "assign_folds", "compare", "learning_curve", "top_overlap"]

TOP_MEMBERS = 5  # a share of fewer networks than this is no result

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Assessment:
    """How well scores of networks that were held out are predicted.

    The shares of the top are what shrinking lives on: chance would give 1%, 5% and 10%. Ties at the edge of the true top count
    as in it.

    Attributes:
        kendall: Kendall's tau-b between predicted and measured.
        kendall_low, kendall_high: its 95% interval [Fieller, Hartley and Pearson 1957: the variance of atanh(tau) is
            .437 / (n - 4)].
        spearman: Spearman's rank correlation.
        r2: 1 - (squared error) / (variance of the measured scores); negative where the mean would have predicted better.
        top_overlap: of the predicted best tenth (at least one network), the share that is in the measured best tenth.
        top_5: the same of the best 5%; None where those are fewer than 5 networks.
        top_1: the same of the best 1%.
        n: measured networks.
        folds: how many parts took turns in being held out.
        predicted: float64[n], what was predicted for each network while it was held out, in the order of ``fit``.
        measured: float64[n], its score.
        uncertainty: float64[n], how far the members of an ensemble disagreed about each; None of any other predictor.
        uncertainty_kendall: Kendall's tau-b between that and the size of the error: 0 where it says nothing of errors.
        within_two: the share of measured scores within two of it around what was predicted. A deviation that held all there
            is would have about 95%.
    """

    kendall: float
    kendall_low: float
    kendall_high: float
    spearman: float
    r2: float
    top_overlap: float
    top_5: float | None
    top_1: float | None
    n: int
    folds: int
    predicted: Scores
    measured: Scores
    uncertainty: Scores | None = None
    uncertainty_kendall: float | None = None
    within_two: float | None = None


@dataclass(frozen=True)
class CurvePoint:
    """One point of a learning curve.

    Attributes:
        n: networks learned from.
        kendall: the mean of Kendall's tau-b over the folds.
        spread: its standard deviation over the folds.
        folds: float64[k], the value of each fold.
    """

    n: int
    kendall: float
    spread: float
    folds: Scores


def learning_curve(
    predictor: Predictor,
    space: SearchSpace,
    genotypes: Genotypes,
    scores: ArrayLike,
    sizes: Sequence[int],
    folds: int = 5,
    *,
    higher_is_better: bool = True,
    seed: int = 0,
) -> list[CurvePoint]:
    """Kendall's tau on held-out networks, by how many networks were learned from.

    Each fold is held out once, and a growing part of the others is learned from: a larger sample holds the smaller ones.
    Equal architectures are never on both sides. ``predictor`` itself is not fitted.

    Args:
        genotypes, scores: uint8[n, L] and n numbers, as for :meth:`Predictor.fit`.
        sizes: how many networks to learn from, rising; the largest must fit into what a fold leaves.

    Raises:
        UserError: as :meth:`Predictor.fit` and :meth:`Predictor.assess` say, or sizes that are not rising, below 20, or more
            than a fold leaves.
    """
    from lissnas.predictors.base import MINIMUM, check_training

    values = check_training(space, genotypes, scores)
    part = assign_folds(space.encode(genotypes), folds, np.random.default_rng(seed))
    most = int(len(values) - np.bincount(part).max())
    if not len(sizes) or list(sizes) != sorted(set(sizes)) or not MINIMUM <= sizes[0] <= sizes[-1] <= most:
        raise UserError(f"sizes must rise from at least {MINIMUM} to at most {most}, what a fold leaves, but got {list(sizes)}")
    taus = np.empty((len(sizes), folds))
    for fold in range(folds):
        held_out = part == fold
        order = np.random.default_rng([seed, fold]).permutation(np.flatnonzero(~held_out))
        for row, size in enumerate(sizes):
            chosen = order[:size]
            learner = predictor.fold(space, genotypes[chosen], values[chosen], higher_is_better=higher_is_better, seed=seed)
            guess = np.full(held_out.sum(), values[chosen[0]]) if learner is None else learner.predict(genotypes[held_out])
            taus[row, fold] = _kendall(guess, values[held_out])
    spreads = taus.std(axis=1, ddof=1)
    return [CurvePoint(int(n), float(t.mean()), float(s), t.copy()) for n, t, s in zip(sizes, taus, spreads, strict=True)]


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


def top_overlap(predicted: Scores, measured: Scores, higher_is_better: bool = True, share: float = 0.1) -> float:
    """Of the predicted best ``share`` (at least one), how much is in the measured best one, ties at its edge included."""
    sign = 1.0 if higher_is_better else -1.0
    count = max(1, int(share * len(measured) + 1e-9))
    chosen = np.argsort(-sign * predicted, kind="stable")[:count]
    edge = np.sort(sign * measured)[-count]
    return float(np.mean(sign * measured[chosen] >= edge))


def compare(
    predicted: Scores, measured: Scores, folds: int, higher_is_better: bool, uncertainty: Scores | None = None
) -> Assessment:
    """The assessment of predictions float64[n] of networks that were held out, with their uncertainty where it is known."""
    from scipy.stats import spearmanr

    constant = _is_constant(predicted)
    error = float(np.sum((predicted - measured) ** 2))
    kendall = _kendall(predicted, measured)
    low, high = _interval(kendall, len(measured))
    off = np.abs(predicted - measured)
    shares = {
        share: top_overlap(predicted, measured, higher_is_better, share) if share * len(measured) >= TOP_MEMBERS else None
        for share in (0.05, 0.01)
    }
    return Assessment(
        kendall=kendall,
        kendall_low=low,
        kendall_high=high,
        spearman=0.0 if constant else float(spearmanr(predicted, measured).statistic),
        r2=1 - error / float(np.sum((measured - measured.mean()) ** 2)),
        top_overlap=top_overlap(predicted, measured, higher_is_better),
        top_5=shares[0.05],
        top_1=shares[0.01],
        n=len(measured),
        folds=folds,
        predicted=predicted,
        measured=measured.copy(),
        uncertainty=uncertainty,
        uncertainty_kendall=None if uncertainty is None else _kendall(uncertainty, off),
        within_two=None if uncertainty is None else float(np.mean(off <= 2 * uncertainty)),
    )


def _kendall(predicted: Scores, measured: Scores) -> float:
    """Kendall's tau-b; 0 where either does not vary, for then nothing is ordered."""
    from scipy.stats import kendalltau

    if _is_constant(predicted) or _is_constant(measured):
        return 0.0
    return float(kendalltau(predicted, measured).statistic)


def _interval(tau: float, n: int) -> tuple[float, float]:
    around = math.atanh(min(max(tau, -1 + 1e-12), 1 - 1e-12))
    reach = 1.96 * math.sqrt(0.437 / (n - 4))
    return math.tanh(around - reach), math.tanh(around + reach)


def _is_constant(values: Scores) -> bool:
    return bool((values == values[0]).all())
