"""What a predictor says of a space, as a sum of factors in whole numbers: the form that the certified search works on.

A factor is a list of boxes of alleles (leaves), of which exactly one holds any network, and what each is worth. A tree is one;
what a space demands of its genes (a layer that is switched off, identities that stand last) is one too, whose boxes are worth
nothing and together hold the networks there are; a line under the trees is one factor for each gene.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lissnas.predictors.base import Predictor
from lissnas.predictors.leaves import Leaves, read_leaves
from lissnas.predictors.xgboost import XGBoostPredictor
from lissnas.spaces import SearchSpace
from lissnas.spaces.boxes import boxes_of

__all__ = ["Factors", "WholeSum", "whole_sum"]

_FINE = 16  # bits below a unit of the fast scorer, at most: messages are shared out in whole numbers
_BITS = 46  # of the largest sum: the search marks what leads to no network by numbers beyond it


class Factors(NamedTuple):
    """``T`` factors over ``L`` genes of at most ``K`` alleles, with ``N`` leaves and ``S`` entries of scopes.

    Attributes:
        radix: int64[L], alleles of each gene, the one for inactive included.
        leaf_value: int64[N], what each leaf is worth.
        factor_leaf: int64[T + 1], where each factor's leaves begin.
        factor_scope: int64[T + 1], where its entries begin: the genes that some of its leaves ask for.
        scope_gene, scope_factor: int64[S], the gene and the factor of each entry.
        scope_pair: int64[S + 1], where the messages of each entry begin, one per allele.
        scope_test: int64[S + 1], where its tests begin: the leaves that ask for the gene.
        test_leaf: int64[E], the leaf of each test.
        test_allowed: bool[E, K], the alleles that it lets through.
        gene_start: int64[L + 1], where each gene's entries begin in ``gene_entry`` int64[S].
    """

    radix: NDArray[np.int64]
    leaf_value: NDArray[np.int64]
    factor_leaf: NDArray[np.int64]
    factor_scope: NDArray[np.int64]
    scope_gene: NDArray[np.int64]
    scope_factor: NDArray[np.int64]
    scope_pair: NDArray[np.int64]
    scope_test: NDArray[np.int64]
    test_leaf: NDArray[np.int64]
    test_allowed: NDArray[np.bool_]
    gene_start: NDArray[np.int64]
    gene_entry: NDArray[np.int64]


class WholeSum(NamedTuple):
    """What a predictor adds up for every network, turned so that higher is better, in whole numbers.

    Attributes:
        factors: their sum, ``own`` included, is the predictor's sum less ``base``, in units of ``unit``.
        own: int64[L, K], what each allele is worth by itself; the last ``L`` factors, one per gene, carry it in messages.
        allowed: bool[L, K], the alleles that some network holds.
        unit: so much is one.
        base: of sums, turned.
        slack: how far a whole number may be from what the predictor says, on the scale of its sums.
        leaves: where it comes from, and the way to scores.
    """

    factors: Factors
    own: NDArray[np.int64]
    allowed: NDArray[np.bool_]
    unit: float
    base: float
    slack: float
    leaves: Leaves

    def score(self, value: int, slack: float = 0.0) -> float:
        """The score that a whole number stands for, made better by ``slack`` on the scale of sums."""
        sign = 1.0 if self.leaves.higher_is_better else -1.0
        return float(self.leaves.to_scores(np.array([sign * (self.base + value * self.unit + slack)]))[0])


class _Leaves(NamedTuple):
    """Leaves of several factors: values, where each factor's begin, and their tests (leaf, gene, alleles that stay)."""

    value: NDArray[np.int64]
    start: NDArray[np.int64]
    test_leaf: NDArray[np.int64]
    test_gene: NDArray[np.int64]
    test_allowed: NDArray[np.bool_]


def whole_sum(space: SearchSpace, predictor: Predictor) -> WholeSum:
    """The factors of ``predictor`` on ``space``, which must be a product of its genes (``boxes_of``).

    Raises:
        UserError: no sum of trees over single genes (see :func:`~lissnas.predictors.leaves.read_leaves`).
    """
    leaves = read_leaves(predictor)
    sign = 1.0 if leaves.higher_is_better else -1.0
    radix = np.array([gene.radix for gene in space.genes], dtype=np.int64)
    trees = int(leaves.tree.max(initial=-1)) + 1
    begins = np.searchsorted(leaves.tree, np.arange(trees + 1))
    reach = float(np.maximum.reduceat(np.abs(leaves.value), begins[:-1]).sum()) if trees else 0.0
    reach_of_line = float(np.abs(leaves.additive).max(axis=1).sum())
    coarse = _step_of_scorer(predictor, leaves)
    largest = reach + reach_of_line or 1.0
    # a line under the trees can be worth far more than they are
    fine = -1 if coarse is None else min(_FINE, _BITS - math.ceil(math.log2(max(largest / coarse, 1.0))))
    if coarse is None or fine < 0:
        unit = largest / (1 << _BITS)
        value = np.rint(leaves.value / unit)
        # who predicts adds up in single precision, or rounds each leaf
        slack = (trees + 1) * (unit + (2.0**-23 * reach if coarse is None else coarse))
    else:
        unit = coarse / (1 << fine)
        value = np.rint(leaves.value / coarse) * (1 << fine)  # as the scorer rounds
        slack = 0.0
    slack += (len(radix) + 2) * unit + 1e-13 * (reach + reach_of_line + abs(leaves.base))
    test_leaf = np.repeat(np.arange(len(leaves.value)), np.diff(leaves.start))
    asked = _Leaves((sign * value).astype(np.int64), begins, test_leaf, leaves.gene[leaves.factor], leaves.mask[leaves.factor])
    own = np.rint(sign * leaves.additive / unit).astype(np.int64)
    factors, allowed = _make_factors(space, radix, asked)
    return WholeSum(factors, own, allowed, unit, sign * leaves.base, slack, leaves)


