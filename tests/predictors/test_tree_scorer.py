from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.predictors.tree_masks import Forest, UnfitTrees, read_forest
from lissnas.predictors.tree_scorer import TreeScorer
from lissnas.spaces import ExplicitSpace, Gene, Movable, Neighbors, ProductSpace, SearchSpace


def plain() -> ProductSpace:
    return ProductSpace("plain", [Gene(f"op_{i}", ("k3", "k5", "k7", "x")) for i in range(12)])


def ordinal() -> ProductSpace:
    return ProductSpace(
        "ordinal",
        [Gene(f"width_{i}", tuple(range(16, 16 + 8 * n, 8)), ordered=True) for i, n in enumerate((2, 3, 5, 7, 30, 254))],
    )


def conditional() -> ProductSpace:
    genes = [Gene("depth", (2, 3, 4, 5)), Gene("bias", (False, True))]
    for i in range(5):
        genes.append(Gene(f"heads_{i}", (4, 8, 12), active=f"{i} < depth"))
        genes.append(Gene(f"op_{i}", ("a", "b"), active=f"{i} < depth"))
    return ProductSpace("conditional", genes)


def movable() -> ProductSpace:
    genes = [Gene(f"op_{i}", ("skip", "k3", "k5")) for i in range(6)]
    return ProductSpace("movable", genes, movable=[Movable("skip", tuple(g.name for g in genes[:4]))])


def shrunk() -> ExplicitSpace:
    space = plain()
    return ExplicitSpace.of(space, space.sample(3000, np.random.default_rng(4)))


SPACES = [plain, ordinal, conditional, movable, shrunk]


def target(space: SearchSpace, x: Genotypes) -> NDArray[np.float64]:
    """Main effects and products of neighboring genes, so that trees grow on every gene."""
    rng = np.random.default_rng(5)
    radix = max(gene.radix for gene in space.genes)
    main, pair = rng.normal(size=(space.length, radix)), rng.normal(size=(space.length, radix, radix))
    total = sum(main[g][x[:, g]] for g in range(space.length))
    total += sum(pair[g][x[:, g], x[:, g + 1]] for g in range(space.length - 1))
    return np.asarray(total)


def grow(space: SearchSpace, trees: int = 40, **settings: object) -> xgboost.Booster:
    x = space.sample(600, np.random.default_rng(1))
    y = target(space, x)
    data = xgboost.DMatrix(space.features(x), (y - y.mean()) / y.std())
    return xgboost.train({"max_depth": 6, "nthread": 1, "tree_method": "hist", "seed": 0, **settings}, data, trees)


@pytest.mark.parametrize("make", SPACES)
def test_equals_xgboost(make: object, rng: np.random.Generator) -> None:
    space: SearchSpace = make()  # type: ignore[operator]
    booster = grow(space)
    forest = read_forest(booster)
    assert (np.diff(forest.first) > 60).any()  # big trees are among them
    x = space.sample(3000, rng)
    features = space.features(x)
    assert np.isfinite(features).all()  # nothing is ever missing, so that default directions do not matter
    scores = TreeScorer(space, forest).predict(x)
    assert np.abs(scores - booster.inplace_predict(features)).max() < 1e-4


@pytest.mark.parametrize("make", SPACES)
def test_neighbors_equal_plain_predictions_bit_by_bit(make: object, rng: np.random.Generator) -> None:
    space: SearchSpace = make()  # type: ignore[operator]
    scorer = TreeScorer(space, read_forest(grow(space)))
    x = space.sample(30, rng)
    near = space.all_neighbors(x)
    assert np.array_equal(scorer.predict_neighbors(x, near), scorer.predict(near.genotypes))


def test_any_rows_can_be_given_as_neighbors_in_any_order(rng: np.random.Generator) -> None:
    space = plain()
    scorer = TreeScorer(space, read_forest(grow(space)))
    x = space.sample(50, rng)
    near = space.all_neighbors(x)
    order = rng.permutation(len(near.parents))
    mixed = Neighbors(near.genotypes[order], near.parents[order])
    mixed.genotypes[::7] = space.sample(len(mixed.genotypes[::7]), rng)  # many edits away
    mixed.genotypes[::11] = x[mixed.parents[::11]]  # no edit at all
    assert np.array_equal(scorer.predict_neighbors(x, mixed), scorer.predict(mixed.genotypes))
    none = Neighbors(near.genotypes[:0], near.parents[:0])
    assert scorer.predict_neighbors(x, none).shape == (0,)
    assert scorer.predict_neighbors(x[:0], none).shape == scorer.predict(x[:0]).shape == (0,)


