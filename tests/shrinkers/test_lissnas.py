"""LISSNAS: the contract in all its forms, its stop rules, and that it beats what it is built to beat."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lissnas import LISSNAS, UserError
from lissnas.arrays import locate
from lissnas.shrinkers import NaiveTop
from lissnas.spaces import ExplicitSpace, Gene, ProductSpace, TableCost
from lissnas.testing import ShrinkerContract
from lissnas.testing.toys import Oracle, toy_space


class TestDefaultContract(ShrinkerContract):
    def shrinker(self):
        return LISSNAS(queries=4000)


class TestCoveringContract(ShrinkerContract):
    def shrinker(self):
        return LISSNAS(queries=20_000)


class TestAsInPaperContract(ShrinkerContract):
    def shrinker(self):
        return LISSNAS.as_in_paper(queries=4000)


class TestStrataContract(ShrinkerContract):
    def shrinker(self):
        return LISSNAS(queries=4000, strata=5)


class TestFartherNeighborsContract(ShrinkerContract):
    def shrinker(self):
        return LISSNAS(queries=4000, max_distance=3, keep="all", seed_share=0.05, iterations=4)


class TestNoNeighborsContract(ShrinkerContract):
    def shrinker(self):
        return LISSNAS(queries=4000, proposal="none")


class TestRandomRefillContract(ShrinkerContract):
    def shrinker(self):
        return LISSNAS(queries=4000, proposal="random")


def wide_space() -> ProductSpace:
    """4^12 = 16.8 million architectures, more than any budget here covers."""
    genes = [Gene(f"g{i}", ("a", "b", "c", "d")) for i in range(12)]
    table = np.tile(np.arange(4.0), (12, 1))
    return ProductSpace("wide", genes, costs=[TableCost("size", 0, table)])


@pytest.fixture(scope="module")
def space() -> ProductSpace:
    return wide_space()


def test_comes_down_to_the_size_asked_for_with_a_rising_mean(space):
    result = LISSNAS(queries=5000, size=300).shrink(space, Oracle.of(space), np.random.default_rng(0))
    sizes = [i.size for i in result.iterations]
    means = [i.mean for i in result.iterations]
    assert sizes[0] == 4**12
    assert sizes[-1] == result.space.cardinality == 300
    assert all(a > b for a, b in itertools.pairwise(sizes))
    assert all(a < b for a, b in itertools.pairwise(means))
    assert result.ledger.queries <= 5000


def test_members_are_the_best_of_everything_queried(space):
    """The members' worst score is better than most of the first sample, and they hold the best that was seen."""
    oracle = Oracle.of(space)
    result = LISSNAS(queries=5000, size=300).shrink(space, oracle, np.random.default_rng(0))
    scores = oracle.predict(result.space.genotypes)
    first = oracle.predict(space.decode(result.first_sample))
    assert scores.min() > np.quantile(first, 0.9)
    assert scores.max() == result.iterations[-1].best


def test_beats_naive_and_random_refill_at_equal_budget_and_size(space):
    """Over 8 seeds the mean of LISSNAS is higher every time (one-sided sign test: p = 1/256)."""
    oracle = Oracle.of(space)
    for seed in range(8):
        means = []
        for shrinker in (
            LISSNAS(queries=4000, size=300),
            NaiveTop(queries=4000, size=300),
            LISSNAS(queries=4000, size=300, proposal="random"),
        ):
            shrunk = shrinker.shrink(space, oracle, np.random.default_rng(seed)).space
            means.append(oracle.predict(shrunk.genotypes).mean())
        assert means[0] > max(means[1:])


def test_diversity_floor_stops_before_it_is_broken(space):
    loose = LISSNAS(queries=20_000, min_diversity=0.0, iterations=12).shrink(space, Oracle.of(space), np.random.default_rng(0))
    floor = loose.iterations[-1].diversity / loose.iterations[0].diversity + 0.1
    strict = LISSNAS(queries=20_000, min_diversity=floor, iterations=12).shrink(
        space, Oracle.of(space), np.random.default_rng(0)
    )
    assert "diversity" in strict.stopped
    assert strict.iterations[-1].diversity >= floor * strict.iterations[0].diversity * 0.97  # measured on random pairs
    assert len(strict.iterations) < len(loose.iterations)


