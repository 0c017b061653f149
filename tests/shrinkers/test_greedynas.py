"""GreedyNAS: the pool is the best of its draws, the distribution a mixture whose size is its perplexity."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lissnas import UserError
from lissnas.arrays import locate
from lissnas.shrinkers import GreedyNAS
from lissnas.spaces import Gene, MixtureSpace, ProductSpace, from_definition
from lissnas.testing import ShrinkerContract
from lissnas.testing.toys import Oracle, toy_space


class TestContract(ShrinkerContract):
    def shrinker(self):
        return GreedyNAS(queries=3000)


class TestDistributionContract(ShrinkerContract):
    def shrinker(self):
        return GreedyNAS(queries=3000, form="distribution")


def test_pool_is_the_best_of_what_was_drawn():
    space, rng = toy_space(), np.random.default_rng(0)
    oracle = Oracle.of(space)
    result = GreedyNAS(queries=5000, size=100).shrink(space, oracle, rng)
    first = oracle.predict(space.decode(result.first_sample))
    assert result.space.cardinality == 100
    assert oracle.predict(result.space.genotypes).min() >= np.sort(first)[-100]


def test_mixture_by_hand():
    """Four architectures, one favored by a half: chances .625, .125, .125, .125."""
    space = ProductSpace("four", [Gene("g", ("a", "b", "c", "d"))])
    favored = space.encode(np.array([[2]], dtype=np.uint8))
    mixture = MixtureSpace(space, favored, 0.5)
    entropy = -0.625 * math.log(0.625) - 3 * 0.125 * math.log(0.125)
    assert mixture.cardinality == round(math.exp(entropy)) == 3
    counts = np.bincount(mixture.sample(8000, np.random.default_rng(0))[:, 0], minlength=4) / 8000
    assert np.allclose(counts, [0.125, 0.125, 0.625, 0.125], atol=0.02)
    again = from_definition(mixture.definition())
    assert again.fingerprint == mixture.fingerprint
    with pytest.raises(UserError, match="weight of a mixture"):
        MixtureSpace(space, favored, 1.0)


def test_distribution_favors_the_pool():
    space = toy_space()
    result = GreedyNAS(queries=5000, size=100, form="distribution").shrink(space, Oracle.of(space), np.random.default_rng(0))
    drawn = space.encode(result.space.sample(4000, np.random.default_rng(1)))
    assert abs((locate(result.space.codes, drawn) >= 0).mean() - 0.8) < 0.03


def test_bad_input():
    with pytest.raises(UserError, match="a pool of 1,000 cannot come out of 500 queries"):
        GreedyNAS(queries=500).check(toy_space())
    with pytest.raises(UserError, match="form must be pool or distribution"):
        GreedyNAS(form="list")
