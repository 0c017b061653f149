"""The best of a sample that is not held: beside a sort of everything."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas import UserError
from lissnas.shrinkers import SHRINKERS, Scan
from lissnas.spaces import ExplicitSpace, SoftBoxSpace
from lissnas.testing import ShrinkerContract
from lissnas.testing.toys import Oracle, TrueOracle, toy_space


class TestScan(ShrinkerContract):
    def shrinker(self):
        return Scan(queries=4000, size=200)


def test_many_draws_hold_the_best_of_all():
    """200,000 draws leave out one of the best 100 of 18,144 with a chance of 100 e^-11 = .002; not for this seed."""
    space = toy_space()
    oracle = Oracle.of(space)
    rows = np.concatenate(list(space.enumerate()))
    result = SHRINKERS.get("scan")(queries=200_000, size=100).shrink(space, oracle, np.random.default_rng(0))
    assert isinstance(result.space, ExplicitSpace)
    assert result.ledger.queries == 200_000
    found = np.sort(oracle.predict(np.concatenate(list(result.space.enumerate()))))
    np.testing.assert_array_equal(found, np.sort(oracle.predict(rows))[-100:])


def test_the_best_of_a_sample_of_a_soft_box_is_a_list():
    space = toy_space()
    oracle = Oracle.of(space)
    box = SoftBoxSpace(space, {"depth": [1, 2, 5], "op_0": [4, 2, 1, 1]})
    found = Scan(queries=3000, size=50).shrink(box, oracle, np.random.default_rng(1), ["work <= 1500"]).space
    members = np.concatenate(list(found.enumerate()))
    assert len(members) == 50
    assert (space.cost(members)["work"] <= 1500).all()
    assert oracle.predict(members).mean() > oracle.predict(box.sample(500, np.random.default_rng(2))).mean()


def test_mistakes():
    space = toy_space()
    with pytest.raises(UserError, match="queries must be more than 1,000"):
        Scan(queries=1000)
    with pytest.raises(UserError, match="cannot come out of"):
        Scan(queries=2000, size=1500)
    with pytest.raises(UserError, match="scan needs a predictor"):
        Scan(queries=2000).shrink(space, TrueOracle(space), np.random.default_rng(0))
