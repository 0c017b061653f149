"""A number about a space that says how it was had: from all of its architectures or from a sample, or why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "FEWEST",
    "Statistic",
    "as_far_as_seen",
    "estimate",
    "mean_of",
    "quantile_of",
    "share_interval",
    "share_of",
]

FEWEST = 50  # values of a sample below which a mean, a quantile or a share of them is no result
_NORMAL = 1.959963984540054  # half the width of a 95% interval, in standard errors

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Statistic:
    """One number of one space.

    Attributes:
        value: None where it has no value; ``reason`` then says why.
        low, high: its 95% interval, both equal to the value where it is ``exact``. A side that is None has no bound that the
            sample could tell; where the other is the value itself, it is an extreme: what a sample holds of the best, the
            farthest or the most is only the least that the space can have. Both are None where an interval has no meaning.
        exact: it comes from all architectures of the space, so that nothing about it is left to chance.
        n: how many architectures (or pairs) it comes from.
        reason: why it has no value; empty where it has one.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    exact: bool = False
    n: int = 0
    reason: str = ""

    @classmethod
    def missing(cls, reason: str, n: int = 0) -> Statistic:
        """No value, and why."""
        return cls(None, n=n, reason=reason)

    @classmethod
    def certain(cls, value: float, n: int) -> Statistic:
        """A value that is left to no chance."""
        return cls(value, value, value, True, n)

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return dict(self.__dict__)


def estimate(value: float, error: float, exact: bool, n: int) -> Statistic:
    """A value with its standard error, whose interval is a normal one."""
    if exact:
        return Statistic.certain(value, n)
    return Statistic(value, value - _NORMAL * error, value + _NORMAL * error, False, n)


def mean_of(values: Floats, exact: bool) -> Statistic:
    """The mean of ``values``, float64[n]."""
    lacking = _too_few(len(values), exact)
    if lacking is not None:
        return lacking
    error = 0.0 if len(values) < 2 else float(values.std(ddof=1)) / math.sqrt(len(values))
    return estimate(float(values.mean()), error, exact, len(values))


def quantile_of(ordered: Floats, q: float, exact: bool) -> Statistic:
    """The quantile ``q`` of ``ordered`` (float64[n], ascending); its interval is that of the ranks, whatever the distribution.

    A bound that would need ranks beyond the sample's ends is None.
    """
    n = len(ordered)
    lacking = _too_few(n, exact)
    if lacking is not None:
        return lacking
    place = q * (n - 1)
    below = math.floor(place)
    above = min(below + 1, n - 1)
    value = float(ordered[below] + (place - below) * (ordered[above] - ordered[below]))
    if exact:
        return Statistic.certain(value, n)
    spread = _NORMAL * math.sqrt(n * q * (1 - q))
    low, high = math.floor(n * q - spread) - 1, math.ceil(n * q + spread)
    return Statistic(
        value,
        float(ordered[low]) if low >= 0 else None,
        float(ordered[high]) if high < n else None,
        False,
        n,
    )


def share_of(hits: int, n: int, exact: bool) -> Statistic:
    """The share ``hits / n``; its interval is Jeffreys', which has a width also where none or all are hits."""
    lacking = _too_few(n, exact)
    if lacking is not None:
        return lacking
    if exact:
        return Statistic.certain(hits / n, n)
    return Statistic(hits / n, *share_interval(hits, n), False, n)


def share_interval(hits: int, n: int) -> tuple[float, float]:
    """Jeffreys' 95% interval of a share (Brown, Cai & DasGupta 2001)."""
    from scipy.special import betaincinv

    low = 0.0 if hits == 0 else float(betaincinv(hits + 0.5, n - hits + 0.5, 0.025))
    high = 1.0 if hits == n else float(betaincinv(hits + 0.5, n - hits + 0.5, 0.975))
    return low, high


def as_far_as_seen(value: float, exact: bool, n: int, *, upwards: bool = True) -> Statistic:
    """An extreme: exact where all were seen, else the least (``upwards``) or the most that it can be."""
    if exact:
        return Statistic.certain(value, n)
    return Statistic(value, value, None, False, n) if upwards else Statistic(value, None, value, False, n)


def _too_few(n: int, exact: bool) -> Statistic | None:
    if n == 0:
        return Statistic.missing("no architecture has a score")
    if not exact and n < FEWEST:
        return Statistic.missing(f"a sample of {n} architectures is no result: {FEWEST} are needed", n)
    return None
