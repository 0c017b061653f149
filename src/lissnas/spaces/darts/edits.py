"""Edits of cells: one operation changed, or one input taken from another node; and how many of them lie between two cells.

What may be an input is a matter of the cell, not of its drawing: any node that does not itself depend on this one, since
there is a drawing in which it comes first. So edits are the same from whichever drawing they are seen, and can be undone.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lissnas.spaces.darts.cells import INPUTS, Cells, CellTables, Digits, Structure, cell_tables, rename

__all__ = ["CellEdits", "cell_distance", "cell_edits"]

_BLOCK = 1 << 12


@dataclass(frozen=True)
class CellEdits:
    """What can be re-routed in each structure.

    ``S`` structures, ``M`` the most re-routings that one has, ``E`` edges.

    Attributes:
        tables: of the cells.
        count: int64[S], re-routings of each structure.
        structure: int64[S, M], what structure each leads to.
        edge: intp[S, M, E], which old edge's operation stands on each edge there.
    """

    tables: CellTables
    count: NDArray[np.int64]
    structure: NDArray[np.int64]
    edge: NDArray[np.intp]

    @property
    def changes(self) -> int:
        """How many ways there are to change one operation."""
        return self.tables.edges * (self.tables.operations - 1)

    def count_edits(self, cells: Cells) -> NDArray[np.int64]:
        """int64[n], the edits of each cell, those that lead to the same cell counted apart."""
        return self.changes + self.count[cells // self.tables.labellings]

    def edit(self, cells: Cells, number: NDArray[np.int64]) -> Cells:
        """What the edit ``number`` int64[n], below :meth:`count_edits`, makes of each cell; it can be the same cell."""
        structure, labels = self.tables.split(cells)
        rows = np.flatnonzero(number < self.changes)
        if len(rows):
            edge, step = np.divmod(number[rows], self.tables.operations - 1)
            labels[rows, edge] = (labels[rows, edge] + step + 1) % self.tables.operations
        rows = np.flatnonzero(number >= self.changes)
        way = number[rows] - self.changes
        before = structure[rows]
        labels[rows] = np.take_along_axis(labels[rows], self.edge[before, way], axis=1)
        structure[rows] = self.structure[before, way]
        return self.tables.find(structure, labels)

    def neighbors(self, cells: Cells) -> tuple[Cells, NDArray[np.intp]]:
        """Every cell one edit away from each, once, never the cell itself: int64[m], and intp[m], the row each belongs to."""
        counts = self.count_edits(cells)
        number = np.arange(int(counts.max(initial=0)))
        found = [np.zeros(0, dtype=np.int64)]
        parents = [np.zeros(0, dtype=np.intp)]
        for low in range(0, len(cells), _BLOCK // 16):
            block = cells[low : low + _BLOCK // 16]
            row, which = np.nonzero(number < counts[low : low + len(block), None])
            near = np.full((len(block), len(number)), -1, dtype=np.int64)
            near[row, which] = self.edit(block[row], which)
            near.sort(axis=1)
            new = (near != block[:, None]) & (near >= 0)
            new[:, 1:] &= near[:, 1:] != near[:, :-1]
            found.append(near[new])
            parents.append(low + np.nonzero(new)[0])
        return np.concatenate(found), np.concatenate(parents)


@cache
def cell_edits(nodes: int, operations: int) -> CellEdits:
    """The edits of cells with ``nodes`` nodes and ``operations`` kinds of edges."""
    tables = cell_tables(nodes, operations)
    structures = list(itertools.product(*tables.pairs))
    place = {structure: index for index, structure in enumerate(structures)}
    ways = [[(place[new], moved) for new, moved in _reroute(structure)] for structure in structures]
    count = np.array([len(found) for found in ways], dtype=np.int64)
    target = np.zeros((len(structures), int(count.max(initial=0))), dtype=np.int64)
    edge = np.zeros((*target.shape, tables.edges), dtype=np.intp)
    for index, found in enumerate(ways):
        for number, (new, moved) in enumerate(found):
            target[index, number] = new
            edge[index, number, moved] = np.arange(tables.edges)
    return CellEdits(tables, count, target, edge)


def _reroute(structure: Structure) -> list[tuple[Structure, list[int]]]:
    """Every structure that one input taken from elsewhere makes, and where each edge stands in it."""
    depends = [_depends_on(structure, node) for node in range(len(structure))]
    found = []
    for node, inputs in enumerate(structure):
        for side in range(2):
            for other in range(INPUTS + len(structure)):
                if other in inputs or other == INPUTS + node or (other >= INPUTS and INPUTS + node in depends[other - INPUTS]):
                    continue
                pair = (other, inputs[1]) if side == 0 else (inputs[0], other)
                found.append(_in_order((*structure[:node], pair, *structure[node + 1 :])))
    return found


def _depends_on(structure: Structure, node: int) -> set[int]:
    """All nodes that the ``node``-th one needs."""
    found: set[int] = set()
    for source in structure[node]:
        found |= {source} | (_depends_on(structure, source - INPUTS) if source >= INPUTS else set())
    return found


def _in_order(structure: Structure) -> tuple[Structure, list[int]]:
    """The first drawing of a cell without cycles in which inputs come first."""
    drawings = (rename(structure, order) for order in itertools.permutations(range(len(structure))))
    return next(drawing for drawing in drawings if drawing is not None)


def cell_distance(tables: CellTables, a: Cells, b: Cells) -> NDArray[np.int64]:
    """int64[n], the fewest edits between the cells of drawings ``a`` and ``b`` (int64[n]), exactly.

    Renaming is free, so it is the smallest over all ways to pair the nodes of one cell with those of the other, of the sum
    over pairs of nodes of the inputs and operations that differ, the two edges matched in the better way. There is no
    shorter way, since each edit changes one of these; and there is one as short: give the nodes their new edges in an
    order in which the second cell's inputs come first. Then what is done rests on itself alone, and no step makes a cycle.
    """
    distance = np.empty(len(a), dtype=np.int64)
    for low in range(0, len(a), _BLOCK):
        left, right = (_edges_of(tables, cells[low : low + _BLOCK]) for cells in (a, b))
        orders = itertools.permutations(range(tables.nodes))
        distance[low : low + _BLOCK] = np.minimum.reduce([_differences(left, right, order) for order in orders])
    return distance


Edges = tuple[Digits, Digits]


def _edges_of(tables: CellTables, cells: Cells) -> Edges:
    """Sources and operations of the edges, uint8[E, n] each."""
    structure, labels = tables.split(cells)
    return np.ascontiguousarray(tables.sources[structure].T), np.ascontiguousarray(labels.T)


def _differences(left: Edges, right: Edges, order: tuple[int, ...]) -> NDArray[np.uint8]:
    """Edits where the ``v``-th node of ``left`` is the ``order[v]``-th of ``right``."""
    names = np.array([*range(INPUTS), *(INPUTS + node for node in np.argsort(order))], dtype=np.uint8)
    total = np.zeros(left[0].shape[1], dtype=np.uint8)
    for node, other in enumerate(order):
        (a, b), (p, q) = (part[2 * node : 2 * node + 2] for part in left)
        (c, d), (r, s) = names[right[0][2 * other : 2 * other + 2]], right[1][2 * other : 2 * other + 2]
        straight = (a != c).view(np.uint8) + (b != d) + (p != r) + (q != s)
        crossed = (a != d).view(np.uint8) + (b != c) + (p != s) + (q != r)
        total += np.minimum(straight, crossed)
    return total