def test_paper_form_gives_back_the_previous_space_on_a_plateau(space):
    """Only rises of more than the plateau count; what is given back is the last accepted iteration."""
    result = (
        LISSNAS.as_in_paper(queries=20_000).with_settings(plateau=0.5).shrink(space, Oracle.of(space), np.random.default_rng(0))
    )
    means = [i.mean for i in result.iterations]
    assert all(b - a > 0.5 for a, b in itertools.pairwise(means))
    assert np.array_equal(result.space.codes, result.iterations[-1].codes)


def test_paper_form_takes_seeds_and_all_their_neighbors(space):
    """Every member of the first iteration is a seed (top 2% of the sample) or within a third of the edits of one."""
    oracle = Oracle.of(space)
    result = LISSNAS.as_in_paper(queries=6000).shrink(space, oracle, np.random.default_rng(0))
    sample = space.decode(result.first_sample)
    seeds = sample[np.argsort(-oracle.predict(sample))[: round(0.02 * len(sample))]]
    members = space.decode(result.iterations[1].codes)[:200]
    near = [space.distance(np.repeat(m[None], len(seeds), 0), seeds).min() for m in members]
    assert max(near) <= space.max_edits // 3


def test_strata_keep_small_and_large_networks(space):
    """Where the score grows with the cost, strata keep networks of low cost among the seeds."""

    class BySize(Oracle):
        def _predict(self, genotypes):
            return genotypes.sum(axis=1).astype(float)

    scorer = BySize.of(space)
    plain = LISSNAS(queries=4000, keep="all", seed_share=0.1, iterations=1).shrink(space, scorer, np.random.default_rng(0))
    strata = LISSNAS(queries=4000, keep="all", seed_share=0.1, iterations=1, strata=10, plateau=-9.0).shrink(
        space, scorer, np.random.default_rng(0)
    )
    assert space.cost(strata.space.genotypes)["size"].min() < space.cost(plain.space.genotypes)["size"].min() - 2


def test_covers_a_space_that_the_budget_covers():
    space = toy_space()
    oracle = Oracle.of(space)
    result = LISSNAS(queries=100_000, size=50).shrink(space, oracle, np.random.default_rng(0))
    everything = np.concatenate(list(space.enumerate()))
    best = np.sort(oracle.predict(everything))[-50:]
    assert result.ledger.queries == space.cardinality
    assert np.allclose(np.sort(oracle.predict(result.space.genotypes)), best)


def test_explicit_space_is_shrunk_within_itself(space):
    given = ExplicitSpace.of(space, space.sample(20_000, np.random.default_rng(1)))
    result = LISSNAS(queries=30_000, size=100).shrink(given, Oracle.of(given), np.random.default_rng(0))
    assert (locate(given.codes, result.space.codes) >= 0).all()
    assert result.space.parent is space


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"queries": 0}, "queries must be at least 1"),
        ({"size": 0}, "size must be at least 1"),
        ({"queries": 100, "size": 200}, "cannot come out of 100 queries"),
        ({"first_share": 1.5}, "first_share must be between 0 and 1"),
        ({"proposal": "guess"}, "proposal must be neighbors, random or none"),
        ({"strata": 1}, "strata must be at least 2"),
        ({"min_diversity": 1.0}, "min_diversity must be at least 0 and below 1"),
    ],
)
def test_settings_that_make_no_sense(settings, line):
    with pytest.raises(UserError, match=line):
        LISSNAS(**settings)


def test_a_budget_below_one_iteration(space):
    with pytest.raises(UserError, match="smaller than one iteration"):
        LISSNAS(queries=1500).shrink(space, Oracle.of(space), np.random.default_rng(0))


def test_limits_that_nothing_meets(space):
    with pytest.raises(UserError, match="size goes from"):
        LISSNAS(queries=4000).shrink(space, Oracle.of(space), np.random.default_rng(0), ["size < 0"])


def test_strata_without_a_cost():
    plain = ProductSpace("plain", [Gene(f"g{i}", ("a", "b", "c", "d")) for i in range(12)])
    with pytest.raises(UserError, match="strata need a cost"):
        LISSNAS(queries=4000, strata=4).shrink(plain, Oracle.of(plain), np.random.default_rng(0))
