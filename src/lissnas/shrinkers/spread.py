"""Which architectures of many make a good and diverse space: the mean of their scores against how they differ.

Two architectures differ in a gene where it is active in both and holds different alleles. In how many genes two members of a
set differ in the mean follows from how often each allele occurs in it: ``sum over genes of active ** 2 - sum(share ** 2)``. So
``mean utility + weight * diversity`` is a quadratic function of the shares, and Frank and Wolfe's method climbs it over all
sets of one size, with members allowed to be in it by parts: each step takes the best set for the scores that the gradient
gives, an architecture's utility plus what is rare about it, and goes towards its shares as far as that pays. Where all genes
are always active the function is concave, and the last set is the best there is, but for the parts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes

__all__ = ["Chosen", "Spread", "allele_diversity"]

MOST_STEPS = 30  # of Frank and Wolfe's method
CLOSE = 1e-3  # of what is to be gained, as a share of the utilities' spread: steps that gain less are not taken
TRIES = 16  # weights for one answer
CLOSE_WEIGHTS = 0.02  # logarithms of weights that are not told apart
LOWEST, HIGHEST = 1e-3, 1e3  # weights that are tried, in spreads of utility for the whole of the candidates' diversity


@dataclass(frozen=True)
class Chosen:
    """A set that was chosen.

    Attributes:
        rows: intp[n], sorted, of the candidates.
        weight: of diversity against the mean, in spreads of the candidates' utility for the whole of their diversity.
        diversity: what it was chosen for, as it was measured; not a number where nothing was asked.
        reached: whether that is what was asked.
    """

    rows: NDArray[np.intp]
    weight: float
    diversity: float = float("nan")
    reached: bool = True


def allele_diversity(genotypes: Genotypes, counts: Sequence[int]) -> float:
    """In how many genes two different rows of uint8[n, L] differ in the mean, exactly, from how often each allele occurs.

    Args:
        counts: the alleles of each gene; a gene that holds a higher number is inactive, and differs from nothing.
    """
    n = len(genotypes)
    if n < 2:
        return 0.0
    total = 0.0
    for column, count in zip(genotypes.T, counts, strict=True):
        held = np.bincount(column, minlength=count)[:count].astype(np.float64)
        total += float(held.sum() ** 2 - (held**2).sum())
    return total / (n * (n - 1))


class Spread:
    """Chooses among candidates.

    Args:
        genotypes: uint8[n, L], each once.
        counts: the alleles of each gene; what is above is inactive.
        utility: float64[n], higher is better.
        bins: int64[n], a bin of a cost for each; None: bins do not count.
        floor: the share of the size, rounded up, that each bin keeps where it has as many candidates; where that comes to more
            than the size, bins do not count.
    """

    def __init__(
        self,
        genotypes: Genotypes,
        counts: Sequence[int],
        utility: NDArray[np.float64],
        bins: NDArray[np.int64] | None = None,
        floor: float = 0.0,
    ) -> None:
        self._counts = list(counts)
        self.utility = utility
        self._columns = [np.ascontiguousarray(column).astype(np.intp) for column in genotypes.T]
        self._bins: list[NDArray[np.intp]] = []
        if bins is not None and floor > 0:
            order = np.argsort(bins, kind="stable")
            self._bins = np.split(order, np.flatnonzero(np.diff(bins[order])) + 1)
        self._floor = floor
        self._spread = float(utility.std())
        self._whole = max(allele_diversity(genotypes, counts), 1e-12)

    def best(self, size: int, weight: float, start: NDArray[np.intp] | None = None) -> NDArray[np.intp]:
        """The rows, sorted, of the ``size`` candidates with the highest mean utility + weight x diversity.

        Args:
            weight: in spreads of utility for the whole of the candidates' diversity.
            start: a set to begin with, the answer to a similar question.
        """
        size = min(size, len(self.utility))
        scale = weight * self._spread / self._whole
        if scale == 0:
            return self._top(self.utility, size)
        rows = self._top(self.utility, size) if start is None else start
        part = np.zeros(len(self.utility))
        part[rows] = 1
        shares, mean = self._shares(rows), float(self.utility[rows].mean())
        for _ in range(MOST_STEPS):
            rows = self._top(self._net(shares, scale), size)
            to, mean_to = self._shares(rows), float(self.utility[rows].mean())
            steps = [b - a for a, b in zip(shares, to, strict=True)]
            slope = mean_to - mean + 2 * scale * sum(_product(a, d) for a, d in zip(shares, steps, strict=True))
            if slope <= CLOSE * self._spread:
                break
            bend = scale * sum(_product(d, d) for d in steps)
            along = min(1.0, slope / (-2 * bend)) if bend < 0 else 1.0
            shares = [a + along * d for a, d in zip(shares, steps, strict=True)]
            mean += along * (mean_to - mean)
            part *= 1 - along
            part[rows] += along
        # where diversity counts for much, whole sets swing about the answer, and a draw by the parts is nearer to it
        drawn = self._draw(part, size)
        return max((rows, drawn), key=lambda found: self._value(found, scale))

    def _value(self, rows: NDArray[np.intp], scale: float) -> float:
        """What is maximised."""
        return float(self.utility[rows].mean()) + scale * sum(_product(share, share) for share in self._shares(rows))

    def _draw(self, part: NDArray[np.float64], size: int) -> NDArray[np.intp]:
        """``size`` rows, each as likely as its part, and as many of each bin as its parts come to, but for one."""
        order = np.concatenate(self._bins) if self._bins else np.arange(len(part))
        filled = np.cumsum(part[order]) * (size / part.sum())
        passed = np.floor(filled + 0.5)  # a row is taken where the sum of parts passes a half
        rows: NDArray[np.intp] = np.sort(order[np.diff(passed, prepend=0) > 0])
        return rows

    def at_least(
        self,
        size: int,
        target: float,
        measure: Callable[[NDArray[np.intp]], float],
        guess: float = 1.0,
        tries: int = TRIES,
    ) -> Chosen:
        """The set of the lowest weight whose diversity, by ``measure``, is ``target`` or more.

        Where no weight is enough it is the set of the highest, and ``reached`` says so.

        Args:
            guess: a weight to begin with, the answer to a similar question.
            tries: weights that are looked at; with few of them the set is near the target only, on either side of it.
        """
        low, high = float(np.log(LOWEST)), float(np.log(HIGHEST))
        at, step = float(np.clip(np.log(guess), low, high)), 0.5
        short: float | None = None  # the highest weight that was not enough
        kept: Chosen | None = None  # the set of the lowest that was
        enough = high
        rows: NDArray[np.intp] | None = None
        for _ in range(tries):
            weight = float(np.exp(at)) if at > low else 0.0
            rows = self.best(size, weight, rows)
            found = measure(rows)
            last = Chosen(rows, weight, found, found >= target)
            if last.reached:
                kept, enough = last, at
            else:
                short = at
            if kept is not None and short is not None:
                if enough - short < CLOSE_WEIGHTS:
                    break
                at = (short + enough) / 2
                continue
            # one side is not known yet: away from the guess, twice as far each time
            if at == (low if last.reached else high):
                break
            at = max(at - step, low) if last.reached else min(at + step, high)
            step *= 2
        return kept or last

    def _net(self, shares: list[NDArray[np.float64]], scale: float) -> NDArray[np.float64]:
        """What each candidate adds: its utility, and how rare its alleles are."""
        net = self.utility.copy()
        for column, share in zip(self._columns, shares, strict=True):
            rare = np.append(share.sum() - share, np.zeros(256 - len(share)))
            net += (2 * scale * rare)[column]
        return net

    def _shares(self, rows: NDArray[np.intp]) -> list[NDArray[np.float64]]:
        """How often each allele of each gene occurs among ``rows``."""
        return [
            np.bincount(column[rows], minlength=count)[:count] / len(rows)
            for column, count in zip(self._columns, self._counts, strict=True)
        ]

    def _top(self, score: NDArray[np.float64], size: int) -> NDArray[np.intp]:
        """The rows of the ``size`` highest scores, each bin's share first; ties go to the lower row."""
        if size >= len(score):
            return np.arange(len(score))
        if not self._bins:
            return np.sort(_highest(score, size))
        taken = np.zeros(len(score), dtype=bool)
        least = math.ceil(self._floor * size)
        if least * len(self._bins) > size:
            least = 0
        for members in self._bins:
            taken[members[_highest(score[members], least)]] = True
        rest = np.where(taken, -np.inf, score)
        taken[_highest(rest, size - int(taken.sum()))] = True
        return np.flatnonzero(taken)


def _product(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """How much two shares of one gene's alleles differ; of one with itself, the diversity."""
    return float(one.sum() * other.sum() - one @ other)


def _highest(score: NDArray[np.float64], n: int) -> NDArray[np.intp]:
    """The places of the ``n`` highest; ties go to the lower place."""
    if n >= len(score):
        return np.arange(len(score))
    if n <= 0:
        return np.zeros(0, dtype=np.intp)
    edge = np.partition(score, len(score) - n)[len(score) - n]
    above = np.flatnonzero(score > edge)
    return np.concatenate([above, np.flatnonzero(score == edge)[: n - len(above)]])
