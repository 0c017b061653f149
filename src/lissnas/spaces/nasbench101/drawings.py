"""Drawings of cells as bits: 7 places, IN at 0, OUT at 6, and one bit for each of the 21 edges that lead forward.

A *mask* is such a drawing as a number below 2^21: from the highest bit to the lowest the edges 5-6, 4-6, ..., 0-6, 4-5, ...,
0-1, which is the order in which the official list of cells was made (nasbench scripts/generate_graphs.py). Fewer than five
interior vertices leave places unused. All functions work on whole arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CODE_BITS",
    "EDGES",
    "INACTIVE",
    "INTERIOR",
    "MAX_EDGES",
    "OPERATIONS",
    "OUT",
    "PLACES",
    "SHIFT",
    "adjacency_of",
    "count_edges",
    "mask_of",
    "prune",
    "reachability",
    "sort_vertices",
]

OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")  # in the order of the official labels 0, 1, 2
INACTIVE = len(OPERATIONS)
PLACES, OUT, INTERIOR = 7, 6, 5
MAX_EDGES = 9
EDGES = tuple((i, j) for j in reversed(range(PLACES)) for i in reversed(range(j)))
CODE_BITS = 2 * INTERIOR  # the operations' share of a code, which is mask and operations

SHIFT = np.zeros((PLACES, PLACES), dtype=np.int64)  # the bit of each edge
for _place, (_i, _j) in enumerate(EDGES):
    SHIFT[_i, _j] = len(EDGES) - 1 - _place

Masks = NDArray[Any]


def count_edges(masks: Masks) -> NDArray[np.uint8]:
    """uint8[n]: how many edges each drawing has."""
    return np.asarray(np.bitwise_count(masks), dtype=np.uint8)


def adjacency_of(masks: Masks) -> NDArray[np.bool_]:
    """bool[n, 7, 7]: the adjacency matrix of each drawing."""
    adjacency = np.zeros((len(masks), PLACES, PLACES), dtype=bool)
    for i, j in EDGES:
        adjacency[:, i, j] = (masks >> SHIFT[i, j]) & 1
    return adjacency


def mask_of(adjacency: NDArray[Any]) -> NDArray[np.int64]:
    """int64[n]: the bits above the diagonal of matrices [n, 7, 7]."""
    masks = np.zeros(len(adjacency), dtype=np.int64)
    for i, j in EDGES:
        masks |= adjacency[:, i, j].astype(np.int64) << SHIFT[i, j]
    return masks


def prune(masks: Masks) -> tuple[Masks, NDArray[np.uint8]]:
    """Keep the vertices that lie on a way from IN to OUT (nasbench lib/model_spec.py).

    Returns:
        the masks that are left, and as the bits 0 to 4 of uint8[n] which interior vertices are. No edge is left where no way
        leads from IN to OUT.
    """
    has = {(i, j): (masks >> SHIFT[i, j]) & 1 != 0 for i, j in EDGES}
    nothing = np.zeros(len(masks), dtype=bool)
    forward = [~nothing] + [nothing.copy() for _ in range(OUT)]
    backward = [nothing.copy() for _ in range(OUT)] + [~nothing]
    for j in range(1, PLACES):
        for i in range(j):
            forward[j] |= forward[i] & has[i, j]
    for i in reversed(range(OUT)):
        for j in range(i + 1, PLACES):
            backward[i] |= backward[j] & has[i, j]
    kept = [f & b for f, b in zip(forward, backward, strict=True)]
    left = np.zeros_like(masks)
    for i, j in EDGES:
        left |= (has[i, j] & kept[i] & kept[j]).astype(masks.dtype) << SHIFT[i, j].astype(masks.dtype)
    inside = np.zeros(len(masks), dtype=np.uint8)
    for vertex in range(1, OUT):
        inside |= kept[vertex].astype(np.uint8) << np.uint8(vertex - 1)
    return left, inside


def reachability(adjacency: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """bool[n, 7, 7]: whether a way leads from i to j, for any matrices bool[n, 7, 7]; True at (i, i) where i is in a cycle."""
    reach = adjacency.copy()
    for k in range(PLACES):
        reach |= reach[:, :, k, None] & reach[:, None, k, :]
    return reach


def sort_vertices(adjacency: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Draw graphs bool[n, 7, 7] without cycles so that all edges lead forward; IN stays at 0, OUT at 6.

    Edges into IN and out of OUT are on no way from IN to OUT, and are dropped.

    Returns:
        masks int64[n], and intp[n, 7]: the vertex that each place holds.
    """
    adjacency = adjacency.copy()
    adjacency[:, :, 0] = adjacency[:, OUT, :] = False
    before = reachability(adjacency).sum(axis=1)  # a vertex has more vertices before it than any of those has
    before[:, 0], before[:, OUT] = -1, PLACES
    order = np.argsort(before, axis=1, kind="stable")
    rows = np.arange(len(adjacency))[:, None, None]
    return mask_of(adjacency[rows, order[:, :, None], order[:, None, :]]), order
