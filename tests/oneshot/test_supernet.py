"""A subnet is the same network inside its supernet and outside."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lissnas.errors import UserError
from lissnas.oneshot import Supernet, recalibrate
from lissnas.oneshot.norm import calibrating
from lissnas.spaces import ExplicitSpace
from lissnas.spaces.shufflenetv2 import digits_shuffle, shufflenetv2


@pytest.mark.parametrize(
    ("space", "shape"),
    [(digits_shuffle(), (1, 8, 8)), (shufflenetv2(32, 10, stem_stride=1), (3, 32, 32))],
    ids=["digits", "32"],
)
def test_an_inherited_subnet_equals_the_supernet_on_that_path(space, shape, rng):
    supernet = Supernet(space, seed=0).eval()
    images = torch.randn(8, *shape, generator=torch.Generator().manual_seed(0))
    for row in space.sample(3, rng):
        recalibrate(supernet, row, images)
        subnet = supernet.subnet(row)
        with torch.no_grad():
            torch.testing.assert_close(subnet(images), supernet(images, row))
        with calibrating(subnet, 8, keep=False):
            again = subnet(images)
        torch.testing.assert_close(again, supernet(images, row).detach())


def test_training_mode_and_gradients_are_the_same_too(small):
    supernet = Supernet(small, seed=0).train()
    path = [3, 0, 2]
    subnet = supernet.subnet(path)
    for module in (supernet, subnet):
        for part in module.modules():
            if isinstance(part, torch.nn.Dropout):
                part.p = 0.0
    images = torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    supernet(images, path).square().sum().backward()
    subnet(images).square().sum().backward()
    mine = [p.grad for p in supernet.parameters() if p.grad is not None]
    for inherited, own in zip(mine, subnet.parameters(), strict=True):
        torch.testing.assert_close(inherited, own.grad)


def test_a_subnet_has_a_copy_of_the_weights(small):
    supernet = Supernet(small, seed=0)
    subnet = supernet.subnet([0, 0, 0])
    with torch.no_grad():
        subnet[0][0].weight.zero_()
    assert supernet.stem[0].weight.abs().sum() > 0


def test_a_supernet_of_a_shrunk_space_runs_every_architecture_of_the_whole(small):
    shrunk = ExplicitSpace.of(small, np.array([[0, 1, 2], [1, 1, 1]], dtype=np.uint8))
    supernet = Supernet(shrunk, seed=0)
    assert supernet.state_dict().keys() == Supernet(small, seed=0).state_dict().keys()
    assert supernet.subnet([3, 3, 3])(torch.zeros(4, 1, 8, 8)).shape == (4, 10)
    with pytest.raises(UserError, match="has alleles"):
        supernet.subnet([4, 0, 0])
