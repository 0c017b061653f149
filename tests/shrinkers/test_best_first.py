from __future__ import annotations

import numpy as np
import pytest

from lissnas import UserError
from lissnas.shrinkers import BestFirst, NaiveTop
from lissnas.testing import ShrinkerContract
from lissnas.testing.toys import Oracle, toy_space


class TestContract(ShrinkerContract):
    def shrinker(self):
        return BestFirst(queries=3000)


def test_climbs_to_the_top_and_stays_near_it():
    """Without local tops, the best of the space is found, and the mean is higher than a sample's of the same size."""
    space = toy_space()
    oracle = Oracle.of(space)
    everything = oracle.predict(np.concatenate(list(space.enumerate())))
    best = BestFirst(queries=3000, size=100).shrink(space, oracle, np.random.default_rng(0))
    naive = NaiveTop(queries=3000, size=100).shrink(space, oracle, np.random.default_rng(0))
    assert best.iterations[-1].best == everything.max()
    assert best.iterations[-1].mean > naive.iterations[-1].mean


def test_covers_a_connected_space_that_the_budget_covers():
    space = toy_space()
    result = BestFirst(queries=50_000).shrink(space, Oracle.of(space), np.random.default_rng(0))
    assert result.ledger.queries == space.cardinality
    assert "all that edits lead to" in result.stopped


def test_bad_input():
    with pytest.raises(UserError, match="at_once must be at least 1"):
        BestFirst(at_once=0)
    with pytest.raises(UserError, match="cannot come out of 10 queries"):
        BestFirst(queries=10, size=20)
