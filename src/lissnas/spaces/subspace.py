"""What all shrunk spaces share: the genes, names, costs and edits of the space they were shrunk from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.base import Costs, Neighbors, SearchSpace
from lissnas.spaces.diagram import Diagram
from lissnas.spaces.draw import draw_one_each
from lissnas.spaces.features import FeatureTable
from lissnas.spaces.product import ProductSpace

__all__ = ["Subspace"]

_BLOCK = 1 << 18  # neighbors of the root listed at a time
_MAX_LISTED = 1 << 16  # a neighborhood of the root that is larger is not listed where only one neighbor is wanted


class Subspace(SearchSpace):
    """Some of the architectures of ``parent``. An edit, and so a distance, is what it is in the root space: what makes an
    architecture a neighbor does not depend on which others were kept. Neighbors are the parent's that were kept.
    """

    def __init__(self, parent: SearchSpace, name: str) -> None:
        self.parent = parent
        self.name = name
        self.genes = parent.genes
        self.max_edits = parent.max_edits
        self.isomorphisms = parent.isomorphisms
        self.cost_names = parent.cost_names
        self.layout = parent.layout
        self.paper = parent.paper
        self.distance_is_exact = parent.distance_is_exact
        self.unreachable = parent.unreachable
        self.feature_kinds = parent.feature_kinds

    @property
    def root(self) -> SearchSpace:
        return self.parent.root

    @cached_property
    def feature_table(self) -> FeatureTable | None:
        return self.parent.feature_table

    def features(self, genotypes: Genotypes, kind: str | None = None) -> NDArray[np.float32]:
        return self.parent.features(genotypes, kind)

    def diagram(self, genotype: Genotypes) -> Diagram:
        return self.parent.diagram(genotype)

    def embed(self, genotypes: Genotypes) -> NDArray[np.float32]:
        return self.parent.embed(genotypes)

    def format(self, genotypes: Genotypes) -> list[str]:
        return self.parent.format(genotypes)

    def parse(self, texts: Sequence[str]) -> Genotypes:
        genotypes = self.parent.parse(texts)
        outside = np.flatnonzero(~self._is_valid(genotypes))
        if len(outside):
            raise UserError(f"row {outside[0]}: '{texts[outside[0]]}' is not in '{self.name}'")
        return genotypes

    def to_dicts(self, genotypes: Genotypes) -> list[dict[str, Any]]:
        return self.parent.to_dicts(genotypes)

    def _canonicalize(self, genotypes: Genotypes) -> Genotypes:
        return self.parent.canonicalize(genotypes)

    def _recognize(self, genotypes: Genotypes) -> Neighbors:
        found = self.parent.recognize(genotypes)
        kept = np.flatnonzero(self._is_valid(found.genotypes))
        return Neighbors(found.genotypes[kept], found.parents[kept])

    def _distance(self, a: Genotypes, b: Genotypes) -> NDArray[np.int64]:
        return self.root.distance(a, b)

    def _cost(self, genotypes: Genotypes) -> Costs:
        return self.parent.cost(genotypes)

    def _root_degree(self, genotypes: Genotypes) -> int:
        """The most one-edit neighbors that a row has in the root, where the root can tell without listing them."""
        if not isinstance(self.root, ProductSpace):
            return 64
        return int(min(self.root.count_neighbors(genotypes).max(initial=1), 1 << 62))

    def _all_neighbors(self, genotypes: Genotypes) -> Neighbors:
        found, parents = [genotypes[:0]], [np.zeros(0, dtype=np.intp)]
        step = max(1, _BLOCK // self._root_degree(genotypes))
        for low in range(0, len(genotypes), step):
            near = self.root.all_neighbors(genotypes[low : low + step])
            kept = self._is_valid(near.genotypes)
            found.append(near.genotypes[kept])
            parents.append(near.parents[kept] + low)
        return Neighbors(np.concatenate(found), np.concatenate(parents))

    def _neighbors(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        if isinstance(self.root, ProductSpace) and edits > self.root.max_edits:  # nothing is that far away
            return Neighbors(genotypes[:0], np.zeros(0, dtype=np.intp))
        if edits > 1 or self._root_degree(genotypes) > _MAX_LISTED:
            return self._neighbors_beyond(genotypes, edits, rng)
        return draw_one_each(self._all_neighbors(genotypes), rng)

    @abstractmethod
    def _neighbors_beyond(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        """Neighbors at exactly ``edits`` edits, without a list of the root's one-edit neighbors."""
