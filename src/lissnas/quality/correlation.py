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
    pearson = _with_interval(_pearson(a, b), np.array([_pearson(a[i], b[i]) for i in draws]))
    kendall = _with_interval(_kendall(a, b), _kendalls(a, b, _counts(draws)))
    return RankCorrelation(pearson, kendall, n)


def tau_difference(
    a: NDArray[np.float64], b: NDArray[np.float64], truth: NDArray[np.float64], rng: np.random.Generator
) -> Correlation:
    """How much larger Kendall's tau of ``a`` with ``truth`` is than that of ``b``, over the same architectures.

    The bootstrap is paired: both scores are seen on the same draw of architectures, so that the interval is about the
    difference, which two intervals beside one another are not.
    """
    n = len(truth)
    counts = _counts(rng.integers(0, n, size=(BOOTSTRAPS, n)))
    values = _kendalls(a, truth, counts) - _kendalls(b, truth, counts)
    return _with_interval(_kendall(a, truth) - _kendall(b, truth), values)


def _with_interval(value: float, drawn: NDArray[np.float64]) -> Correlation:
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return Correlation(value, float(low), float(high))


def _pearson(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:  # a bootstrap sample of one value has no correlation
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def _kendall(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(_kendalls(a, b, np.ones((1, len(a))))[0])


def _counts(draws: NDArray[np.int64]) -> NDArray[np.float64]:
    """How often each of n architectures is in each of the bootstrap samples ``draws``, int[m, n]: float64[m, n]."""
    m, n = draws.shape
    return np.bincount((draws + n * np.arange(m)[:, None]).ravel(), minlength=m * n).reshape(m, n).astype(np.float64)


def _kendalls(a: NDArray[np.float64], b: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Tau-b over all pairs of samples in which architecture i is ``counts[:, i]`` times; NaN where a score does not differ.

    A pair's order is looked up once for all samples; for the few hundred architectures that are trained that is cheapest.
    """
    order_a, order_b = (np.sign(np.subtract.outer(x, x)) for x in (a, b))
    agreeing, apart_a, apart_b = (((counts @ x) * counts).sum(axis=1) for x in (order_a * order_b, order_a**2, order_b**2))
    norm = np.sqrt(apart_a * apart_b)
    found: NDArray[np.float64] = np.divide(agreeing, norm, out=np.full(len(counts), np.nan), where=norm > 0)
    return found
