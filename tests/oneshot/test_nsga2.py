"""NSGA-II: the front of a problem whose front is known, inside any space, under limits, nothing scored twice."""

from __future__ import annotations

import numpy as np
import pytest

import lissnas
from lissnas.errors import UserError
from lissnas.oneshot.search import pareto_front, random_search
from lissnas.spaces import ExplicitSpace, Gene, Movable, ProductSpace, RestrictedSpace, TableCost

pytest.importorskip("pymoo")

from lissnas.oneshot.nsga2 import nsga2  # only where pymoo is


def priced(length: int = 8) -> ProductSpace:
    """Each allele a of gene g costs a * (g + 1)."""
    genes = [Gene(f"g{i}", (0, 1, 2)) for i in range(length)]
    table = np.arange(1, length + 1)[:, None] * np.arange(3.0)
    return ProductSpace(
        "priced", genes, costs=[TableCost("cost", 0.0, table), TableCost("ones", 0.0, np.tile(np.arange(3.0), (length, 1)))]
    )


def worth(genotypes):
    """Alleles add up, whatever they cost: so the front takes the cheap genes first."""
    return genotypes.sum(axis=1).astype(float)


def explicit():
    return ExplicitSpace.of(priced(), priced().sample(800, np.random.default_rng(1)))


def restricted():
    return RestrictedSpace(priced(), {gene.name: [1, 2] for gene in priced().genes})


def conditional():
    genes = [Gene("depth", (1, 2, 3)), *(Gene(f"op_{i}", (0, 1, 2), active=f"depth > {i}") for i in range(5))]
    return ProductSpace("conditional", genes, costs=[TableCost("cost", 1.0, np.tile(np.arange(4.0), (6, 1)))])


def movable():
    genes = [Gene(f"op_{i}", ("a", "b", "skip")) for i in range(6)]
    costs = [TableCost("cost", 0.0, np.tile([1.0, 2.0, 0.0], (6, 1)))]
    return ProductSpace("movable", genes, movable=[Movable("skip", tuple(g.name for g in genes))], costs=costs)


@pytest.mark.parametrize("make", [priced, explicit, restricted, conditional, movable], ids=lambda make: make.__name__)
def test_it_stays_in_its_space_and_scores_nothing_twice(make):
    space = make()
    asked = []

    def score(genotypes):
        asked.append(genotypes.copy())
        return worth(genotypes)

    found = nsga2(space, score, np.random.default_rng(0), costs=["cost"], population=16, generations=6)
    rows = np.concatenate(asked)
    assert space.is_valid(rows).all()
    assert len(np.unique(rows, axis=0)) == len(rows) == len(found.scores) <= 96
    assert len(found.scores) == min(96, space.cardinality)
    assert (found.scores == worth(found.genotypes)).all()


def test_children_that_are_no_cells_are_left_out():
    space = lissnas.get_space("nasbench101")
    found = nsga2(space, worth, np.random.default_rng(0), costs=["params"], population=16, generations=4)
    assert space.is_valid(found.genotypes).all()
    assert len(np.unique(found.genotypes, axis=0)) == len(found.scores) == 64


def test_it_finds_the_front_that_is_known_and_random_search_does_not():
    space = priced()
    # the true front, from all 6,561 networks
    every = np.concatenate(list(space.enumerate()))
    points = np.stack([-worth(every), space.cost(every)["cost"]], axis=1)
    true = {tuple(point) for point in points[pareto_front(points)]}

    def share(found):
        rows = found.front(space, ["cost"])
        front = np.stack([-found.scores[rows], space.cost(found.genotypes[rows])["cost"]], axis=1)
        return len(true & {tuple(point) for point in front}) / len(true)

    rng = np.random.default_rng
    evolved = nsga2(space, worth, rng(0), costs=["cost"], population=40, generations=25)
    drawn = random_search(space, worth, rng(0), budget=1000)
    assert len(true) == 17  # of each sum from 0 to 16 the cheapest
    assert share(evolved) > 0.85 > 0.4 > share(drawn)


def test_it_is_the_same_search_each_time_and_another_with_another_seed():
    first, again, other = (
        nsga2(priced(), worth, np.random.default_rng(seed), costs=["cost"], population=10, generations=5) for seed in (3, 3, 4)
    )
    assert (first.genotypes == again.genotypes).all()
    assert (first.genotypes[:10] != other.genotypes[:10]).any()


def test_limits_and_budget_hold():
    space = priced()
    found = nsga2(
        space, worth, np.random.default_rng(0), costs=["cost", "ones"], limits=["cost <= 20"], population=20, budget=110
    )
    assert len(found.scores) == 110
    assert space.cost(found.genotypes)["cost"].max() <= 20
    assert [generation.evaluations for generation in found.generations] == [20, 40, 60, 80, 100, 110]


def test_lower_can_be_better():
    up = nsga2(priced(), worth, np.random.default_rng(0), costs=["cost"], population=10, generations=4)
    down = nsga2(
        priced(),
        lambda x: -worth(x),
        np.random.default_rng(0),
        costs=["cost"],
        population=10,
        generations=4,
        higher_is_better=False,
    )
    assert (up.genotypes == down.genotypes).all()
    assert (up.front(priced(), ["cost"]) == down.front(priced(), ["cost"])).all()


def test_mistakes_are_answered():
    rng = np.random.default_rng(0)
    with pytest.raises(UserError, match=r"the objective 'flop' is no cost of 'priced': its costs are cost, ones"):
        nsga2(priced(), worth, rng, costs=["flop"])
    with pytest.raises(UserError, match="needs a cost beside the score"):
        nsga2(priced(), worth, rng, costs=[])
    with pytest.raises(UserError, match=r"meets cost <= -1: cost goes from 0 to \d+; relax the limits"):
        nsga2(priced(), worth, rng, costs=["cost"], limits=["cost <= -1"])


def test_a_front_by_hand():
    points = np.array([[1.0, 5.0], [2.0, 4.0], [2.0, 4.0], [3.0, 4.0], [0.0, 9.0], [4.0, 1.0]])
    assert pareto_front(points).tolist() == [4, 0, 1, 5]  # of the two equal ones the first; the fourth is beaten by the second
    assert pareto_front(points[:, :1]).tolist() == [4]
