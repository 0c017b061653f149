"""A shrunk space that is a list of architectures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Codes, Genotypes, locate, unique, unique_index
from lissnas.errors import UserError
from lissnas.spaces.base import Neighbors, SearchSpace
from lissnas.spaces.draw import draw_one_each
from lissnas.spaces.subspace import Subspace

__all__ = ["ExplicitSpace"]

_SCAN = 1 << 20  # comparisons of a row and a member at a time


class ExplicitSpace(Subspace):
    """The architectures with the given codes.

    ``neighbors`` is uniform over the members at that distance: at distance 1 through the root's neighborhoods, beyond by
    drawing members until each row has met one; rows that meet none so are compared with all members (0.1 us each), or with
    all that so many edits lead to where those are fewer. Where the root searches for a distance, each row is searched around.

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
        for block, hits in self._compare(genotypes, 1):
            rows, members = np.nonzero(hits)
            found.append(block[members])
            parents.append(rows)
        order = np.argsort(np.concatenate(parents), kind="stable")
        return Neighbors(np.concatenate(found)[order], np.concatenate(parents)[order])

    def _neighbors_beyond(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        if self.root.distance_by_search:
            return self._draw_in_balls(genotypes, edits, rng)
        result = genotypes.copy()
        waiting = np.arange(len(genotypes))
        ball = self._root_degree(genotypes) ** edits if edits <= 8 else 1 << 62
        draws = 16
        while len(waiting) and draws <= min(len(self.codes), ball) // 8:
            met = []
            for low in range(0, len(waiting), max(1, _SCAN // draws)):
                rows = waiting[low : low + max(1, _SCAN // draws)]
                met.append(self._draw_some(genotypes, rows, edits, draws, rng, result))
            waiting = waiting[~np.concatenate(met)]
            draws *= 2
        search, step = (self._draw_in_ball, _SCAN // ball) if ball <= len(self.codes) else (self._draw_by_scan, 1024)
        arrived = np.ones(len(genotypes), dtype=bool)
        arrived[waiting] = False
        for low in range(0, len(waiting), max(1, int(step))):
            rows = waiting[low : low + max(1, int(step))]
            drawn = search(genotypes[rows], edits, rng)
            result[rows[drawn.parents]] = drawn.genotypes
            arrived[rows[drawn.parents]] = True
        found = np.flatnonzero(arrived)
        return Neighbors(result[found], found)

    def _draw_in_balls(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        """One member at that distance per row, out of the root's balls: a search for each row, not for each member."""
        found, rows = [genotypes[:0]], [np.zeros(0, dtype=np.intp)]
        step = max(1, _SCAN // 64 ** min(edits, 4))
        for low in range(0, len(genotypes), step):
            ball = self.root.ball(genotypes[low : low + step], edits)
            ring = ball.take(np.flatnonzero(ball.edits == edits))
            ring = ring.take(np.flatnonzero(self._is_valid(ring.genotypes)))
            drawn = draw_one_each(Neighbors(ring.genotypes, ring.parents), rng)
            found.append(drawn.genotypes)
            rows.append(drawn.parents + low)
        return Neighbors(np.concatenate(found), np.concatenate(rows))

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

    def _draw_in_ball(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        """One member at that distance per row, among all that ``edits`` edits in the root lead to."""
        at, parents = genotypes, np.arange(len(genotypes))
        for travelled in range(1, edits + 1):
            near = self.root.all_neighbors(at)
            at, parents = near.genotypes, parents[near.parents]
            if travelled == edits:  # few of the last are members
                kept = self._is_valid(at)
                at, parents = at[kept], parents[kept]
            known = np.column_stack([parents.astype(np.uint64), self.code_layout.encode(at)])
            _, first = unique_index(known)
            at, parents = at[first], parents[first]
        kept = self.root.distance(genotypes[parents], at) == edits
        return draw_one_each(Neighbors(at[kept], parents[kept]), rng)

    def _draw_by_scan(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        """One member at that distance per row, by looking at all members: each that is met replaces the last by its share."""
        result = genotypes.copy()
        met = np.zeros(len(genotypes), dtype=np.int64)
        for block, hits in self._compare(genotypes, edits):
            count = hits.sum(axis=1)
            met += count
            rows = np.flatnonzero(rng.random(len(met)) * met < count)
            which = rng.integers(0, count[rows])
            result[rows] = block[np.argmax(np.cumsum(hits[rows], axis=1) > which[:, None], axis=1)]
        found = np.flatnonzero(met)
        return Neighbors(result[found], found)

    def _compare(self, genotypes: Genotypes, edits: int) -> Iterator[tuple[Genotypes, NDArray[np.bool_]]]:
        """Members b at a time, uint8[b, L], and which of them are ``edits`` edits from which row, bool[n, b]."""
        for block in self.enumerate(max(1, _SCAN // max(len(genotypes), 1))):
            far = self.root._distance(np.repeat(genotypes, len(block), axis=0), np.tile(block, (len(genotypes), 1)))
            yield block, far.reshape(len(genotypes), len(block)) == edits