def _step_of_scorer(predictor: Predictor, leaves: Leaves) -> float | None:
    """What the fast scorer rounds leaves to, on the scale of ``leaves``; None where something else predicts."""
    fast = predictor._fast if isinstance(predictor, XGBoostPredictor) else None
    if fast is None:
        return None
    way = predictor._label_map  # type: ignore[attr-defined]
    slope = 1.0 if leaves.labels is not None else (way.scores[-1] - way.scores[0]) / (way.labels[-1] - way.labels[0])
    return float(fast.tables.unit * slope)


def _make_factors(space: SearchSpace, radix: NDArray[np.int64], trees: _Leaves) -> tuple[Factors, NDArray[np.bool_]]:
    """The factors of trees, of what the space demands and of single genes, and bool[L, K], the alleles that may be held."""
    genes, widest = len(radix), int(radix.max())
    allowed = np.arange(widest) < radix[:, None]
    demands = []
    for boxes in boxes_of(space) or ():
        held = np.zeros((*boxes.allowed.shape[:2], widest), dtype=np.bool_)
        held[:, :, : boxes.allowed.shape[2]] = boxes.allowed[:, :, :widest]
        if len(held) == 1:
            allowed[boxes.columns] &= held[0]
        else:
            demands.append(_box_leaves(boxes.columns, held, radix))
    single = _Leaves(  # a leaf for each gene, which asks for nothing
        np.zeros(genes, dtype=np.int64),
        np.arange(genes + 1),
        np.arange(genes),
        np.arange(genes),
        np.arange(widest) < radix[:, None],
    )
    leaves = _join([trees, *demands, single])
    factor_of_leaf = np.repeat(np.arange(len(leaves.start) - 1), np.diff(leaves.start))
    key = factor_of_leaf[leaves.test_leaf] * genes + leaves.test_gene
    entries, entry = np.unique(key, return_inverse=True)
    order = np.argsort(entry, kind="stable")
    gene, factor = entries % genes, entries // genes
    by_gene = np.argsort(gene, kind="stable")
    return (
        Factors(
            radix=radix,
            leaf_value=leaves.value,
            factor_leaf=leaves.start,
            factor_scope=np.searchsorted(factor, np.arange(len(leaves.start))),
            scope_gene=gene,
            scope_factor=factor,
            scope_pair=_starts(radix[gene]),
            scope_test=_starts(np.bincount(entry, minlength=len(entries))),
            test_leaf=leaves.test_leaf[order],
            test_allowed=np.ascontiguousarray(leaves.test_allowed[order]),
            gene_start=np.searchsorted(gene[by_gene], np.arange(genes + 1)),
            gene_entry=by_gene,
        ),
        allowed,
    )


def _starts(counts: NDArray[Any]) -> NDArray[np.int64]:
    starts: NDArray[np.int64] = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return starts


def _box_leaves(columns: NDArray[np.intp], allowed: NDArray[np.bool_], radix: NDArray[np.int64]) -> _Leaves:
    """One factor, worth nothing in each of its boxes bool[B, C, K]."""
    full = (allowed | (np.arange(allowed.shape[2]) >= radix[columns][:, None])).all(axis=2)
    leaf, column = np.nonzero(~full)
    count = len(allowed)
    return _Leaves(
        np.zeros(count, dtype=np.int64), np.array([0, count]), leaf, columns[column].astype(np.int64), allowed[leaf, column]
    )


def _join(parts: Sequence[_Leaves]) -> _Leaves:
    """The factors of all ``parts``, one after the other."""
    before = _starts(np.array([len(part.value) for part in parts]))
    return _Leaves(
        np.concatenate([part.value for part in parts]),
        np.concatenate([[0], *(part.start[1:] + low for part, low in zip(parts, before, strict=False))]).astype(np.int64),
        np.concatenate([part.test_leaf + low for part, low in zip(parts, before, strict=False)]),
        np.concatenate([part.test_gene for part in parts]),
        np.concatenate([part.test_allowed for part in parts]),
    )
