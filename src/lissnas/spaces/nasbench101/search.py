"""Compiled searches in an edit graph: components, distances, balls, and neighbors drawn at an exact distance.

A graph is ``first``, ``last`` and ``neighbors`` (see :class:`~lissnas.spaces.nasbench101.edits.EditGraph`). Where a search has
been is kept as stamps: each search counts on from the last one, so that nothing needs to be cleared between them. Places are
unsigned: an index that cannot be negative is not looked at twice, a quarter of the time here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays.compiled import compiled

__all__ = ["draw_at_distance", "draw_far", "label_components", "list_ball", "measure_distances"]

Array = NDArray[Any]

TRIES = 64  # draws of a last step before all last steps are listed
HALF = np.uint64(32)


@compiled
def mix(state: np.uint64) -> np.uint64:
    """The next random number after ``state`` (splitmix64)."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


@compiled
def below(random: np.uint64, count: int) -> Any:
    """A random number below ``count``, uniform but for one part in 2^32 / count."""
    return np.int64(((random >> HALF) * np.uint64(count)) >> HALF)


@compiled
def label_components(first: Array, last: Array, neighbors: Array, labels: Array, queue: Array) -> int:
    """Fill ``labels`` int32[N] (given as -1) with the number of each cell's component; return how many there are."""
    count = 0
    for start in range(len(first)):
        if labels[start] >= 0:
            continue
        labels[start] = count
        queue[0] = start
        done, end = 0, 1
        while done < end:
            cell = queue[done]
            done += 1
            for place in range(first[cell], last[cell]):
                other = neighbors[place]
                if labels[other] < 0:
                    labels[other] = count
                    queue[end] = other
                    end += 1
        count += 1
    return count


@compiled
def measure_distances(
    first: Array, last: Array, neighbors: Array, labels: Array, a: Array, b: Array, unreachable: int, distances: Array
) -> None:
    """Fill ``distances`` int64[n] by searching from both ends, each time from the side with fewer cells to go on from."""
    cells = len(first)
    seen_a, seen_b = np.zeros(cells, dtype=np.int32), np.zeros(cells, dtype=np.int32)
    queue_a, queue_b = np.empty(cells, dtype=np.uint32), np.empty(cells, dtype=np.uint32)
    for row in range(len(a)):
        if a[row] == b[row]:
            distances[row] = 0
            continue
        if labels[a[row]] != labels[b[row]]:
            distances[row] = unreachable
            continue
        stamp = row + 1
        seen_a[a[row]] = stamp
        seen_b[b[row]] = stamp
        queue_a[0], queue_b[0] = a[row], b[row]
        low_a, high_a, low_b, high_b = 0, 1, 0, 1
        distance = 0
        met = False
        while not met:
            distance += 1
            if high_a - low_a <= high_b - low_b:
                high_a, low_a, met = _widen(first, last, neighbors, seen_a, seen_b, queue_a, low_a, high_a, stamp)
            else:
                high_b, low_b, met = _widen(first, last, neighbors, seen_b, seen_a, queue_b, low_b, high_b, stamp)
        distances[row] = distance


@compiled
def _widen(
    first: Array, last: Array, neighbors: Array, seen: Array, across: Array, queue: Array, low: int, high: int, stamp: int
) -> tuple[int, int, bool]:
    """One step further from the cells ``queue[low:high]``: the new end and beginning, and whether the other side was met."""
    end = high
    for index in range(low, high):
        cell = queue[index]
        for place in range(first[cell], last[cell]):
            other = neighbors[place]
            if across[other] == stamp:
                return end, high, True
            if seen[other] != stamp:
                seen[other] = stamp
                queue[end] = other
                end += 1
    return end, high, False


@compiled
def list_ball(
    first: Array, last: Array, neighbors: Array, ids: Array, radius: int, sizes: Array, found: Array, edits: Array
) -> None:
    """Count into ``sizes`` int64[n] what is within ``radius`` of each cell; and list it, nearest first, if ``found`` is there.

    ``found`` int64[m] and ``edits`` int64[m] hold the balls behind one another; where they are empty, only sizes are counted.
    """
    seen = np.zeros(len(first), dtype=np.int32)
    queue = np.empty(len(first), dtype=np.uint32)
    begin = 0
    for row in range(len(ids)):
        stamp = row + 1
        seen[ids[row]] = stamp
        queue[0] = ids[row]
        low, end = 0, 1
        for travelled in range(radius + 1):
            high = end
            if len(found) > 0:
                for index in range(low, high):
                    found[begin + index] = queue[index]
                    edits[begin + index] = travelled
            if travelled < radius:
                for index in range(low, high):
                    cell = queue[index]
                    for place in range(first[cell], last[cell]):
                        other = neighbors[place]
                        if seen[other] != stamp:
                            seen[other] = stamp
                            queue[end] = other
                            end += 1
            low = high
        sizes[row] = end
        begin += end


