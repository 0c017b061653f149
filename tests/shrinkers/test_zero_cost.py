from __future__ import annotations

import numpy as np
import pytest

from lissnas import UserError
from lissnas.shrinkers import NaiveTop, ZeroCost
from lissnas.spaces import Gene, ProductSpace
from lissnas.testing import ShrinkerContract
from lissnas.testing.toys import Oracle, toy_space, toy_target


class TestContract(ShrinkerContract):
    def shrinker(self):
        return ZeroCost(queries=3000)


def test_a_proxy_that_knows_the_truth_beats_naive_and_its_reverse_does_not():
    space = toy_space()

    def mean(proxy):
        method = ZeroCost(queries=1000, size=100, proxy=proxy)
        return method.shrink(space, Oracle.of(space), np.random.default_rng(0)).iterations[-1].mean

    naive = NaiveTop(queries=1000, size=100).shrink(space, Oracle.of(space), np.random.default_rng(0)).iterations[-1].mean
    assert mean(lambda x: -toy_target(space, x)) < naive < mean(lambda x: toy_target(space, x))


def test_bad_input():
    space = toy_space()
    plain = ProductSpace("plain", [Gene(f"g{i}", ("a", "b", "c", "d")) for i in range(8)])
    with pytest.raises(UserError, match="has no cost to be one"):
        ZeroCost().check(plain)
    with pytest.raises(UserError, match=r"no proxy 'synflo' for 'toy': did you mean synflow\?"):
        ZeroCost(proxy="synflo").check(space)
    for proxy, line in [(lambda x: [1.0], "must return 396"), (lambda x: np.full(len(x), np.nan), "but gave nan for depth=")]:
        with pytest.raises(UserError, match=line):
            ZeroCost(queries=110, size=5, proxy=proxy).shrink(space, Oracle.of(space), np.random.default_rng(0))
