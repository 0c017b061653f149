"""The smallest value of a cost in a space: exact where the space's structure gives it, else the smallest that was found."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lissnas.arrays import Genotypes
from lissnas.spaces.base import SearchSpace
from lissnas.spaces.cost import TableCost
from lissnas.spaces.parts import FreeGenes
from lissnas.spaces.product import ProductSpace

__all__ = ["Cheapest", "cheapest"]

MAX_LISTED = 1 << 20
DRAWS = 100_000
STARTS = 8  # draws from which edits lead down


class Cheapest(NamedTuple):
    """The smallest ``value`` of a cost, whether no architecture can have a smaller one (``exact``), and one that has it.

    Attributes:
        genotype: uint8[1, L].
    """

    value: float
    exact: bool
    genotype: Genotypes


def cheapest(space: SearchSpace, cost: str) -> Cheapest:
    """The smallest ``cost`` (a name) of an architecture of ``space``.

    Exact where genes are free and their costs add up, and where the space can be listed (2^20 architectures). Elsewhere the
    cheapest of 100,000 draws are led down by single edits for as long as one makes them cheaper.
    """
    table = _table_of(space, cost)
    if table is not None:
        alleles = [row[: len(gene.alleles)].argmin() for gene, row in zip(space.genes, table.table, strict=True)]
        return _least(space, cost, np.array([alleles], dtype=np.uint8), exact=True)
    if space.cardinality_is_exact and space.cardinality <= MAX_LISTED:
        blocks = (_least(space, cost, block, exact=True) for block in space.enumerate() if len(block))
        return min(blocks, key=lambda least: least.value)
    drawn = space.sample(DRAWS, np.random.default_rng(0))
    near = drawn[np.argsort(space.cost(drawn)[cost], kind="stable")[:STARTS]]
    least = _least(space, cost, near, exact=False)
    while len(near := space.all_neighbors(least.genotype).genotypes):
        following = _least(space, cost, near, exact=False)
        if not following.value < least.value:
            break
        least = following
    return least


def _least(space: SearchSpace, cost: str, genotypes: Genotypes, exact: bool) -> Cheapest:
    """The cheapest of ``genotypes``, the first of equals."""
    values = space.cost(genotypes)[cost]
    row = int(values.argmin())
    return Cheapest(float(values[row]), exact, genotypes[row : row + 1])


def _table_of(space: SearchSpace, cost: str) -> TableCost | None:
    """The table that ``cost`` is summed from, where every combination of alleles is an architecture."""
    if not isinstance(space, ProductSpace) or not all(isinstance(part, FreeGenes) for part in space.parts):
        return None
    return next((c for c in space.costs if c.name == cost and isinstance(c, TableCost)), None)
