"""A space that is a distribution: some of its architectures come more often than the others."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Codes, Genotypes, unique
from lissnas.errors import UserError
from lissnas.spaces.base import Neighbors, SearchSpace
from lissnas.spaces.subspace import Subspace

__all__ = ["MixtureSpace"]


class MixtureSpace(Subspace):
    """All architectures of ``parent``, drawn from ``codes`` with the chance ``weight`` and from the whole parent else.

    ``sample`` draws from that distribution, and its size is the distribution's perplexity (``cardinality_is_exact`` is False):
    the size that a space with equal chances would have. Everything else is the parent's.

    Args:
        parent: any space.
        codes: uint64[n, W], the favored ones; each counts once.
        weight: above 0, below 1.

    Raises:
        UserError: no architecture, one that is not in ``parent``, or a weight out of range.
    """

    cardinality_is_exact = False
    is_uniform = False

    def __init__(self, parent: SearchSpace, codes: Codes, weight: float, name: str | None = None) -> None:
        favored = unique(parent.check_codes(codes))
        super().__init__(parent, name or f"{parent.name}-mixture")
        if not len(favored):
            raise UserError(f"a mixture needs at least one favored architecture of '{parent.name}', but got none")
        if not 0 < weight < 1:
            raise UserError(f"the weight of a mixture must be between 0 and 1, but got {weight!r}")
        parent.require_valid(parent.decode(favored))
        self.codes = favored
        self.weight = float(weight)
        self.encodings = parent.encodings
        self.cardinality = round(_perplexity(len(favored), parent.cardinality, self.weight))

    def definition(self) -> dict[str, Any]:
        return {
            "kind": "mixture",
            "name": self.name,
            "parent": self.parent.definition(),
            "codes": self.codes.tolist(),
            "weight": self.weight,
        }

    def enumerate(self, block: int = 1 << 16) -> Iterator[Genotypes]:
        yield from self.parent.enumerate(block)

    def _sample(self, n: int, rng: np.random.Generator) -> Genotypes:
        drawn = self.parent.sample(n, rng)
        favored = rng.random(n) < self.weight
        drawn[favored] = self.code_layout.decode(self.codes[rng.integers(0, len(self.codes), size=int(favored.sum()))])
        return drawn

    def _is_valid(self, genotypes: Genotypes) -> NDArray[np.bool_]:
        return self.parent.is_valid(genotypes)

    def _neighbors_beyond(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        return self.parent.neighbors(genotypes, edits, rng)


def _perplexity(favored: int, whole: int, weight: float) -> float:
    """exp of the entropy of the mixture."""
    rest = (1 - weight) / whole
    high = weight / favored + rest
    return math.exp(-favored * high * math.log(high) - (whole - favored) * rest * math.log(rest))
