"""Pairs of networks: at an exact distance, after random edits, and what pairs there are in a table of some networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Codes, Genotypes, locate
from lissnas.locality.estimate import Pairs
from lissnas.spaces import SearchSpace
from lissnas.spaces.composed import ComposedSpace
from lissnas.spaces.listed import ListedSpace

__all__ = ["NEAR", "Path", "edit_kinds", "known_pairs", "pairs_at_distance", "walk", "with_edits"]

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
Scores = Callable[[Genotypes], Floats]

NEAR = 4  # distances up to which neighborhoods are listed to find pairs of a table
_ALL_PAIRS = 1 << 19  # pairs of a table that are compared one by one
_FAR_PAIRS = 1 << 16  # random pairs of a larger table, which are far apart
_FAR_SEARCHED = 1 << 11  # as many where each distance is a search
_LISTED = 1 << 21  # networks that the neighborhoods of one distance may hold
_BLOCK = 1 << 18
_PROBE = 16  # networks whose neighborhoods are counted first


def edit_kinds(space: SearchSpace) -> tuple[str, ...]:
    """The kinds of edit that a space tells apart (``operation``, ``edge``); none for most.

    A space that does names them in ``edit_kinds``, and its ``with_edits(kind)`` is the same space with edits of that kind only.
    """
    return tuple(getattr(space.root, "edit_kinds", ()))


def with_edits(space: SearchSpace, kind: str) -> SearchSpace:
    """The root of ``space`` with edits of one kind only."""
    limited: SearchSpace = space.root.with_edits(kind)  # type: ignore[attr-defined]  # see edit_kinds
    return limited


def pairs_at_distance(
    space: SearchSpace,
    scores: Scores,
    genotypes: Genotypes,
    own: Floats,
    edits: int,
    rng: np.random.Generator,
    draws: int = 1,
) -> Pairs:
    """For each of ``genotypes`` (with the scores ``own``) random neighbors at exactly ``edits`` edits, where it has any.

    Args:
        draws: how many for each; the same one may come again.
    """
    near = space.neighbors(np.repeat(genotypes, draws, axis=0), edits, rng)
    ends = scores(near.genotypes)
    parents = near.parents // draws
    second = len(genotypes) + np.arange(len(ends))  # neighbors are drawn anew for each
    return Pairs(own[parents], ends, parents, second).scored()


class Path(NamedTuple):
    """Random walks, T steps of n walkers.

    Attributes:
        scores: float64[T + 1, n], NaN where there is none (or the walk has ended).
        places: int64[T + 1, n], the row of ``known`` where the walker is, -1 where it is elsewhere; None where all is known.
    """

    scores: Floats
    places: NDArray[np.int64] | None

    def pairs(self, start: int, end: int) -> Pairs:
        """Where each walker is at one step and at a later one; each walker is a unit of its own."""
        walkers = np.arange(self.scores.shape[1])
        return Pairs(self.scores[start], self.scores[end], walkers, len(walkers) + walkers).take(self._kept(start, end))

    def lagged(self, lag: int) -> Pairs:
        """All steps that are ``lag`` apart; what the steps of one walker have in common is the walker."""
        rows = [self._kept(start, start + lag) for start in range(len(self.scores) - lag)]
        start = np.concatenate([self.scores[t, row] for t, row in enumerate(rows)])
        end = np.concatenate([self.scores[t + lag, row] for t, row in enumerate(rows)])
        return Pairs(start, end, np.concatenate(rows))

    def _kept(self, start: int, end: int) -> Rows:
        """The walkers with both scores. Of a table, not those that came back: of what is met only a few have a score, but the
        start always has, so that returns would count many times over."""
        kept = np.isfinite(self.scores[start]) & np.isfinite(self.scores[end])
        if self.places is not None:
            kept &= self.places[start] != self.places[end]
        return np.flatnonzero(kept)


def walk(
    space: SearchSpace,
    scores: Scores,
    genotypes: Genotypes,
    own: Floats,
    steps: int,
    rng: np.random.Generator,
    known: Codes | None = None,
) -> Path:
    """A walk of single random edits from each of ``genotypes``, whose scores are ``own``.

    Each step is uniform over the networks one edit away. A walk that comes to a network without neighbors ends there.

    Args:
        known: the networks that have a score, where not all do.
    """
    path = np.full((steps + 1, len(genotypes)), np.nan)
    places = None if known is None else np.full(path.shape, -1, dtype=np.int64)
    path[0] = own
    if places is not None and known is not None:
        places[0] = locate(known, space.encode(genotypes))
    at, walkers = genotypes, np.arange(len(genotypes))
    waiting: list[tuple[int, Rows, Genotypes]] = []
    held = 0
    for step in range(1, steps + 1):
        near = space.neighbors(at, 1, rng)
        at, walkers = near.genotypes, walkers[near.parents]
        waiting.append((step, walkers, at))
        held += len(at)
        if held >= _BLOCK or step == steps:  # an evaluator is fastest with many at once
            met = np.concatenate([g for _, _, g in waiting])
            index = np.repeat([when for when, _, _ in waiting], [len(g) for _, _, g in waiting])
            who = np.concatenate([w for _, w, _ in waiting])
            path[index, who] = scores(met)
            if places is not None and known is not None:
                places[index, who] = locate(known, space.encode(met))
            waiting, held = [], 0
    return Path(path, places)


def known_pairs(
    space: SearchSpace,
    known: Codes,
    members: Genotypes,
    starts: Rows,
    rng: np.random.Generator,
    *,
    near: int = NEAR,
    far: bool = True,
    once: bool = False,
) -> tuple[Rows, Rows, NDArray[np.int64]]:
    """Pairs of networks of a table: intp[m] where each begins, intp[m] where it ends (rows of ``members``), int64[m] edits.

    All pairs where they are few. Elsewhere those up to ``near`` edits apart by listing neighborhoods (of a random part of
    ``starts``, where all would be too many), and beyond what was listed random pairs.

    Args:
        known: uint64[n, W], the codes of ``members``, sorted.
        starts: the rows that pairs begin at.
        far: whether pairs beyond ``near`` are wanted.
        once: of a pair within ``starts``, which is met from both its ends, keep one. What depends on the direction needs both.
    """
    n = len(members)
    listed: list[tuple[Rows, Rows, NDArray[np.int64]]] = []
    if len(starts) * n <= _ALL_PAIRS:
        first, second = np.repeat(starts, n), np.tile(np.arange(n), len(starts))
    else:
        listed = list(_listed_pairs(space, known, members, starts, near, rng))
        cheap = isinstance(space.root, (ComposedSpace, ListedSpace))
        count = (_FAR_PAIRS if cheap else _FAR_SEARCHED) if far or not listed else 0
        first, second = starts[rng.integers(0, len(starts), size=count)], rng.integers(0, n, size=count)
    apart = space.root.distance(members[first], members[second])
    kept = (apart > len(listed)) & (apart != (-1 if space.unreachable is None else space.unreachable))
    parts = [*listed, (first[kept], second[kept], apart[kept])]
    begin, end, edits = (np.concatenate([part[k] for part in parts]) for k in range(3))
    if once:
        inside = np.zeros(n, dtype=bool)
        inside[starts] = True
        single = (begin < end) | ~inside[end]
        begin, end, edits = begin[single], end[single], edits[single]
    return begin, end, edits


def _listed_pairs(
    space: SearchSpace, known: Codes, members: Genotypes, starts: Rows, near: int, rng: np.random.Generator
) -> Iterator[tuple[Rows, Rows, NDArray[np.int64]]]:
    """Pairs at 1, 2 ... ``near`` edits, as long as a few starts have neighborhoods that can be listed and hold members."""
    root = space.root
    degree = _degree(root, members[starts[rng.integers(0, len(starts), size=_PROBE)]])
    for edits in range(1, near + 1):
        size = max(1.0, degree**edits)
        hits = size * len(known) / max(float(root.cardinality), 1.0)
        begin = starts if size * len(starts) <= _LISTED else np.sort(rng.permutation(starts)[: max(1, int(_LISTED / size))])
        if hits * len(begin) < 1:
            return
        parts = []
        for low in range(0, len(begin), max(1, int(_BLOCK / size))):
            rows = begin[low : low + max(1, int(_BLOCK / size))]
            ball = root.ball(members[rows], edits)
            ball = ball.take(np.flatnonzero(ball.edits == edits))
            place = locate(known, space.encode(ball.genotypes))
            hit = np.flatnonzero(place >= 0)
            parts.append((rows[ball.parents[hit]], place[hit]))
        one, other = (np.concatenate([part[k] for part in parts]) for k in range(2))
        yield one, other, np.full(len(one), edits, dtype=np.int64)


def _degree(space: SearchSpace, genotypes: Genotypes) -> float:
    count = getattr(space, "count_neighbors", None)
    if count is not None:
        return float(count(genotypes).mean())
    return len(space.all_neighbors(genotypes).parents) / len(genotypes)
