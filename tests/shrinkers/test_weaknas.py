from __future__ import annotations

import numpy as np
import pytest

from lissnas import UserError, XGBoostPredictor
from lissnas.shrinkers import WeakNAS
from lissnas.testing import ShrinkerContract
from lissnas.testing.toys import Oracle, TrueOracle, toy_space


def small_predictor():
    return XGBoostPredictor(trees=50, threads=1)


class TestContract(ShrinkerContract):
    def shrinker(self):
        return WeakNAS(queries=9000, evaluations=300, predictor=small_predictor)


def test_spends_both_currencies_and_refits_in_each_round():
    space = toy_space()
    made = []

    def predictor():
        made.append(1)
        return small_predictor()

    truth = TrueOracle(space)
    method = WeakNAS(queries=4000, evaluations=250, start=100, step=50, size=200, predictor=predictor)
    result = method.shrink(space, truth, np.random.default_rng(0))
    assert len(made) == 4  # three rounds and the last ranking
    assert truth.evaluations == result.ledger.evaluations == 250
    assert 3000 < result.ledger.queries <= 4000
    assert result.space.cardinality == 200


def test_bad_input():
    space = toy_space()
    with pytest.raises(UserError, match="but got a predictor: give an evaluator"):
        WeakNAS(queries=9000, evaluations=300).shrink(space, Oracle.of(space), np.random.default_rng(0))
    with pytest.raises(UserError, match="too few to rank"):
        WeakNAS(queries=1000, evaluations=1000).check(space)
    with pytest.raises(UserError, match="cannot come out of a last round"):
        WeakNAS(queries=1000, size=800)
    with pytest.raises(UserError, match=r"evaluations must be at least start \(100\)"):
        WeakNAS(evaluations=50, start=100)
