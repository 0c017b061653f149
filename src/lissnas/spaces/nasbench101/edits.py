"""The one-edit graphs on all cells: which cells are one edit apart, under each rule.

Edits are made between graphs, not between drawings (reconstruction A.5): an edge may be added between any two vertices, in the
direction that closes no cycle, whichever drawing one holds. An edit of an operation keeps the number of edges and an edit of
an edge does not, so each pair of neighbors is of one kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays.stored import stored_tables
from lissnas.spaces.nasbench101.drawings import (
    INTERIOR,
    MAX_EDGES,
    OPERATIONS,
    OUT,
    adjacency_of,
    count_edges,
    mask_of,
    reachability,
    sort_vertices,
)
from lissnas.spaces.nasbench101.search import label_components
from lissnas.spaces.nasbench101.tables import ABSENT, LABELINGS, NO_SHAPE, POWERS, CellTables, cell_tables, labels_as_digits

__all__ = ["RULES", "EditGraph", "Rule", "build_edits", "edit_graph"]

VERSION = 3


@dataclass(frozen=True)
class Rule:
    """What counts as an edit.

    Attributes:
        longest: the most edits between two cells that edits connect (found by breadth-first searches from all that could be
            further apart).
        far: from this distance on, many searches at once cost less than each alone.
        connected: whether edits lead from every cell to every other.
    """

    longest: int
    far: int
    connected: bool = False


RULES = {
    "graph": Rule(longest=18, far=7),
    "operation": Rule(longest=5, far=6),
    "edge": Rule(longest=24, far=12),
    "stranding": Rule(longest=8, far=4, connected=True),
}


@dataclass(frozen=True)
class EditGraph:
    """The neighbors of cell ``i`` are ``neighbors[first[i]:last[i]]``; N cells.

    Attributes:
        first: uint32[N].
        last: uint32[N].
        neighbors: uint32[M], neighbors by an operation before those by an edge.
    """

    first: NDArray[np.uint32]
    last: NDArray[np.uint32]
    neighbors: NDArray[np.uint32]

    @cached_property
    def components(self) -> NDArray[np.int32]:
        """int32[N]: the number of the component that each cell is in."""
        labels = np.full(len(self.first), -1, dtype=np.int32)
        label_components(self.first, self.last, self.neighbors, labels, np.empty(len(self.first), dtype=np.uint32))
        return labels

    def degree(self, ids: NDArray[Any]) -> NDArray[np.int64]:
        """int64[n]: how many neighbors each cell has."""
        degree: NDArray[np.int64] = self.last[ids].astype(np.int64) - self.first[ids]
        return degree

    def list_neighbors(self, ids: NDArray[Any]) -> tuple[NDArray[np.uint32], NDArray[np.intp]]:
        """All neighbors of each cell, and the rows of ``ids`` that they belong to."""
        degree = self.degree(ids)
        ends = np.cumsum(degree)
        parents = np.repeat(np.arange(len(ids)), degree)
        places = np.arange(len(parents)) + np.repeat(self.first[ids] - (ends - degree), degree)
        return self.neighbors[places], parents


@cache
def edit_graph(rule: str) -> EditGraph:
    """The graph of one of ``RULES``: see :class:`~lissnas.spaces.nasbench101.space.NASBench101`."""
    tables = _tables(rule == "stranding")
    first, last, middle = tables["bounds"][:-1], tables["bounds"][1:], tables["middle"]
    if rule == "operation":
        last = middle
    elif rule == "edge":
        first = middle
    return EditGraph(first, last, tables["neighbors"])


@cache
def _tables(stranding: bool) -> dict[str, NDArray[Any]]:
    name = f"nasbench101-{'stranding' if stranding else 'graph'}"
    return stored_tables(name, VERSION, lambda: build_edits(cell_tables(), stranding))


def build_edits(cells: CellTables, stranding: bool) -> dict[str, NDArray[Any]]:
    """``bounds`` uint32[N + 1], ``middle`` uint32[N] (where the neighbors by an edge begin) and ``neighbors``, from nothing."""
    shapes, targets, sources = _shape_edits(cells)
    strands = cells.interior[targets] < cells.interior[shapes]
    relabeled, pattern_of = _relabelings(sources)
    first_cell = np.searchsorted(cells.shape_of, np.arange(len(cells.masks) + 1))
    first_edit = np.searchsorted(shapes, np.arange(len(cells.masks) + 1))
    operations, edges, away = _Lists(len(cells.codes)), _Lists(len(cells.codes)), _Lists(len(cells.codes))
    for shape in range(len(cells.masks)):
        members = np.arange(first_cell[shape], first_cell[shape + 1])
        labelings = cells.labeling_of[members].astype(np.intp)
        operations.add(members, cells.cells[shape][_other_operations(labelings, int(cells.interior[shape]))])
        edits = np.arange(first_edit[shape], first_edit[shape + 1])
        for kind, chosen in ((edges, edits[~strands[edits]]), (away, edits[strands[edits]])):
            kind.add(members, cells.cells[targets[chosen], relabeled[pattern_of[chosen]][:, labelings].T])
    lists = [operations, edges]
    if stranding:
        lists += [away, away.reversed()]
    return _join(lists)


class _Lists:
    """One list of cells for each cell, gathered in the order of cells."""

    def __init__(self, cells: int) -> None:
        self.counts = np.zeros(cells, dtype=np.int64)
        self.parts: list[NDArray[np.int32]] = []

    def add(self, members: NDArray[np.intp], found: NDArray[np.int32]) -> None:
        """The lists of ``members`` are the rows of ``found``; each cell counts once."""
        if not found.size:
            return
        found = np.sort(found, axis=1)
        new = np.ones(found.shape, dtype=bool)
        np.not_equal(found[:, 1:], found[:, :-1], out=new[:, 1:])
        self.counts[members] = new.sum(axis=1)
        self.parts.append(found[new])

    @property
    def values(self) -> NDArray[np.int32]:
        return np.concatenate([*self.parts, np.zeros(0, dtype=np.int32)])

    def reversed(self) -> _Lists:
        """For each cell, the cells in whose lists it is."""
        result = _Lists(len(self.counts))
        values = self.values
        result.counts = np.bincount(values, minlength=len(self.counts))
        owners = np.repeat(np.arange(len(self.counts), dtype=np.int32), self.counts)
        result.parts = [owners[np.argsort(values, kind="stable")]]
        return result


def _join(lists: list[_Lists]) -> dict[str, NDArray[Any]]:
    """The lists of each cell behind one another."""
    begin = np.concatenate([[0], np.cumsum(sum(part.counts for part in lists))])
    neighbors = np.empty(begin[-1], dtype=np.uint32)
    at = begin[:-1].copy()
    middle = at + lists[0].counts
    for part in lists:
        ends = np.cumsum(part.counts)
        neighbors[np.arange(ends[-1]) + np.repeat(at - (ends - part.counts), part.counts)] = part.values
        at += part.counts
    return {"bounds": begin.astype(np.uint32), "middle": middle.astype(np.uint32), "neighbors": neighbors}


def _other_operations(labelings: NDArray[np.intp], interior: int) -> NDArray[np.intp]:
    """intp[n, 2 interior]: each labeling with one operation changed."""
    columns = []
    for place in range(interior):
        digit = labelings // POWERS[place] % len(OPERATIONS)
        for step in range(1, len(OPERATIONS)):
            columns.append(labelings + ((digit + step) % len(OPERATIONS) - digit) * POWERS[place])
    return np.stack(columns, axis=1) if columns else np.zeros((len(labelings), 0), dtype=np.intp)


def _shape_edits(cells: CellTables) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int64]]:
    """Every edge that can be added to or removed from a shape: the shape (rising), the shape that comes of it, and the sources.

    ``sources`` int64[E, 5]: which interior vertex of the first shape stands at each place of the second, or ``ABSENT``.
    """
    adjacency = adjacency_of(cells.masks)
    present = np.ones((len(adjacency), OUT + 1), dtype=bool)
    present[:, 1:OUT] = np.arange(INTERIOR) < cells.interior[:, None]
    open_pairs = present[:, :, None] & present[:, None, :] & ~adjacency & ~reachability(adjacency).transpose(0, 2, 1)
    open_pairs[:, :, 0] = open_pairs[:, OUT, :] = False
    open_pairs[:, np.arange(OUT + 1), np.arange(OUT + 1)] = False
    open_pairs[count_edges(cells.masks) >= MAX_EDGES] = False

    shape, tail, head = np.nonzero(open_pairs)
    grown = adjacency[shape]
    grown[np.arange(len(shape)), tail, head] = True
    masks, order = sort_vertices(grown)
    added = _look_up(cells, masks, order[:, 1:OUT] - 1)

    cut_shape, tail, head = np.nonzero(adjacency)
    cut = adjacency[cut_shape]
    cut[np.arange(len(cut_shape)), tail, head] = False
    removed = _look_up(cells, mask_of(cut), np.tile(np.arange(INTERIOR), (len(cut), 1)))

    shapes = np.concatenate([shape, cut_shape])
    targets, sources = (np.concatenate(pair) for pair in zip(added, removed, strict=True))
    kept = np.flatnonzero(targets >= 0)
    kept = kept[np.argsort(shapes[kept], kind="stable")]
    return shapes[kept], targets[kept], sources[kept]


def _look_up(
    cells: CellTables, masks: NDArray[np.int64], vertices: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The shape of each drawing (-1: none), and which of ``vertices``, those at the drawing's places, stands at the shape's."""
    drawing = cells.drawings[masks].astype(np.int64)
    shape = np.where(drawing == NO_SHAPE, -1, drawing & 0xFFFF)
    sources = drawing[:, None] >> (16 + 3 * np.arange(INTERIOR)) & 7
    named = np.take_along_axis(vertices, np.minimum(sources, INTERIOR - 1), axis=1)
    return shape, np.where(sources == ABSENT, ABSENT, named)


def _relabelings(sources: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """For each different row of ``sources``, int64[K, 243]: the labeling that comes of each; and which one each row is."""
    patterns, pattern_of = np.unique(sources, axis=0, return_inverse=True)
    digits = np.zeros((LABELINGS, ABSENT + 1), dtype=np.int64)
    digits[:, :INTERIOR] = labels_as_digits(np.arange(LABELINGS))
    return digits[:, patterns].transpose(1, 0, 2) @ POWERS, pattern_of.ravel()
