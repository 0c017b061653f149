"""A space with costs beside its own: a latency that was measured here, or looked up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.base import Costs, Neighbors, SearchSpace
from lissnas.spaces.cost import Cost, evaluate_costs
from lissnas.spaces.subspace import Subspace
from lissnas.spaces.values import GeneValues

__all__ = ["PricedSpace"]


class PricedSpace(Subspace):
    """All architectures of ``parent``, with further costs. Weights and scores of the parent are those of this space too.

    Args:
        parent: any space.
        costs: beside the parent's own; a cost may use those named before it.

    Raises:
        UserError: a cost whose name is taken.
    """

    def __init__(self, parent: SearchSpace, costs: Sequence[Cost], name: str | None = None) -> None:
        super().__init__(parent, name or parent.name)
        self.costs = tuple(costs)
        taken = [*parent.cost_names, *(gene.name for gene in parent.genes)]
        for cost in costs:
            if cost.name in taken:
                raise UserError(f"'{parent.name}' has a gene or cost '{cost.name}' already: give the new cost another name")
            taken.append(cost.name)
        self.cost_names = (*parent.cost_names, *(cost.name for cost in costs))
        self.encodings = parent.encodings
        self.cardinality = parent.cardinality
        self.cardinality_is_exact = parent.cardinality_is_exact

    def definition(self) -> dict[str, Any]:
        costs = [cost.definition() for cost in self.costs]
        return {"kind": "priced", "name": self.name, "parent": self.parent.definition(), "costs": costs}

    def enumerate(self, block: int = 1 << 16) -> Iterator[Genotypes]:
        yield from self.parent.enumerate(block)

    def _sample(self, n: int, rng: np.random.Generator) -> Genotypes:
        return self.parent.sample(n, rng)

    def _is_valid(self, genotypes: Genotypes) -> NDArray[np.bool_]:
        return self.parent.is_valid(genotypes)

    def _all_neighbors(self, genotypes: Genotypes) -> Neighbors:
        return self.parent.all_neighbors(genotypes)

    def _neighbors(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        return self.parent.neighbors(genotypes, edits, rng)

    def _neighbors_beyond(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        return self.parent.neighbors(genotypes, edits, rng)

    def _cost(self, genotypes: Genotypes) -> Costs:
        known = self.parent.cost(genotypes)
        values: dict[str, Any] = {**GeneValues(self.genes, genotypes), **known}
        return Costs({**known, **evaluate_costs(self.costs, genotypes, values)})
