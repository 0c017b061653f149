"""The box around the best: ranges of ordered genes, sets of others."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas import FunctionEvaluator, UserError
from lissnas.shrinkers import BoundingBox
from lissnas.spaces import Gene, ProductSpace
from lissnas.testing import ShrinkerContract


class TestContract(ShrinkerContract):
    def shrinker(self):
        return BoundingBox(queries=3000)


@pytest.fixture
def space():
    return ProductSpace("small", [Gene("depth", (1, 2, 3, 4), ordered=True), Gene("op", ("a", "b", "c", "d"))])


def test_box_of_two_by_hand(space):
    """The best are (0, a) and (2, d): depths 0 to 2, operations a and d."""
    best = {(0, 0): 10.0, (2, 3): 9.0}
    scorer = FunctionEvaluator(lambda x: [best.get(tuple(row), -sum(row)) for row in x.tolist()], space=space)
    result = BoundingBox(queries=20, trials=2).shrink(space, scorer, np.random.default_rng(0))
    assert result.space.kept == ((0, 1, 2), (0, 3))
    by_size = BoundingBox(queries=20, size=6).shrink(space, scorer, np.random.default_rng(0))
    assert by_size.space.kept == ((0, 1, 2), (0, 3))


def test_bad_input():
    with pytest.raises(UserError, match="leave one out"):
        BoundingBox(size=10, trials=2)
    with pytest.raises(UserError, match="trials must be at least 1"):
        BoundingBox(trials=0)
