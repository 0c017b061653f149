"""The path encoding of cells (White et al., BANANAS, AAAI 2021): which operations lead in turn from an input to the output."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lissnas.spaces.darts.cells import INPUTS, CellTables, Digits

__all__ = ["count_paths", "path_features"]


def count_paths(tables: CellTables) -> int:
    """The number of sequences of 1 to ``nodes`` operations, from either input."""
    return int(INPUTS * sum(tables.operations**length for length in range(1, tables.nodes + 1)))


def path_features(tables: CellTables, structure: NDArray[np.int64], labels: Digits) -> NDArray[np.float32]:
    """float32[n, P], 1 where a path is there, the same for all drawings of a cell. Every node leads to the output.

    Shorter paths come first, then those from input 0, then in the order of their operations.
    """
    n, k = len(structure), tables.operations
    first = np.cumsum([0, 0, *(INPUTS * k**length for length in range(1, tables.nodes))])  # of the paths of each length
    most = [1, 1]
    for _ in range(tables.nodes):
        most.append(sum(sorted(most)[-2:]))
    # the paths that end at each node: their operations as one number behind the input's, and how many; length -1: none
    number = np.zeros((n, INPUTS + tables.nodes, most[-1]), dtype=np.int64)
    length = np.full(number.shape, -1, dtype=np.int64)
    number[:, 1, 0] = 1
    length[:, :INPUTS, 0] = 0
    features = np.zeros((n, count_paths(tables)), dtype=np.float32)
    row = np.arange(n)
    for node in range(INPUTS, INPUTS + tables.nodes):
        found, lengths = [], []
        for edge in (2 * (node - INPUTS), 2 * (node - INPUTS) + 1):
            source = tables.sources[structure, edge]
            before = length[row, source]
            found.append(number[row, source] * k + labels[:, edge, None])
            lengths.append(np.where(before < 0, -1, before + 1))
        both, long = np.concatenate(found, axis=1), np.concatenate(lengths, axis=1)
        there, which = np.nonzero(long > 0)
        features[there, first[long[there, which]] + both[there, which]] = 1
        order = np.argsort(long < 0, axis=1, kind="stable")[:, : most[-1]]
        number[:, node, : order.shape[1]] = np.take_along_axis(both, order, axis=1)
        length[:, node, : order.shape[1]] = np.take_along_axis(long, order, axis=1)
    return features
