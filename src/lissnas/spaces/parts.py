"""Parts of a product space: columns of a genotype that live and change independently of all the others.

A space of genes and alleles is a product of parts, and an edit happens inside one part. So the space's cardinality is the
product of its parts' and an edit distance the sum; each kind of part answers for itself and knows nothing of the others.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import CodeLayout, Genotypes

__all__ = ["FreeGenes", "Part", "PartNeighbors", "grid"]


class PartNeighbors(NamedTuple):
    """Neighbors of a batch within a part: values uint8[m, C], and parents intp[m]."""

    values: Genotypes
    parents: NDArray[np.intp]


class Part(ABC):
    """Some columns of a genotype, with the edits that happen inside them. Batches are uint8[n, C], the part's columns only.

    Attributes:
        columns: intp[C], where the part's columns stand in the genotype.
        cardinality: exact number of distinct values.
        max_edits: the part's share of the space's ``max_edits``.
    """

    columns: NDArray[np.intp]
    cardinality: int
    max_edits: int

    @abstractmethod
    def sample(self, n: int, rng: np.random.Generator) -> Genotypes:
        """``n`` values, uniform over the part."""

    @abstractmethod
    def canonicalize(self, x: Genotypes) -> Genotypes:
        """The one value that stands for each row."""

    def is_valid(self, x: Genotypes) -> NDArray[np.bool_]:
        """bool[n]: whether each row is a value of the part. A part with values that stand for nothing says so here."""
        valid: NDArray[np.bool_] = (self.canonicalize(x) == x).all(axis=1)
        return valid

    @abstractmethod
    def distance(self, a: Genotypes, b: Genotypes) -> NDArray[np.int64]:
        """The fewest edits between the rows of ``a`` and ``b``."""

    @abstractmethod
    def count_neighbors(self, x: Genotypes) -> NDArray[np.float64]:
        """How many values are one edit away from each row."""

    @abstractmethod
    def draw_neighbors(self, x: Genotypes, rng: np.random.Generator) -> Genotypes:
        """One of them per row, uniform. Every row has at least one."""

    @abstractmethod
    def all_neighbors(self, x: Genotypes) -> PartNeighbors:
        """All of them, each once per row."""

    @abstractmethod
    def states(self) -> Genotypes:
        """All values of the part. Only asked for where ``cardinality`` is small."""


class FreeGenes(Part):
    """Genes that are always active and mean the same wherever the others stand. One edit changes one gene."""

    def __init__(self, columns: Sequence[int], counts: Sequence[int]) -> None:
        self.columns = np.array(columns, dtype=np.intp)
        self.counts = np.array(counts, dtype=np.int64)
        self.cardinality = int(np.prod(self.counts.astype(object)))
        self.max_edits = int((self.counts > 1).sum())
        # one entry per one-edit change: the gene, and by how much its allele is turned
        self._change_gene = np.repeat(np.arange(len(counts)), self.counts - 1)
        self._change_turn = np.concatenate([np.arange(1, count) for count in counts]).astype(np.uint8)

    def sample(self, n: int, rng: np.random.Generator) -> Genotypes:
        if (self.counts == self.counts[0]).all():
            return rng.integers(0, self.counts[0], size=(n, len(self.counts)), dtype=np.uint8)
        x = np.empty((n, len(self.counts)), dtype=np.uint8)
        for gene, count in enumerate(self.counts):
            x[:, gene] = rng.integers(0, count, size=n, dtype=np.uint8)
        return x

    def canonicalize(self, x: Genotypes) -> Genotypes:
        return x.copy()

    def distance(self, a: Genotypes, b: Genotypes) -> NDArray[np.int64]:
        different: NDArray[np.int64] = np.count_nonzero(a != b, axis=1).astype(np.int64)
        return different

    def count_neighbors(self, x: Genotypes) -> NDArray[np.float64]:
        return np.full(len(x), len(self._change_gene), dtype=np.float64)

    def draw_neighbors(self, x: Genotypes, rng: np.random.Generator) -> Genotypes:
        change = rng.integers(0, len(self._change_gene), size=len(x))
        return self._turn(x, np.arange(len(x)), change)

    def all_neighbors(self, x: Genotypes) -> PartNeighbors:
        changes = len(self._change_gene)
        parents = np.repeat(np.arange(len(x)), changes)
        return PartNeighbors(self._turn(x, parents, np.tile(np.arange(changes), len(x))), parents)

    def states(self) -> Genotypes:
        return grid(self.counts)

    def draw_at(self, x: Genotypes, edits: int, rng: np.random.Generator) -> Genotypes:
        """One value per row at exactly ``edits`` edits, uniform over all of them. ``edits`` is at most ``max_edits``."""
        # ways[g][r]: the number of ways to change exactly r of the genes g, g + 1, ..., over scale^r (which keeps it finite
        # for hundreds of genes, and leaves the ratios below as they are)
        scale = float(self.counts.max())
        ways = np.zeros((len(self.counts) + 1, edits + 1))
        ways[-1, 0] = 1
        for gene in reversed(range(len(self.counts))):
            ways[gene] = ways[gene + 1]
            ways[gene, 1:] += (self.counts[gene] - 1) / scale * ways[gene + 1, :-1]
        left = np.full(len(x), edits)
        y = x.copy()
        for gene, count in enumerate(self.counts):
            keep = ways[gene + 1, left] / ways[gene, left]
            rows = np.flatnonzero(rng.random(len(x)) >= keep)
            turn = rng.integers(1, count, size=len(rows)) if count > 1 else np.zeros(0, dtype=np.int64)
            y[rows, gene] = (x[rows, gene] + turn) % count
            left[rows] -= 1
        return y

    def _turn(self, x: Genotypes, rows: NDArray[np.intp], change: NDArray[np.intp]) -> Genotypes:
        gene = self._change_gene[change]
        y = x[rows]
        index = np.arange(len(rows))
        value = y[index, gene].astype(np.int64) + self._change_turn[change]
        count = self.counts[gene]
        y[index, gene] = np.where(value >= count, value - count, value)
        return y


def grid(counts: NDArray[np.int64]) -> Genotypes:
    """All combinations of ``counts[i]`` alleles each, uint8[product, C], in lexicographic order."""
    size = int(np.prod(counts.astype(object)))
    return CodeLayout(counts.tolist()).decode(np.arange(size, dtype=np.uint64)[:, None])
