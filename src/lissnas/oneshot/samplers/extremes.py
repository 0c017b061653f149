"""The largest and the smallest architecture of a space, by a cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.base import SearchSpace

__all__ = ["LISTED", "costs_of", "extremes", "is_listed"]

LISTED = 1 << 20  # architectures that are looked through
DRAWN = 10_000


def is_listed(space: SearchSpace) -> bool:
    """Whether all architectures of ``space`` are looked at."""
    return space.cardinality_is_exact and space.cardinality <= LISTED


def costs_of(space: SearchSpace, genotypes: Genotypes, cost: str) -> NDArray[np.float64]:
    """float64[n].

    Raises:
        UserError: a cost that the space does not have, or does not know yet.
    """
    if cost not in space.cost_names:
        has = ", ".join(space.cost_names) or "none"
        raise UserError(f"the sampler needs the cost '{cost}', which '{space.name}' does not have: its costs are {has}")
    values = space.cost(genotypes)[cost]
    if np.isnan(values).any():
        raise UserError(f"the sampler needs the cost '{cost}', which is learned from measurements: give the scores file")
    return values


def extremes(space: SearchSpace, cost: str) -> Genotypes:
    """The smallest and the largest architecture of ``space`` by ``cost``, uint8[2, L].

    Exact where the space has at most 2^20 architectures. Beyond, the best of 10,000 drawn ones are improved edit by edit,
    within the space, until no edit improves: exact where a gene's best allele does not depend on the others, as in a chain of
    layers without limits.
    """
    return np.concatenate([_least(space, cost, sign) for sign in (1.0, -1.0)])


def _least(space: SearchSpace, cost: str, sign: float) -> Genotypes:
    best, value = space.sample(0, np.random.default_rng(0)), np.inf
    for block in space.enumerate() if is_listed(space) else [space.sample(DRAWN, np.random.default_rng(0))]:
        best, value = _better(space, block, cost, sign, best, value)
    improved = not is_listed(space)
    while improved:
        before = value
        best, value = _better(space, space.all_neighbors(best).genotypes, cost, sign, best, value)
        improved = value < before
    return best


def _better(
    space: SearchSpace, rows: Genotypes, cost: str, sign: float, best: Genotypes, value: float
) -> tuple[Genotypes, float]:
    """The least of ``rows`` and its cost times ``sign``, or what was best already."""
    costs = sign * costs_of(space, rows, cost)
    row = int(costs.argmin()) if len(costs) else -1
    return (rows[row : row + 1], float(costs[row])) if row >= 0 and costs[row] < value else (best, value)
