"""Genes that restrict one another, where the distance is still the number of genes that differ."""

from __future__ import annotations

import itertools
import math
from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.spaces.parts import Part, PartNeighbors

__all__ = ["DependentGenes", "MonotoneGenes", "draw_rising"]

_BLOCK = 1 << 13  # rows at a time: their allowed alleles, 128 bytes a row and gene, stay in the cache


class DependentGenes(Part):
    """Genes whose alleles are allowed or not by what the other genes hold.

    One edit gives one gene another allowed allele. A subclass says what is allowed, and proves that any two of its values can
    be joined by changing each gene in which they differ once, so that the distance is their number.

    Args:
        columns: where the genes stand in the genotype.
        counts: the number of alleles of each.
    """

    def __init__(self, columns: Sequence[int], counts: Sequence[int]) -> None:
        self.columns = np.array(columns, dtype=np.intp)
        self.counts = np.array(counts, dtype=np.int64)
        self.max_edits = int((self.counts > 1).sum())

    @abstractmethod
    def allowed(self, x: Genotypes, gene: int) -> NDArray[np.bool_]:
        """bool[n, counts[gene]]: the alleles that ``gene`` may hold in each valid row, the one it holds included."""

    def canonicalize(self, x: Genotypes) -> Genotypes:
        return x.copy()

    @abstractmethod
    def is_valid(self, x: Genotypes) -> NDArray[np.bool_]: ...

    def distance(self, a: Genotypes, b: Genotypes) -> NDArray[np.int64]:
        different: NDArray[np.int64] = np.count_nonzero(a != b, axis=1).astype(np.int64)
        return different

    def _changes(self, x: Genotypes) -> NDArray[np.int64]:
        """int64[n, C]: how many other alleles each gene may take."""
        changes = np.empty(x.shape, dtype=np.int64)
        for low in range(0, len(x), _BLOCK):
            rows = x[low : low + _BLOCK]
            for gene in range(x.shape[1]):
                changes[low : low + _BLOCK, gene] = np.count_nonzero(self.allowed(rows, gene), axis=1) - 1
        return changes

    def count_neighbors(self, x: Genotypes) -> NDArray[np.float64]:
        count: NDArray[np.float64] = self._changes(x).sum(axis=1).astype(np.float64)
        return count

    def draw_neighbors(self, x: Genotypes, rng: np.random.Generator) -> Genotypes:
        bounds = np.cumsum(self._changes(x), axis=1)
        pick = rng.integers(0, bounds[:, -1])
        choice = (bounds <= pick[:, None]).sum(axis=1)
        y = x.copy()
        for gene in range(x.shape[1]):
            rows = np.flatnonzero(choice == gene)
            before = bounds[rows, gene - 1] if gene else 0
            rank = pick[rows] - before
            for low in range(0, len(rows), _BLOCK):
                block = rows[low : low + _BLOCK]
                other = self._others(x[block], gene)
                y[block, gene] = np.argmax(np.cumsum(other, axis=1) > rank[low : low + _BLOCK, None], axis=1)
        return y

    def all_neighbors(self, x: Genotypes) -> PartNeighbors:
        values, parents = [x[:0]], [np.zeros(0, dtype=np.intp)]
        for gene in range(x.shape[1]):
            rows, alleles = np.nonzero(self._others(x, gene))
            y = x[rows]
            y[:, gene] = alleles
            values.append(y)
            parents.append(rows)
        order = np.argsort(np.concatenate(parents), kind="stable")
        return PartNeighbors(np.concatenate(values)[order], np.concatenate(parents)[order])

    def _others(self, x: Genotypes, gene: int) -> NDArray[np.bool_]:
        """The allowed alleles but the one each row holds."""
        other = self.allowed(x, gene).copy()
        other[np.arange(len(x)), x[:, gene]] = False
        return other


class MonotoneGenes(DependentGenes):
    """Genes with the same alleles that must not fall from one to the next: ``count`` alleles give C(count + C - 1, C) values.

    The distance is the number of genes that differ: from ``a``, first raise each gene to the greater of ``a`` and ``b``, the
    last gene first, then lower each to ``b``, the first gene first. Nothing falls on the way, and no gene changes twice.

    Args:
        columns: where the genes stand in the genotype, in their order.
        count: the number of alleles, in rising order.
    """

    def __init__(self, columns: Sequence[int], count: int) -> None:
        super().__init__(columns, [count] * len(columns))
        self.count = count
        self.cardinality = math.comb(count + len(columns) - 1, len(columns))

    def allowed(self, x: Genotypes, gene: int) -> NDArray[np.bool_]:
        return between_its_neighbors(x, gene, self.count)

    def is_valid(self, x: Genotypes) -> NDArray[np.bool_]:
        return never_falls(x)

    def sample(self, n: int, rng: np.random.Generator) -> Genotypes:
        return draw_rising(np.full(n, self.count), len(self.columns), rng).astype(np.uint8)

    def states(self) -> Genotypes:
        return all_rising(self.count, len(self.columns)).astype(np.uint8)


def between_its_neighbors(x: Genotypes, gene: int, count: int) -> NDArray[np.bool_]:
    """bool[n, count]: the alleles of ``gene`` with which the row does not fall."""
    alleles = np.arange(count)
    allowed = np.ones((len(x), count), dtype=bool)
    if gene > 0:
        allowed &= alleles >= x[:, gene - 1, None]
    if gene < x.shape[1] - 1:
        allowed &= alleles <= x[:, gene + 1, None]
    return allowed


def never_falls(x: Genotypes) -> NDArray[np.bool_]:
    """bool[n]: whether no gene is below the one before."""
    return np.asarray((x[:, 1:] >= x[:, :-1]).all(axis=1))


def draw_rising(counts: NDArray[np.int64], length: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """int64[n, length]: for each row, uniform over the C(count + length - 1, length) rows of 0 to count - 1 that never fall.

    Such a row is a set of ``length`` numbers below ``count + length - 1``, sorted, less 0, 1, 2, ...; the set is drawn by
    Floyd's method: one number at a time, the last possible one in place of one that is there.
    """
    chosen = np.full((len(counts), length), -1, dtype=np.int64)
    for index in range(length):
        last = counts - 1 + index
        drawn = rng.integers(0, last + 1)
        taken = (chosen == drawn[:, None]).any(axis=1)
        chosen[:, index] = np.where(taken, last, drawn)
    chosen.sort(axis=1)
    return chosen - np.arange(length)


def all_rising(count: int, length: int) -> NDArray[np.int64]:
    """All rows of 0 to count - 1 that never fall, int64[C(count + length - 1, length), length]."""
    return np.array(list(itertools.combinations_with_replacement(range(count), length)), dtype=np.int64).reshape(-1, length)
