"""XGBoost's trees as tables of leaf masks (QuickScorer's idea [Lucchese et al. 2015], made for genotypes).

Genes are categorical with few alleles. For each (tree, gene, allele) a 64-bit mask says which leaves stay reachable, leaves
counted from left to right; the AND of the masks of a row's alleles leaves one leaf. Neighboring genes are taken together in
groups of at most 256 joint values, so that a row needs one look-up per group.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.spaces import SearchSpace

__all__ = ["Forest", "TreeTables", "UnfitTrees", "make_tables", "read_forest"]

MAX_LEAVES = 64
MAX_JOINT = 256
_WHOLE = 1 << 30  # sums of leaves stay below it in size, so that the difference of two of them fits 32 bits


class UnfitTrees(Exception):
    """The trees do not fit the tables; the text says why."""


@dataclass(frozen=True)
class Forest:
    """The trees of a booster, nodes of all trees in one row.

    Attributes:
        first: int64[T + 1], where each tree's nodes begin.
        left, right: int32[N], children counted from the tree's first node; -1 in a leaf.
        feature: int32[N], the feature that is compared.
        value: float32[N], the threshold (``feature < value`` goes left), or a leaf's value.
        base: added to the sum of leaves.
    """

    first: NDArray[np.int64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    feature: NDArray[np.int32]
    value: NDArray[np.float32]
    base: float

    @property
    def trees(self) -> int:
        """How many."""
        return len(self.first) - 1


def read_forest(booster: Any) -> Forest:
    """Read a booster's trees from XGBoost's own JSON (XGBoost doc/model.schema).

    Raises:
        UnfitTrees: not plain regression trees with numerical splits.
    """
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    if learner["gradient_booster"].get("name") != "gbtree":
        raise UnfitTrees(f"its booster is '{learner['gradient_booster'].get('name')}', not 'gbtree'")
    trees = learner["gradient_booster"]["model"]["trees"]
    if any(any(tree.get("split_type", ())) for tree in trees):
        raise UnfitTrees("some of its splits are categorical")
    # A vector "[5E-1]" since XGBoost 3.1, a plain number before.
    base = learner["learner_model_param"]["base_score"].strip("[]")

    def joined(key: str, dtype: type[np.generic]) -> NDArray[Any]:
        return np.concatenate([np.asarray(tree[key], dtype=dtype) for tree in trees] or [np.zeros(0, dtype=dtype)])

    return Forest(
        first=np.cumsum([0, *(len(tree["left_children"]) for tree in trees)], dtype=np.int64),
        left=joined("left_children", np.int32),
        right=joined("right_children", np.int32),
        feature=joined("split_indices", np.int32),
        value=joined("split_conditions", np.float32),
        base=float(base),
    )


@dataclass(frozen=True)
class TreeTables:
    """What the kernels look up: ``T`` trees, ``G`` genes that some tree asks for, in ``J`` groups with ``S`` joint values.

    Attributes:
        columns: intp[G], where the genes stand in a genotype.
        radix: int64[G], alleles of each gene (the one for inactive included).
        group: int64[G], the group that each is in.
        stride: int64[G], what one step of the gene's allele is worth in its group's joint value.
        first: int64[J], where each group's joint values begin among the ``S``.
        masks: uint64[T, P], the leaves that stay reachable under an allele of a gene: ``P`` (gene, allele) pairs.
        first_pair: int64[G], where a gene's alleles begin among the pairs.
        pair_gene: uint16[P], which of the ``G`` genes each pair is of.
        tables: uint64[T, S], the leaves that stay reachable under a group's joint value.
        leaves: int32[T, 64], each leaf's value in whole units of ``unit``, in the order of the hash of its bit.
        unit: so much is one.
        base: added to every sum.
        start, turns: int32[T, 65] and uint16: for each leaf, the (gene, allele) pairs that would lead elsewhere, in one row.
    """

    columns: NDArray[np.intp]
    radix: NDArray[np.int64]
    group: NDArray[np.int64]
    stride: NDArray[np.int64]
    first: NDArray[np.int64]
    masks: NDArray[np.uint64]
    first_pair: NDArray[np.int64]
    pair_gene: NDArray[np.uint16]
    tables: NDArray[np.uint64]
    leaves: NDArray[np.int32]
    unit: float
    base: float
    start: NDArray[np.int32]
    turns: NDArray[np.uint16]


def make_tables(space: SearchSpace, forest: Forest) -> TreeTables:
    """The tables of ``forest`` for genotypes of ``space``.

    Raises:
        UnfitTrees: a feature that looks at several genes, or a tree of more than 64 leaves.
    """
    from lissnas.predictors.kernels import build_masks, build_tables, list_turns

    features = space.feature_table
    if features is None:
        raise UnfitTrees(f"features of '{space.name}' look at several genes at once")
    inner = forest.left >= 0
    asked = features.genes[forest.feature]  # a leaf's is never used
    columns = np.unique(asked[inner]) if inner.any() else np.zeros(1, dtype=np.intp)
    radix = np.array([space.genes[column].radix for column in columns], dtype=np.int64)
    gene = np.searchsorted(columns, asked)
    goes_left = features.values[forest.feature] < forest.value[:, None]

    first_pair, pairs = np.cumsum(radix) - radix, int(radix.sum())
    group, stride, sizes = _group(radix)
    first, joint_values = np.cumsum([0, *sizes[:-1]], dtype=np.int64), sum(sizes)
    if max(joint_values, pairs) > np.iinfo(np.uint16).max:
        raise UnfitTrees(f"its {len(columns)} genes have too many alleles ({pairs:,}) for the tables")

    masks = np.zeros((forest.trees, pairs), dtype=np.uint64)
    leaf_values = np.zeros((forest.trees, MAX_LEAVES), dtype=np.float64)
    nodes = (forest.first, forest.left, forest.right, gene, goes_left, forest.value)
    most = build_masks(*nodes, radix, first_pair, masks, leaf_values)
    if most > MAX_LEAVES:
        raise UnfitTrees(f"a tree has {most} leaves, more than {MAX_LEAVES} (a depth of 6 at most gives no more)")
    tables = np.empty((forest.trees, joint_values), dtype=np.uint64)
    build_tables(masks, radix, first_pair, group, stride, first, np.array(sizes, dtype=np.int64), tables)
    start = np.zeros((forest.trees, MAX_LEAVES + 1), dtype=np.int32)
    turns = np.empty(list_turns(masks, radix[0], start, np.empty(0, dtype=np.uint16)), dtype=np.uint16)
    list_turns(masks, radix[0], start, turns)

    reach = float(np.abs(leaf_values).max(axis=1).sum())
    unit = (reach or 1.0) / (_WHOLE - forest.trees)  # a sum of T roundings is off by less than T
    return TreeTables(
        columns=columns,
        radix=radix,
        group=group,
        stride=stride,
        first=first,
        masks=masks,
        first_pair=first_pair,
        pair_gene=np.repeat(np.arange(len(radix)), radix).astype(np.uint16),
        tables=tables,
        leaves=np.rint(leaf_values / unit).astype(np.int32),
        unit=unit,
        base=forest.base,
        start=start,
        turns=turns,
    )


def _group(radix: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], list[int]]:
    """Genes in order, as many to a group as have at most 256 joint values: the group and stride of each, the groups' sizes."""
    group, stride = np.zeros(len(radix), dtype=np.int64), np.ones(len(radix), dtype=np.int64)
    sizes = [1]
    for index, count in enumerate(radix.tolist()):
        if sizes[-1] * count > MAX_JOINT and sizes[-1] > 1:
            sizes.append(1)
        group[index], stride[index] = len(sizes) - 1, sizes[-1]
        sizes[-1] *= count
    return group, stride, sizes
