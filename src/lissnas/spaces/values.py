"""What formulas see of a batch of genotypes: each gene's values by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.spaces.gene import Gene

__all__ = ["GeneValues"]


class GeneValues(Mapping[str, NDArray[Any]]):
    """Gene name -> its value in each row: numbers as float64, anything else as text. An inactive gene reads 0 or ''."""

    def __init__(self, genes: Sequence[Gene], genotypes: Genotypes) -> None:
        self._genes = {gene.name: (column, gene) for column, gene in enumerate(genes)}
        self._genotypes = genotypes

    def __getitem__(self, name: str) -> NDArray[Any]:
        column, gene = self._genes[name]
        if all(isinstance(a, (bool, int, float)) for a in gene.alleles):
            table = np.array([*map(float, gene.alleles), 0.0])
        else:
            table = np.array([*map(str, gene.alleles), ""])
        return table[self._genotypes[:, column]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._genes)

    def __len__(self) -> int:
        return len(self._genes)
