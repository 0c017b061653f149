"""How partial networks are bounded: networks of which some genes are given, the first in an order of search.

What a factor can be worth still is its best leaf that the genes given leave over. :class:`Tables` hold its leaves, best first,
and a mask for each gene and allele, one bit for each leaf: the lowest bit that all masks have is the leaf. Networks are looked
at many at a time, and of the alleles of a run of genes these hold few combinations: a factor's masks of a run are joined once
for each of them, so that a network takes one mask for each run (:func:`group_genes`).

All numbers are whole, so no sum is rounded: a bound is a bound, whatever the order in which it was added up.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from lissnas.arrays.compiled import compiled
from lissnas.predictors.certified_factors import Factors
from lissnas.predictors.certified_kernels import DEAD

__all__ = ["NOWHERE", "Tables", "expand", "group_genes", "make_tables"]

NOWHERE = DEAD >> 12  # what a factor without a leaf is worth: far below what counts, and sums of many stay in range
_GONE = DEAD // 2
_COMBINATIONS = 256  # of a run of genes, at most: their numbers are bytes, and a factor's masks of them lie in the first cache
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_ONE = np.uint64(1)

Array = NDArray[Any]


class Tables(NamedTuple):
    """What bounds partial networks of a region, for one order of genes.

    Table ``i`` of a factor is for networks of which its genes up to the ``i``-th are given. It begins at
    ``value_start[t] + i * leaves`` in ``values``, its masks, one for each of these genes, at ``mask_start[t] + i (i + 1) / 2``.

    Attributes:
        order: int64[G], the genes that have a choice.
        messages: int64[S x alleles], what the factors' genes are worth (``Factors.scope_pair``).
        ordered: int64[S], each factor's entries in the order of search; those of decided genes are behind all others.
        rank: int64[S], where each entry stands in its factor.
        live: int64[T], how many leaves of a factor can be reached at all.
        values: of each table, what its live leaves are worth at most, best first.
        masks: uint64[M, words, K], the leaves that are left over by each allele.
    """

    order: NDArray[np.int64]
    messages: NDArray[np.int64]
    ordered: NDArray[np.int64]
    rank: NDArray[np.int64]
    live: NDArray[np.int64]
    value_start: NDArray[np.int64]
    mask_start: NDArray[np.int64]
    values: NDArray[np.int64]
    masks: NDArray[np.uint64]


def make_tables(f: Factors, order: Array, messages: Array, best: Array, top: Array, leaf_sum: Array) -> Tables:
    """The tables for an ``order`` of the genes that have a choice; the rest is what ``settle`` found for the ``messages``."""
    genes = len(f.radix)
    place = genes + np.arange(genes)
    place[order] = np.arange(len(order))
    scope, leaves = np.diff(f.factor_scope), np.diff(f.factor_leaf)
    value_start = np.concatenate([[0], np.cumsum(scope * leaves)])
    mask_start = np.concatenate([[0], np.cumsum(scope * (scope + 1) // 2)])
    entries = len(f.scope_gene)
    tables = Tables(
        order=np.asarray(order, dtype=np.int64),
        messages=messages,
        ordered=np.zeros(entries, dtype=np.int64),
        rank=np.zeros(entries, dtype=np.int64),
        live=np.zeros(len(scope), dtype=np.int64),
        value_start=value_start,
        mask_start=mask_start,
        values=np.full(int(value_start[-1]), DEAD, dtype=np.int64),
        masks=np.zeros((int(mask_start[-1]), -(-int(leaves.max()) // 64), int(f.radix.max())), dtype=np.uint64),
    )
    _fill(f, place, best, top, leaf_sum, tables)
    return tables


@compiled
def _fill(f: Any, place: Array, best: Array, top: Array, leaf_sum: Array, tables: Any) -> None:
    """Fill ``tables`` for genes that stand at ``place`` [L]."""
    for t in range(len(f.factor_scope) - 1):
        begin, end = f.factor_scope[t], f.factor_scope[t + 1]
        low, high = f.factor_leaf[t], f.factor_leaf[t + 1]
        size, count = end - begin, high - low
        by_place = np.argsort(place[f.scope_gene[begin:end]])
        for i in range(size):
            tables.ordered[begin + i] = begin + by_place[i]
            tables.rank[begin + by_place[i]] = i
        live = 0
        for leaf in range(low, high):
            live += leaf_sum[leaf] > _GONE
        tables.live[t] = live
        worth = f.leaf_value[low:high].copy()
        at = np.empty(count, dtype=np.int64)  # where each leaf stands, those that cannot be reached nowhere
        for i in range(size - 1, -1, -1):  # from all genes given to the first alone
            if i + 1 < size:
                s = tables.ordered[begin + i + 1]
                worth += top[s]
                for e in range(f.scope_test[s], f.scope_test[s + 1]):
                    worth[f.test_leaf[e] - low] += best[e]
            behind = tables.value_start[t] + i * count
            start = behind
            for leaf in np.argsort(-worth):
                at[leaf] = -1
                if leaf_sum[low + leaf] > _GONE:
                    at[leaf] = behind - start
                    tables.values[behind] = worth[leaf]
                    behind += 1
            for h in range(i + 1):
                mask = tables.masks[tables.mask_start[t] + i * (i + 1) // 2 + h]
                for word in range((live + 63) // 64):
                    rest = live - 64 * word
                    mask[word, :] = _ALL if rest >= 64 else (_ONE << np.uint64(rest)) - _ONE
                s = tables.ordered[begin + h]
                for e in range(f.scope_test[s], f.scope_test[s + 1]):
                    where = at[f.test_leaf[e] - low]
                    if where >= 0:
                        for a in range(f.radix[f.scope_gene[s]]):
                            if not f.test_allowed[e, a]:
                                mask[where // 64, a] &= ~(_ONE << np.uint64(where % 64))


@compiled
def group_genes(
    rows: Array, given: Array, radix: Array, group: Array, sizes: Array, codes: Array, alleles: Array, most: int = _COMBINATIONS
) -> None:
    """Cut the ``given`` genes into runs of whose alleles ``rows`` [n, L] hold at most ``most`` combinations, or one gene.

    Fills ``group`` [L], the run of each gene, ``sizes`` [G], how many combinations a run has, ``codes`` [G, n], which of them
    a row holds, and ``alleles`` [L, 256], what a gene is in each.
    """
    number = np.empty(max(most, radix.max()) * radix.max(), dtype=np.int64)
    example = np.empty(_COMBINATIONS, dtype=np.int64)
    joined = np.empty(len(rows), dtype=np.int64)
    run, first = -1, 0
    for j, gene in enumerate(given):
        many = most + 1
        if run >= 0:
            many = _number(rows, gene, radix[gene], codes[run], sizes[run], number, example, joined, most)
        if many > most:  # it begins a run, of which no gene has been given yet
            run, first = run + 1, j
            codes[run] = 0
            many = _number(rows, gene, radix[gene], codes[run], 1, number, example, joined, _COMBINATIONS)
        group[gene], sizes[run], codes[run] = run, many, joined
        for member in given[first : j + 1]:
            for u in range(many):
                alleles[member, u] = rows[example[u], member]


@compiled
def _number(
    rows: Array, gene: int, radix: int, codes: Array, size: int, number: Array, example: Array, joined: Array, most: int
) -> int:
    """Number what ``rows`` hold of ``size`` combinations, ``codes`` [n], and ``gene``; return how many, or more than ``most``.

    Fills ``joined`` [n], the number of each row, and ``example``, a row for each number.
    """
    many = 0
    number[: size * radix] = -1
    for r in range(len(rows)):
        key = np.int64(codes[r]) * radix + rows[r, gene]
        if number[key] < 0:
            if many == most:
                return most + 1
            number[key] = many
            example[many] = r
            many += 1
        joined[r] = number[key]
    return many


@compiled
def expand(f: Any, tables: Any, level: int, own: Array, choices: Array, rows: Array, gains: Array) -> None:
    """Fill ``gains`` [n, A]: what each of the ``choices`` adds to the bound of each of ``rows`` [n, L], given ``level`` genes.

    ``choices`` [A] are the alleles of the next gene that are alive, ``own`` [K] what its alleles are worth by themselves. Only
    factors that ask for the gene change, to the best leaf that an allele leaves over. What they were worth is the most that any
    allele makes of that leaf and the factor's message together: so the messages were shared out. Alleles that a factor does not
    tell apart are looked up once.
    """
    n, genes = len(rows), len(f.radix)
    gene, given = tables.order[level], tables.order[:level]
    group, sizes = np.empty(genes, dtype=np.int64), np.empty(level, dtype=np.int64)
    codes, alleles = np.empty((level, n), dtype=np.uint8), np.empty((genes, _COMBINATIONS), dtype=np.uint8)
    group_genes(rows, given, f.radix, group, sizes, codes, alleles)
    bits = np.empty((tables.masks.shape[1], n), dtype=np.uint64)
    after = np.zeros((tables.masks.shape[1], 65), dtype=np.int64)
    kind = np.empty(len(choices), dtype=np.int64)
    now, usual, was = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    common, special = np.zeros(n, dtype=np.int64), np.zeros((len(choices), n), dtype=np.int64)
    for s in f.gene_entry[f.gene_start[gene] : f.gene_start[gene + 1]]:
        t, i = f.scope_factor[s], tables.rank[s]
        begin, live = f.factor_scope[t], tables.live[t]
        words = (live + 63) // 64
        first = tables.mask_start[t] + i * (i + 1) // 2
        start = tables.value_start[t] + i * (f.factor_leaf[t + 1] - f.factor_leaf[t])
        for leaf in range(live):
            after[leaf // 64, leaf % 64] = tables.values[start + leaf]
        columns = f.scope_gene[tables.ordered[begin : begin + i]]
        for word in range(words):
            _leave_over(tables.masks[first : first + i, word], columns, group, sizes, codes, alleles, bits[word])
        last = tables.masks[first + i, :words]
        most_usual, kinds = _kinds(last, choices, kind)
        for turn in range(kinds):
            k = (most_usual + turn) % kinds
            message, allele = DEAD, 0
            for a in range(len(choices)):
                if kind[a] == k:
                    allele = choices[a]
                    message = max(message, tables.messages[f.scope_pair[s] + allele])
            _look_up(bits, last[:, allele], after, now)
            if turn == 0:
                for r in range(n):
                    usual[r] = now[r]
                    was[r] = now[r] + message
                continue
            for r in range(n):
                was[r] = max(was[r], now[r] + message)
                now[r] -= usual[r]
            for a in range(len(choices)):
                if kind[a] == k:
                    sums = special[a]
                    for r in range(n):
                        sums[r] += now[r]
        for r in range(n):
            common[r] += usual[r] - was[r]
    for a in range(len(choices)):
        for r in range(n):
            gains[r, a] = own[choices[a]] + common[r] + special[a, r]


@compiled
def _leave_over(masks: Array, columns: Array, group: Array, sizes: Array, codes: Array, alleles: Array, bits: Array) -> None:
    """Fill ``bits`` [n] with the leaves that are left over by all genes ``columns`` [H], of which ``masks`` [H, K] tell."""
    table = np.empty(_COMBINATIONS, dtype=np.uint64)
    bits[:] = _ALL
    h = 0
    while h < len(columns):
        run = group[columns[h]]
        table[: sizes[run]] = _ALL
        while h < len(columns) and group[columns[h]] == run:
            mask, held = masks[h], alleles[columns[h]]
            for u in range(sizes[run]):
                table[u] &= mask[held[u]]
            h += 1
        code = codes[run]
        for r in range(len(bits)):
            bits[r] &= table[code[r]]


@compiled
def _kinds(last: Array, choices: Array, kind: Array) -> tuple[int, int]:
    """Fill ``kind`` [A]: ``choices`` of equal masks ``last`` [words, K] are of one; return the most usual, and how many."""
    kinds = most_usual = most = 0
    for a in range(len(choices)):
        kind[a] = kinds
        for other in range(a):
            if (last[:, choices[other]] == last[:, choices[a]]).all():
                kind[a] = kind[other]
                break
        kinds = max(kinds, kind[a] + 1)
    for k in range(kinds):
        many = (kind == k).sum()
        if many > most:
            most_usual, most = k, many
    return most_usual, kinds


@compiled
def _look_up(bits: Array, mask: Array, after: Array, now: Array) -> None:
    """Fill ``now`` [n] with the first of ``after`` [words, 64 + 1] whose leaf is in ``bits`` [words, n] and in ``mask``."""
    if len(mask) == 1:  # most trees: nothing to choose between words
        allowed, values, here = mask[0], after[0], bits[0]
        values[64] = NOWHERE
        for r in range(len(now)):
            now[r] = values[_lowest(here[r] & allowed)]
        return
    now[:] = NOWHERE
    for word in range(len(mask) - 1, -1, -1):
        allowed, values, here = mask[word], after[word], bits[word]
        for r in range(len(now)):
            left = here[r] & allowed
            value = values[_lowest(left)]
            now[r] = value if left != 0 else now[r]


def _count_zeros(_: Any, _bits: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), generate


_lowest: Any = intrinsic(_count_zeros)  # the place of the lowest bit that is set, 64 where none is: one instruction
