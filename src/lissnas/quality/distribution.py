"""How the scores of one space lie against those of another: EDF and Kolmogorov-Smirnov (paper Sec. 5.2, after DDS)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError

__all__ = ["KolmogorovSmirnov", "edf", "edf_area", "ks"]


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
    both = stats.ks_2samp(first, second)
    # SciPy's "less" is that the first's distribution function lies below the second's: the first's values are larger.
    better = stats.ks_2samp(first, second, alternative="less" if higher_is_better else "greater")
    return KolmogorovSmirnov(float(both.statistic), float(both.pvalue), float(better.statistic), float(better.pvalue))
