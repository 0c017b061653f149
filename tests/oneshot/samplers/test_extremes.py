"""The largest and the smallest of a space."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.oneshot.samplers import extremes as module
from lissnas.oneshot.samplers.extremes import extremes
from lissnas.spaces import ExplicitSpace, RestrictedSpace
from lissnas.spaces.nasbench201 import nasbench201
from lissnas.spaces.shufflenetv2 import digits_shuffle, shufflenetv2


@pytest.mark.parametrize("cost", ["flops", "params"])
@pytest.mark.parametrize("space", [digits_shuffle(), nasbench201()], ids=lambda space: space.name)
def test_climbing_ends_where_looking_at_all_does(space, cost, monkeypatch):
    looked = space.cost(extremes(space, cost))[cost]
    everyone = np.concatenate([space.cost(block)[cost] for block in space.enumerate()])
    assert looked.tolist() == [everyone.min(), everyone.max()]
    monkeypatch.setattr(module, "is_listed", lambda space: False)
    assert space.cost(extremes(space, cost))[cost].tolist() == looked.tolist()


def test_a_large_space_and_what_was_shrunk_from_it():
    space = shufflenetv2()
    smallest, largest = space.cost(extremes(space, "flops")).flops
    alone = [space.cost(np.eye(20, dtype=np.uint8) * allele).flops for allele in range(4)]  # layers' costs add up
    base = alone[0][0]
    assert smallest == base + (np.min(alone, axis=0) - base).sum()
    assert largest == base + (np.max(alone, axis=0) - base).sum()
    small = RestrictedSpace(space, {f"block_{index}": [1, 2] for index in range(20)})
    assert extremes(small, "flops").tolist() == [[1] * 20, [2] * 20]
    some = ExplicitSpace.of(space, space.sample(50, np.random.default_rng(0)))
    flops = some.cost(some.genotypes).flops
    assert some.cost(extremes(some, "flops")).flops.tolist() == [flops.min(), flops.max()]
