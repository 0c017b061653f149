"""The ends of a cost in a space: exact where the space's structure gives them, else the farthest that was found."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lissnas.arrays import Genotypes
from lissnas.spaces.base import SearchSpace
from lissnas.spaces.cost import TableCost
from lissnas.spaces.parts import FreeGenes
from lissnas.spaces.product import ProductSpace

__all__ = ["DRAWS", "End", "can_be_listed", "cheapest", "dearest"]

MAX_LISTED = 1 << 20
DRAWS = 100_000
STARTS = 8  # draws from which edits lead down


class End(NamedTuple):
    """The ``value`` at an end of a cost, whether no architecture can be beyond it (``exact``), and one that has it.

    Attributes:
        genotype: uint8[1, L].
    """

    value: float
    exact: bool
    genotype: Genotypes


def can_be_listed(space: SearchSpace) -> bool:
    """Whether to go through all of it where a number must be exact."""
    return space.cardinality_is_exact and space.cardinality <= MAX_LISTED


def cheapest(space: SearchSpace, cost: str) -> End:
    """The smallest ``cost`` (a name) of an architecture of ``space``.

    Exact where genes are free and their costs add up, and where the space can be listed (2^20 architectures). Elsewhere the
    cheapest of 100,000 draws are led down by single edits for as long as one makes them cheaper.
    """
    return _end(space, cost, 1)


def dearest(space: SearchSpace, cost: str) -> End:
    """The largest ``cost``, as :func:`cheapest`."""
    return _end(space, cost, -1)


def _end(space: SearchSpace, cost: str, sign: int) -> End:
    """Where ``sign`` times the cost is smallest."""

    def first(genotypes: Genotypes, exact: bool) -> End:
        values = space.cost(genotypes)[cost]
        row = int((sign * values).argmin())
        return End(float(values[row]), exact, genotypes[row : row + 1])

    table = _table_of(space, cost)
    if table is not None:
        alleles = [(sign * row[: len(gene.alleles)]).argmin() for gene, row in zip(space.genes, table.table, strict=True)]
        return first(np.array([alleles], dtype=np.uint8), exact=True)
    if can_be_listed(space):
        blocks = (first(block, exact=True) for block in space.enumerate() if len(block))
        return min(blocks, key=lambda end: sign * end.value)
    drawn = space.sample(DRAWS, np.random.default_rng(0))
    near = drawn[np.argsort(sign * space.cost(drawn)[cost], kind="stable")[:STARTS]]
    end = first(near, exact=False)
    while len(near := space.all_neighbors(end.genotype).genotypes):
        following = first(near, exact=False)
        if not sign * following.value < sign * end.value:
            break
        end = following
    return end


def _table_of(space: SearchSpace, cost: str) -> TableCost | None:
    """The table that ``cost`` is summed from, where every combination of alleles is an architecture."""
    if not isinstance(space, ProductSpace) or not all(isinstance(part, FreeGenes) for part in space.parts):
        return None
    return next((c for c in space.costs if c.name == cost and isinstance(c, TableCost)), None)
