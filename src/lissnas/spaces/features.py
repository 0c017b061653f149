"""What a predictor sees of an architecture, where it follows from the genes alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.spaces.gene import Gene

__all__ = ["FeatureTable", "one_hot", "op_coded", "ordinal"]

Features = NDArray[np.float32]


class FeatureTable(NamedTuple):
    """Features that look at one gene each: column ``f`` of the features is ``values[f, genotype[genes[f]]]``.

    Attributes:
        names: one name per feature.
        genes: intp[F], the gene each feature looks at.
        values: float32[F, K], what it reads for each allele (``K``: the most alleles that a gene has).
    """

    names: tuple[str, ...]
    genes: NDArray[np.intp]
    values: Features

    @classmethod
    def of(cls, genes: Sequence[Gene]) -> FeatureTable:
        """A gene whose alleles have an order is one column (their rank, -1 where it is inactive); any other is one column
        per allele (1 where it holds that allele)."""
        radix = max(gene.radix for gene in genes)
        names: list[str] = []
        columns: list[int] = []
        values: list[Features] = []
        for index, gene in enumerate(genes):
            count = len(gene.alleles)
            if gene.is_ordinal:
                row = np.full(radix, -1, dtype=np.float32)
                row[:count] = np.arange(count)
                names.append(gene.name)
                columns.append(index)
                values.append(row)
                continue
            for allele in range(count):
                row = np.zeros(radix, dtype=np.float32)
                row[allele] = 1
                names.append(f"{gene.name}={gene.label(allele)}")
                columns.append(index)
                values.append(row)
        return cls(tuple(names), np.array(columns, dtype=np.intp), np.array(values))

    def read(self, genotypes: Genotypes) -> Features:
        """The features float32[n, F] of ``genotypes``."""
        features = np.empty((len(genotypes), len(self.genes)), dtype=np.float32)
        for column, gene in enumerate(self.genes):
            features[:, column] = self.values[column][genotypes[:, gene]]
        return features


def one_hot(genes: Sequence[Gene], genotypes: Genotypes) -> Features:
    """A column per gene and allele, all 0 where the gene is inactive."""
    columns = [genotypes[:, index, None] == np.arange(len(gene.alleles)) for index, gene in enumerate(genes)]
    return np.concatenate(columns, axis=1).astype(np.float32)


def ordinal(genes: Sequence[Gene], genotypes: Genotypes) -> Features:
    """A column per gene: the allele's rank, -1 where the gene is inactive."""
    return np.where(genotypes < _counts(genes), genotypes.astype(np.float32), np.float32(-1))


def op_coded(genes: Sequence[Gene], genotypes: Genotypes) -> Features:
    """A column per gene: the allele counted from 1, 0 where the gene is inactive (Appendix D)."""
    return np.where(genotypes < _counts(genes), genotypes + 1, 0).astype(np.float32)


def _counts(genes: Sequence[Gene]) -> NDArray[np.intp]:
    return np.array([len(gene.alleles) for gene in genes])