@compiled
def draw_at_distance(
    first: Array, last: Array, neighbors: Array, ids: Array, edits: int, seed: np.uint64, drawn: Array
) -> None:
    """Fill ``drawn`` int64[n] with a cell at exactly ``edits`` edits from each, all equally likely; -1 where there is none.

    The cells up to one edit less are searched. Of the last steps from there one is drawn, and kept if it leads further and
    starts from the first of the cells that lead to the same one, so that each is met by one step alone. Where draws keep
    failing, all last steps are listed.
    """
    cells = len(first)
    seen = np.zeros(cells, dtype=np.int32)  # in one row's search: stamp + distance
    queue = np.empty(cells, dtype=np.uint32)
    steps = np.empty(cells, dtype=np.int64)
    stamp = 1
    for row in range(len(ids)):
        state = mix(seed + np.uint64(row) * np.uint64(0xD1342543DE82EF95))
        seen[ids[row]] = stamp
        queue[0] = ids[row]
        low, end = 0, 1
        for travelled in range(1, edits):
            high = end
            for index in range(low, high):
                cell = queue[index]
                for place in range(first[cell], last[cell]):
                    other = neighbors[place]
                    if seen[other] < stamp:
                        seen[other] = stamp + travelled
                        queue[end] = other
                        end += 1
            low = high
        edge = stamp + edits - 1
        total = 0
        for index in range(low, end):
            total += last[queue[index]] - first[queue[index]]
            steps[index] = total
        drawn[row] = -1
        for _ in range(TRIES if total > 0 else 0):
            state = mix(state + np.uint64(0x9E3779B97F4A7C15))
            step = below(state, total)
            index, behind = low, end
            while index < behind:  # the cell that the step starts from: the first whose steps end beyond
                middle = (index + behind) >> 1
                if steps[middle] > step:
                    behind = middle
                else:
                    index = middle + 1
            cell = queue[index]
            other = neighbors[last[cell] - (steps[index] - step)]
            if seen[other] >= stamp:
                continue
            place = first[other]
            while seen[neighbors[place]] != edge:
                place += 1
            if neighbors[place] == cell:
                drawn[row] = other
                break
        if drawn[row] < 0:
            high = end
            for index in range(low, high):
                cell = queue[index]
                for place in range(first[cell], last[cell]):
                    other = neighbors[place]
                    if seen[other] < stamp:
                        seen[other] = edge + 1
                        queue[end] = other
                        end += 1
            if end > high:
                state = mix(state + np.uint64(0x9E3779B97F4A7C15))
                drawn[row] = queue[high + below(state, end - high)]
        stamp += edits + 1


@compiled
def draw_far(first: Array, last: Array, neighbors: Array, ids: Array, edits: int, seed: np.uint64, drawn: Array) -> None:
    """As :func:`draw_at_distance`, for far distances: 64 searches at once, each a bit of a word that every cell has.

    One step looks at all edits of the graph, which is less than 64 searches do that each see a good part of it.
    """
    cells = len(first)
    one = np.uint64(1)
    for begin in range(0, len(ids), 64):
        rows = min(64, len(ids) - begin)
        seen, new = np.zeros(cells, dtype=np.uint64), np.zeros(cells, dtype=np.uint64)
        for row in range(rows):
            seen[ids[begin + row]] |= one << np.uint64(row)
        front = seen.copy()
        everyone = ~np.uint64(0) >> np.uint64(64 - rows)
        for _ in range(edits):
            for cell in range(cells):
                reached = np.uint64(0)
                if seen[cell] != everyone:
                    for place in range(first[cell], last[cell]):
                        reached |= front[neighbors[place]]
                new[cell] = reached & ~seen[cell]
            for cell in range(cells):
                seen[cell] |= new[cell]
            front, new = new, front
        left = np.zeros(64, dtype=np.int64)
        for cell in range(cells):
            if front[cell] != 0:
                for row in range(rows):
                    left[row] += np.int64((front[cell] >> np.uint64(row)) & one)
        for row in range(rows):
            state = mix(seed + np.uint64(begin + row) * np.uint64(0xD1342543DE82EF95))
            left[row] = below(state, left[row]) if left[row] > 0 else -1
            drawn[begin + row] = -1
        for cell in range(cells):
            if front[cell] != 0:
                for row in range(rows):
                    if (front[cell] >> np.uint64(row)) & one:
                        if left[row] == 0:
                            drawn[begin + row] = cell
                        left[row] -= 1
