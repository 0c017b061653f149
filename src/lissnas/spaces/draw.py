"""Neighbors drawn without a formula: one out of a list, or by walking away."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.spaces.base import Neighbors, SearchSpace

__all__ = ["draw_one_each", "propose_until_valid", "search_all", "walk_to_distance"]

_WALKS = 8  # per row; most rows arrive by the first
_WALKS_IN_VAIN = 512  # of a whole batch: where none arrived, nothing is that far away
_STEPS = 8  # random steps that may lead nowhere before all steps are listed
_STEPS_UNLISTED = 64  # where they are too many to list
_LISTED = 1 << 18  # neighbors listed at a time
_SMALL = 1 << 12  # architectures of a space that is searched as a whole for rows that did not arrive
_MAX_LISTED = 1 << 14  # neighbors of one row that are listed
_PROPOSALS = 64  # neighbors in the larger space for each row of the smaller one
_PROPOSALS_LISTED = 4  # where whoever still waits can be compared with all architectures


def draw_one_each(neighbors: Neighbors, rng: np.random.Generator) -> Neighbors:
    """One of its neighbors for each row that has any, uniform. ``neighbors`` is sorted by row."""
    rows, first, counts = np.unique(neighbors.parents, return_index=True, return_counts=True)
    pick = first + rng.integers(0, counts)
    return Neighbors(neighbors.genotypes[pick], rows)


def walk_to_distance(
    space: SearchSpace,
    genotypes: Genotypes,
    edits: int,
    rng: np.random.Generator,
    step: Callable[[Genotypes, np.random.Generator], Genotypes],
    degree: Callable[[Genotypes], NDArray[np.float64]],
) -> Neighbors:
    """Neighbors at exactly ``edits`` edits by walking: each step is a uniform one-edit neighbor among those further away.

    Every architecture at that distance can be reached so, those that more shortest paths lead to more often. A row whose
    walks ended 8 times where no step leads further away is compared with all architectures, where the space has at most
    4,096, and else left out.

    Args:
        step: draws a uniform one-edit neighbor for each row.
        degree: how many one-edit neighbors each row has.
    """
    result = genotypes.copy()
    waiting = np.arange(len(genotypes))
    walked = arrived = 0
    for _ in range(_WALKS):
        home = genotypes[waiting]
        walkers = home.copy()
        alive = np.arange(len(waiting))
        for travelled in range(1, edits + 1):
            stuck = _step_away(space, home, walkers, alive, travelled, rng, step, degree)
            alive = np.setdiff1d(alive, stuck, assume_unique=True)
        result[waiting[alive]] = walkers[alive]
        walked += len(waiting)
        arrived += len(alive)
        waiting = np.delete(waiting, alive)
        if not len(waiting) or (walked >= _WALKS_IN_VAIN and not arrived):
            break
    if len(waiting) and space.cardinality <= _SMALL:
        waiting = search_all(space, genotypes, waiting, edits, rng, result)
    found = np.delete(np.arange(len(genotypes)), waiting)
    return Neighbors(result[found], found)


def propose_until_valid(
    space: SearchSpace,
    genotypes: Genotypes,
    edits: int,
    rng: np.random.Generator,
    propose: Callable[[Genotypes], tuple[Neighbors, NDArray[np.bool_]]],
) -> Neighbors:
    """Neighbors at exactly ``edits`` edits, by proposals.

    A row is left out after 64 that were in vain; where the space has at most 4,096 architectures, and that is exact, only if
    none of them is at that distance.

    Args:
        propose: for a batch, an architecture for each row and whether it is one of the space at that distance. A row that it
            leaves out has none.
    """
    listed = space.cardinality_is_exact and space.cardinality <= _SMALL
    result = genotypes.copy()
    arrived = np.zeros(len(genotypes), dtype=bool)
    waiting: NDArray[np.intp] = np.arange(len(genotypes))
    for _ in range(_PROPOSALS_LISTED if listed else _PROPOSALS):
        drawn, good = propose(genotypes[waiting])
        waiting = waiting[drawn.parents]
        result[waiting[good]] = drawn.genotypes[good]
        arrived[waiting[good]] = True
        waiting = waiting[~good]
        if not len(waiting):
            break
    if listed:
        arrived[waiting] = True
        arrived[search_all(space, genotypes, waiting, edits, rng, result)] = False
    found = np.flatnonzero(arrived)
    return Neighbors(result[found], found)


def search_all(
    space: SearchSpace,
    genotypes: Genotypes,
    rows: NDArray[np.intp],
    edits: int,
    rng: np.random.Generator,
    result: Genotypes,
) -> NDArray[np.intp]:
    """Write a uniform architecture at ``edits`` edits from each of ``rows`` to ``result``; return the rows that have none."""
    everyone = np.concatenate(list(space.enumerate()))
    without = []
    for row in rows.tolist():
        far = space.distance(np.repeat(genotypes[row : row + 1], len(everyone), axis=0), everyone)
        there = np.flatnonzero(far == edits)
        if len(there):
            result[row] = everyone[rng.choice(there)]
        else:
            without.append(row)
    return np.array(without, dtype=np.intp)


def _step_away(
    space: SearchSpace,
    home: Genotypes,
    walkers: Genotypes,
    alive: NDArray[np.intp],
    distance: int,
    rng: np.random.Generator,
    step: Callable[[Genotypes, np.random.Generator], Genotypes],
    degree: Callable[[Genotypes], NDArray[np.float64]],
) -> NDArray[np.intp]:
    """Move the ``alive`` of ``walkers`` (in place) to ``distance`` from ``home``; return those that cannot get there."""
    if not len(alive):
        return alive
    most = int(min(degree(walkers[alive]).max(), _MAX_LISTED + 1))
    listed = most <= _MAX_LISTED
    trying: NDArray[np.intp] = alive
    for _ in range(_STEPS if listed else _STEPS_UNLISTED):
        proposed = step(walkers[trying], rng)
        away = space.distance(home[trying], proposed) == distance
        walkers[trying[away]] = proposed[away]
        trying = trying[~away]
        if not len(trying):
            return trying
    if not listed:
        return trying
    stuck: list[NDArray[np.intp]] = []
    block = max(1, _LISTED // max(most, 1))
    for low in range(0, len(trying), block):
        rows = trying[low : low + block]
        near = space.all_neighbors(walkers[rows])
        away = space.distance(home[rows[near.parents]], near.genotypes) == distance
        drawn = draw_one_each(Neighbors(near.genotypes[away], near.parents[away]), rng)
        walkers[rows[drawn.parents]] = drawn.genotypes
        stuck.append(np.delete(rows, drawn.parents))
    left: NDArray[np.intp] = np.concatenate(stuck)
    return left
