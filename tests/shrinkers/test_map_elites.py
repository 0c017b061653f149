from __future__ import annotations

import numpy as np
import pytest

from lissnas import UserError
from lissnas.quality import cost_coverage
from lissnas.shrinkers import BestFirst, MapElites
from lissnas.spaces import Gene, ProductSpace
from lissnas.testing import ShrinkerContract
from lissnas.testing.toys import Oracle, toy_space

pytest.importorskip("ribs")


class TestContract(ShrinkerContract):
    def shrinker(self):
        return MapElites(queries=3000)


def test_keeps_every_cost_bin_that_a_search_for_the_best_leaves():
    space = toy_space()
    work = space.cost(space.sample(5000, np.random.default_rng(0)))["work"]

    def coverage(method):
        result = method.shrink(space, Oracle.of(space), np.random.default_rng(0))
        return cost_coverage(space.cost(result.space.genotypes)["work"], work)

    assert coverage(MapElites(queries=3000, size=200)) == 1.0
    assert coverage(BestFirst(queries=3000, size=200)) < 0.9


def test_takes_the_best_of_each_cell_in_turn():
    """With as many architectures as cells, each cell of cost and operation has one."""
    space = toy_space()
    method = MapElites(queries=3000, size=30)
    result = method.shrink(space, Oracle.of(space), np.random.default_rng(0))
    cells = method._cells(space, result.first_sample, result.space.codes)
    assert len(np.unique(cells, axis=0)) == 30


def test_bad_input():
    plain = ProductSpace("plain", [Gene(f"g{i}", ("a", "b", "c", "d")) for i in range(8)])
    with pytest.raises(UserError, match="'plain' has none: add one"):
        MapElites().check(plain)
    with pytest.raises(UserError, match="has the allele 'conv9'"):
        MapElites(operation="conv9").check(toy_space())
