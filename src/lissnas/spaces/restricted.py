"""A shrunk space that keeps some alleles of each gene: what operation pruning makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.base import Neighbors, walk_to_distance
from lissnas.spaces.product import ProductSpace
from lissnas.spaces.subspace import Subspace

__all__ = ["RestrictedSpace"]


class RestrictedSpace(Subspace):
    """The architectures of a product space whose genes hold one of the kept alleles.

    Its cardinality is exact without listing it. ``neighbors`` beyond distance 1 walks within the restriction and keeps what
    ended at exactly that distance.

    Args:
        parent: a product space.
        kept: gene name -> the allele indices kept; a gene that is not named keeps all.

    Raises:
        UserError: a gene without alleles left, or a movable group whose positions would keep different alleles.
    """

    def __init__(self, parent: ProductSpace, kept: Mapping[str, Sequence[int]], name: str | None = None) -> None:
        super().__init__(parent, name or f"{parent.name}-restricted")
        known = {gene.name for gene in parent.genes}
        for gene_name in kept:
            if gene_name not in known:
                raise UserError(f"'{parent.name}' has no gene '{gene_name}': see .genes")
        self.kept = tuple(tuple(sorted(set(kept.get(g.name, range(len(g.alleles)))))) for g in parent.genes)
        inner = []
        self._up = np.zeros((len(parent.genes), 256), dtype=np.uint8)
        self._down = np.full((len(parent.genes), 256), 255, dtype=np.uint8)
        for index, (gene, alleles) in enumerate(zip(parent.genes, self.kept, strict=True)):
            if not alleles or alleles[-1] >= len(gene.alleles):
                raise UserError(f"gene '{gene.name}' must keep some of its alleles 0 to {len(gene.alleles) - 1}, but got {list(alleles)}")
            inner.append(replace(gene, alleles=tuple(gene.alleles[a] for a in alleles)))
            pairs = [*enumerate(alleles), (len(alleles), len(gene.alleles))]
            for low, high in pairs:
                self._up[index, low] = high
                self._down[index, high] = low
        self._inner = ProductSpace(self.name, inner, movable=parent.movable)
        self.encodings = self._inner.encodings
        self.cardinality = self._inner.cardinality
        self.max_edits = self._inner.max_edits

    def definition(self) -> dict[str, Any]:
        kept = {gene.name: list(alleles) for gene, alleles in zip(self.genes, self.kept, strict=True)}
        return {"kind": "restricted", "name": self.name, "parent": self.parent.definition(), "kept": kept}

    def _raise(self, inner: Genotypes) -> Genotypes:
        return self._up[np.arange(self.length), inner]

    def _lower(self, genotypes: Genotypes) -> Genotypes:
        return self._down[np.arange(self.length), genotypes]

    def enumerate(self, block: int = 1 << 16) -> Iterator[Genotypes]:
        for inner in self._inner.enumerate(block):
            yield self._raise(inner)

    def _sample(self, n: int, rng: np.random.Generator) -> Genotypes:
        return self._raise(self._inner.sample(n, rng))

    def _is_valid(self, genotypes: Genotypes) -> NDArray[np.bool_]:
        inside: NDArray[np.bool_] = (self._lower(genotypes) != 255).all(axis=1)
        return inside & self.parent.is_valid(genotypes)

    def _neighbors_beyond(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        def step(walkers: Genotypes, rng: np.random.Generator) -> Genotypes:
            moved = self._inner.neighbors(self._lower(walkers), 1, rng)
            result = walkers.copy()
            result[moved.parents] = self._raise(moved.genotypes)
            return result

        return walk_to_distance(self, genotypes, edits, rng, step)
