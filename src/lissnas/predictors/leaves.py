"""A fitted ensemble of trees as a sum of products over genes.

A leaf is a value times one factor for each gene that its path asks for: whether the gene holds one of the alleles that stay.
The ensemble is the sum of its leaves, so that its mean over any product of alleles is a closed formula (``expectation``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.predictors.base import Predictor
from lissnas.predictors.ensemble import EnsemblePredictor
from lissnas.predictors.labelled import LabelledPredictor
from lissnas.predictors.labels import LabelMap
from lissnas.predictors.linear import LinearPredictor
from lissnas.predictors.tree_masks import Forest, UnfitTrees, read_forest
from lissnas.predictors.xgboost import XGBoostPredictor
from lissnas.spaces import SearchSpace

__all__ = ["Leaves", "plain_leaves", "read_leaves"]


@dataclass(frozen=True)
class Leaves:
    """``M`` leaves with ``K`` factors, of which ``F`` are different, over ``L`` genes of at most ``A`` alleles.

    What it adds up to is the predicted score where the predictor learned raw scores (the way back is a line); else it is the
    label (ranks as normal quantiles, logarithms, log-odds), and ``labels`` is the way back. That way rises, so order and the
    best are the same on both scales, but the mean of the scores is not the score of the mean label.

    Attributes:
        space: whose genotypes are asked about.
        higher_is_better: what counts as better.
        base: added to every sum.
        additive: float64[L, A], what each allele adds by itself: the line that the trees start from.
        value: float64[M].
        tree: int64[M], the tree that each is of; -1 where leaves of several trees were merged.
        start: int64[M + 1], where the factors of each leaf begin, in the order of genes.
        factor: int64[K], which of the different factors.
        gene: int64[F], the gene that a factor asks for.
        mask: bool[F, A], the alleles that it lets through (the last one of a gene with a condition: inactive).
        labels: the way from sums to scores; None where sums are scores.
    """

    space: SearchSpace
    higher_is_better: bool
    base: float
    additive: NDArray[np.float64]
    value: NDArray[np.float64]
    tree: NDArray[np.int64]
    start: NDArray[np.int64]
    factor: NDArray[np.int64]
    gene: NDArray[np.int64]
    mask: NDArray[np.bool_]
    labels: LabelMap | None = None

    @property
    def unit(self) -> str:
        """``score``, or what stands for it: ``rank-normal``, ``log`` or ``logit`` label."""
        return "score" if self.labels is None else f"{self.labels.kind} label"

    def to_scores(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """The score that stands for each sum; of a mean label it is not the mean score."""
        return sums if self.labels is None else self.labels.to_scores(sums)

    def add_up(self, genotypes: Genotypes) -> NDArray[np.float64]:
        """float64[n]: the sum for each row of uint8[n, L]: what the formulas are checked against."""
        from lissnas.predictors.expectation_kernels import add_leaves

        sums = np.full(len(genotypes), self.base)
        for gene, worth in enumerate(self.additive):
            sums += worth[genotypes[:, gene]]
        holds = self.mask[np.arange(len(self.gene))[:, None], genotypes.T[self.gene]]  # bool[F, n]
        add_leaves(self.value, self.start, self.factor, holds, sums)
        return sums

    def merged(self) -> Leaves:
        """The same sum with leaves of equal factors as one, and leaves without factors as a part of the base."""
        count = np.diff(self.start)
        padded = np.full((len(self.value), int(count.max(initial=0))), -1, dtype=np.int32)
        padded[np.arange(padded.shape[1]) < count[:, None]] = self.factor
        padded, value = padded[count > 0], self.value[count > 0]
        _, first, which = _unique_rows(padded)
        kept = padded[first]
        held = kept >= 0
        summed: NDArray[np.float64] = np.bincount(which, weights=value, minlength=len(first)).astype(np.float64)
        return replace(
            self,
            base=self.base + float(self.value[count == 0].sum()),
            value=summed,
            tree=np.full(len(first), -1, dtype=np.int64),
            start=_starts(held.sum(axis=1)),
            factor=kept[held].astype(np.int64),
        )


@singledispatch
def read_leaves(predictor: Predictor) -> Leaves:
    """The leaves of a fitted predictor: trees (with or without a line below), a line alone, or an ensemble of those.

    A kind of predictor that is such a sum adds itself with ``@read_leaves.register``.

    Raises:
        UserError: a predictor of another kind, features that look at several genes at once, or an ensemble whose members
            learned something else than raw scores: each has another way back, and their mean is no sum.
    """
    raise UserError(
        f"exact answers need a predictor that is a sum of trees over single genes (xgboost, linear, or an ensemble of them), "
        f"but got a {type(predictor).__name__} ('{predictor.kind}'): fit one with --predictor xgboost"
    )


@read_leaves.register
def _(predictor: EnsemblePredictor) -> Leaves:
    predictor._require_fitted()
    parts = [read_leaves(one) for one in predictor._fitted_members()]
    bent = [part.unit for part in parts if part.labels is not None]
    if bent:
        raise UserError(
            f"the mean of members that learned {bent[0]}s is no sum of products over genes, so there are no exact answers: "
            "give the members labels raw"
        )
    return _mean(parts)


@read_leaves.register
def _(predictor: LinearPredictor) -> Leaves:
    predictor._require_fitted()
    if predictor.features != "one-hot":
        raise UserError(
            f"exact answers need features that each look at one gene, but '{predictor.features}' features look at several: "
            "take features one-hot"
        )
    nothing = plain_leaves(predictor.space, predictor.higher_is_better)
    return _on_the_scale_of_scores(_with_line(nothing, predictor.weights, predictor.offset), predictor)


@read_leaves.register
def _(predictor: XGBoostPredictor) -> Leaves:
    predictor._require_fitted()
    try:
        leaves = _tree_leaves(predictor.space, read_forest(predictor.booster), predictor.higher_is_better)
    except UnfitTrees as reason:
        raise UserError(f"exact answers need plain regression trees over single genes, but {reason}") from None
    if predictor._line is not None:
        leaves = _with_line(leaves, *predictor._line)
    return _on_the_scale_of_scores(leaves, predictor)


def _with_line(leaves: Leaves, weights: NDArray[np.float64], offset: float) -> Leaves:
    """The same above a line through one-hot features; an inactive gene adds nothing."""
    additive = np.zeros_like(leaves.additive)
    first = 0
    for index, gene in enumerate(leaves.space.genes):
        additive[index, : len(gene.alleles)] = weights[first : first + len(gene.alleles)]
        first += len(gene.alleles)
    return replace(leaves, additive=additive, base=leaves.base + offset)


def _on_the_scale_of_scores(leaves: Leaves, predictor: LabelledPredictor) -> Leaves:
    """Sums of scores where the way back is a line; else the labels with their way back."""
    way = predictor._label_map
    if way.kind != "raw":
        return replace(leaves, labels=way)
    slope = float((way.scores[-1] - way.scores[0]) / (way.labels[-1] - way.labels[0]))
    base = float(way.scores[0]) + slope * (leaves.base - float(way.labels[0]))
    return replace(leaves, base=base, additive=slope * leaves.additive, value=slope * leaves.value)


def plain_leaves(space: SearchSpace, higher_is_better: bool = True) -> Leaves:
    """No leaf at all: a sum of 0 for every architecture."""
    widest = max(gene.radix for gene in space.genes)
    none = np.zeros(0, dtype=np.int64)
    return Leaves(
        space=space,
        higher_is_better=higher_is_better,
        base=0.0,
        additive=np.zeros((space.length, widest)),
        value=np.zeros(0),
        tree=none,
        start=np.zeros(1, dtype=np.int64),
        factor=none,
        gene=none,
        mask=np.zeros((0, widest), dtype=np.bool_),
    )


def _tree_leaves(space: SearchSpace, forest: Forest, higher_is_better: bool) -> Leaves:
    from lissnas.predictors.certified_kernels import list_leaves

    features = space.feature_table
    if features is None:
        raise UnfitTrees(f"features of '{space.name}' look at several genes at once")
    radix = np.array([gene.radix for gene in space.genes], dtype=np.int64)
    widest = int(radix.max())
    goes_left = features.values[forest.feature] < forest.value[:, None]
    nodes = (forest.first, forest.left, forest.right, features.genes[forest.feature], goes_left, radix)
    begins = np.zeros(forest.trees + 1, dtype=np.int64)
    empty = np.zeros(0, dtype=np.int64)
    leaves, tests = list_leaves(*nodes, empty, begins, empty, empty, np.zeros((0, goes_left.shape[1]), dtype=np.bool_))
    node, of_leaf, gene = (np.zeros(size, dtype=np.int64) for size in (leaves, tests, tests))
    masks = np.zeros((tests, goes_left.shape[1]), dtype=np.bool_)
    list_leaves(*nodes, node, begins, of_leaf, gene, masks)
    masks = masks[:, :widest] & (np.arange(widest) < radix[gene][:, None])
    keys = np.column_stack([gene.astype(np.uint8 if space.length < 256 else np.uint32), np.packbits(masks, axis=1)])
    _, first, factor = _unique_rows(keys)
    return replace(
        plain_leaves(space, higher_is_better),
        base=forest.base,
        value=forest.value[node].astype(np.float64),
        tree=np.repeat(np.arange(forest.trees), np.diff(begins)),
        start=_starts(np.bincount(of_leaf, minlength=leaves)),
        factor=factor,
        gene=gene[first],
        mask=masks[first],
    )


def _mean(parts: list[Leaves]) -> Leaves:
    """The mean of several sums, as one sum."""
    share = 1 / len(parts)
    gene, mask = np.concatenate([p.gene for p in parts]), np.concatenate([p.mask for p in parts])
    keys = np.column_stack([gene.astype(np.uint32), np.packbits(mask, axis=1)])
    _, first, which = _unique_rows(keys)
    factors = _starts([len(p.gene) for p in parts])
    trees = _starts([int(p.tree.max(initial=-1)) + 1 for p in parts])
    return replace(
        parts[0],
        base=share * sum(p.base for p in parts),
        additive=share * np.sum([p.additive for p in parts], axis=0),
        value=share * np.concatenate([p.value for p in parts]),
        tree=np.concatenate([p.tree + low for p, low in zip(parts, trees, strict=False)]),
        start=_starts(np.concatenate([np.diff(p.start) for p in parts])),
        factor=which[np.concatenate([p.factor + low for p, low in zip(parts, factors, strict=False)])],
        gene=gene[first],
        mask=mask[first],
    )


def _unique_rows(rows: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp], NDArray[np.intp]]:
    """Different rows in order, where each stands first, and which of them each row is."""
    if not len(rows):
        return rows, np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
    whole = np.ascontiguousarray(rows)
    keys = whole.view([("", whole.dtype, (whole.shape[1],))]).ravel() if whole.shape[1] else np.zeros(len(rows), dtype=np.uint8)
    raw = keys.view(np.dtype((np.void, keys.dtype.itemsize)))
    unique, first, which = np.unique(raw, return_index=True, return_inverse=True)
    return unique, first, which.astype(np.int64)


def _starts(counts: Any) -> NDArray[np.int64]:
    starts: NDArray[np.int64] = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return starts
