"""Pockets: the components of a shrunk space's one-edit graph (paper Sec. 4.2 and Fig. 1)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import locate, stable_order
from lissnas.spaces import ExplicitSpace, FreeGenes, ProductSpace, SearchSpace
from lissnas.spaces.movable import MovableGroup

__all__ = ["links_to_list", "pockets"]

_BLOCK = 4096

Links = tuple[NDArray[np.intp], NDArray[np.intp]]


def pockets(space: ExplicitSpace) -> NDArray[np.int64]:
    """int64[n]: the pocket of each member in the order of ``space.codes``, the largest pocket first.

    A pocket is a component of the one-edit graph: its members can be reached from one another by single edits inside the
    space.
    """
    from scipy import sparse

    found = list([*_equal_but_for_one(space), *_one_removed(space)] if _sorts(space.root) else _listed(space))
    source, target = (np.concatenate([links[end] for links in found]) for end in (0, 1))
    n = len(space.codes)
    graph = sparse.coo_array((np.ones(len(source), dtype=np.int8), (source, target)), shape=(n, n))
    _, label = sparse.csgraph.connected_components(graph, directed=False)
    size = np.bincount(label)
    rank = np.empty(len(size), dtype=np.int64)
    rank[np.argsort(-size, kind="stable")] = np.arange(len(size))
    return rank[label]


def links_to_list(space: ExplicitSpace) -> int:
    """About how many neighbors :func:`pockets` has to list, which takes some 0.3 us each; 0 where sorting does it."""
    if _sorts(space.root):
        return 0
    some = space.genotypes[:: max(1, len(space.codes) // 100)]
    return len(space.root.all_neighbors(some).parents) * len(space.codes) // len(some)


def _sorts(root: SearchSpace) -> bool:
    """Whether edits are such that sorting finds all neighbors."""
    return isinstance(root, ProductSpace) and all(isinstance(part, (FreeGenes, MovableGroup)) for part in root.parts)


def _equal_but_for_one(space: ExplicitSpace) -> Iterator[Links]:
    """Links along every gene: members that are equal without it, each with the next.

    All that differ in one free gene are found so, and all that differ by one operation put in another's place.

    Codes are sorted with one gene set to 0. That takes a sort per gene, whatever the number of neighbors.
    """
    layout, genotypes = space.code_layout, space.genotypes
    for word, genes in enumerate(layout.words):
        place = 1
        for gene in reversed(genes):
            codes = space.codes.copy()
            codes[:, word] -= genotypes[:, gene] * np.uint64(place)
            place *= layout.radices[gene]
            order = stable_order(codes)
            ordered = codes.take(order, axis=0)
            same = np.flatnonzero((ordered[1:] == ordered[:-1]).all(axis=1))
            yield order[same], order[same + 1]


def _one_removed(space: ExplicitSpace) -> Iterator[Links]:
    """Links from members to those that are the same with one operation of a movable group removed."""
    root = space.root
    assert isinstance(root, ProductSpace)
    genotypes = space.genotypes
    for part in root.parts:
        if not isinstance(part, MovableGroup):
            continue
        shorter = genotypes.copy()
        shorter[:, part.columns[-1]] = part.identity  # to remove the last is to put an identity there: found already
        for column, following in zip(part.columns[-2::-1], part.columns[:0:-1], strict=True):
            shorter[:, column] = genotypes[:, following]
            rows = np.flatnonzero(genotypes[:, following] != part.identity)
            member = locate(space.codes, space.code_layout.encode(shorter[rows]))
            yield rows[member >= 0], member[member >= 0]


def _listed(space: ExplicitSpace) -> Iterator[Links]:
    """Links between every member and its neighbors, which the root lists."""
    genotypes = space.genotypes
    for low in range(0, len(genotypes), _BLOCK):
        near = space.root.all_neighbors(genotypes[low : low + _BLOCK])
        member = locate(space.codes, space.encode(near.genotypes))
        kept = member > near.parents + low  # edits are symmetric: one direction is enough
        yield near.parents[kept] + low, member[kept]
