"""The shrink index: how much likelier a good architecture is drawn from the shrunk space (paper Sec. 4.4, Theorem 1, Eq. 2)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lissnas.errors import UserError

__all__ = ["ShrinkIndex", "good_threshold", "is_good", "probability_of_good", "shrink_index", "shrink_index_interval"]

DRAWS, GOOD = 10, 2  # n and k of Theorem 1; the paper leaves n open and asks for 20% good ones (reconstruction A.7)
BOOTSTRAPS = 2000


@dataclass(frozen=True)
class ShrinkIndex:
    """A shrink index with the shares it comes from.

    Attributes:
        value, low, high: the index and its 95% bootstrap interval.
        p_full, p_shrunk: the raw shares of good architectures.
        threshold: the score from which on an architecture counts as good.
    """

    value: float
    low: float
    high: float
    p_full: float
    p_shrunk: float
    threshold: float


def probability_of_good(p: ArrayLike, n: int = DRAWS, k: int = GOOD) -> NDArray[np.float64]:
    """Theorem 1: the probability that at least ``k`` of ``n`` uniform draws are good, where a share ``p`` is.

    ``sum_{j=k..n} C(n, j) p^j (1 - p)^(n - j)``
    """
    if not 0 < k <= n:
        raise UserError(f"Theorem 1 needs 0 < k <= n, but got k = {k}, n = {n}")
    share = np.asarray(p, dtype=np.float64)
    terms = [math.comb(n, j) * share**j * (1 - share) ** (n - j) for j in range(k, n + 1)]
    total: NDArray[np.float64] = np.sum(terms, axis=0)
    return total


def good_threshold(scores: NDArray[np.float64], *, higher_is_better: bool = True, quantile: float = 0.9) -> float:
    """The score that the best ``1 - quantile`` of the original space reach. Fix it once per space, for all that is compared."""
    if not 0 < quantile < 1:
        raise UserError(f"the quantile of good architectures must lie between 0 and 1, but got {quantile}")
    return float(np.quantile(scores, quantile if higher_is_better else 1 - quantile))


def is_good(scores: NDArray[np.float64], threshold: float, *, higher_is_better: bool = True) -> NDArray[np.bool_]:
    """Which scores reach the threshold."""
    return scores >= threshold if higher_is_better else scores <= threshold


def shrink_index(p_shrunk: float, p_full: float, n: int = DRAWS, k: int = GOOD) -> float:
    """Eq. 2: ``P(A*) - P(A)``."""
    return float(probability_of_good(p_shrunk, n, k) - probability_of_good(p_full, n, k))


def shrink_index_interval(
    shrunk: NDArray[np.float64],
    full: NDArray[np.float64],
    threshold: float,
    *,
    higher_is_better: bool = True,
    n: int = DRAWS,
    k: int = GOOD,
    rng: np.random.Generator,
) -> ShrinkIndex:
    """The shrink index of two samples of scores, with a bootstrap interval over both."""
    good_shrunk = is_good(shrunk, threshold, higher_is_better=higher_is_better)
    good_full = is_good(full, threshold, higher_is_better=higher_is_better)
    p_shrunk, p_full = float(good_shrunk.mean()), float(good_full.mean())
    # resampling yes-or-no values with replacement is a binomial draw
    resampled_shrunk = rng.binomial(len(shrunk), p_shrunk, BOOTSTRAPS) / len(shrunk)
    resampled_full = rng.binomial(len(full), p_full, BOOTSTRAPS) / len(full)
    values = probability_of_good(resampled_shrunk, n, k) - probability_of_good(resampled_full, n, k)
    low, high = np.quantile(values, [0.025, 0.975])
    return ShrinkIndex(shrink_index(p_shrunk, p_full, n, k), float(low), float(high), p_full, p_shrunk, threshold)
