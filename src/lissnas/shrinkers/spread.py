"""Which architectures of many make a good and diverse space: the mean of their scores against how they differ.

The mean pairwise Hamming distance of a set is a function of how often each allele occurs in it: the sum over genes of
``1 - sum(share ** 2)``. That is concave in the shares, and so is ``mean utility + weight * diversity``; over sets of one size,
with networks allowed to be in it by parts, Frank and Wolfe's method finds its maximum: each step takes the best set for the
scores that the gradient gives, the utility less what is common about an architecture. At the maximum this set is the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes

__all__ = ["Chosen", "Spread", "allele_diversity"]

MOST_STEPS = 30  # of Frank and Wolfe's method
CLOSE = 1e-3  # of what is to be gained, as a share of the utilities' spread: steps that gain less are not taken
BISECTIONS = 12
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


def allele_diversity(genotypes: Genotypes) -> float:
    """The mean Hamming distance of two different rows of uint8[n, L], exactly, from the counts of alleles."""
    n = len(genotypes)
    if n < 2:
        return 0.0
    equal = sum(float((np.bincount(column).astype(np.float64) ** 2).sum()) for column in genotypes.T)
    return (genotypes.shape[1] - equal / n**2) * n / (n - 1)


class Spread:
    """Chooses among candidates.

    Args:
        genotypes: uint8[n, L], each once.
        utility: float64[n], higher is better.
        bins: int64[n], a bin of a cost for each; None: bins do not count.
        floor: the share of the size that each bin keeps at least, where it has as many candidates.
    """

    def __init__(
        self, genotypes: Genotypes, utility: NDArray[np.float64], bins: NDArray[np.int64] | None = None, floor: float = 0.0
    ) -> None:
        self.genotypes = genotypes
        self.utility = utility
        self._columns = [np.ascontiguousarray(column).astype(np.intp) for column in genotypes.T]
        self._radix = [int(column.max(initial=0)) + 1 for column in self._columns]
        self._bins: list[NDArray[np.intp]] = []
        if bins is not None and floor > 0:
            order = np.argsort(bins, kind="stable")
            self._bins = np.split(order, np.flatnonzero(np.diff(bins[order])) + 1)
        self._floor = floor
        self._spread = float(utility.std())
        self._whole = max(allele_diversity(genotypes), 1e-12)

    def best(self, size: int, weight: float, start: NDArray[np.intp] | None = None) -> NDArray[np.intp]:
        """The rows, sorted, of the ``size`` candidates with the highest mean utility + weight x diversity.

        Args:
            weight: in spreads of utility for the whole of the candidates' diversity.
            start: a set to begin with, the answer to a similar question.
        """
        size = min(size, len(self.utility))
        scale = weight * self._spread / self._whole
        rows = self._top(self.utility, size) if start is None else start
        if scale == 0:
            return self._top(self.utility, size)
        shares, mean = self._shares(rows), float(self.utility[rows].mean())
        for _ in range(MOST_STEPS):
            rows = self._top(self._net(shares, scale), size)
            to, mean_to = self._shares(rows), float(self.utility[rows].mean())
            steps = [b - a for a, b in zip(shares, to, strict=True)]
            slope = mean_to - mean - 2 * scale * sum(float(a @ d) for a, d in zip(shares, steps, strict=True))
            if slope <= CLOSE * self._spread:
                break
            along = min(1.0, slope / max(2 * scale * sum(float(d @ d) for d in steps), 1e-300))
            shares = [a + along * d for a, d in zip(shares, steps, strict=True)]
            mean += along * (mean_to - mean)
        return rows

    def at_least(
        self,
        size: int,
        target: float,
        measure: Callable[[NDArray[np.intp]], float],
        guess: float = 1.0,
        tries: int = BISECTIONS,
    ) -> Chosen:
        """The set of the lowest weight whose diversity, by ``measure``, is ``target`` or more; else the most diverse one.

        Args:
            guess: a weight to begin with, the answer to a similar question.
            tries: weights that are looked at before the best of them is taken, and the highest where none of them was enough.
        """
        low, high = float(np.log(LOWEST)), float(np.log(HIGHEST))
        at, width = float(np.clip(np.log(guess), low, high)), 0.25
        bounds = [low, high]  # too little, enough
        best: Chosen | None = None
        rows: NDArray[np.intp] | None = None
        for _ in range(tries):
            rows = self.best(size, float(np.exp(at)) if at > low else 0.0, rows)
            found = measure(rows)
            enough = found >= target
            if enough:
                best = Chosen(rows, float(np.exp(at)) if at > low else 0.0, found)
            bounds[int(enough)] = at
            if bounds[1] - bounds[0] < 0.02 or (enough and at == low):
                break
            if bounds[1] < high and bounds[0] > low:
                at = sum(bounds) / 2
                continue
            # one side is not known yet: away from the guess, twice as far each time
            at = max(at - width, low) if enough else min(at + width, high)
            width *= 2
        if best is not None:
            return best
        rows = self.best(size, HIGHEST, rows)
        found = measure(rows)
        return Chosen(rows, HIGHEST, found, found >= target)

    def _net(self, shares: list[NDArray[np.float64]], scale: float) -> NDArray[np.float64]:
        """What each candidate adds: its utility, less how common its alleles are."""
        net = self.utility.copy()
        for column, share in zip(self._columns, shares, strict=True):
            net -= (2 * scale * share)[column]
        return net

    def _shares(self, rows: NDArray[np.intp]) -> list[NDArray[np.float64]]:
        """How often each allele of each gene occurs among ``rows``."""
        return [
            np.bincount(column[rows], minlength=radix) / max(len(rows), 1)
            for column, radix in zip(self._columns, self._radix, strict=True)
        ]

    def _top(self, score: NDArray[np.float64], size: int) -> NDArray[np.intp]:
        """The rows of the ``size`` highest scores, each bin's share first; ties go to the lower row."""
        if size >= len(score):
            return np.arange(len(score))
        if not self._bins:
            return np.sort(_highest(score, size))
        taken = np.zeros(len(score), dtype=bool)
        least = int(self._floor * size)
        for members in self._bins:
            taken[members[_highest(score[members], least)]] = True
        rest = np.where(taken, -np.inf, score)
        taken[_highest(rest, size - int(taken.sum()))] = True
        return np.flatnonzero(taken)


def _highest(score: NDArray[np.float64], n: int) -> NDArray[np.intp]:
    """The places of the ``n`` highest; ties go to the lower place."""
    if n >= len(score):
        return np.arange(len(score))
    if n <= 0:
        return np.zeros(0, dtype=np.intp)
    edge = np.partition(score, len(score) - n)[len(score) - n]
    above = np.flatnonzero(score > edge)
    return np.concatenate([above, np.flatnonzero(score == edge)[: n - len(above)]])
