"""All pairs of a small space at every distance, without looking at each pair.

In a product of free genes the distance of two networks is the number of genes in which they differ. For each set of genes the
networks that agree on it form groups, and what is summed over pairs within groups (scores, how many pass, absolute differences
by sorting) is found in one pass. Pairs that agree on exactly k genes follow by inclusion and exclusion over sets of each size.
Six genes are 64 passes: 15,625^2 pairs of NAS-Bench-201 in a fraction of a second. Other small spaces are compared block by
block.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.spaces import SearchSpace
from lissnas.spaces.composed import ComposedSpace
from lissnas.spaces.listed import ListedSpace
from lissnas.spaces.parts import FreeGenes

__all__ = ["Profile", "can_compare_all", "compare_all"]

MAX_SETS = 1 << 10  # sets of genes
MAX_FREE = 1 << 16  # networks of a product of free genes: a sort for each set of genes
MAX_COMPARED = 1 << 13  # networks that are compared pair by pair
_BLOCK = 1 << 22  # pairs at a time

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Profile:
    """What each of n networks meets at each distance d, among all of the space.

    Attributes:
        count: float64[n, D + 1], how many networks are d edits away.
        sums: float64[K, n, D + 1], the sum of each of K columns over those.
        apart: float64[n, D + 1], the sum of the absolute differences to those, in the first column.
    """

    count: Floats
    sums: Floats
    apart: Floats

    @property
    def farthest(self) -> int:
        """The largest distance at which there is a pair."""
        return int(np.flatnonzero(self.count.any(axis=0))[-1])


def can_compare_all(space: SearchSpace) -> bool:
    """Whether a space is small enough for all its pairs."""
    if not space.cardinality_is_exact:
        return False
    if _is_free(space):
        return space.cardinality <= MAX_FREE and 2 ** len(space.genes) <= MAX_SETS
    return space.cardinality <= MAX_COMPARED and (isinstance(space.root, (ComposedSpace, ListedSpace)))


def compare_all(space: SearchSpace, genotypes: Genotypes, columns: Floats) -> Profile:
    """All pairs of ``genotypes`` uint8[n, L], which are the whole space, at every distance.

    Args:
        columns: float64[K, n], what is summed.
    """
    if _is_free(space):
        return _by_agreement(genotypes, columns)
    return _by_blocks(space, genotypes, columns)


def _is_free(space: SearchSpace) -> bool:
    return isinstance(space, ComposedSpace) and all(isinstance(part, FreeGenes) for part in space.parts)


def _by_agreement(genotypes: Genotypes, columns: Floats) -> Profile:
    n, length = genotypes.shape
    kinds = len(columns)
    order = np.argsort(columns[0], kind="stable")
    # over pairs that agree on a set of j genes, summed over the sets of that size
    count = np.zeros((length + 1, n))
    sums = np.zeros((length + 1, kinds, n))
    apart = np.zeros((length + 1, n))
    for size in range(length + 1):
        for genes in itertools.combinations(range(length), size):
            group, groups = _groups(genotypes, genes)
            members = np.bincount(group, minlength=groups)
            count[size] += members[group]
            for k, column in enumerate(columns):
                sums[size, k] += np.bincount(group, weights=column, minlength=groups)[group]
            apart[size] += _differences(columns[0], order, group, members)
    return Profile(*(np.moveaxis(_exactly(s, length), 0, -1) for s in (count, sums, apart)))


def _groups(genotypes: Genotypes, genes: tuple[int, ...]) -> tuple[NDArray[np.intp], int]:
    group = np.zeros(len(genotypes), dtype=np.intp)
    groups = 1
    for gene in genes:
        radix = int(genotypes[:, gene].max()) + 1
        group = group * radix + genotypes[:, gene]
        groups *= radix
    if groups > 4 * len(genotypes):
        _, group = np.unique(group, return_inverse=True)
        groups = int(group.max()) + 1
    return group, groups


def _differences(column: Floats, order: NDArray[np.intp], group: NDArray[np.intp], members: NDArray[np.intp]) -> Floats:
    """float64[n]: for each network the sum of |difference| to all of its group, by sums over the sorted group."""
    if members.max() <= 1:
        return np.zeros(len(column))
    small = group[order].astype(np.uint16) if len(members) <= 1 << 16 else group[order]
    by_group = order[np.argsort(small, kind="stable")]  # by group, and by score within
    values = column[by_group]
    g = group[by_group]
    start = np.cumsum(members) - members
    running = np.concatenate([[0.0], np.cumsum(values)])
    below, above = start[g], start[g] + members[g]
    place = np.arange(len(column))
    left = values * (place - below) - (running[place] - running[below])
    right = (running[above] - running[place]) - values * (above - place)
    result = np.empty(len(column))
    result[by_group] = left + right
    return result


def _exactly(agreeing: Floats, length: int) -> Floats:
    """From sums over the sets of j genes that pairs agree on (first axis) to sums over pairs at distance d (first axis)."""
    result = np.zeros_like(agreeing)
    for same in range(length + 1):
        for j in range(same, length + 1):
            result[length - same] += (-1) ** (j - same) * math.comb(j, same) * agreeing[j]
    return result


def _by_blocks(space: SearchSpace, genotypes: Genotypes, columns: Floats) -> Profile:
    n, kinds = len(genotypes), len(columns)
    deep = 2 * (space.max_edits + len(space.genes))  # a distance may pass the edits that one network offers
    count = np.zeros((n, deep + 1))
    sums = np.zeros((kinds, n, deep + 1))
    apart = np.zeros((n, deep + 1))
    for low in range(0, n, max(1, _BLOCK // n)):
        rows = np.arange(low, min(low + max(1, _BLOCK // n), n))
        if isinstance(space, ListedSpace):  # it holds them, in the order in which it lists its members
            far = space.distances[rows].astype(np.int64)
        else:
            far = space.root.distance(np.repeat(genotypes[rows], n, axis=0), np.tile(genotypes, (len(rows), 1)))
        far[(far < 0) | (far > deep) | (far == space.unreachable)] = deep + 1  # no edits lead there
        bins = (far.reshape(len(rows), n) + np.arange(len(rows))[:, None] * (deep + 2)).ravel()

        def by_distance(weights: Floats | None, bins: NDArray[np.int64] = bins, rows: NDArray[np.intp] = rows) -> Floats:
            binned = np.bincount(bins, weights=weights, minlength=len(rows) * (deep + 2))
            return binned.reshape(len(rows), deep + 2)[:, :-1].astype(np.float64)

        count[rows] = by_distance(None)
        for k, column in enumerate(columns):
            sums[k, rows] = by_distance(np.tile(column, len(rows)))
        apart[rows] = by_distance(np.abs(columns[0][rows][:, None] - columns[0]).ravel())
    return Profile(count, sums, apart)
