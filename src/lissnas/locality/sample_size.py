"""How many networks stand for a whole space: the experiment of Appendix G, and the smallest sample that suffices.

A sample stands for the space when its empirical distribution function lies near the space's own everywhere (the deviation of
Kolmogorov and Smirnov). For a continuous score that deviation has the same distribution in every space, so the number is the
same for nearly all: 738 of a large space for a deviation of at most .05, 95 times in 100. A small space needs fewer, since its
sample is drawn without replacement, and so does one whose scores hold many ties. What does depend on the space is how far the
sample's mean lies from the true one, in the score's own unit.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError

__all__ = ["SampleSize", "edf_deviation", "sample_size"]

REPEATS = 1000
CONFIDENCE = 0.95
_LARGEST = 20_000  # networks of a sample that are tried at most

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SampleSize:
    """Repeated samples of ``samples`` networks without replacement, against all ``population`` of them.

    Attributes:
        population: networks in the whole; ``samples``: in each sample; ``repeats``: samples drawn.
        deviation, deviation_95: the largest difference of the two EDFs, its mean and its 95% quantile over samples.
        rejected: the share of samples that the Kolmogorov-Smirnov test at 5% (its asymptotic line for one sample) tells
            apart from the whole. A fair sample is, 1 time in 20 at most.
        mean_error_95: the 95% quantile of |sample mean - true mean|, in the score's unit.
        tolerance, smallest: the least sample whose deviation is at most ``tolerance`` in 95% of the repeats, or None.
        reason: why there is none.
    """

    population: int
    samples: int
    repeats: int
    deviation: float | None
    deviation_95: float | None
    rejected: float | None
    mean_error_95: float | None
    tolerance: float
    smallest: int | None
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def sample_size(
    scores: Floats, samples: int, rng: np.random.Generator, *, tolerance: float = 0.05, repeats: int = REPEATS
) -> SampleSize:
    """The experiment on the ``scores`` float64[N] of all networks of a space.

    Raises:
        UserError: a tolerance that is not between 0 and 1.
    """
    if not 0 < tolerance < 1:
        raise UserError(f"the tolerance of an EDF deviation must lie between 0 and 1, but got {tolerance}")
    population = len(scores)
    if np.ptp(scores) == 0 or samples >= population:
        reason = "the scores are all equal" if samples < population else f"{samples:,} networks are all that there are"
        return SampleSize(population, samples, 0, None, None, None, None, tolerance, None, reason)
    ordered, place = np.unique(scores, return_inverse=True)
    below = np.cumsum(np.bincount(place)) / population
    # the asymptotic answer is 1.84 / tolerance^2, less where there are ties or few networks
    largest = min(population, max(samples, min(_LARGEST, round(2.2 / tolerance**2))))
    # one long draw per repeat, whose first k networks are a sample of k: sizes are compared on the same draws
    drawn = np.stack([rng.choice(population, size=largest, replace=False) for _ in range(repeats)])
    draws: NDArray[np.int32] = place.astype(np.int32)[drawn]
    deviation = edf_deviation(draws[:, :samples], below)
    means = ordered[draws[:, :samples]].mean(axis=1)
    smallest = _smallest(draws, below, tolerance)
    return SampleSize(
        population,
        samples,
        repeats,
        float(deviation.mean()),
        float(np.quantile(deviation, CONFIDENCE)),
        float((deviation * math.sqrt(samples) > 1.3581).mean()),  # the 95% quantile of Kolmogorov's distribution
        float(np.quantile(np.abs(means - scores.mean()), CONFIDENCE)),
        tolerance,
        smallest,
        None if smallest else f"{largest:,} networks do not suffice",
    )


def edf_deviation(draws: NDArray[np.int32], below: Floats) -> Floats:
    """float64[R]: the largest difference between each sample's EDF and the space's.

    Args:
        draws: int32[R, n], the scores of each sample, by their place among the space's different scores.
        below: float64[K], the share of the space at or below each different score.
    """
    ranks = np.sort(draws, axis=1)
    n = ranks.shape[1]
    before = np.concatenate([[0.0], below])[ranks]
    step = np.arange(1, n + 1) / n
    # among equal scores only the last step up and the first one down count, and those are the largest
    deviation: Floats = np.maximum(step - below[ranks], before - (step - 1 / n)).max(axis=1)
    return deviation


def _smallest(draws: NDArray[np.int32], below: Floats, tolerance: float) -> int | None:
    def suffices(n: int) -> bool:
        return float(np.quantile(edf_deviation(draws[:, :n], below), CONFIDENCE)) <= tolerance

    low, high = 1, int(draws.shape[1])
    if not suffices(high):
        return None
    while low < high:
        middle = (low + high) // 2
        if suffices(middle):
            high = middle
        else:
            low = middle + 1
    return high
