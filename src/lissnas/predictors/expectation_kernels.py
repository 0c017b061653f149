"""Compiled loops over leaves: means and their derivatives in one pass each way. Importing this file imports Numba."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays.compiled import compiled

__all__ = ["add_leaves", "find_masses", "spread_masses", "sum_leaves", "sum_pairs", "sum_terms", "turn_terms"]

Array = NDArray[Any]


@compiled
def add_leaves(value: Array, start: Array, factor: Array, holds: Array, sums: Array) -> None:
    """Adds to ``sums[i]`` the values of the leaves all of whose factors hold in row ``i``, ``holds[f, i]``."""
    for leaf in range(len(value)):
        low, high = start[leaf], start[leaf + 1]
        reached = np.ones(len(sums), dtype=np.bool_)
        for k in range(low, high):
            own = holds[factor[k]]
            for i in range(len(sums)):
                reached[i] &= own[i]
        for i in range(len(sums)):
            sums[i] += value[leaf] * reached[i]


@compiled
def find_masses(row: Array, boxes: Array, weights: Array, gene: Array, mask: Array, first: Array, mass: Array) -> None:
    """``mass[first[f] + b]``: the weight of what factor ``f`` lets through, in box ``b`` of its gene's component."""
    for f in range(len(gene)):
        g = gene[f]
        for b in range(boxes[g]):
            total = 0.0
            for a in range(mask.shape[1]):
                if mask[f, a]:
                    total += weights[row[g] + b, a]
            mass[first[f] + b] = total


@compiled
def sum_terms(start: Array, factor: Array, box: Array, chance: Array, first: Array, mass: Array, value: Array) -> None:
    """``value[t]``: the chance that all factors of a term hold; ``box[t]``: the first box of its component, and the end."""
    for t in range(len(value)):
        total = 0.0
        for b in range(box[t, 1] - box[t, 0]):
            product = chance[box[t, 0] + b]
            for k in range(start[t], start[t + 1]):
                product *= mass[first[factor[k]] + b]
            total += product
        value[t] = total


@compiled
def sum_leaves(start: Array, term: Array, value: Array, chance: Array, slope: Array) -> float:
    """The sum of leaves, and its derivative by the chance of each term (added to ``slope``)."""
    total = 0.0
    after = np.empty(257)
    for leaf in range(len(value)):
        low, high = start[leaf], start[leaf + 1]
        after[high - low] = 1.0
        for k in range(high - low - 1, -1, -1):
            after[k] = after[k + 1] * chance[term[low + k]]
        before = value[leaf]
        for k in range(high - low):
            t = term[low + k]
            slope[t] += before * after[k + 1]
            before *= chance[t]
        total += before
    return total


@compiled
def turn_terms(
    start: Array,
    factor: Array,
    box: Array,
    chance: Array,
    first: Array,
    mass: Array,
    slope: Array,
    d_chance: Array,
    d_mass: Array,
) -> None:
    """From derivatives by terms to those by the chances of boxes and the masses of factors."""
    after = np.empty(257)
    for t in range(len(slope)):
        low, high = start[t], start[t + 1]
        for b in range(box[t, 1] - box[t, 0]):
            after[high - low] = 1.0
            for k in range(high - low - 1, -1, -1):
                after[k] = after[k + 1] * mass[first[factor[low + k]] + b]
            d_chance[box[t, 0] + b] += slope[t] * after[0]
            before = slope[t] * chance[box[t, 0] + b]
            for k in range(high - low):
                place = first[factor[low + k]] + b
                d_mass[place] += before * after[k + 1]
                before *= mass[place]


@compiled
def spread_masses(row: Array, boxes: Array, gene: Array, mask: Array, first: Array, d_mass: Array, d_weights: Array) -> None:
    """From derivatives by masses to those by weights."""
    for f in range(len(gene)):
        g = gene[f]
        for b in range(boxes[g]):
            slope = d_mass[first[f] + b]
            for a in range(mask.shape[1]):
                if mask[f, a]:
                    d_weights[row[g] + b, a] += slope


@compiled
def sum_pairs(
    value: Array,
    start: Array,
    factor: Array,
    gene: Array,
    place: Array,
    component: Array,
    box: Array,
    chance: Array,
    first: Array,
    mass: Array,
    joint_first: Array,
    joint: Array,
    leaf_chance: Array,
) -> float:
    """The variance of the sum of leaves: over all pairs that share a component, values times (joint chance - product).

    ``place[f]`` is a factor's number among its gene's; ``joint[joint_first[g] + (b * n + i) * n + j]`` the weight of what
    factors ``i`` and ``j`` of the ``n`` of gene ``g`` both let through in box ``b`` (``n`` is ``joint_first[g, 1]``).
    """
    total = 0.0
    genes = len(component)
    own = np.full(genes, -1, dtype=np.int64)
    marked = np.zeros(len(box), dtype=np.bool_)
    theirs = np.full(genes, -1, dtype=np.int64)
    for one in range(len(value)):
        for k in range(start[one], start[one + 1]):
            own[gene[factor[k]]] = factor[k]
            marked[component[gene[factor[k]]]] = True
        for other in range(one, len(value)):
            shared = False
            for k in range(start[other], start[other + 1]):
                if marked[component[gene[factor[k]]]]:
                    shared = True
                    break
            if not shared:
                continue
            for k in range(start[other], start[other + 1]):
                theirs[gene[factor[k]]] = factor[k]
            both = 1.0
            for side in range(2):  # components of the first leaf, then those that only the second has
                leaf = one if side == 0 else other
                last = -1
                for k in range(start[leaf], start[leaf + 1]):
                    c = component[gene[factor[k]]]
                    if c == last or (side == 1 and marked[c]):
                        continue
                    last = c
                    sum_ = 0.0
                    for b in range(box[c + 1] - box[c]):
                        p = chance[box[c] + b]
                        for i in range(start[one], start[one + 1]):
                            f = factor[i]
                            g = gene[f]
                            if component[g] == c:
                                if theirs[g] >= 0:
                                    n = joint_first[g, 1]
                                    p *= joint[joint_first[g, 0] + (b * n + place[f]) * n + place[theirs[g]]]
                                else:
                                    p *= mass[first[f] + b]
                        for i in range(start[other], start[other + 1]):
                            f = factor[i]
                            if component[gene[f]] == c and own[gene[f]] < 0:
                                p *= mass[first[f] + b]
                        sum_ += p
                    both *= sum_
            part = value[one] * value[other] * (both - leaf_chance[one] * leaf_chance[other])
            total += part if one == other else 2 * part
            for k in range(start[other], start[other + 1]):
                theirs[gene[factor[k]]] = -1
        for k in range(start[one], start[one + 1]):
            own[gene[factor[k]]] = -1
            marked[component[gene[factor[k]]]] = False
    return total
