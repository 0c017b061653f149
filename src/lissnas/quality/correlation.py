"""Rank correlation with intervals: how well one score orders architectures that another measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError

__all__ = ["Correlation", "RankCorrelation", "rank_correlation", "tau_difference"]

BOOTSTRAPS = 2000


@dataclass(frozen=True)
class Correlation:
    """A correlation with its 95% bootstrap interval over architectures."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class RankCorrelation:
    """Pearson's r and Kendall's tau-b over ``n`` architectures."""

    pearson: Correlation
    kendall: Correlation
    n: int


def rank_correlation(a: NDArray[np.float64], b: NDArray[np.float64], rng: np.random.Generator) -> RankCorrelation:
    """Pearson and Kendall between two scores of the same architectures.

    Raises:
        UserError: fewer than 5 architectures, or a score that is the same for all.
    """
    if len(a) != len(b) or len(a) < 5:
        raise UserError(f"a rank correlation needs the two scores of at least 5 architectures, but got {len(a)} and {len(b)}")
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        raise UserError("a rank correlation needs scores that differ, but one of them is the same for all architectures")
    n = len(a)
    draws = rng.integers(0, n, size=(BOOTSTRAPS, n))
    values = np.array([(_pearson(a[i], b[i]), _kendall(a[i], b[i])) for i in draws])
    low, high = np.nanquantile(values, [0.025, 0.975], axis=0)
    pearson = Correlation(_pearson(a, b), float(low[0]), float(high[0]))
    kendall = Correlation(_kendall(a, b), float(low[1]), float(high[1]))
    return RankCorrelation(pearson, kendall, n)


def tau_difference(
    a: NDArray[np.float64], b: NDArray[np.float64], truth: NDArray[np.float64], rng: np.random.Generator
) -> Correlation:
    """How much larger Kendall's tau of ``a`` with ``truth`` is than that of ``b``, over the same architectures.

    The bootstrap is paired: both scores are seen on the same draw of architectures, so that the interval is about the
    difference, which two intervals beside one another are not.
    """
    n = len(truth)
    draws = rng.integers(0, n, size=(BOOTSTRAPS, n))
    values = [_kendall(a[i], truth[i]) - _kendall(b[i], truth[i]) for i in draws]
    low, high = np.nanquantile(values, [0.025, 0.975])
    return Correlation(_kendall(a, truth) - _kendall(b, truth), float(low), float(high))


def _pearson(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:  # a bootstrap sample of one value has no correlation
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def _kendall(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Tau-b over all pairs; for the few hundred architectures that are trained, pairs are cheapest."""
    first, second = np.triu_indices(len(a), k=1)
    signs_a, signs_b = np.sign(a[first] - a[second]), np.sign(b[first] - b[second])
    norm = np.sqrt(np.count_nonzero(signs_a) * np.count_nonzero(signs_b))
    return float((signs_a * signs_b).sum() / norm) if norm else float("nan")
