"""Paired comparisons over few seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["paired_p", "spread"]


def paired_p(differences: Sequence[float]) -> float | None:
    """The two-sided p-value of Student's paired t test; None for fewer than two seeds or where all differences are equal."""
    n = len(differences)
    if n < 2:
        return None
    mean = math.fsum(differences) / n
    error = math.sqrt(math.fsum((d - mean) ** 2 for d in differences) / (n - 1) / n)
    if error == 0:
        return None
    from scipy.special import stdtr

    return float(2 * stdtr(n - 1, -abs(mean) / error))


def spread(values: Sequence[float], digits: int) -> str:
    """Mean and standard deviation over seeds, as text."""
    n = len(values)
    mean = math.fsum(values) / n
    if n < 2:
        return f"{mean:.{digits}f}"
    deviation = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (n - 1))
    return f"{mean:.{digits}f} ± {deviation:.{digits}f}"
