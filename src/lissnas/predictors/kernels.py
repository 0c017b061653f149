"""The compiled loops of the tree scorer. What the arrays mean is said in ``tree_masks``.

A leaf is found without walking: of a tree's leaves those that stay reachable are one 64-bit mask per allele, and the masks of
all genes leave one bit. Multiplied with a de Bruijn number, that bit's top six bits are different for each of the 64 places,
so the leaves' values stand in that order and no bit is counted.

Sums are whole numbers, so the order in which trees are added does not matter: the plain loop and the one over neighbors,
one thread or many, a row alone or among others give the same bits.

Loops over genes or groups of genes have their number in the type of a tuple: each number is compiled once, and unrolled.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays.compiled import compiled

__all__ = ["build_masks", "build_tables", "encode_rows", "list_turns", "pick_neighbors", "sum_neighbors", "sum_rows"]

DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
TOP_SIX = np.uint64(58)
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
ONE = np.uint64(1)
LEAVES = 64

# Rows at a time. A tree's tables come from far away once per block; a block's codes and sums stay in the second-level cache.
ROW_BLOCK = 8192
NEIGHBOR_BLOCK = 512

Array = NDArray[Any]


@compiled
def build_masks(
    first: Array,
    left: Array,
    right: Array,
    gene: Array,
    goes_left: Array,
    value: Array,
    radix: Array,
    first_pair: Array,
    masks: Array,
    leaves: Array,
) -> int:
    """Fill ``masks`` [T, P] and ``leaves`` [T, 64]; return the most leaves of a tree (past 64 nothing is valid).

    Nodes of all trees in one row, tree ``t`` from ``first[t]`` on, children counted from there; ``goes_left`` bool[N, A].
    """
    most = 0
    for tree in range(len(first) - 1):
        root = first[tree]
        size = first[tree + 1] - root
        low = np.zeros(size, dtype=np.int64)  # the leaves under a node are low ... high - 1, from left to right
        high = np.zeros(size, dtype=np.int64)
        stack = np.zeros(2 * size, dtype=np.int64)
        stack[0] = 0
        depth = 1
        count = 0
        while depth > 0:
            depth -= 1
            entry = stack[depth]
            if entry < 0:
                high[-entry - 1] = count
            elif left[root + entry] < 0:
                low[entry] = count
                if count < LEAVES:
                    leaves[tree, ((ONE << np.uint64(count)) * DE_BRUIJN) >> TOP_SIX] = value[root + entry]
                count += 1
                high[entry] = count
            else:
                low[entry] = count
                stack[depth] = -entry - 1
                stack[depth + 1] = right[root + entry]
                stack[depth + 2] = left[root + entry]
                depth += 3
        most = max(most, count)
        if count > LEAVES:
            continue
        everything = ALL >> np.uint64(LEAVES - count)
        for pair in range(masks.shape[1]):
            masks[tree, pair] = everything
        for node in range(size):
            if left[root + node] < 0 or high[node] == 0:  # a leaf, or cut off from the root
                continue
            g = gene[root + node]
            for a in range(radix[g]):
                closed = right[root + node] if goes_left[root + node, a] else left[root + node]
                span = (ALL >> np.uint64(LEAVES - (high[closed] - low[closed]))) << np.uint64(low[closed])
                masks[tree, first_pair[g] + a] &= ~span
    return most


@compiled
def build_tables(
    masks: Array, radix: Array, first_pair: Array, group: Array, stride: Array, first: Array, size: Array, tables: Array
) -> None:
    """Fill ``tables`` [T, S]: for each group of genes and each joint value of theirs, the AND of their masks."""
    for tree in range(len(masks)):
        tables[tree] = ALL
        for g in range(len(group)):
            j = group[g]
            for joint in range(size[j]):
                tables[tree, first[j] + joint] &= masks[tree, first_pair[g] + (joint // stride[g]) % radix[g]]


@compiled
def list_turns(masks: Array, first_alleles: int, start: Array, turns: Array) -> int:
    """For each leaf, the alleles that would lead elsewhere: (gene, allele) pairs whose mask lacks the leaf's bit.

    Fills ``start`` [T, 65] and ``turns``; returns how many there are. With an empty ``turns`` it only counts.
    """
    count = 0
    for tree in range(len(masks)):
        # places in the order of the hash; bit[h] is the bit whose hash is h
        bit = np.zeros(LEAVES, dtype=np.uint64)
        for k in range(LEAVES):
            one = ONE << np.uint64(k)
            bit[(one * DE_BRUIJN) >> TOP_SIX] = one
        union = np.uint64(0)  # the leaves there are: every one is reachable under some allele of the first gene
        for a in range(first_alleles):
            union |= masks[tree, a]
        for h in range(LEAVES):
            start[tree, h] = count
            if union & bit[h] == 0:
                continue
            for pair in range(masks.shape[1]):
                if masks[tree, pair] & bit[h] == 0:
                    if len(turns) > 0:
                        turns[count] = pair
                    count += 1
        start[tree, LEAVES] = count
    return count


@compiled
def encode_rows(genotypes: Array, columns: Array, group: Array, stride: Array, first: Array, codes: Array) -> None:
    """Fill ``codes`` [n, J]: where each row's joint value of each group of genes stands in the tables."""
    for r in range(len(genotypes)):
        for j in range(codes.shape[1]):
            codes[r, j] = first[j]
        for g in range(len(columns)):
            codes[r, group[g]] += genotypes[r, columns[g]] * stride[g]


