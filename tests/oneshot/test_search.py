"""Search in any space: within limits, never twice, the same each time."""

from __future__ import annotations

import numpy as np
import pytest

import lissnas
from lissnas.errors import UserError
from lissnas.oneshot import evolve, random_search
from lissnas.spaces import ExplicitSpace, Gene, Movable, ProductSpace, RestrictedSpace
from lissnas.spaces.shufflenetv2 import digits_shuffle


def full():
    return digits_shuffle()


def explicit():
    return ExplicitSpace.of(full(), full().sample(800, np.random.default_rng(1)))


def restricted():
    return RestrictedSpace(full(), {gene.name: [1, 2] for gene in full().genes})


def conditional():
    genes = [Gene("depth", (1, 2, 3)), *(Gene(f"op_{i}", ("a", "b", "c"), active=f"depth > {i}") for i in range(3))]
    return ProductSpace("conditional", [*genes, *(Gene(f"free_{i}", (1, 2, 3, 4)) for i in range(4))])


def movable():
    genes = [Gene(f"op_{i}", ("a", "b", "skip")) for i in range(6)]
    return ProductSpace("movable", genes, movable=[Movable("skip", tuple(g.name for g in genes))])


def graphs():
    """Cells, of whose children by genes many are none."""
    return lissnas.get_space("nasbench101")


SPACES = [full, explicit, restricted, conditional, movable, graphs]


def worth(genotypes):
    """Rewards the allele 1, unevenly over genes."""
    return ((genotypes == 1) * (1 + np.arange(genotypes.shape[1]))).sum(axis=1).astype(float)


@pytest.mark.parametrize("make", SPACES, ids=lambda make: make.__name__)
def test_evolution_stays_in_its_space_and_scores_nothing_twice(make):
    space = make()
    found = evolve(space, worth, np.random.default_rng(0), population=20, generations=6, parents=5, mutations=8, crossovers=8)
    assert space.is_valid(found.genotypes).all()
    assert len(np.unique(found.genotypes, axis=0)) == len(found.genotypes) <= 120
    assert (np.diff(found.scores) <= 0).all()
    assert (found.scores == worth(found.genotypes)).all()
    best = [generation.best for generation in found.generations]
    assert best == sorted(best)
    assert best[-1] == found.scores[0]


def test_evolution_finds_more_than_chance():
    won = 0
    for seed in range(5):
        evolved = evolve(full(), worth, np.random.default_rng(seed), budget=400)
        drawn = random_search(full(), worth, np.random.default_rng(seed), budget=400)
        assert len(evolved.scores) == len(drawn.scores) == 400
        won += evolved.scores[0] > drawn.scores[0]
    assert won == 5


def test_it_is_the_same_search_each_time():
    first, again = (evolve(explicit(), worth, np.random.default_rng(3), budget=150) for _ in range(2))
    assert (first.genotypes == again.genotypes).all()


def test_lower_can_be_better():
    up = evolve(full(), worth, np.random.default_rng(0), budget=200)
    down = evolve(full(), lambda x: -worth(x), np.random.default_rng(0), budget=200, higher_is_better=False)
    assert (up.genotypes == down.genotypes).all()


def test_everything_scored_meets_the_limits():
    space = full()
    limit = float(np.median(space.cost(space.sample(500, np.random.default_rng(0))).flops))
    for search in (evolve, random_search):
        found = search(space, worth, np.random.default_rng(0), budget=150, limits=[f"flops <= {limit}"])
        assert space.cost(found.genotypes).flops.max() <= limit


def test_a_space_smaller_than_the_budget_is_searched_whole_and_ends():
    space = ExplicitSpace.of(full(), full().sample(30, np.random.default_rng(1)))
    assert len(evolve(space, worth, np.random.default_rng(0), population=10, parents=5).scores) == 30
    assert len(random_search(space, worth, np.random.default_rng(0), budget=100).scores) == 30


def test_mistakes_are_answered():
    with pytest.raises(UserError, match="no architecture of"):
        evolve(full(), worth, np.random.default_rng(0), limits=["flops <= 1"])
    with pytest.raises(UserError, match="parents <= population"):
        evolve(full(), worth, np.random.default_rng(0), population=5)
    with pytest.raises(UserError, match="must give 50 numbers"):
        evolve(full(), lambda x: worth(x)[:3], np.random.default_rng(0))
