"""Soft and hard boxes, by exact means: what they find, and that they find it without a query."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lissnas import UserError, get_space
from lissnas.predictors import MLPPredictor, XGBoostPredictor
from lissnas.predictors.expectation import Expectation
from lissnas.shrinkers import ABS, LISSNAS, PADNAS, SHRINKERS, Frontier, HardBox, SoftBox
from lissnas.shrinkers.box_search import descend, pairwise_difference
from lissnas.spaces import BoxUnionSpace, ConstrainedSpace, ExplicitSpace, Gene, Movable, ProductSpace, RestrictedSpace
from lissnas.spaces.laws import encodings_of, entropy_of, weighted_law
from lissnas.testing import ShrinkerContract
from lissnas.testing.toys import Oracle, TrueOracle, toy_space, toy_target


class NotAListed(ShrinkerContract):
    """A list is no product, and that is said."""

    def test_again(self):
        space = toy_space()
        given = ExplicitSpace.of(space, space.sample(6000, np.random.default_rng(0)))
        with pytest.raises(UserError, match="no product of its genes"):
            self.shrinker().shrink(given, Oracle.of(space), np.random.default_rng(0))


class TestSoftBox(NotAListed):
    def shrinker(self):
        return SoftBox(size=500)


class TestSoftBoxList(NotAListed):
    def shrinker(self):
        return SoftBox(size=500, best=200, queries=1000, diversity_weight=0.1)


class TestHardBox(NotAListed):
    def shrinker(self):
        return HardBox(size=500)


class TestUnion(NotAListed):
    def shrinker(self):
        return HardBox(size=800, boxes=2)


def test_registered():
    assert SHRINKERS.get("soft-box") is SoftBox
    assert SHRINKERS.get("hard-box") is HardBox


def free_space():
    return ProductSpace("free", [Gene(f"g{i}", tuple("abcd")) for i in range(6)])


def test_of_a_sum_over_genes_the_best_distribution_is_known():
    """Weights are exp(worth / temperature), the temperature the one at which the entropy is right."""
    space = free_space()
    exact = Expectation(Oracle.of(space))
    table, objective = descend(exact, encodings_of(space), math.log(100), np.random.default_rng(0))
    worth = exact.leaves.additive
    ratios = np.log(table[:, 1:] / table[:, :1]) / (worth[:, 1:] - worth[:, :1])
    np.testing.assert_allclose(ratios, ratios[0, 0], rtol=1e-4)
    assert entropy_of(encodings_of(space), table) == pytest.approx(math.log(100), abs=1e-3)
    assert objective == pytest.approx(exact.mean(table))


def test_where_genes_switch_others_off_the_best_distribution_is_a_boltzmann_distribution():
    """Of a sum over genes with one controller, the best distribution of all is a product given what is on: it is found."""
    genes = [
        Gene("depth", (1, 2, 3)),
        *(Gene(f"op_{i}", ("x", "y", "z"), active=f"depth > {i}") for i in range(1, 3)),
        Gene("w", (1, 2)),
    ]
    space = ProductSpace("cond", genes)
    oracle = Oracle.of(space)
    rows = np.concatenate(list(space.enumerate()))
    value = toy_target(space, rows)
    size = 8
    low, high = 1e-3, 1e3
    for _ in range(200):
        temperature = math.sqrt(low * high)
        chance = np.exp((value - value.max()) / temperature)
        chance /= chance.sum()
        if -(chance * np.log(chance + 1e-300)).sum() > math.log(size):
            high = temperature
        else:
            low = temperature
    exact = Expectation(oracle)
    table, objective = descend(exact, encodings_of(space), math.log(size), np.random.default_rng(0))
    assert objective == pytest.approx(chance @ value, abs=0.03)
    law = weighted_law(encodings_of(space), table)
    assert law.entropy == pytest.approx(math.log(size), abs=0.15)


def test_weighing_diversity_buys_differences():
    space = get_space("nasbench201")
    x = space.sample(400, np.random.default_rng(0))
    score = (x == 3).sum(axis=1) + 2.0 * ((x[:, 0] == 1) & (x[:, 5] == 1))
    predictor = XGBoostPredictor(trees=20, depth=3).fit(space, x, score)
    differences, means = [], []
    for weight in (0.0, 0.5):
        box = SoftBox(size=200, diversity_weight=weight).shrink(space, predictor, np.random.default_rng(0)).space
        assert box.perplexity == pytest.approx(200, rel=0.17)
        differences.append(pairwise_difference(box.law))
        means.append(Expectation(predictor).slopes(box.law).mean)
    assert differences[1] > differences[0]
    assert means[1] < means[0]
    start = Expectation(predictor).uniform()
    assert means[1] > start


def test_nothing_is_queried_and_the_story_says_what_came_out():
    space = toy_space()
    oracle = Oracle.of(space)
    oracle.asked = 0
    result = SoftBox(size=300).shrink(space, oracle, np.random.default_rng(0))
    assert (oracle.asked, result.ledger.queries) == (0, 0)
    assert "exact mean score" in result.stopped
    assert isinstance(HardBox(size=300).shrink(space, oracle, np.random.default_rng(0)).space, RestrictedSpace)
    assert oracle.asked == 0


def test_hard_box_is_at_most_as_large_as_asked_and_close_to_it():
    space = free_space()
    for size in (1, 10, 100, 1000):
        found = HardBox(size=size).shrink(space, Oracle.of(space), np.random.default_rng(0)).space
        assert 0.4 * size <= found.cardinality <= size


def test_genes_that_share_an_identity_keep_the_same_alleles():
    genes = [Gene(f"op_{i}", ("skip", "k3", "k5", "k7")) for i in range(4)] + [Gene("w", (1, 2, 3))]
    space = ProductSpace("chain", genes, movable=[Movable("skip", tuple(f"op_{i}" for i in range(4)))])
    found = HardBox(size=60).shrink(space, Oracle.of(space), np.random.default_rng(0)).space
    assert found.cardinality <= 60
    assert len({found.kept[i] for i in range(4)}) == 1
    soft = SoftBox(size=50).shrink(space, Oracle.of(space), np.random.default_rng(0))
    assert "drawings" in soft.stopped
    assert soft.space.counts_drawings


def test_boxes_of_a_union_lie_apart():
    space = free_space()
    union = HardBox(size=400, boxes=4, apart=1.0).shrink(space, Oracle.of(space), np.random.default_rng(0)).space
    assert isinstance(union, BoxUnionSpace)
    assert union.cardinality > 0.5 * union.encodings
    assert 0.5 * 400 <= union.cardinality <= 400
    one = HardBox(size=400).shrink(space, Oracle.of(space), np.random.default_rng(0)).space

    def difference(s):
        a, b = s.sample(2000, np.random.default_rng(0)), s.sample(2000, np.random.default_rng(1))
        return s.distance(a, b).mean()

    assert difference(union) > difference(one)


def test_a_weight_on_diversity_that_no_such_size_meets_is_said():
    """A hundred genes' worth of difference keeps every gene even: no temperature brings that down to 20."""
    space = free_space()
    with pytest.raises(UserError, match=r"no distribution as large as 20 was found.*lower diversity_weight"):
        SoftBox(size=20, diversity_weight=1000.0).shrink(space, Oracle.of(space), np.random.default_rng(0))


