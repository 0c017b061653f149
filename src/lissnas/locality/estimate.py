"""A number with its interval, and what pairs of networks say together: means, shares, correlations.

Intervals are normal ones at 95% by the delta method (for correlations on Fisher's z scale), with standard errors that allow for
what pairs share: a pair of networks is counted beside every other pair that has a network in common with it (as dyadic
cluster-robust errors do: Fafchamps & Gubert 2007; Aronow, Samii & Assenova 2015), steps of a walk as one unit per chain. They
need no normal scores and no chance, so the same pairs give the same interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEWEST", "Estimate", "Pairs", "correlation", "mean_difference", "share_passing"]

FEWEST = 30  # pairs (and 10 units) below which a statistic has no value
_FEWEST_UNITS = 10
_NORMAL = 1.959963984540054  # half-width of a 95% interval, in standard errors

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A number with its 95% interval, or the reason why there is none.

    Attributes:
        value: None where it has no value, as are ``low`` and ``high``.
        low, high: the interval; equal to the value where that is ``exact``.
        pairs: how many pairs of networks it comes from.
        exact: it comes from all pairs that there are, so nothing about it is left to chance.
        reason: why it has no value.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    pairs: int = 0
    exact: bool = False
    reason: str | None = None

    @classmethod
    def missing(cls, reason: str, pairs: int = 0) -> Estimate:
        """No value, and why."""
        return cls(None, pairs=pairs, reason=reason)

    @classmethod
    def certain(cls, value: float, pairs: int) -> Estimate:
        """A number that comes from all pairs."""
        return cls(value, value, value, pairs, exact=True)

    def over(self, divisor: float) -> Estimate:
        """The same in another unit: a multiple of ``divisor`` > 0."""
        if self.value is None or self.low is None or self.high is None:
            return self
        return Estimate(self.value / divisor, self.low / divisor, self.high / divisor, self.pairs, self.exact)

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return dict(self.__dict__)


class Pairs(NamedTuple):
    """Scores of pairs of networks.

    Attributes:
        start: float64[m], the scores of the networks that edits begin at.
        end: float64[m], of those they lead to.
        first: intp[m], which network (or chain) each pair begins at.
        second: intp[m], which one it ends at; None where ``first`` says all that pairs have in common.
        unordered: which of the two comes first means nothing (and may follow their codes, say).
    """

    start: Floats
    end: Floats
    first: NDArray[np.intp]
    second: NDArray[np.intp] | None = None
    unordered: bool = False

    def scored(self) -> Pairs:
        """Those in which both networks have a score."""
        return self.take(np.flatnonzero(np.isfinite(self.start) & np.isfinite(self.end)))

    def take(self, rows: NDArray[np.intp]) -> Pairs:
        """Some of them."""
        second = None if self.second is None else self.second[rows]
        return Pairs(self.start[rows], self.end[rows], self.first[rows], second, self.unordered)


def correlation(pairs: Pairs) -> Estimate:
    """Pearson's correlation of the two scores; for unordered pairs around one mean and by one variance."""
    problem = _too_few(pairs)
    if problem:
        return problem
    if _constant(pairs.start) or _constant(pairs.end):
        return Estimate.missing("the scores are all equal, so nothing correlates", len(pairs.start))
    middle, other = pairs.start.mean(), pairs.end.mean()
    if pairs.unordered:
        middle = other = (middle + other) / 2
    u, v = pairs.start - middle, pairs.end - other
    square, its = float(u @ u) / len(u), float(v @ v) / len(v)
    if pairs.unordered:
        square = its = (square + its) / 2
    u, v = u / math.sqrt(square), v / math.sqrt(its)
    r = float(np.clip(u @ v / len(u), -1, 1))
    error = _standard_error(u * v - r * (u * u + v * v) / 2, pairs)
    if 1 - r * r < 1e-12:
        return Estimate(r, r, r, len(u))
    z, width = math.atanh(r), _NORMAL * error / (1 - r * r)
    return Estimate(r, math.tanh(z - width), math.tanh(z + width), len(u))


def mean_difference(pairs: Pairs) -> Estimate:
    """The mean absolute difference of the two scores: AAD."""
    problem = _too_few(pairs)
    if problem:
        return problem
    apart = np.abs(pairs.start - pairs.end)
    value = float(apart.mean())
    width = _NORMAL * _standard_error(apart - value, pairs)
    return Estimate(value, max(0.0, value - width), value + width, len(apart))


def share_passing(pairs: Pairs, threshold: float, sign: float) -> Estimate:
    """The share of pairs whose end reaches ``threshold`` (from above for ``sign`` 1, from below for -1).

    Wilson's interval, for as many independent pairs as have the same standard error: it stays within 0 and 1.
    """
    problem = _too_few(pairs)
    if problem:
        return problem
    passes = (sign * pairs.end >= sign * threshold).astype(np.float64)
    p, n = float(passes.mean()), float(len(passes))
    error = _standard_error(passes - p, pairs)
    if 0 < p < 1 and error > 0:
        n = min(n, p * (1 - p) / error**2)
    square = _NORMAL**2
    middle = (p + square / (2 * n)) / (1 + square / n)
    width = _NORMAL / (1 + square / n) * math.sqrt(p * (1 - p) / n + square / (4 * n * n))
    return Estimate(p, max(0.0, min(p, middle - width)), min(1.0, max(p, middle + width)), len(passes))


def _constant(scores: Floats) -> bool:
    return bool(np.ptp(scores) == 0)


def _too_few(pairs: Pairs) -> Estimate | None:
    """Why these pairs give no statistic, or None."""
    count = len(pairs.start)
    if count < FEWEST:
        return Estimate.missing(f"only {count} pairs of scored networks, fewer than {FEWEST}", count)
    units = np.count_nonzero(np.bincount(pairs.first))
    if units < _FEWEST_UNITS:
        return Estimate.missing(f"the pairs begin at only {units} networks, fewer than {_FEWEST_UNITS}", count)
    return None


def _standard_error(e: Floats, pairs: Pairs) -> float:
    """Of the mean of ``e`` (whose sum is 0): sums over all pairs that have something in common."""
    if pairs.second is None:
        square = _squares(e, pairs.first)
    else:
        # a pair's two networks are each a unit; its own square would count twice. Few pairs can seem to cancel out
        # (the estimate can even be negative): none is narrower than if pairs had nothing in common
        own = float(e @ e)
        square = max(_squares(np.concatenate([e, e]), np.concatenate([pairs.first, pairs.second])) - own, own)
    return math.sqrt(square) / len(e)


def _squares(e: Floats, units: NDArray[np.intp]) -> float:
    sums = np.bincount(units, weights=e)
    count = int(np.count_nonzero(np.bincount(units)))
    return float(sums @ sums) * (count / max(count - 1, 1))