@compiled
def sum_rows(tables: Array, leaves: Array, codes: Array, sums: Array, groups: tuple[int, ...]) -> None:
    """Add to ``sums`` [n] the leaf of each row in each tree."""
    for low in range(0, len(codes), ROW_BLOCK):
        block = codes[low : low + ROW_BLOCK]
        total = sums[low : low + ROW_BLOCK]
        for tree in range(len(tables)):
            table, leaf = tables[tree], leaves[tree]
            for r in range(len(block)):
                mask = table[block[r, 0]]
                for j in range(1, len(groups)):
                    mask &= table[block[r, j]]
                total[r] += leaf[(mask * DE_BRUIJN) >> TOP_SIX]


@compiled
def sum_neighbors(
    masks: Array,
    leaves: Array,
    start: Array,
    turns: Array,
    pair_gene: Array,
    own_pairs: Array,
    sums: Array,
    changes: Array,
    genes: tuple[int, ...],
) -> None:
    """Add to ``sums`` [n] the leaf of each row in each tree, and to ``changes`` [n, P] what each (gene, allele) would change.

    Only genes on the way to the row's leaf can change a tree: ``turns`` names their alleles that lead elsewhere. Where to: of
    the leaves that exactly one gene keeps out of reach, the one that this gene kept out and its new allele does not.
    ``own_pairs`` [n, G] are the (gene, allele) pairs of each row.
    """
    for low in range(0, len(own_pairs), NEIGHBOR_BLOCK):
        block = own_pairs[low : low + NEIGHBOR_BLOCK]
        total = sums[low : low + NEIGHBOR_BLOCK]
        change = changes[low : low + NEIGHBOR_BLOCK]
        for tree in range(len(masks)):
            mask, leaf, begin = masks[tree], leaves[tree], start[tree]
            for r in range(len(block)):
                own, row_change = block[r], change[r]
                closed = closed_twice = np.uint64(0)  # leaves that one gene, that several genes keep out of reach
                for g in range(len(genes)):
                    lacking = ~mask[own[g]]
                    closed_twice |= closed & lacking
                    closed |= lacking
                place = (~closed * DE_BRUIJN) >> TOP_SIX
                here = leaf[place]
                total[r] += here
                closed_once = closed & ~closed_twice
                for index in range(begin[place], begin[place + ONE]):
                    pair = turns[np.uint64(index)]
                    there = closed_once & mask[pair] & ~mask[own[pair_gene[pair]]]
                    row_change[pair] += leaf[(there * DE_BRUIJN) >> TOP_SIX] - here


@compiled
def pick_neighbors(
    genotypes: Array,
    neighbors: Array,
    parents: Array,
    columns: Array,
    first_pair: Array,
    sums: Array,
    changes: Array,
    result: Array,
) -> Array:
    """Fill ``result`` [m] for neighbors that differ from their parent in at most one of the genes; return which do not."""
    several = np.zeros(len(neighbors), dtype=np.bool_)
    for i in range(len(neighbors)):
        parent = parents[i]
        differences = 0
        pair = 0
        for g in range(len(columns)):
            allele = neighbors[i, columns[g]]
            if allele != genotypes[parent, columns[g]]:
                differences += 1
                pair = first_pair[g] + allele
        if differences == 0:
            result[i] = sums[parent]
        elif differences == 1:
            result[i] = sums[parent] + changes[parent, pair]
        else:
            several[i] = True
    return several
