"""A part of a space in which one gene decides for several: AnyNetX-B shares a bottleneck ratio among AnyNetX-A's stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.base import Neighbors, SearchSpace
from lissnas.spaces.draw import propose_until_valid
from lissnas.spaces.subspace import Subspace

__all__ = ["TiedSpace"]


class TiedSpace(Subspace):
    """The architectures of ``parent`` that ``inner`` can write down.

    A gene of ``inner`` stands for the parent's gene of its name, or for all of that name with a number behind it: ``group`` for
    ``group_1`` to ``group_4``. It has their alleles. Architectures are drawn and counted in ``inner``, so both are as exact as
    there; edits and distances are those of the root, where a shared gene that changes is as many edits as it stands for.
    ``neighbors`` beyond distance 1 changes an architecture in ``inner`` and keeps what lies at that distance in the root: not
    uniform, and a space of more than 4,096 architectures leaves a row out after 64 draws in vain.

    Args:
        parent: any space.
        inner: a space each of whose architectures, written in the parent's genes, is one of the parent's.

    Raises:
        UserError: genes that do not stand for the parent's.
    """

    def __init__(self, parent: SearchSpace, inner: SearchSpace, name: str | None = None) -> None:
        super().__init__(parent, name or inner.name)
        self.inner = inner
        names = {gene.name: column for column, gene in enumerate(inner.genes)}
        self._column: list[int] = []
        for gene in parent.genes:
            column = names.get(gene.name, names.get(gene.name.rpartition("_")[0], -1))
            if column < 0 or inner.genes[column].alleles != gene.alleles:
                raise UserError(f"no gene of '{inner.name}' stands for '{gene.name}' of '{parent.name}', with its alleles")
            self._column.append(column)
        if set(self._column) != set(range(inner.length)):
            raise UserError(f"some gene of '{inner.name}' stands for none of '{parent.name}'")
        self._first = [self._column.index(column) for column in range(inner.length)]
        self.encodings = inner.encodings
        self.cardinality = inner.cardinality
        self.cardinality_is_exact = inner.cardinality_is_exact

    @property
    def tied(self) -> list[list[int]]:
        """The columns of a genotype that hold one allele, where they are several."""
        columns = np.array(self._column)
        groups = [np.flatnonzero(columns == column).tolist() for column in range(self.inner.length)]
        return [group for group in groups if len(group) > 1]

    @property
    def kept(self) -> Sequence[Sequence[int]]:
        """The allele indices that each gene has left."""
        inner: Sequence[Sequence[int]] | None = getattr(self.inner, "kept", None)
        return [range(len(g.alleles)) if inner is None else inner[c] for g, c in zip(self.genes, self._column, strict=True)]

    def kept_inside(self, kept: Mapping[str, Sequence[int]]) -> dict[str, Sequence[int]]:
        """``kept`` for the genes of ``inner``: a shared gene keeps what all that it stands for keep."""
        held: dict[str, Sequence[int]] = {}
        for gene, column in zip(self.genes, self._column, strict=True):
            if gene.name in kept:
                name = self.inner.genes[column].name
                held[name] = sorted(set(kept[gene.name]) & set(held.get(name, kept[gene.name])))
        return held

    def definition(self) -> dict[str, Any]:
        return {
            "kind": "tied",
            "name": self.name,
            "parent": self.parent.definition(),
            "inner": self.inner.definition(),
        }

    def _write_out(self, inside: Genotypes) -> Genotypes:
        return np.ascontiguousarray(inside[:, self._column])

    def _is_valid(self, genotypes: Genotypes) -> NDArray[np.bool_]:
        inside = genotypes[:, self._first]
        tied: NDArray[np.bool_] = np.all(self._write_out(inside) == genotypes, axis=1)
        tied[tied] = self.inner.is_valid(np.ascontiguousarray(inside[tied]))
        return tied & self.parent.is_valid(genotypes)

    def enumerate(self, block: int = 1 << 16) -> Iterator[Genotypes]:
        for inside in self.inner.enumerate(block):
            yield self._write_out(inside)

    def _sample(self, n: int, rng: np.random.Generator) -> Genotypes:
        return self._write_out(self.inner.sample(n, rng))

    def _neighbors_beyond(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        def propose(rows: Genotypes) -> tuple[Neighbors, NDArray[np.bool_]]:
            inside = np.ascontiguousarray(rows[:, self._first])
            steps = int(rng.integers(1, edits + 1))  # a shared gene counts more than once outside
            drawn = self.inner.neighbors(inside, min(steps, self.inner.max_edits), rng)
            found = Neighbors(self._write_out(drawn.genotypes), drawn.parents)
            return found, self.root.distance(rows[found.parents], found.genotypes) == edits

        return propose_until_valid(self, genotypes, edits, rng, propose)
