"""The largest, the smallest, and some between; the largest teaches."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.oneshot import Recipe, Supernet, score_subnets, train_supernet
from lissnas.oneshot.samplers.sandwich import SandwichSampler
from lissnas.spaces import ExplicitSpace
from lissnas.spaces.shufflenetv2 import shufflenetv2


def test_a_step_holds_both_ends_of_the_space(rng):
    space = shufflenetv2()
    paths = SandwichSampler(space, between=3).draw(10, rng)
    assert paths.shape == (10, 5, 20)
    flops = space.cost(paths.reshape(-1, 20)).flops.reshape(10, 5)
    assert (flops[:, 0] > 398e6).all()
    assert (flops[:, 1] < 271e6).all()
    assert ((flops[:, 2:] > 290e6) & (flops[:, 2:] < 360e6)).all()
    assert len(np.unique(paths[:, 2:].reshape(-1, 20), axis=0)) == 30


def test_a_shrunk_space_has_ends_of_its_own(small, rng):
    space = ExplicitSpace.of(small, np.array([[0, 1, 2], [1, 1, 1], [0, 0, 3]], dtype=np.uint8))
    flops = space.cost(space.genotypes).flops
    paths = SandwichSampler(space, between=0).draw(4, rng)
    assert paths.shape == (4, 2, 3)
    for place, row in ((0, flops.argmax()), (1, flops.argmin())):
        assert (paths[:, place] == space.genotypes[row]).all()


def test_it_trains_with_and_without_distillation(small, data):
    found = []
    for distils in (True, False):
        supernet = Supernet(small, seed=0)
        recipe = Recipe(epochs=2, batch_size=32, ghost=16)
        history = train_supernet(supernet, SandwichSampler(small, distils=distils), data, recipe, seed=0)
        assert np.isfinite(history).all()
        found.append(score_subnets(supernet, small.sample(3, np.random.default_rng(0)), data).cross_entropy)
    assert (found[0] != found[1]).any()


@pytest.mark.parametrize("distils", [1, "yes"])
def test_distils_is_yes_or_no(small, distils):
    with pytest.raises(ValueError, match="distils must be true or false"):
        SandwichSampler(small, distils=distils)
