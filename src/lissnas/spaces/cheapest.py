"""The smallest value of a cost in a space: exact where the space's structure gives it, else the smallest that was found."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lissnas.spaces.base import SearchSpace
from lissnas.spaces.cost import TableCost
from lissnas.spaces.parts import FreeGenes
from lissnas.spaces.product import ProductSpace

__all__ = ["Cheapest", "cheapest"]

MAX_LISTED = 1 << 20
DRAWS = 100_000
STARTS = 8  # draws from which edits lead down


class Cheapest(NamedTuple):
    """The smallest ``value`` of a cost, and whether no architecture can have a smaller one (``exact``)."""

    value: float
    exact: bool


def cheapest(space: SearchSpace, cost: str) -> Cheapest:
    """The smallest ``cost`` (a name) of an architecture of ``space``.

    Exact where genes are free and their costs add up, and where the space can be listed (2^20 architectures). Elsewhere the
    cheapest of 100,000 draws are led down by single edits for as long as one makes them cheaper.
    """
    table = _table_of(space, cost)
    if table is not None:
        alleles = [len(gene.alleles) for gene in space.genes]
        return Cheapest(table.base + sum(float(row[:n].min()) for row, n in zip(table.table, alleles, strict=True)), True)
    if space.cardinality_is_exact and space.cardinality <= MAX_LISTED:
        return Cheapest(min(float(space.cost(block)[cost].min()) for block in space.enumerate()), True)
    drawn = space.sample(DRAWS, np.random.default_rng(0))
    order = np.argsort(space.cost(drawn)[cost], kind="stable")[:STARTS]
    at, least = drawn[order], float("inf")
    while len(at):
        found = space.cost(at)[cost]
        if not found.min() < least:
            break
        least = float(found.min())
        near = space.all_neighbors(at[[int(np.argmin(found))]]).genotypes
        at = near
    return Cheapest(least, False)


def _table_of(space: SearchSpace, cost: str) -> TableCost | None:
    """The table that ``cost`` is summed from, where every combination of alleles is an architecture."""
    if not isinstance(space, ProductSpace) or not all(isinstance(part, FreeGenes) for part in space.parts):
        return None
    return next((c for c in space.costs if c.name == cost and isinstance(c, TableCost)), None)
