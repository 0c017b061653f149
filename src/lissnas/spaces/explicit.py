"""A shrunk space that is a list of architectures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Codes, Genotypes, locate, unique
from lissnas.errors import UserError
from lissnas.spaces.base import Neighbors, SearchSpace
from lissnas.spaces.subspace import Subspace

__all__ = ["ExplicitSpace"]

_SCAN = 1 << 22  # comparisons at a time while members are scanned


class ExplicitSpace(Subspace):
    """The architectures with the given codes.

    ``neighbors`` is uniform over the members at that distance: at distance 1 through the root's neighborhoods, beyond by
    scanning the members in random order until each row has met one, which costs up to one comparison per row and member.

    Args:
        parent: the space they are taken from.
        codes: uint64[n, W], in any order; each counts once.
        name: what it is called; the parent's name with its size if not given.

    Raises:
        UserError: no architecture at all, or one that is not in ``parent``.
    """

    def __init__(self, parent: SearchSpace, codes: Codes, name: str | None = None) -> None:
        members = unique(codes)
        if not len(members):
            raise UserError(f"a shrunk space of '{parent.name}' needs at least one architecture, but got none")
        parent.require_valid(parent.decode(members))
        super().__init__(parent, name or f"{parent.name}-{len(members)}")
        self.codes = members
        self.cardinality = self.encodings = len(members)

    @classmethod
    def of(cls, parent: SearchSpace, genotypes: Genotypes, name: str | None = None) -> ExplicitSpace:
        """The space of ``genotypes``."""
        return cls(parent, parent.encode(genotypes), name)

    def definition(self) -> dict[str, Any]:
        digest = hashlib.sha256(np.ascontiguousarray(self.codes.astype("<u8")).tobytes()).hexdigest()
        return {"kind": "explicit", "name": self.name, "parent": self.parent.definition(), "codes_sha256": digest}

    @property
    def genotypes(self) -> Genotypes:
        """All members, in the order of their codes."""
        return self.code_layout.decode(self.codes)

    def enumerate(self, block: int = 1 << 16) -> Iterator[Genotypes]:
        for low in range(0, len(self.codes), block):
            yield self.code_layout.decode(self.codes[low : low + block])

    def _sample(self, n: int, rng: np.random.Generator) -> Genotypes:
        return self.code_layout.decode(self.codes[rng.integers(0, len(self.codes), size=n)])

    def _is_valid(self, genotypes: Genotypes) -> NDArray[np.bool_]:
        return locate(self.codes, self.code_layout.encode(genotypes)) >= 0

    def _neighbors_beyond(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        members = self.genotypes[rng.permutation(len(self.codes))]
        found = np.full(len(genotypes), -1, dtype=np.intp)
        waiting = np.arange(len(genotypes))
        low = 0
        while len(waiting) and low < len(members):
            step = max(1, _SCAN // len(waiting))
            block = members[low : low + step]
            rows = np.repeat(genotypes[waiting], len(block), axis=0)
            far = self.root.distance(rows, np.tile(block, (len(waiting), 1))).reshape(len(waiting), len(block))
            hit = far == edits
            met = hit.any(axis=1)
            found[waiting[met]] = low + hit[met].argmax(axis=1)
            waiting = waiting[~met]
            low += step
        rows = np.flatnonzero(found >= 0)
        return Neighbors(members[found[rows]], rows)
