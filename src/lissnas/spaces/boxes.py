"""Where the architectures of a space lie in the product of its genes: what a search over alleles needs to know of it."""

from __future__ import annotations

from functools import singledispatch
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lissnas.spaces.base import SearchSpace
from lissnas.spaces.composed import ComposedSpace
from lissnas.spaces.conditional import ConditionalGenes
from lissnas.spaces.constrained import ConstrainedSpace
from lissnas.spaces.darts import DartsSpace
from lissnas.spaces.kept import KeptSpace
from lissnas.spaces.movable import MovableGroup
from lissnas.spaces.parts import FreeGenes, Part
from lissnas.spaces.restricted import RestrictedSpace
from lissnas.spaces.soft_box import SoftBoxSpace

__all__ = ["Boxes", "boxes_of"]


class Boxes(NamedTuple):
    """Disjoint boxes of alleles: each canonical genotype lies in exactly one of them.

    Attributes:
        columns: intp[C], the genes that they are about.
        allowed: bool[B, C, K], the alleles of each box; columns past a gene's radix say nothing.
    """

    columns: NDArray[np.intp]
    allowed: NDArray[np.bool_]


@singledispatch
def boxes_of(space: SearchSpace) -> tuple[Boxes, ...] | None:  # noqa: ARG001 - what is known of any space
    """Demands that every architecture of ``space`` meets, each a list of boxes; None: the space is no product of genes.

    A row that meets them all need not be an architecture (of ``darts`` only which inputs a canonical drawing has is told):
    ``is_valid`` says. A kind of space that is a product adds itself with ``@boxes_of.register``.
    """
    return None


@boxes_of.register
def _(space: ComposedSpace) -> tuple[Boxes, ...] | None:
    parts = [(part.columns, part_boxes(part)) for part in space.parts]
    return tuple(Boxes(columns, allowed) for columns, allowed in parts if allowed is not None)


@boxes_of.register
def _(space: DartsSpace) -> tuple[Boxes, ...] | None:
    """Of each cell the structures that are smallest among those that renamed nodes make of them."""
    tables = space.tables
    chosen = [node for node, pairs in enumerate(tables.pairs) if len(pairs) > 1]
    if not chosen:
        return ()
    choices = tables.choices[np.unique(tables.canonical)][:, chosen]
    allowed = choices[:, :, None] == np.arange(max(len(pairs) for pairs in tables.pairs))
    first = np.arange(len(chosen))
    return Boxes(first, allowed), Boxes(first + space.length // 2, allowed)


@boxes_of.register(RestrictedSpace)
@boxes_of.register(KeptSpace)
def _(space: RestrictedSpace | KeptSpace) -> tuple[Boxes, ...] | None:
    demands = boxes_of(space.parent)
    if demands is None:
        return None
    allowed = np.zeros((1, space.length, max(gene.radix for gene in space.genes)), dtype=np.bool_)
    for index, (gene, alleles) in enumerate(zip(space.genes, space.kept, strict=True)):
        allowed[0, index, [*alleles, *range(len(gene.alleles), gene.radix)]] = True
    return *demands, Boxes(np.arange(space.length), allowed)


@boxes_of.register
def _(space: ConstrainedSpace) -> tuple[Boxes, ...] | None:
    return boxes_of(space.parent)


@boxes_of.register
def _(space: SoftBoxSpace) -> tuple[Boxes, ...] | None:
    return boxes_of(space.support)


@singledispatch
def part_boxes(part: Part) -> NDArray[np.bool_] | None:  # noqa: ARG001 - what is known of any part
    """bool[B, C, K]: the boxes of a part's values; None where only ``is_valid`` says which rows are values."""
    return None


@part_boxes.register
def _(part: FreeGenes) -> NDArray[np.bool_]:
    return (np.arange(int(part.counts.max())) < part.counts[:, None])[None]


@part_boxes.register
def _(part: MovableGroup) -> NDArray[np.bool_]:
    """A box for each number of operations: identities stand last."""
    places, identity = len(part.columns), part.identity
    allowed = np.ones((places + 1, places, len(part.operations) + 1), dtype=np.bool_)
    for length in range(places + 1):
        allowed[length, :length, identity] = False
        allowed[length, length:] = np.arange(allowed.shape[2]) == identity
    return allowed


@part_boxes.register
def _(part: ConditionalGenes) -> NDArray[np.bool_]:
    """A box for each joint value of the genes that conditions read."""
    alleles = np.arange(int(part.counts.max()) + 1)
    active = part.active[:, :, None]
    allowed = np.where(active, alleles < part.counts[:, None], alleles == part.counts[:, None])
    allowed[:, part.controllers] = alleles == part.state_values[:, :, None]
    result: NDArray[np.bool_] = allowed
    return result
