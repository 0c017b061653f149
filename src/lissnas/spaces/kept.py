"""A part of any space that keeps some alleles of each gene, also where the space is no product."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import CodeLayout, Genotypes
from lissnas.errors import UserError
from lissnas.spaces.base import Neighbors, SearchSpace
from lissnas.spaces.constrained import ConstrainedSpace
from lissnas.spaces.draw import propose_until_valid
from lissnas.spaces.explicit import ExplicitSpace
from lissnas.spaces.product import ProductSpace
from lissnas.spaces.restricted import RestrictedSpace
from lissnas.spaces.subspace import Subspace
from lissnas.spaces.tied import TiedSpace

__all__ = ["KeptSpace", "keep_alleles"]

LISTED = 1 << 20  # architectures of a space whose part is a list
COUNTED = 1 << 17  # rows of a product that are looked at one by one
DRAWS, MET = 100_000, 4000  # rows that a cardinality is estimated from, or as many as hold so many members
_IN_VAIN = 1 << 24  # draws without a single architecture


class KeptSpace(Subspace):
    """The architectures of ``parent`` whose genes hold one of the kept alleles, where the parent ties its genes together.

    The kept alleles make a product; a row of it is a member if it is an architecture of the parent as it stands (canonical,
    nothing stranded). ``sample`` draws rows of the product until they are members, so it is uniform. The cardinality is
    counted where the product has at most 2^17 rows, and estimated beyond (``cardinality_is_exact``): from 100,000 rows, or
    as many as hold 4,000 members. ``neighbors`` beyond distance 1 draws some genes again and keeps members at that distance:
    not uniform, and a space of more than 4,096 architectures leaves a row out after 64 draws in vain.

    Args:
        parent: any space.
        kept: gene name -> the allele indices kept; a gene that is not named keeps all.

    Raises:
        UserError: a gene without alleles left, alleles that are not there, or no architecture that holds only kept ones.
    """

    def __init__(self, parent: SearchSpace, kept: Mapping[str, Sequence[int]], name: str | None = None) -> None:
        super().__init__(parent, name or f"{parent.name}-restricted")
        unknown = sorted(set(kept) - {gene.name for gene in parent.genes})
        if unknown:
            raise UserError(f"'{parent.name}' has no gene '{unknown[0]}': see .genes")
        self.kept = tuple(tuple(sorted({int(a) for a in kept.get(g.name, range(len(g.alleles)))})) for g in parent.genes)
        choices = []
        for gene, alleles in zip(parent.genes, self.kept, strict=True):
            if not alleles or not set(alleles) <= set(range(len(gene.alleles))):
                raise UserError(
                    f"gene '{gene.name}' of '{parent.name}' must keep some of its {len(gene.alleles)} alleles, "
                    f"but got {list(alleles)}"
                )
            choices.append(np.array([*alleles, *range(len(gene.alleles), gene.radix)], dtype=np.uint8))
        self._choices = choices
        self._holds = np.zeros((len(choices), 256), dtype=bool)
        for index, values in enumerate(choices):
            self._holds[index, values] = True
        self.encodings = math.prod(len(alleles) for alleles in self.kept)
        rows = math.prod(len(values) for values in choices)
        self._rows = CodeLayout([len(values) for values in choices])
        if rows <= COUNTED:
            self.cardinality = sum(len(block) for block in self._list(1 << 16))
        else:
            rng = np.random.default_rng(0)
            drawn = found = 0
            while drawn < DRAWS and found < MET:
                found += int(parent.is_valid(self._draw(DRAWS // 10, rng)).sum())
                drawn += DRAWS // 10
            self.cardinality = rows * found // drawn
            self.cardinality_is_exact = False
        if not self.cardinality:
            raise UserError(f"no architecture of '{parent.name}' holds kept alleles only: keep more")

    def definition(self) -> dict[str, Any]:
        kept = {gene.name: list(alleles) for gene, alleles in zip(self.genes, self.kept, strict=True)}
        return {"kind": "kept", "name": self.name, "parent": self.parent.definition(), "kept": kept}

    def _draw(self, n: int, rng: np.random.Generator) -> Genotypes:
        """Rows of the product of the kept alleles, uniform; most may be no architecture."""
        drawn = np.empty((n, self.length), dtype=np.uint8)
        for index, values in enumerate(self._choices):
            drawn[:, index] = values[rng.integers(0, len(values), size=n)]
        return drawn

    def _list(self, block: int) -> Iterator[Genotypes]:
        total = math.prod(len(values) for values in self._choices)
        for low in range(0, total, block):
            index = np.arange(low, min(low + block, total), dtype=np.uint64)[:, None]
            place = self._rows.decode(index)
            rows = np.stack([values[place[:, g]] for g, values in enumerate(self._choices)], axis=1)
            yield rows[self.parent.is_valid(rows)]

    def enumerate(self, block: int = 1 << 16) -> Iterator[Genotypes]:
        if not self.cardinality_is_exact:
            yield from super().enumerate(block)
        yield from self._list(block)

    def _sample(self, n: int, rng: np.random.Generator) -> Genotypes:
        found = [np.zeros((0, self.length), dtype=np.uint8)]
        have = drawn = 0
        while have < n:
            share = max(have, 1) / max(drawn, 1)
            rows = self._draw(int(min(max(1024, (n - have) / share * 1.1), 1 << 18)), rng)
            members = rows[self.parent.is_valid(rows)]
            found.append(members)
            have += len(members)
            drawn += len(rows)
            if not have and drawn > _IN_VAIN:
                raise UserError(f"no architecture of '{self.name}' was met in {drawn:,} draws: keep more alleles")
        return np.concatenate(found)[:n]

    def _is_valid(self, genotypes: Genotypes) -> NDArray[np.bool_]:
        inside: NDArray[np.bool_] = np.all(self._holds[np.arange(self.length), genotypes], axis=1)
        return inside & self.parent.is_valid(genotypes)

    def _neighbors_beyond(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        free = np.flatnonzero([len(alleles) > 1 for alleles in self.kept])

        def propose(rows: Genotypes) -> tuple[Neighbors, NDArray[np.bool_]]:
            changed = rows.copy()
            count = min(len(free), edits + int(rng.integers(0, 3)))  # a change may be undone by the canonical form
            genes = rng.permuted(np.tile(free, (len(rows), 1)), axis=1)[:, :count]
            index = np.arange(len(rows))[:, None]
            changed[index, genes] = self._draw(len(rows), rng)[index, genes]
            good = self._is_valid(changed)
            good[good] = self.root._distance(rows[good], changed[good]) == edits
            return Neighbors(changed, np.arange(len(rows))), good

        return propose_until_valid(self, genotypes, edits, rng, propose)


def keep_alleles(space: SearchSpace, kept: Mapping[str, Sequence[int]]) -> SearchSpace:
    """The part of any ``space`` whose genes hold one of the kept alleles, in the most exact kind there is.

    A restriction where the space is a product; a list where it has at most 2^20 architectures (NAS-Bench-101 among them);
    limits stay limits, and what is tied stays tied; else a :class:`KeptSpace`.

    Raises:
        UserError: nothing is left.
    """
    if isinstance(space, ConstrainedSpace):
        return ConstrainedSpace(keep_alleles(space.parent, kept), space.limits)
    if isinstance(space, (ProductSpace, RestrictedSpace)):
        return RestrictedSpace(space, kept, f"{space.root.name}-restricted")
    if isinstance(space, KeptSpace):
        return KeptSpace(space.parent, {g.name: kept.get(g.name, a) for g, a in zip(space.genes, space.kept, strict=True)})
    if not (space.cardinality_is_exact and space.cardinality <= LISTED):
        if isinstance(space, TiedSpace):
            return TiedSpace(space.parent, keep_alleles(space.inner, space.kept_inside(kept)), f"{space.root.name}-restricted")
        return KeptSpace(space, kept)
    holds = np.ones((space.length, 256), dtype=bool)
    for index, gene in enumerate(space.genes):
        if gene.name in kept:
            holds[index, : len(gene.alleles)] = False
            holds[index, list(kept[gene.name])] = True
    blocks = [block[holds[np.arange(space.length), block].all(axis=1)] for block in space.enumerate()]
    members = np.concatenate(blocks)
    if not len(members):
        raise UserError(f"no architecture of '{space.name}' holds kept alleles only: keep more")
    parent = space.parent if isinstance(space, ExplicitSpace) else space
    return ExplicitSpace.of(parent, members)
