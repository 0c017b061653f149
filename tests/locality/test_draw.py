"""Pairs at a distance, pairs of a table, and random walks."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.formats import get_space
from lissnas.locality import draw, edit_kinds, known_pairs, walk, with_edits
from lissnas.locality.draw import pairs_at_distance
from lissnas.spaces import ExplicitSpace


@pytest.fixture
def space():
    return get_space("nasbench201")


def score(x):
    return x @ np.arange(1.0, 7.0)


def test_neighbors_are_at_that_distance(space, rng):
    x = space.sample(200, rng)
    pairs = pairs_at_distance(space, lambda g: (g != x).sum(axis=1).astype(float), x, score(x), 3, rng)
    assert (pairs.end == 3).all()
    assert pairs.start.tolist() == score(x).tolist()


@pytest.mark.parametrize("members", [40, 3000])
def test_pairs_of_a_table_are_at_the_distance_they_say(space, rng, members):
    """Few: all pairs. Many: the near ones by listing neighborhoods, and random far ones."""
    table = ExplicitSpace.of(space, space.sample(members, rng))
    x = table.genotypes
    n = len(x)
    first, second, far = known_pairs(space, table.codes, x, np.arange(n), rng, once=True)
    assert (space.distance(x[first], x[second]) == far).all()
    assert (first < second).all()
    everything = space.distance(np.repeat(x, n, axis=0), np.tile(x, (n, 1))).reshape(n, n)
    near = 6 if members == 40 else 2
    for d in range(1, near + 1):
        assert (far == d).sum() == (everything == d).sum() / 2


def test_pairs_go_both_ways_unless_asked(space, rng):
    table = ExplicitSpace.of(space, space.sample(60, rng))
    first, second, _ = known_pairs(space, table.codes, table.genotypes, np.arange(10), rng)
    assert set(first.tolist()) == set(range(10))
    both = set(zip(first.tolist(), second.tolist(), strict=True))
    assert {(b, a) for a, b in both if b < 10} <= both


def test_far_pairs_can_be_left_out(space, rng, monkeypatch):
    monkeypatch.setattr(draw, "_ALL_PAIRS", 0)
    table = ExplicitSpace.of(space, space.sample(2000, rng))
    *_, far = known_pairs(space, table.codes, table.genotypes, np.arange(100), rng, near=2, far=False)
    assert set(far.tolist()) == {1, 2}


def test_a_walk_takes_single_edits(space, rng):
    x = space.sample(30, rng)
    seen = []

    def remember(g):
        seen.append(g)
        return score(g)

    path = walk(space, remember, x, score(x), 5, rng)
    places = np.concatenate([x, *seen]).reshape(6, 30, 6)
    assert ((places[1:] != places[:-1]).sum(axis=2) == 1).all()
    assert (path.scores == score(places.reshape(-1, 6)).reshape(6, 30)).all()
    assert len(path.lagged(2).start) == 4 * 30


def test_returns_are_left_out_of_a_table(space, rng):
    """The start always has a score and few others do, so that a walk that came back would be met far too often."""
    table = ExplicitSpace.of(space, space.sample(1000, rng))
    x = table.genotypes

    def scores(g):
        return np.where(table.is_valid(g), score(g), np.nan)

    path = walk(space, scores, x, score(x), 4, rng, table.codes)
    pairs = path.pairs(0, 2)
    assert 0 < len(pairs.start) < 0.3 * len(x)
    assert (pairs.start != pairs.end).mean() > 0.8
    assert not (path.places[0][pairs.first] == path.places[2][pairs.first]).any()


def test_kinds_of_edit_are_those_that_a_space_names():
    assert edit_kinds(get_space("nasbench201")) == ()
    cells = get_space("nasbench101")
    assert edit_kinds(cells) == ("operation", "edge")
    x = cells.sample(50, np.random.default_rng(0))
    every = len(cells.all_neighbors(x).parents)
    assert sum(len(with_edits(cells, kind).all_neighbors(x).parents) for kind in edit_kinds(cells)) == every
