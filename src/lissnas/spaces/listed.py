"""A space small enough to be listed: its architectures are a table, its edits a graph, its distances a breadth-first search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.base import Costs, Neighbors, SearchSpace
from lissnas.spaces.gene import Gene

__all__ = ["EditGraph", "ListedSpace"]

_GATHERED = 1 << 20  # words of reached sets that are gathered at a time


class EditGraph(NamedTuple):
    """Which members are one edit apart, both ways: those of member ``i`` are ``ends[starts[i] : starts[i + 1]]``, ascending.

    Attributes:
        starts: int64[N + 1].
        ends: int32[E].
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int32]

    @classmethod
    def of_pairs(cls, a: NDArray[np.intp], b: NDArray[np.intp], members: int) -> EditGraph:
        """The graph of the pairs (a, b), each taken both ways and once; a member is no neighbor of itself."""
        apart = a != b
        keys = np.unique(np.concatenate([a[apart] * members + b[apart], b[apart] * members + a[apart]]))
        starts = np.searchsorted(keys, np.arange(members + 1) * members)
        return cls(starts.astype(np.int64), (keys % members).astype(np.int32))

    def neighbors(self, members: NDArray[np.intp]) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
        """The neighbors of each of ``members`` one after the other, and the row each belongs to."""
        degree = np.diff(self.starts)[members]
        rows = np.repeat(np.arange(len(members)), degree)
        first = np.cumsum(degree) - degree
        return self.ends[self.starts[members][rows] + np.arange(len(rows)) - first[rows]], rows

    def distances(self) -> NDArray[np.int8]:
        """int8[N, N]: the fewest edits between any two members, -1 where none lead there. One bit per pair and step."""
        n = len(self.starts) - 1
        everyone = np.arange(n)
        # Each member beside its neighbors: what all of them had reached is what it reaches with one edit more.
        ends = np.insert(self.ends, self.starts[:-1], everyone)
        starts = self.starts + np.arange(n + 1)
        bits = np.zeros((n, (n + 63) // 64 * 8), dtype=np.uint8)
        bits[everyone, everyone // 8] = 1 << (everyone % 8)
        reached = bits.view(np.uint64)
        far = np.full((n, n), -1, dtype=np.int8)
        np.fill_diagonal(far, 0)
        step = max(1, _GATHERED // (reached.shape[1] * int(np.diff(starts).max())))
        for travelled in range(1, n):
            after = np.empty_like(reached)
            for low in range(0, n, step):
                block = starts[low : low + step + 1]
                gathered = reached[ends[block[0] : block[-1]]]
                after[low : low + step] = np.bitwise_or.reduceat(gathered, block[:-1] - block[0], axis=0)
            new = after ^ reached
            if not new.any():
                break
            far[np.unpackbits(new.view(np.uint8), axis=1, count=n, bitorder="little").view(bool)] = travelled
            reached = after
        return far


class ListedSpace(SearchSpace):
    """The architectures of a table. ``neighbors`` is uniform over all at that distance, and distances are exact.

    A genotype that is no architecture is left as it is by ``canonicalize``, and refused where something is asked of it. All
    distances are found when one beyond an edit is first asked for (0.3 s and 42 MB for 6,466 architectures).

    Args:
        name: what the space is called.
        genes: in the order of the genotype's columns.
        members: uint8[N, L], in the order of their codes.
        canonical: int32, for every code that can be written down the member that it is, or -1: no architecture of the space.
        graph: which members are one edit apart.
        costs: by name, float64[N].
    """

    def __init__(
        self,
        name: str,
        genes: Sequence[Gene],
        members: Genotypes,
        canonical: NDArray[np.int32],
        graph: EditGraph,
        costs: Mapping[str, NDArray[np.float64]],
    ) -> None:
        self.name = name
        self.genes = tuple(genes)
        self.members = members
        self.canonical = canonical
        self.graph = graph
        self.costs = dict(costs)
        self.cost_names = tuple(costs)
        self.cardinality = len(members)
        self.encodings = int((canonical >= 0).sum())
        self.max_edits = len(self.genes)

    def enumerate(self, block: int = 1 << 16) -> Iterator[Genotypes]:
        for low in range(0, len(self.members), block):
            yield self.members[low : low + block].copy()

    @cached_property
    def distances(self) -> NDArray[np.int8]:
        """int8[N, N]: the fewest edits between any two members."""
        return self.graph.distances()

    def count_neighbors(self, genotypes: Genotypes) -> NDArray[np.float64]:
        """float64[n]: how many architectures are one edit away from each row."""
        count: NDArray[np.float64] = np.diff(self.graph.starts)[self._place(self.check(genotypes))].astype(np.float64)
        return count

    def _sample(self, n: int, rng: np.random.Generator) -> Genotypes:
        drawn: Genotypes = self.members[rng.integers(0, len(self.members), size=n)]
        return drawn

    def _canonicalize(self, genotypes: Genotypes) -> Genotypes:
        place = self._look_up(genotypes)
        members: Genotypes = np.where(place[:, None] >= 0, self.members[place], genotypes)
        return members

    def _is_valid(self, genotypes: Genotypes) -> NDArray[np.bool_]:
        place = self._look_up(genotypes)
        valid: NDArray[np.bool_] = (place >= 0) & (self.members[place] == genotypes).all(axis=1)
        return valid

    def _look_up(self, genotypes: Genotypes) -> NDArray[np.int32]:
        """The member that each row is, or -1."""
        place: NDArray[np.int32] = self.canonical[self.code_layout.encode(genotypes)[:, 0].astype(np.intp)]
        return place

    def _place(self, genotypes: Genotypes) -> NDArray[np.intp]:
        """The member that each row is.

        Raises:
            UserError: it is none.
        """
        place = self._look_up(genotypes)
        if (place < 0).any():
            row = int(np.flatnonzero(place < 0)[0])
            raise UserError(f"row {row} ({' '.join(map(str, genotypes[row]))}) is no architecture of '{self.name}'")
        return place.astype(np.intp)

    def _all_neighbors(self, genotypes: Genotypes) -> Neighbors:
        ends, parents = self.graph.neighbors(self._place(genotypes))
        return Neighbors(self.members[ends], parents)

    def _neighbors(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        place = self._place(genotypes)
        if edits == 1:
            first, degree = self.graph.starts[place], np.diff(self.graph.starts)[place]
            rows = np.flatnonzero(degree)
            return Neighbors(self.members[self.graph.ends[first[rows] + rng.integers(0, degree[rows])]], rows)
        drawn = np.full(len(place), -1)
        homes, kind = np.unique(place, return_inverse=True)
        order = np.argsort(kind, kind="stable")
        bounds = np.searchsorted(kind[order], np.arange(len(homes) + 1))
        for home, low, high in zip(homes, bounds, bounds[1:], strict=False):
            rows = order[low:high]
            there = np.flatnonzero(self.distances[home] == edits)
            if len(there):
                drawn[rows] = there[rng.integers(0, len(there), size=len(rows))]
        rows = np.flatnonzero(drawn >= 0)
        return Neighbors(self.members[drawn[rows]], rows)

    def _distance(self, a: Genotypes, b: Genotypes) -> NDArray[np.int64]:
        return self.distances[self._place(a), self._place(b)].astype(np.int64)

    def _cost(self, genotypes: Genotypes) -> Costs:
        place = self._place(genotypes)
        return Costs({name: values[place] for name, values in self.costs.items()})
