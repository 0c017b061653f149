"""From any drawing to its cell by two gathers: which shape a drawing has, and which cell a shape with operations is.

A *shape* is a cell without its operations. It is drawn with its smallest mask; a cell is drawn as its shape is, with its
smallest operations among the drawings that symmetries of the shape give: the genotype of the smallest code. That is the
drawing which the official list met first. Cells are numbered 0 to 423,623 in the order of their codes.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays.stored import stored_tables
from lissnas.spaces.nasbench101.drawings import (
    CODE_BITS,
    EDGES,
    INACTIVE,
    INTERIOR,
    MAX_EDGES,
    OPERATIONS,
    OUT,
    SHIFT,
    count_edges,
    prune,
)

__all__ = ["ABSENT", "LABELINGS", "NO_SHAPE", "POWERS", "CellTables", "build_cells", "cell_tables", "labels_as_digits"]

VERSION = 2

LABELINGS = len(OPERATIONS) ** INTERIOR  # 243; a labeling is the number whose base-3 digits are the operations, first highest
POWERS = len(OPERATIONS) ** np.arange(INTERIOR)[::-1]
NO_SHAPE = np.uint32(0xFFFFFFFF)
ABSENT = 7  # instead of a source: the shape has no vertex at this place

_CHUNK = 1 << 17  # masks at a time: what is computed of them stays in the cache
_BACKWARD = 1 << 22  # weight of an edge that leads backward; more than all bits of a mask together


@dataclass(frozen=True)
class CellTables:
    """The tables of all cells; C shapes, N cells.

    Attributes:
        drawings: uint32[2^21], for each mask ``shape | sources << 16``; ``NO_SHAPE`` where pruning leaves no cell. Three bits
            of ``sources`` for each interior place of the shape, first lowest: the interior vertex of the drawing, counted
            from 0, that stands there, or ``ABSENT``.
        cells: int32[C, 243], the cell of each shape and labeling; -1 where an absent place has another digit than 0.
        masks: uint32[C], each shape's drawing.
        interior: uint8[C], how many interior vertices each shape has.
        shape_of: uint16[N], each cell's shape.
        labeling_of: uint8[N], each cell's smallest labeling.
        codes: uint32[N], rising.
        genotypes: uint8[N, 26].
    """

    drawings: NDArray[np.uint32]
    cells: NDArray[np.int32]
    masks: NDArray[np.uint32]
    interior: NDArray[np.uint8]
    shape_of: NDArray[np.uint16]
    labeling_of: NDArray[np.uint8]
    codes: NDArray[np.uint32]
    genotypes: NDArray[np.uint8]


@cache
def cell_tables() -> CellTables:
    """The tables, from the cache (25 MB) or made in a second."""
    return CellTables(**stored_tables("nasbench101-cells", VERSION, build_cells))


def labels_as_digits(labelings: NDArray[Any]) -> NDArray[np.int64]:
    """int64[n, 5]: the operations of each labeling."""
    digits: NDArray[np.int64] = labelings[:, None].astype(np.int64) // POWERS % len(OPERATIONS)
    return digits


def build_cells() -> dict[str, NDArray[Any]]:
    """All tables from nothing."""
    compact, inside = _compact_all()
    known = np.zeros(len(compact), dtype=bool)
    known[compact[compact >= 0]] = True
    candidates = np.flatnonzero(known)
    smallest, patterns, inverses = _smallest_drawings(candidates)
    masks = np.unique(smallest)
    interior = np.array([_count_interior(int(mask)) for mask in masks], dtype=np.uint8)

    shape_at = np.zeros(len(compact), dtype=np.uint32)
    pattern_at = np.zeros(len(compact), dtype=np.uint8)
    shape_at[candidates] = np.searchsorted(masks, smallest)
    pattern_at[candidates] = patterns
    sources = _pack_sources(inverses)
    drawings = np.where(compact >= 0, shape_at[compact] | sources[inside, pattern_at[compact]] << np.uint32(16), NO_SHAPE)

    cells, shape_of, labeling_of = _number_cells(masks, interior)
    operations = labels_as_digits(labeling_of)
    operations[np.arange(INTERIOR) >= interior[shape_of][:, None]] = INACTIVE
    codes = masks[shape_of] << CODE_BITS
    for place in range(INTERIOR):
        codes |= operations[:, place] << (CODE_BITS - 2 - 2 * place)
    genotypes = np.empty((len(codes), len(EDGES) + INTERIOR), dtype=np.uint8)
    for column in range(len(EDGES)):
        genotypes[:, column] = (codes >> (CODE_BITS + len(EDGES) - 1 - column)) & 1
    genotypes[:, len(EDGES) :] = operations
    return {
        "drawings": drawings.astype(np.uint32),
        "cells": cells,
        "masks": masks.astype(np.uint32),
        "interior": interior,
        "shape_of": shape_of.astype(np.uint16),
        "labeling_of": labeling_of.astype(np.uint8),
        "codes": codes.astype(np.uint32),
        "genotypes": genotypes,
    }


def _compact_all() -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """For each of the 2^21 masks: the pruned drawing moved to the first interior places (-1: no cell), and what was left."""
    compact = np.empty(1 << len(EDGES), dtype=np.int32)
    inside = np.empty(1 << len(EDGES), dtype=np.uint8)
    for low in range(0, len(compact), _CHUNK):
        left, kept = prune(np.arange(low, low + _CHUNK, dtype=np.int32))
        good = (left != 0) & (count_edges(left) <= MAX_EDGES)
        moved = np.full(_CHUNK, -1, dtype=np.int32)
        for subset in range(1 << INTERIOR):
            rows = np.flatnonzero(good & (kept == subset))
            vertices = [0, *(v for v in range(1, OUT) if subset >> (v - 1) & 1), OUT]
            places = [*range(len(vertices) - 1), OUT]
            group = left[rows]
            result = np.zeros_like(group)
            for (a, i), (b, j) in itertools.combinations(zip(vertices, places, strict=True), 2):
                result |= ((group >> np.int32(SHIFT[a, b])) & 1) << np.int32(SHIFT[i, j])
            moved[rows] = result
        compact[low : low + _CHUNK] = moved
        inside[low : low + _CHUNK] = kept
    return compact, inside


def _count_interior(mask: int) -> int:
    """The interior vertices of a compact drawing: those that an edge leads to."""
    return sum(any(mask >> int(SHIFT[i, j]) & 1 for i in range(j)) for j in range(1, OUT))


def _moved(masks: NDArray[Any], count: int) -> tuple[NDArray[np.int64], list[tuple[int, ...]]]:
    """Compact drawings of ``count`` interior vertices, int64[P, count!], with the vertices in every order; and the orders.

    In the order ``p``, interior vertex ``v`` (from 0) stands at place ``p[v]``. Edges that would lead backward make a number
    above all masks.
    """
    orders = list(itertools.permutations(range(count)))
    weights = np.zeros((len(EDGES), len(orders)))
    for column, order in enumerate(orders):
        place = {0: 0, OUT: OUT} | {v + 1: p + 1 for v, p in enumerate(order)}
        for row, (i, j) in enumerate(EDGES):
            if i in place and j in place:
                a, b = place[i], place[j]
                weights[row, column] = 1 << int(SHIFT[a, b]) if a < b else _BACKWARD
    bits = (masks[:, None] >> np.array([SHIFT[i, j] for i, j in EDGES])) & 1
    return (bits.astype(np.float64) @ weights).astype(np.int64), orders


def _smallest_drawings(
    candidates: NDArray[Any],
) -> tuple[NDArray[np.int64], NDArray[np.uint8], list[tuple[int, ...]]]:
    """For each compact drawing the smallest of its shape, int64[P]; by which pattern, uint8[P]; and the patterns.

    A pattern names for each place of the smallest drawing the vertex that stands there.
    """
    count = np.array([_count_interior(int(mask)) for mask in candidates])
    smallest = np.empty(len(candidates), dtype=np.int64)
    patterns = np.empty(len(candidates), dtype=np.uint8)
    inverses: list[tuple[int, ...]] = []
    for interior in range(INTERIOR + 1):
        rows = np.flatnonzero(count == interior)
        moved, orders = _moved(candidates[rows], interior)
        best = moved.argmin(axis=1)
        smallest[rows] = moved[np.arange(len(rows)), best]
        patterns[rows] = best + len(inverses)
        inverses += [tuple(order.index(place) for place in range(interior)) for order in orders]
    return smallest, patterns, inverses


def _pack_sources(inverses: list[tuple[int, ...]]) -> NDArray[np.uint32]:
    """uint32[32, patterns]: the sources of a drawing of which this subset of vertices is left, in this pattern."""
    packed = np.zeros((1 << INTERIOR, len(inverses)), dtype=np.uint32)
    for subset in range(1 << INTERIOR):
        vertices = [v for v in range(INTERIOR) if subset >> v & 1]
        for column, inverse in enumerate(inverses):
            if len(inverse) == len(vertices):
                places = [vertices[v] for v in inverse] + [ABSENT] * (INTERIOR - len(inverse))
                packed[subset, column] = sum(source << 3 * place for place, source in enumerate(places))
    return packed


def _number_cells(
    masks: NDArray[np.int64], interior: NDArray[np.uint8]
) -> tuple[NDArray[np.int32], NDArray[np.intp], NDArray[np.intp]]:
    """``cells`` int32[C, 243], and each cell's shape and smallest labeling."""
    everything = np.arange(LABELINGS)
    digits = labels_as_digits(everything)
    smallest = np.full((len(masks), LABELINGS), -1)
    for count in range(INTERIOR + 1):
        shapes = np.flatnonzero(interior == count)
        moved, orders = _moved(masks[shapes], count)
        written = np.flatnonzero((digits[:, count:] == 0).all(axis=1))
        lowest = np.tile(written, (len(shapes), 1))
        for column, order in enumerate(orders):
            symmetric = np.flatnonzero(moved[:, column] == masks[shapes])
            relabeled = digits[written][:, :count] @ POWERS[list(order)]
            lowest[symmetric] = np.minimum(lowest[symmetric], relabeled)
        smallest[np.ix_(shapes, written)] = lowest
    own = smallest == everything
    numbers = np.cumsum(own.ravel()).reshape(own.shape) - 1
    cells = np.where(smallest >= 0, np.take_along_axis(numbers, np.maximum(smallest, 0), axis=1), -1)
    shape_of, labeling_of = np.nonzero(own)
    return cells.astype(np.int32), shape_of, labeling_of