def test_darts_takes_a_second_and_limits_are_met():
    space = get_space("darts")
    x = space.sample(200, np.random.default_rng(0))
    predictor = XGBoostPredictor(trees=30, depth=3).fit(space, x, (x == 2).sum(axis=1) + 0.0)
    result = SoftBox(size=10_000).shrink(space, predictor, np.random.default_rng(0), ["params <= 4e6"])
    assert isinstance(result.space, ConstrainedSpace)
    drawn = result.space.sample(200, np.random.default_rng(1))
    assert (space.cost(drawn).params <= 4e6).all()
    assert (drawn == 2).sum() > (x == 2).sum()


def test_a_box_of_drawings_without_a_canonical_network_is_said():
    space = get_space("darts")
    with pytest.raises(UserError, match="about 1,250 encodings of 'darts' holds no canonical architecture"):
        HardBox(size=10_000, boxes=8).shrink(space, Oracle.of(space), np.random.default_rng(0))


def test_mistakes():
    space = toy_space()
    rng = np.random.default_rng(0)
    for settings, words in [
        ({"size": 0}, "size must be at least 1"),
        ({"diversity_weight": -1.0}, "diversity_weight must be"),
        ({"best": 100}, "cannot come out of 0 queries"),
    ]:
        with pytest.raises(UserError, match=words):
            SoftBox(**settings)
    with pytest.raises(UserError, match="boxes must be from 1"):
        HardBox(boxes=0)
    with pytest.raises(UserError, match="a box is smaller than the space"):
        SoftBox(size=10**7).shrink(space, Oracle.of(space), rng)
    with pytest.raises(UserError, match="work goes from 96 to 384"):
        SoftBox(size=100).shrink(space, Oracle.of(space), rng, ["work <= 3"])
    x = space.sample(100, rng)
    net = MLPPredictor(epochs=2) if "epochs" in MLPPredictor.__init__.__code__.co_varnames else MLPPredictor()
    with pytest.raises(UserError, match="sum of trees over single genes"):
        SoftBox(size=100).shrink(space, net.fit(space, x, toy_target(space, x)), rng)
    graph = get_space("nasbench101")
    with pytest.raises(UserError, match=r"no product of its genes.*query-all"):
        SoftBox(size=100).check(graph)


@pytest.mark.parametrize("method", [ABS, PADNAS])
def test_methods_that_drop_alleles_can_score_them_exactly(method):
    space = free_space()
    x = space.sample(300, np.random.default_rng(0))
    predictor = XGBoostPredictor(trees=10, depth=2, labels="raw").fit(space, x, toy_target(space, x))
    settings = {"queries": 2000, "size": 300}
    exact = method(**settings, scores="exact").shrink(space, predictor, np.random.default_rng(0))
    whole = Expectation(predictor)
    assert Expectation(predictor, exact.space).uniform() > whole.uniform()
    with pytest.raises(UserError, match="scores must be sampled or exact"):
        method(scores="guessed")


def test_methods_that_query_can_start_from_a_soft_box():
    space = free_space()
    oracle = Oracle.of(space)
    for start in ("sample", "soft-box"):
        found = Frontier(queries=2500, size=100, rounds=2, cover=False, start=start).shrink(
            space, oracle, np.random.default_rng(0)
        )
        assert found.space.cardinality == 100
        found = LISSNAS(queries=2500, size=100, iterations=2, cover=False, start=start).shrink(
            space, oracle, np.random.default_rng(0)
        )
        assert found.space.cardinality <= 100
    with pytest.raises(UserError, match="start must be"):
        Frontier(start="anywhere")
    with pytest.raises(UserError, match="here true scores are asked"):
        Frontier(queries=2500, size=100, cover=False, start="soft-box").shrink(
            space, TrueOracle(space), np.random.default_rng(0)
        )
