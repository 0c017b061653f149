"""Every sampler holds to the contract, on every kind of space that it takes; and the contract can fail."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.oneshot.samplers import SAMPLERS, PathSampler, get_sampler
from lissnas.oneshot.samplers.balanced import BalancedSampler
from lissnas.oneshot.samplers.flops_bins import FlopsBinsSampler
from lissnas.oneshot.samplers.greedy import GreedySampler
from lissnas.oneshot.samplers.sandwich import SandwichSampler
from lissnas.oneshot.samplers.strictly_fair import StrictlyFairSampler
from lissnas.oneshot.samplers.uniform import UniformSampler
from lissnas.testing import SAMPLER_CHECKS, CheckFailedError, SamplerContract


class TestUniform(SamplerContract):
    def sampler(self):
        return UniformSampler


class TestStrictlyFair(SamplerContract):
    def sampler(self):
        return StrictlyFairSampler


class TestBalanced(SamplerContract):
    def sampler(self):
        return BalancedSampler


class TestFlopsBins(SamplerContract):
    def sampler(self):
        return FlopsBinsSampler


class TestQuantileBins(SamplerContract):
    def sampler(self):
        return lambda space: FlopsBinsSampler(space, edges="quantile", bins=4)


class TestGreedy(SamplerContract):
    def sampler(self):
        return lambda space: GreedySampler(space, paths=6, keeps=2, pool=20, starts=3, ends=20, window=5)


class TestGreedyWithinLimits(SamplerContract):
    def sampler(self):
        return lambda space: GreedySampler(space, pool=20, starts=0, ends=20, limits=["flops <= 400"])


class TestSandwich(SamplerContract):
    def sampler(self):
        return SandwichSampler


@pytest.mark.parametrize("name", SAMPLERS.names())
def test_every_sampler_has_a_contract_class_here(name):
    assert any(SAMPLERS.get(name).__name__.removesuffix("Sampler") in known for known in globals())


class _Forgetful(GreedySampler):
    def restore(self, arrays):
        pass


class _Careless(UniformSampler):
    def draw(self, steps, rng):
        return np.random.randint(0, 2, size=(steps, 1, self.space.length)).astype(np.uint8)  # noqa: NPY002 - that is its fault


class _Counting(UniformSampler):
    def finished(self):
        self.asked = getattr(self, "asked", 0) + 1
        return self.asked > 2


@pytest.mark.parametrize(
    ("make", "broken"),
    [
        (lambda space: _Forgetful(space, pool=20), "state"),
        (_Careless, "repeats"),
        (_Counting, "asking"),
        (lambda space: UniformSampler(space.root), "paths"),
    ],
)
def test_a_sampler_that_breaks_a_promise_is_found_out(make, broken):
    (check,) = [check for check in SAMPLER_CHECKS if check.name == broken]
    with pytest.raises(CheckFailedError):
        check.run(make)


def test_names_and_options_that_do_not_exist_are_answered_with_the_nearest(small):
    assert isinstance(get_sampler("greedy", small, pool=20), PathSampler)
    with pytest.raises(UserError, match="unknown path sampler 'gredy': did you mean greedy"):
        get_sampler("gredy", small)
    with pytest.raises(UserError, match="the sampler 'greedy' has no setting 'epsilom': did you mean epsilon"):
        get_sampler("greedy", small, epsilom=0.5)
    with pytest.raises(UserError, match="the sampler 'uniform' has no setting 'pool': there are none"):
        get_sampler("uniform", small, pool=20)
    with pytest.raises(UserError, match="needs the cost 'latency', which 'small' does not have: its costs are flops, params"):
        get_sampler("sandwich", small, cost="latency")
