"""A small product space in which equal networks are one: whatever a key cannot tell apart is folded."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.diagram import Diagram
from lissnas.spaces.features import FeatureTable
from lissnas.spaces.listed import EditGraph, ListedSpace
from lissnas.spaces.product import ProductSpace

__all__ = ["FoldedSpace"]

MAX_FOLDED = 1 << 16  # encodings: all distances are a byte each


class FoldedSpace(ListedSpace):
    """The networks of a small product space. Of the encodings of one network, the one with the lowest code stands for it.

    One edit changes one gene in any encoding of the network, so edits are between networks, whichever encoding one holds.

    Args:
        product: the space of all encodings; its strings, features, costs, drawings and layers are used.
        key: genotypes uint8[n, L] -> n hashable keys, equal for equal networks.
        name: what the folded space is called; it has to be registered under it, with ``options``.
        options: what the registered function is called with to make this space again.
        isomorphisms: what the key folds, in a sentence.

    Raises:
        UserError: more than 65,536 encodings.
    """

    def __init__(
        self,
        product: ProductSpace,
        key: Callable[[Genotypes], Sequence[Hashable]],
        *,
        name: str,
        options: Mapping[str, Any],
        isomorphisms: str,
    ) -> None:
        if product.encodings > MAX_FOLDED:
            held = f"'{product.name}' has {product.encodings:,}"
            raise UserError(f"a space can be folded up to {MAX_FOLDED:,} encodings, but {held}")
        everyone = np.concatenate(list(product.enumerate()))
        codes = product.encode(everyone)[:, 0].astype(np.intp)
        everyone = everyone[np.argsort(codes)]
        index: dict[Hashable, int] = {}
        # The first of its class is the lowest code, so members come out in the order of their codes.
        canonical = np.array([index.setdefault(k, len(index)) for k in key(everyone)], dtype=np.int32)
        _, first = np.unique(canonical, return_index=True)
        near = product.all_neighbors(everyone)
        ends = canonical[product.encode(near.genotypes)[:, 0].astype(np.intp)]
        graph = EditGraph.of_pairs(canonical[near.parents].astype(np.intp), ends.astype(np.intp), len(first))
        members = everyone[first]
        super().__init__(name, product.genes, members, canonical, graph, product.cost(members))
        self.product = product
        self.options = dict(options)
        self.max_edits = product.max_edits
        self.isomorphisms = isomorphisms
        self.paper = product.paper
        self.layout = product.layout
        self.feature_kinds = product.feature_kinds

    def definition(self) -> dict[str, Any]:
        return {"kind": "published", "name": self.name, "options": self.options}

    def encodings_of(self, genotype: Genotypes) -> Genotypes:
        """All encodings uint8[k, L] of one network, uint8[L]."""
        (place,) = self._place(self.check(np.asarray(genotype, dtype=np.uint8)[None]))
        return self.code_layout.decode(np.flatnonzero(self.canonical == place).astype(np.uint64)[:, None])

    def format(self, genotypes: Genotypes) -> list[str]:
        return self.product.format(self.check(genotypes))

    def parse(self, texts: Sequence[str]) -> Genotypes:
        return self._canonicalize(self.product.parse(texts))

    @cached_property
    def feature_table(self) -> FeatureTable | None:
        return self.product.feature_table

    def _features(self, genotypes: Genotypes, kind: str) -> NDArray[np.float32]:
        return self.product.features(genotypes, kind)

    def diagram(self, genotype: Genotypes) -> Diagram:
        return self.product.diagram(self.require_valid(np.asarray(genotype, dtype=np.uint8)[None])[0])