def test_the_same_bits_for_any_number_of_threads_and_any_batch(rng: np.random.Generator) -> None:
    space = plain()
    scorer = TreeScorer(space, read_forest(grow(space)))
    x = space.sample(40_000, rng)
    alone = scorer.predict(x)
    assert alone.tobytes() == scorer.predict(x, threads=3).tobytes()
    assert alone[12_345:12_346].tobytes() == scorer.predict(x[12_345:12_346]).tobytes()
    rows = x[:2500]
    near = space.all_neighbors(rows)
    one, three = (scorer.predict_neighbors(rows, near, threads=n) for n in (1, 3))
    assert one.tobytes() == three.tobytes()


@pytest.mark.parametrize(
    "settings",
    [
        {"max_depth": 1},
        {"max_depth": 6, "max_leaves": 9, "grow_policy": "lossguide"},
        {"base_score": 3.25, "eta": 1.0},
        {"gamma": 0.5},  # pruned nodes stay in the file
        {"num_parallel_tree": 3, "subsample": 0.5},
        {"tree_method": "exact"},
    ],
)
def test_other_kinds_of_trees(settings: dict[str, object], rng: np.random.Generator) -> None:
    space = conditional()
    booster = grow(space, trees=20, **settings)
    x = space.sample(1000, rng)
    off = TreeScorer(space, read_forest(booster)).predict(x) - booster.inplace_predict(space.features(x))
    assert np.abs(off).max() < 1e-4


def test_a_stump_without_a_split(rng: np.random.Generator) -> None:
    space = plain()
    booster = grow(space, trees=3, gamma=1e9)
    x = space.sample(20, rng)
    scorer = TreeScorer(space, read_forest(booster))
    assert np.allclose(scorer.predict(x), booster.inplace_predict(space.features(x)), atol=1e-6)
    near = space.all_neighbors(x)
    assert np.array_equal(scorer.predict_neighbors(x, near), scorer.predict(near.genotypes))


def test_leaves_are_told_apart_up_to_64() -> None:
    """A full tree of depth 6 written by hand: leaf k for the genes' bits k, all 64 of them."""
    space = ProductSpace("bits", [Gene(f"b{i}", (0, 1), ordered=True) for i in range(6)])
    inner = 63
    node = np.arange(127)
    depth = np.floor(np.log2(node + 1)).astype(int)
    forest = Forest(
        first=np.array([0, 127]),
        left=np.where(node < inner, 2 * node + 1, -1).astype(np.int32),
        right=np.where(node < inner, 2 * node + 2, -1).astype(np.int32),
        feature=np.where(node < inner, depth, 0).astype(np.int32),
        value=np.where(node < inner, 0.5, node - inner).astype(np.float32),
        base=0.0,
    )
    x = next(space.enumerate())
    expected = x @ np.array([32, 16, 8, 4, 2, 1])
    scorer = TreeScorer(space, forest)
    assert np.allclose(scorer.predict(x), expected, atol=1e-6)
    near = space.all_neighbors(x)
    assert np.allclose(scorer.predict_neighbors(x, near), expected[near.genotypes @ np.array([32, 16, 8, 4, 2, 1])], atol=1e-6)


def test_a_threshold_is_compared_in_single_precision() -> None:
    """``x < threshold`` where both are the same float32, but the double behind the text is larger."""
    space = ProductSpace("two", [Gene("g", (0, 1), ordered=True)])
    forest = Forest(
        first=np.array([0, 3]),
        left=np.array([1, -1, -1], dtype=np.int32),
        right=np.array([2, -1, -1], dtype=np.int32),
        feature=np.zeros(3, dtype=np.int32),
        value=np.array([1.0000000001, 10, 20], dtype=np.float32),
        base=0.0,
    )
    assert TreeScorer(space, forest).predict(np.array([[0], [1]], dtype=np.uint8)) == pytest.approx([10, 20])


def test_trees_that_do_not_fit_say_why() -> None:
    space = plain()
    with pytest.raises(UnfitTrees, match="leaves, more than 64"):
        TreeScorer(space, read_forest(grow(space, trees=2, max_depth=9, min_child_weight=0.0)))
    with pytest.raises(UnfitTrees, match="'dart', not 'gbtree'"):
        read_forest(grow(space, trees=2, booster="dart"))
    with pytest.raises(UnfitTrees, match="'gblinear', not 'gbtree'"):
        read_forest(grow(space, trees=2, booster="gblinear"))

    class Tangled(ProductSpace):
        feature_table = None  # type: ignore[assignment]

    forest = read_forest(grow(space, trees=2))
    with pytest.raises(UnfitTrees, match="several genes at once"):
        TreeScorer(Tangled("tangled", space.genes), forest)
