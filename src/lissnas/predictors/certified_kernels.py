"""The compiled loops that read trees and share out messages. What the arrays mean is said in ``certified_factors``.

All numbers are whole, so no sum is rounded: a bound is a bound, whatever the order in which it was added up.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays.compiled import compiled

__all__ = ["DEAD", "list_leaves", "settle", "sweep"]

DEAD = -(1 << 62)  # what can't be reached is worth this; sums of anything else stay far above half of it
_GONE = DEAD // 2

Array = NDArray[Any]


@compiled
def list_leaves(
    first: Array,
    left: Array,
    right: Array,
    gene: Array,
    goes_left: Array,
    radix: Array,
    leaf_node: Array,
    leaf_start: Array,
    test_leaf: Array,
    test_gene: Array,
    test_allowed: Array,
) -> tuple[int, int]:
    """The leaves that some row reaches, tree by tree, and for each the genes that its way tests with the alleles that stay.

    Fills ``leaf_node`` (the node of each leaf), ``leaf_start`` [T + 1] (where a tree's leaves begin) and the tests; with an
    empty ``leaf_node`` it only counts. Returns how many leaves and tests there are.
    """
    genes, widest = len(radix), goes_left.shape[1]
    fill = len(leaf_node) > 0
    leaves = tests = 0
    deepest = 64
    allowed = np.ones((deepest, genes, widest), dtype=np.bool_)
    stack = np.zeros((2 * deepest, 2), dtype=np.int64)  # node, depth; its alleles stand in allowed[depth]
    path = np.zeros((deepest, 2), dtype=np.int64)
    for tree in range(len(first) - 1):
        root = first[tree]
        leaf_start[tree] = leaves
        stack[0, 0] = stack[0, 1] = 0
        top = 1
        while top > 0:
            top -= 1
            node, depth = stack[top]
            for level in range(max(depth - 1, 0), depth):  # the step that led here
                parent, side = path[level, 0], left[root + path[level, 0]] == node
                g = gene[root + parent]
                allowed[depth] = allowed[level]
                for a in range(radix[g]):
                    if goes_left[root + parent, a] != side:
                        allowed[depth, g, a] = False
            here = allowed[depth]
            reachable = True
            if depth > 0:
                g = gene[root + path[depth - 1, 0]]
                reachable = here[g, : radix[g]].any()
            if not reachable:
                continue
            if left[root + node] >= 0:
                path[depth, 0] = node
                stack[top, 0], stack[top, 1] = right[root + node], depth + 1
                stack[top + 1, 0], stack[top + 1, 1] = left[root + node], depth + 1
                top += 2
                continue
            if fill:
                leaf_node[leaves] = root + node
            for g in range(genes):
                if not here[g, : radix[g]].all():
                    if fill:
                        test_leaf[tests] = leaves
                        test_gene[tests] = g
                        test_allowed[tests] = here[g]
                    tests += 1
            leaves += 1
    leaf_start[len(first) - 1] = leaves
    return leaves, tests


@compiled
def settle(f: Any, delta: Array, alive: Array, best: Array, top: Array, leaf_sum: Array, factor_top: Array) -> int:
    """Fill what follows from the messages ``delta`` and the alleles that are ``alive``; return the bound, ``DEAD`` if none.

    ``top`` [S]: the largest message of each entry of a scope. ``best`` [E]: of each test, the largest among the alleles that
    it lets through, less the top. ``leaf_sum`` [N]: a leaf's value and the best of its tests. ``factor_top`` [T]: the sum of
    a factor's tops.
    """
    leaf_sum[:] = f.leaf_value
    total = 0
    for t in range(len(factor_top)):
        factor_top[t] = 0
        for s in range(f.factor_scope[t], f.factor_scope[t + 1]):
            g, base = f.scope_gene[s], f.scope_pair[s]
            top[s] = DEAD
            for a in range(f.radix[g]):
                if alive[g, a]:
                    top[s] = max(top[s], delta[base + a])
            if top[s] <= _GONE:
                return DEAD
            factor_top[t] += top[s]
            for e in range(f.scope_test[s], f.scope_test[s + 1]):
                most = DEAD
                for a in range(f.radix[g]):
                    if alive[g, a] and f.test_allowed[e, a]:
                        most = max(most, delta[base + a])
                leaf = f.test_leaf[e]
                if most <= _GONE:
                    best[e] = 0
                    leaf_sum[leaf] = DEAD
                else:
                    best[e] = most - top[s]
                    if leaf_sum[leaf] > _GONE:
                        leaf_sum[leaf] += best[e]
        most = DEAD
        for leaf in range(f.factor_leaf[t], f.factor_leaf[t + 1]):
            most = max(most, leaf_sum[leaf])
        if most <= _GONE:
            return DEAD
        total += most + factor_top[t]
    return total


@compiled
def sweep(
    f: Any,
    order: Array,
    threshold: int,
    total: int,
    delta: Array,
    alive: Array,
    best: Array,
    top: Array,
    leaf_sum: Array,
    factor_top: Array,
    bounds: Array,
) -> int:
    """For each gene of ``order``, let the factors agree on what its alleles are worth; return the new bound (``total`` was it).

    A factor's max-marginal of an allele is the most it can reach with it. Their sum over factors, and the other factors' most,
    is a bound on all networks with that allele (``bounds`` [L, K]); where it is no more than ``threshold`` the allele dies.
    The sum is then shared out evenly, so that every factor of the gene has the same max-marginals and the bound is theirs at
    the best allele: it never rises (block coordinate descent on the dual of the relaxed problem).
    """
    widest = alive.shape[1]
    most_entries = 0
    for g in range(len(f.radix)):
        most_entries = max(most_entries, f.gene_start[g + 1] - f.gene_start[g])
    marginal = np.empty((most_entries, widest), dtype=np.int64)
    belief = np.empty(widest, dtype=np.int64)
    kept = np.empty(len(f.test_leaf), dtype=np.int64)
    own = np.empty(most_entries, dtype=np.int64)
    for g in order:
        begin, end = f.gene_start[g], f.gene_start[g + 1]
        count, radix = end - begin, f.radix[g]
        belief[:] = 0
        others = total
        for j in range(count):
            s = f.gene_entry[begin + j]
            t, base = f.scope_factor[s], f.scope_pair[s]
            low, high = f.factor_leaf[t], f.factor_leaf[t + 1]
            most = DEAD
            for leaf in range(low, high):
                most = max(most, leaf_sum[leaf])
            own[j] = most + factor_top[t]
            others -= own[j]
            for e in range(f.scope_test[s], f.scope_test[s + 1]):
                leaf = f.test_leaf[e]
                kept[e] = leaf_sum[leaf] - best[e] if leaf_sum[leaf] > _GONE else DEAD
                leaf_sum[leaf] = DEAD
            most = DEAD
            for leaf in range(low, high):
                most = max(most, leaf_sum[leaf])  # of the leaves that do not ask for this gene
            marginal[j] = most
            for e in range(f.scope_test[s], f.scope_test[s + 1]):
                for a in range(radix):
                    if f.test_allowed[e, a]:
                        marginal[j, a] = max(marginal[j, a], kept[e])
            rest = factor_top[t] - top[s]
            for a in range(radix):
                if marginal[j, a] > _GONE and belief[a] > _GONE:
                    marginal[j, a] += rest + delta[base + a]
                    belief[a] += marginal[j, a]
                else:
                    belief[a] = DEAD
        remaining = 0
        for a in range(radix):
            bounds[g, a] = others + belief[a] if alive[g, a] and belief[a] > _GONE else DEAD
            if bounds[g, a] <= threshold:
                alive[g, a] = False
                bounds[g, a] = DEAD
            remaining += alive[g, a]
        if remaining == 0:
            return DEAD
        for j in range(count):
            s = f.gene_entry[begin + j]
            t, base = f.scope_factor[s], f.scope_pair[s]
            rest = factor_top[t] - top[s]
            most = DEAD
            for a in range(radix):
                if alive[g, a]:
                    share = belief[a] // count + (1 if j < belief[a] % count else 0)
                    delta[base + a] += share - marginal[j, a]
                    most = max(most, delta[base + a])
            top[s] = most
            factor_top[t] = rest + most
            for e in range(f.scope_test[s], f.scope_test[s + 1]):
                if kept[e] <= _GONE:
                    continue
                most = DEAD
                for a in range(radix):
                    if alive[g, a] and f.test_allowed[e, a]:
                        most = max(most, delta[base + a])
                if most > _GONE:
                    best[e] = most - top[s]
                    leaf_sum[f.test_leaf[e]] = kept[e] + best[e]
            most = DEAD
            for leaf in range(f.factor_leaf[t], f.factor_leaf[t + 1]):
                most = max(most, leaf_sum[leaf])
            if most <= _GONE:
                return DEAD
            others += most + factor_top[t]
        total = others
    return total
