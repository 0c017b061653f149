"""How the scores of one space lie against those of another: EDF and Kolmogorov-Smirnov (paper Sec. 5.2, after DDS)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError

__all__ = ["KolmogorovSmirnov", "cliffs_delta", "edf", "edf_area", "ks", "ks_distance"]

EXACT = 500  # scores up to which p-values are exact


@dataclass(frozen=True)
class KolmogorovSmirnov:
    """Two-sided statistic and p-value, and the one-sided pair for "the first space is better"."""

    statistic: float
    p_value: float
    better_statistic: float
    better_p_value: float


def edf(errors: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """The error EDF of DDS: the share of ``errors`` below each of ``at``. Errors are "lower is better"."""
    return np.searchsorted(np.sort(errors), at, side="left") / len(errors)


def edf_area(errors: NDArray[np.float64], low: float, high: float) -> float:
    """The area under the EDF over the errors from ``low`` to ``high``, as a share of the largest possible: more is better."""
    if not low < high:
        raise UserError(f"the area of an EDF needs low < high, but got low = {low}, high = {high}")
    return float((high - np.clip(errors, low, high)).mean() / (high - low))


def ks(first: NDArray[np.float64], second: NDArray[np.float64], *, higher_is_better: bool = True) -> KolmogorovSmirnov:
    """Kolmogorov-Smirnov between the scores of two spaces."""
    from scipy import stats

    if len(first) < 2 or len(second) < 2:
        raise UserError(f"Kolmogorov-Smirnov needs at least 2 scores of each space, but got {len(first)} and {len(second)}")
    # the exact law is of small samples; of large ones SciPy's recursion overflows
    method: Literal["exact", "asymp"] = "exact" if max(len(first), len(second)) <= EXACT else "asymp"
    both = stats.ks_2samp(first, second, method=method)
    # SciPy's "less" is that the first's distribution function lies below the second's: the first's values are larger.
    better = stats.ks_2samp(first, second, alternative="less" if higher_is_better else "greater", method=method)
    return KolmogorovSmirnov(float(both.statistic), float(both.pvalue), float(better.statistic), float(better.pvalue))


def ks_distance(
    first: NDArray[np.float64], second: NDArray[np.float64], *, higher_is_better: bool = True
) -> tuple[float, float]:
    """How far apart two distributions of scores are: the two-sided statistic, and that of "the first is better".

    Both inputs ascending; they are the effect sizes of :func:`ks`, at any number of scores.
    """
    at = np.concatenate([first, second])
    share_first = np.searchsorted(first, at, side="right") / len(first)
    share_second = np.searchsorted(second, at, side="right") / len(second)
    lower, higher = float((share_second - share_first).max()), float((share_first - share_second).max())
    better = lower if higher_is_better else higher
    return max(lower, higher, 0.0), max(better, 0.0)


def cliffs_delta(
    first: NDArray[np.float64], second: NDArray[np.float64], *, higher_is_better: bool = True
) -> tuple[float, float, float]:
    """Cliff's delta: P(a score of the first is better) - P(it is worse), both inputs ascending.

    Returns:
        The delta, and the variance that the choice of the first and of the second sample gives it (DeLong's components).
    """
    wins = _balance(first, second)
    losses = _balance(second, first)
    sign = 1.0 if higher_is_better else -1.0
    variances = [float(v.var(ddof=1)) / len(v) if len(v) > 1 else 0.0 for v in (wins, losses)]
    return sign * float(wins.mean()), variances[0], variances[1]


def _balance(of: NDArray[np.float64], against: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each value the share of ``against`` (ascending) that lies below it, less the share above."""
    below = np.searchsorted(against, of, side="left")
    at_most = np.searchsorted(against, of, side="right")
    return (below + at_most - len(against)) / len(against)
