"""The compiled loops of the certified search. What the arrays mean is said in ``certified_factors``.

All numbers are whole, so no sum is rounded: a bound is a bound, whatever the order in which it was added up.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays.compiled import compiled

__all__ = ["DEAD", "build_tables", "expand", "list_leaves", "settle", "sweep"]

DEAD = -(1 << 62)  # what can't be reached is worth this; sums of anything else stay far above half of it
_GONE = DEAD // 2
_ALL_ALLELES = -1
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_ONE = np.uint64(1)
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_TOP_SIX = np.uint64(58)
_PLACE = np.zeros(64, dtype=np.int64)  # which bit is the lowest, by the hash of it alone
for _bit in range(64):
    _PLACE[((1 << _bit) * int(_DE_BRUIJN) % (1 << 64)) >> 58] = _bit

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


@compiled
def build_tables(
    f: Any,
    place: Array,
    best: Array,
    top: Array,
    leaf_sum: Array,
    ordered: Array,
    rank: Array,
    value_start: Array,
    mask_start: Array,
    values: Array,
    masks: Array,
) -> None:
    """What :func:`expand` looks up when genes are given alleles in an order, ``place`` [L] of each.

    Of a factor whose first ``i`` genes in that order are given, table ``i`` holds what its leaves are worth at most, best
    first, and for each of these genes and alleles the bits of the leaves that it leaves over. ``ordered`` [S] are a factor's
    entries in that order, ``rank`` [S] where each stands. Table ``i`` of factor ``t`` begins at ``value_start[t] + i * leaves``
    in ``values``, its masks at ``mask_start[t] + i (i - 1) / 2`` in ``masks`` [M, K, words].
    """
    for t in range(len(f.factor_scope) - 1):
        begin, end = f.factor_scope[t], f.factor_scope[t + 1]
        low, high = f.factor_leaf[t], f.factor_leaf[t + 1]
        size, count = end - begin, high - low
        order = np.argsort(place[f.scope_gene[begin:end]])
        for i in range(size):
            ordered[begin + i] = begin + order[i]
            rank[begin + order[i]] = i
        worth = f.leaf_value[low:high].copy()
        for i in range(size, -1, -1):  # from all genes given to none
            if i < size:
                s = ordered[begin + i]
                worth += top[s]
                for e in range(f.scope_test[s], f.scope_test[s + 1]):
                    worth[f.test_leaf[e] - low] += best[e]
            sort = np.argsort(-worth)
            at = np.empty(count, dtype=np.int64)  # where each leaf stands, those that cannot be reached nowhere
            live = 0
            start = value_start[t] + i * count
            for leaf in sort:
                at[leaf] = -1
                if leaf_sum[low + leaf] > _GONE:
                    at[leaf] = live
                    values[start + live] = worth[leaf]
                    live += 1
            for h in range(i):
                row = masks[mask_start[t] + i * (i - 1) // 2 + h]
                row[:] = 0
                s = ordered[begin + h]
                for leaf in range(count):
                    if at[leaf] >= 0:
                        word, bit = at[leaf] // 64, _ONE << np.uint64(at[leaf] % 64)
                        for a in range(f.radix[f.scope_gene[s]]):
                            row[a, word] |= bit
                for e in range(f.scope_test[s], f.scope_test[s + 1]):
                    place_of = at[f.test_leaf[e] - low]
                    if place_of >= 0:
                        word, bit = place_of // 64, _ONE << np.uint64(place_of % 64)
                        for a in range(f.radix[f.scope_gene[s]]):
                            if not f.test_allowed[e, a]:
                                row[a, word] &= ~bit


@compiled
def expand(
    f: Any,
    gene: int,
    alleles: Array,
    own: Array,
    ordered: Array,
    rank: Array,
    value_start: Array,
    mask_start: Array,
    values: Array,
    masks: Array,
    rows: Array,
    gains: Array,
) -> None:
    """Fill ``gains`` [n, A]: what each of ``alleles`` given to ``gene`` adds to the bound of each of ``rows`` [n, L].

    Only factors that ask for the gene change: from the best leaf that the genes given before leave over to the best that the
    allele leaves over too. ``own`` [K] is what the alleles themselves are worth.
    """
    words = masks.shape[2]
    columns = np.empty(len(f.radix), dtype=np.int64)
    for r in range(len(rows)):
        for a in range(len(alleles)):
            gains[r, a] = own[alleles[a]]
    for index in range(f.gene_start[gene], f.gene_start[gene + 1]):
        s = f.gene_entry[index]
        t, i = f.scope_factor[s], rank[s]
        begin = f.factor_scope[t]
        for h in range(i):
            columns[h] = f.scope_gene[ordered[begin + h]]
        count = f.factor_leaf[t + 1] - f.factor_leaf[t]
        before = values[value_start[t] + i * count : value_start[t] + (i + 1) * count]
        after = values[value_start[t] + (i + 1) * count : value_start[t] + (i + 2) * count]
        old = mask_start[t] + i * (i - 1) // 2
        new = mask_start[t] + (i + 1) * i // 2
        if count <= 64:
            for r in range(len(rows)):
                were = will = _ALL
                for h in range(i):
                    allele = rows[r, columns[h]]
                    were &= masks[old + h, allele, 0]
                    will &= masks[new + h, allele, 0]
                was = before[_lowest(were)]
                for a in range(len(alleles)):
                    bits = will & masks[new + i, alleles[a], 0]
                    gains[r, a] += after[_lowest(bits)] - was if bits != 0 else DEAD >> 12
            continue
        for r in range(len(rows)):
            was = _first_left(masks, old, i, columns, rows[r], words, before, _ALL_ALLELES)
            for a in range(len(alleles)):
                now = _first_left(masks, new, i, columns, rows[r], words, after, alleles[a])
                gains[r, a] += now - was if now > _GONE else DEAD >> 12


@compiled
def _lowest(bits: Any) -> Any:
    """The place of the lowest bit that is set."""
    return _PLACE[((bits & (~bits + _ONE)) * _DE_BRUIJN) >> _TOP_SIX]


@compiled
def _first_left(
    masks: Array, first: int, given: int, columns: Array, row: Array, words: int, values: Array, allele: int
) -> Any:
    """What the best leaf is worth that is left over by the alleles of ``row``, and by ``allele`` if there is one."""
    for word in range(words):
        bits = _ALL if allele == _ALL_ALLELES else masks[first + given, allele, word]
        for h in range(given):
            bits &= masks[first + h, row[columns[h]], word]
        if bits != 0:
            return values[64 * word + _lowest(bits)]
    return DEAD
