"""Cells of a few nodes with two inputs each: how they are drawn, which drawings are one cell, and uniform draws of cells.

A drawing is a *structure* (which two inputs each node takes, in an order in which inputs come first) and a *labelling* (the
operation on each of the edges). Two drawings are one cell if renaming the intermediate nodes makes one the other. There are
so few structures (180 of 4 nodes) that everything about them stands in tables, and a labelling is handled as one number.

A cell is an int64: ``structure * labellings + labelling``, the order of its genes. Its canonical drawing is the smallest.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError

__all__ = ["INPUTS", "CellTables", "Cells", "Digits", "Structure", "cell_tables", "rename"]

INPUTS = 2  # what enters a cell: the outputs of the two cells before it, called 0 and 1; its own nodes count on from 2
MAX_NODES = 4  # all orders of the nodes are tried

_BLOCK = 1 << 13  # rows at a time: they stay in the second-level cache

Digits = NDArray[np.uint8]
Cells = NDArray[np.int64]
Structure = tuple[tuple[int, int], ...]  # the two inputs of each node


@dataclass(frozen=True)
class CellTables:
    """All structures of cells with a number of nodes and operations, and what renaming nodes makes of them.

    ``S`` structures, ``E`` edges: two per node, edge ``2v`` from the smaller of the two inputs of the ``v``-th node.

    Attributes:
        nodes, operations: how many there are.
        labellings: operations ** E.
        pairs: for each node the pairs of inputs that it may take.
        choices: uint8[S, nodes], which of its pairs each node takes.
        sources: uint8[S, E], where each edge comes from.
        canonical: int64[S], the structure of the canonical drawing.
        renamings: int64[S], how many renamings lead to that structure: as many as it has symmetries.
        weights: int32[S, K, E], for each of them, what an operation on each edge counts in the labelling.
        symmetry_start: int64[P], the cumulated weights of (structure, symmetry) pairs, the first 0, from which is drawn.
        symmetry_structure: int64[P + 1], their structures.
        symmetry_cycle: intp[P + 1, E], to which cycle of edges, counted from the first edge, each edge belongs.
        symmetry_fixed: int64[P + 1], how many labellings the symmetry leaves as they are.
        cardinality: how many cells there are.
    """

    nodes: int
    operations: int
    labellings: int
    pairs: tuple[tuple[tuple[int, int], ...], ...]
    choices: Digits
    sources: Digits
    canonical: NDArray[np.int64]
    renamings: NDArray[np.int64]
    weights: NDArray[np.int32]
    symmetry_start: NDArray[np.int64]
    symmetry_structure: NDArray[np.int64]
    symmetry_cycle: NDArray[np.intp]
    symmetry_fixed: NDArray[np.int64]
    cardinality: int

    @property
    def edges(self) -> int:
        """Edges with an operation."""
        return 2 * self.nodes

    @cached_property
    def places(self) -> NDArray[np.intp]:
        """intp[S, E], each edge's number among all that could be: into node 2 from 0, 1, into node 3 from 0, 1, 2 ..."""
        first = np.repeat([node * INPUTS + node * (node - 1) // 2 for node in range(self.nodes)], 2)
        places: NDArray[np.intp] = first + self.sources.astype(np.intp)
        return places

    @cached_property
    def orders(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.intp]]:
        """The ``R`` orders of nodes in which inputs come first: how many, int64[S]; the structures that they make, int64[S, R];
        and which old edge stands on each edge there, intp[S, R, E]."""
        structures = list(itertools.product(*self.pairs))
        place = {structure: index for index, structure in enumerate(structures)}
        ways = [[d for order in _orders(self.nodes) if (d := rename(structure, order))] for structure in structures]
        count = np.array([len(found) for found in ways], dtype=np.int64)
        target = np.zeros((len(structures), int(count.max())), dtype=np.int64)
        edge = np.zeros((*target.shape, self.edges), dtype=np.intp)
        for index, found in enumerate(ways):
            for number, (new, moved) in enumerate(found):
                target[index, number] = place[new]
                edge[index, number, moved] = np.arange(self.edges)
        return count, target, edge

    # -- drawings ---------------------------------------------------------------------------------------------------

    def structures_of(self, choices: Digits) -> NDArray[np.int64]:
        """int64[n], the structures in which the nodes take the pairs ``choices`` uint8[n, nodes]."""
        structure = np.zeros(len(choices), dtype=np.int64)
        for pairs, choice in zip(self.pairs, choices.T, strict=True):
            structure = structure * len(pairs) + choice
        return structure

    def labels_of(self, labelling: NDArray[np.int64]) -> Digits:
        """uint8[n, E], the operation on each edge."""
        half = _all_labels(self.operations, self.nodes)
        high, low = np.divmod(labelling, len(half))
        return np.concatenate([half[high], half[low]], axis=1)

    def split(self, cells: Cells) -> tuple[NDArray[np.int64], Digits]:
        """The structure int64[n] and the operations uint8[n, E] of each cell."""
        structure, labelling = np.divmod(cells, self.labellings)
        return structure, self.labels_of(labelling)

    def find(self, structure: NDArray[np.int64], labels: Digits) -> Cells:
        """int64[n], the cells of drawings with any ``structure`` int64[n] and operations ``labels`` uint8[n, E]."""
        smallest = self._labelling(structure, labels)
        renamings = self.renamings[structure]
        for index in range(1, int(renamings.max(initial=1))):
            rows = np.flatnonzero(renamings > index)
            smallest[rows] = np.minimum(smallest[rows], self._labelling(structure[rows], labels[rows], index))
        cells: Cells = self.canonical[structure] * self.labellings + smallest
        return cells

    def is_canonical(self, structure: NDArray[np.int64], labels: Digits) -> NDArray[np.bool_]:
        """bool[n], whether drawings are those that :meth:`find` gives: of a canonical structure the first renaming is none."""
        canonical: NDArray[np.bool_] = self.canonical[structure] == structure
        rows = np.flatnonzero(self.renamings[structure] > 1)
        own = self._labelling(structure[rows], labels[rows])
        canonical[rows] &= self.find(structure[rows], labels[rows]) % self.labellings == own
        return canonical

    def _labelling(self, structure: NDArray[np.int64], labels: Digits, renaming: int = 0) -> NDArray[np.int32]:
        """int32[n], the labelling that a renaming makes of each drawing's."""
        labelling: NDArray[np.int32] = np.einsum("ne,ne->n", labels.astype(np.int32), self.weights[structure, renaming])
        return labelling

    def redraw(self, structure: NDArray[np.int64], rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
        """A random drawing of each cell: its structure int64[n], and intp[n, E], which old edge stands on each edge there."""
        count, target, edge = self.orders
        way = rng.integers(0, count[structure])
        return target[structure, way], edge[structure, way]

    # -- all cells --------------------------------------------------------------------------------------------------

    def sample(self, n: int, rng: np.random.Generator) -> Cells:
        """``n`` cells, independent and uniform over all cells, exactly.

        By Burnside's lemma each cell has the same number of pairs of a labelling and a symmetry that leaves it as it is; so
        a pair is drawn (Dixon and Wilf 1983), and the symmetry forgotten.
        """
        cells = rng.integers(0, math.factorial(self.nodes) * self.cardinality, n)
        for low in range(0, n, _BLOCK):
            drawn = cells[low : low + _BLOCK]
            pair = np.searchsorted(self.symmetry_start, drawn, side="right") - 1
            labelling = (drawn - self.symmetry_start[pair]) % self.symmetry_fixed[pair]
            labels = np.take_along_axis(self.labels_of(labelling), self.symmetry_cycle[pair], axis=1)
            cells[low : low + _BLOCK] = self.find(self.symmetry_structure[pair], labels)
        return cells

    def enumerate(self) -> Cells:
        """All cells in order, int64[cardinality]: for small numbers of nodes and operations."""
        labelling = np.arange(self.labellings)
        labels = self.labels_of(labelling)
        found = []
        for structure in np.unique(self.canonical):
            own = structure * self.labellings + labelling
            found.append(own[self.find(np.full(self.labellings, structure), labels) == own])
        return np.concatenate(found)


@cache
def cell_tables(nodes: int, operations: int) -> CellTables:
    """The tables of cells with ``nodes`` intermediate nodes and ``operations`` kinds of edges.

    Raises:
        UserError: numbers of nodes or operations that there are no tables for.
    """
    if not 1 <= nodes <= MAX_NODES:
        raise UserError(f"a cell has 1 to {MAX_NODES} nodes, but got {nodes}")
    if not 1 <= operations <= 7:
        raise UserError(f"a cell has 1 to 7 operations, but got {operations}")
    edges = 2 * nodes
    pairs = tuple(tuple(itertools.combinations(range(INPUTS + node), 2)) for node in range(nodes))
    structures = list(itertools.product(*pairs))
    place = {structure: index for index, structure in enumerate(structures)}
    canonical = np.zeros(len(structures), dtype=np.int64)
    slots = []  # for each structure, for each renaming to the canonical one: where each edge goes
    for index, structure in enumerate(structures):
        drawings = [(place[found[0]], found[1]) for order in _orders(nodes) if (found := rename(structure, order))]
        canonical[index] = min(drawings)[0]
        slots.append([moved for target, moved in drawings if target == canonical[index]])
    counts = np.array([len(ways) for ways in slots], dtype=np.int64)
    powers = operations ** np.arange(edges - 1, -1, -1)
    weights = np.zeros((len(structures), int(counts.max()), edges), dtype=np.int32)
    for index, ways in enumerate(slots):
        weights[index, : len(ways)] = powers[np.array(ways)]
    kept: list[tuple[int, int, NDArray[np.intp]]] = []
    for index in np.unique(canonical).tolist():
        kept += [(index, len(slots[index]), _cycles(moved)) for moved in slots[index]]
    fixed = np.array([operations ** (int(cycle.max()) + 1) for _, _, cycle in kept], dtype=np.int64)
    shares = fixed * np.array([math.factorial(nodes) // symmetries for _, symmetries, _ in kept])
    return CellTables(
        nodes=nodes,
        operations=operations,
        labellings=operations**edges,
        pairs=pairs,
        choices=np.array(list(itertools.product(*(range(len(p)) for p in pairs))), dtype=np.uint8),
        sources=np.array(structures, dtype=np.uint8).reshape(len(structures), edges),
        canonical=canonical,
        renamings=counts,
        weights=weights,
        symmetry_start=np.concatenate([[0], np.cumsum(shares)[:-1]]),
        symmetry_structure=np.array([index for index, _, _ in kept]),
        # a labelling's last digits are drawn, so cycles count from the edge that holds the first of them
        symmetry_cycle=np.array([edges - 1 - cycle for _, _, cycle in kept], dtype=np.intp),
        symmetry_fixed=fixed,
        cardinality=int(shares.sum()) // math.factorial(nodes),
    )


def rename(structure: Structure, order: tuple[int, ...]) -> tuple[Structure, list[int]] | None:
    """The structure in which the ``v``-th node is called the ``order[v]``-th, and where each edge stands in it.

    None where a node would come before one of its inputs.
    """
    names = [*range(INPUTS), *(INPUTS + name for name in order)]
    inputs: list[tuple[int, int]] = [(0, 0)] * len(structure)
    moved = [0] * (2 * len(structure))
    for node, (a, b) in enumerate(structure):
        first, second = names[a], names[b]
        if max(first, second) >= names[INPUTS + node]:
            return None
        crossed = first > second
        inputs[order[node]] = (second, first) if crossed else (first, second)
        moved[2 * node] = 2 * order[node] + crossed
        moved[2 * node + 1] = 2 * order[node] + 1 - crossed
    return tuple(inputs), moved


def _orders(nodes: int) -> list[tuple[int, ...]]:
    return list(itertools.permutations(range(nodes)))


def _cycles(moved: list[int]) -> NDArray[np.intp]:
    """intp[E], the cycle of a permutation of edges that each edge is in, cycles counted from 0."""
    cycle = np.full(len(moved), -1, dtype=np.intp)
    for edge in range(len(moved)):
        at = edge
        number = int(cycle.max()) + 1
        while cycle[at] < 0:
            cycle[at] = number
            at = moved[at]
    return cycle


@cache
def _all_labels(operations: int, count: int) -> Digits:
    """uint8[operations ** count, count], the digits of every number."""
    return np.array(list(itertools.product(range(operations), repeat=count)), dtype=np.uint8)
