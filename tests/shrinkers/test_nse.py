"""NSE: the front by hand, its window, and that it needs a cost."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas import FunctionEvaluator, UserError, get_space
from lissnas.shrinkers import NSE
from lissnas.shrinkers.nse import pareto_front
from lissnas.spaces import Gene, ProductSpace
from lissnas.testing import ShrinkerContract
from lissnas.testing.toys import Oracle, toy_space


class TestContract(ShrinkerContract):
    def shrinker(self):
        return NSE(queries=3000)


class TestToSizeContract(ShrinkerContract):
    def shrinker(self):
        return NSE(queries=3000, size=100)


def test_front_by_hand():
    """(1, 1) is cheapest, (2, 3) is better, (2, 2) and (3, 2) are beaten by it, and an equal comes second."""
    costs = np.array([3.0, 2.0, 1.0, 2.0, 2.0])
    utility = np.array([2.0, 3.0, 1.0, 2.0, 3.0])
    assert pareto_front(costs, utility).tolist() == [2, 1]


def test_result_is_the_product_of_what_the_front_uses():
    """Of a wide space only alleles remain that good networks of the window use; a result of all costs prunes far less."""
    space = get_space("digits-shuffle")
    scorer = FunctionEvaluator(lambda x: (x == 2).sum(axis=1), space=space)
    narrow = NSE(queries=5000).shrink(space, scorer, np.random.default_rng(0))
    wide = NSE(queries=5000, low=0.0, high=1e12).shrink(space, scorer, np.random.default_rng(0))
    assert narrow.space.cardinality < wide.space.cardinality < space.cardinality
    assert narrow.ledger.evaluations <= 5000


def test_bad_input():
    plain = ProductSpace("plain", [Gene(f"g{i}", ("a", "b", "c", "d")) for i in range(8)])
    with pytest.raises(UserError, match="has no cost: add one"):
        NSE(queries=5000).check(plain)
    with pytest.raises(UserError, match="no cost 'flops': it has work"):
        NSE(queries=5000, cost="flops").check(toy_space())
    with pytest.raises(UserError, match="low < high"):
        NSE(low=2, high=1)
    with pytest.raises(UserError, match="choose a wider window"):
        NSE(queries=5000, low=1e6, high=2e6).shrink(toy_space(), Oracle.of(toy_space()), np.random.default_rng(0))
