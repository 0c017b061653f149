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

_SCAN = 1 << 20  # comparisons of a row and a member at a time


class ExplicitSpace(Subspace):
    """The architectures with the given codes.

    ``neighbors`` is uniform over the members at that distance: at distance 1 through the root's neighborhoods, beyond by
    drawing members until each row has met one, and by comparing a row with all members where as many draws met none.

    Args:
        parent: the space they are taken from.
        codes: uint64[n, W], in any order; each counts once.
        name: what it is called; the parent's name with its size if not given.

    Raises:
        UserError: no architecture at all, or one that is not in ``parent``.
    """

    def __init__(self, parent: SearchSpace, codes: Codes, name: str | None = None) -> None:
        members = unique(parent.check_codes(codes))
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

    def _all_neighbors(self, genotypes: Genotypes) -> Neighbors:
        if self._root_degree(genotypes) <= max(len(self.codes), 64):
            return super()._all_neighbors(genotypes)
        found, parents = [genotypes[:0]], [np.zeros(0, dtype=np.intp)]
        step = max(1, _SCAN // len(self.codes))
        for low in range(0, len(genotypes), step):
            rows, members = self._meetings(genotypes[low : low + step], 1)
            found.append(self.code_layout.decode(self.codes[members]))
            parents.append(rows + low)
        return Neighbors(np.concatenate(found), np.concatenate(parents))

    def _neighbors_beyond(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        result = genotypes.copy()
        waiting = np.arange(len(genotypes))
        drawn, draws = 0, 16
        while len(waiting) and drawn < len(self.codes):
            met = []
            for low in range(0, len(waiting), max(1, _SCAN // draws)):
                rows = waiting[low : low + max(1, _SCAN // draws)]
                met.append(self._draw_some(genotypes, rows, edits, draws, rng, result))
            waiting = waiting[~np.concatenate(met)]
            drawn += draws
            draws = min(2 * draws, _SCAN)
        for row in waiting.tolist():  # few members at that distance, or none: look at all
            _, members = self._meetings(genotypes[row : row + 1], edits)
            if len(members):
                result[row] = self.code_layout.decode(self.codes[rng.choice(members)][None])[0]
                waiting = waiting[waiting != row]
        found = np.delete(np.arange(len(genotypes)), waiting)
        return Neighbors(result[found], found)

    def _draw_some(
        self, genotypes: Genotypes, rows: NDArray[np.intp], edits: int, draws: int, rng: np.random.Generator, result: Genotypes
    ) -> NDArray[np.bool_]:
        """Draw ``draws`` members for each of ``rows``; write the first one at the right distance to ``result``."""
        drawn = self._sample(len(rows) * draws, rng)
        hit = (self.root.distance(np.repeat(genotypes[rows], draws, axis=0), drawn) == edits).reshape(len(rows), draws)
        met: NDArray[np.bool_] = hit.any(axis=1)
        first = drawn.reshape(len(rows), draws, -1)[np.arange(len(rows)), hit.argmax(axis=1)]
        result[rows[met]] = first[met]
        return met

    def _meetings(self, genotypes: Genotypes, edits: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """All pairs of a row and a member that are ``edits`` edits apart, by row."""
        rows, members = [], []
        step = max(1, _SCAN // max(len(genotypes), 1))
        for low in range(0, len(self.codes), step):
            block = self.code_layout.decode(self.codes[low : low + step])
            far = self.root.distance(np.repeat(genotypes, len(block), axis=0), np.tile(block, (len(genotypes), 1)))
            row, member = np.nonzero(far.reshape(len(genotypes), len(block)) == edits)
            rows.append(row)
            members.append(member + low)
        order = np.argsort(np.concatenate(rows), kind="stable")
        return np.concatenate(rows)[order], np.concatenate(members)[order]
