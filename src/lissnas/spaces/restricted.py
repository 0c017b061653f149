"""A shrunk space that keeps some alleles of each gene: what operation pruning makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.base import Neighbors
from lissnas.spaces.draw import walk_to_distance
from lissnas.spaces.product import Movable, ProductSpace
from lissnas.spaces.subspace import Subspace

__all__ = ["RestrictedSpace"]


class RestrictedSpace(Subspace):
    """The architectures of a product space whose genes hold one of the kept alleles.

    Its cardinality is exact without listing it. One edit is what it is in the parent, so it is one edit of the smaller
    product that the kept alleles make. ``neighbors`` is uniform at distance 1; beyond, it walks within the restriction, each
    step leading one edit further away; where more than 4,096 are kept, a row whose walks all fell short is left out.

    Args:
        parent: a product space, or a restriction of one.
        kept: gene name -> the allele indices kept; a gene that is not named keeps all.

    Raises:
        UserError: a gene without alleles left, or a movable group that keeps its identity at some positions and not at
            others, or other alleles beside it.
    """

    def __init__(
        self, parent: ProductSpace | RestrictedSpace, kept: Mapping[str, Sequence[int]], name: str | None = None
    ) -> None:
        super().__init__(parent, name or f"{parent.name}-restricted")
        product: ProductSpace = parent if isinstance(parent, ProductSpace) else parent.product
        self.product: ProductSpace = product
        known = {gene.name for gene in product.genes}
        for gene_name in kept:
            if gene_name not in known:
                raise UserError(f"'{parent.name}' has no gene '{gene_name}': see .genes")
        before = [range(len(g.alleles)) for g in product.genes] if isinstance(parent, ProductSpace) else parent.kept
        self.kept: tuple[tuple[int, ...], ...] = tuple(
            tuple(sorted({int(a) for a in kept.get(g.name, alleles)})) for g, alleles in zip(product.genes, before, strict=True)
        )
        inner = []
        self._up = np.zeros((len(product.genes), 256), dtype=np.uint8)
        self._down = np.full((len(product.genes), 256), 255, dtype=np.uint8)
        for index, (gene, alleles) in enumerate(zip(product.genes, self.kept, strict=True)):
            if not alleles or not set(alleles) <= set(before[index]):
                allowed = ", ".join(map(str, before[index]))
                raise UserError(
                    f"gene '{gene.name}' of '{parent.name}' must keep some of its alleles {allowed}, but got {list(alleles)}"
                )
            inner.append(replace(gene, alleles=tuple(gene.alleles[a] for a in alleles)))
            pairs = [*enumerate(alleles), (len(alleles), len(gene.alleles))]
            for low, high in pairs:
                self._up[index, low] = high
                self._down[index, high] = low
        self._inner = ProductSpace(self.name, inner, movable=_still_movable(product, self.kept))
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

    def _all_neighbors(self, genotypes: Genotypes) -> Neighbors:
        near = self._inner.all_neighbors(self._lower(genotypes))
        return Neighbors(self._raise(near.genotypes), near.parents)

    def _neighbors(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        if edits > 1:
            return self._neighbors_beyond(genotypes, edits, rng)
        drawn = self._inner.neighbors(self._lower(genotypes), 1, rng)
        return Neighbors(self._raise(drawn.genotypes), drawn.parents)

    def _neighbors_beyond(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        if edits > self.max_edits:
            return Neighbors(genotypes[:0], np.zeros(0, dtype=np.intp))

        def step(walkers: Genotypes, rng: np.random.Generator) -> Genotypes:
            moved = self._inner.neighbors(self._lower(walkers), 1, rng)
            result = walkers.copy()
            result[moved.parents] = self._raise(moved.genotypes)
            return result

        def degree(walkers: Genotypes) -> NDArray[np.float64]:
            return self._inner.count_neighbors(self._lower(walkers))

        return walk_to_distance(self, genotypes, edits, rng, step, degree)


def _still_movable(product: ProductSpace, kept: Sequence[tuple[int, ...]]) -> list[Movable]:
    """The movable groups that the kept alleles leave: where no identity is left, or nothing else, nothing can move."""
    column = {gene.name: index for index, gene in enumerate(product.genes)}
    groups = []
    for group in product.movable:
        identity = product.genes[column[group.genes[0]]].alleles.index(group.identity)
        sets = {kept[column[name]] for name in group.genes}
        holding = [s for s in sets if identity in s]
        if not holding or sets == {(identity,)}:
            continue
        if len(sets) > 1:
            raise UserError(
                f"{', '.join(group.genes)} share a movable identity, so they must keep the same alleles, "
                f"but keep {' and '.join(str(list(s)) for s in sorted(sets))}"
            )
        groups.append(group)
    return groups
