"""A small space laid out: all its architectures, and how many edits lie between them, by breadth-first search."""

from __future__ import annotations

import weakref
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Codes, Genotypes, locate, unique_index
from lissnas.errors import UserError
from lissnas.spaces import SearchSpace
from lissnas.testing.checks import SkipCheck, ensure

__all__ = ["Listing", "listing", "parents_in_order", "some_rows"]

MAX_LISTED = 20_000  # architectures that checks list
MAX_SEARCHED = 2_000  # architectures that a breadth-first search covers
ROWS = 64  # of a space that are compared with all others

_known: weakref.WeakKeyDictionary[SearchSpace, Listing] = weakref.WeakKeyDictionary()


class Listing:
    """All architectures of a small space.

    Attributes:
        genotypes: uint8[N, L], in the order of their codes.
        codes: uint64[N, W].
        repeated: whether ``enumerate`` listed one twice.
    """

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        listed = np.concatenate([*space.enumerate(), np.zeros((0, space.length), dtype=np.uint8)])
        self.codes, first = unique_index(space.encode(listed))
        self.genotypes: Genotypes = listed[first]
        self.repeated = len(self.codes) < len(listed)

    def __len__(self) -> int:
        return len(self.codes)

    def place(self, genotypes: Genotypes) -> NDArray[np.intp]:
        """Where each row stands in the list, or -1."""
        return locate(self.codes, self.space.encode(genotypes))

    @cached_property
    def adjacent(self) -> NDArray[np.bool_]:
        """bool[N, N]: one edit apart, as ``all_neighbors`` says."""
        near = self.space.all_neighbors(self.genotypes)
        matrix = np.zeros((len(self), len(self)), dtype=bool)
        matrix[near.parents, self.place(near.genotypes)] = True
        return matrix

    @cached_property
    def steps(self) -> NDArray[np.float64]:
        """float64[N, N]: the fewest one-edit steps between two architectures; infinite where no steps lead there."""
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import shortest_path

        return np.asarray(shortest_path(csr_array(self.adjacent), unweighted=True), dtype=np.float64)


def listing(space: SearchSpace, most: int = MAX_LISTED) -> Listing:
    """The listing of ``space``, made once.

    Raises:
        SkipCheck: it has more than ``most`` architectures, or cannot list them.
    """
    if space.cardinality > most:
        raise SkipCheck(f"'{space.name}' has {space.cardinality:,} architectures: checked where there are at most {most:,}")
    if space not in _known:
        try:
            _known[space] = Listing(space)
        except UserError as reason:
            raise SkipCheck(f"'{space.name}' does not list its architectures: {reason}") from None
    return _known[space]


def searched(space: SearchSpace) -> tuple[Listing, NDArray[np.intp], NDArray[np.float64]]:
    """The listing of ``space``, up to 64 places in it, and the edits (float64[rows, N]) from each to every architecture.

    Edits are made in the root, so the search runs there.

    Raises:
        SkipCheck: the root is too large to be searched.
    """
    members = listing(space, MAX_SEARCHED)
    root = listing(space.root, MAX_SEARCHED)
    rows = some_rows(len(members))
    place = root.place(members.genotypes)
    ensure((place >= 0).all(), f"'{space.name}' lists an architecture that its root '{space.root.name}' does not list")
    return members, rows, root.steps[np.ix_(place[rows], place)]


def some_rows(n: int) -> NDArray[np.intp]:
    """Up to 64 places among ``n``, evenly spread."""
    return np.unique(np.linspace(0, n - 1, min(n, ROWS)).astype(np.intp))


def parents_in_order(parents: NDArray[np.intp], n: int, strictly: bool) -> bool:
    """Whether ``parents`` are rows of a batch of ``n``, rising."""
    steps = np.diff(parents)
    rising = bool((steps > 0).all() if strictly else (steps >= 0).all())
    return rising and (len(parents) == 0 or (parents[0] >= 0 and parents[-1] < n))


def distinct(codes: Codes) -> int:
    """How many different codes there are."""
    return len(unique_index(codes)[0])
