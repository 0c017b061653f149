"""What all supernets share; that a subnet is the same network inside and outside is tested for each kind in supernets/."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from lissnas.errors import UserError
from lissnas.oneshot import Supernet, recalibrate
from lissnas.oneshot.supernet import SUPERNETS, cut
from lissnas.oneshot.supernets.chain import ChainSupernet
from lissnas.oneshot.supernets.nasbench201 import NASBench201Supernet
from lissnas.spaces import ExplicitSpace
from lissnas.spaces.layouts import LAYOUTS
from lissnas.spaces.nasbench201 import nasbench201


def test_the_layout_says_which_supernet_it_is(small):
    assert type(Supernet(small)) is type(Supernet(space=small)) is ChainSupernet
    assert type(Supernet(nasbench201(resolution=8))) is NASBench201Supernet
    # all networks but those of X blocks share weights
    assert set(LAYOUTS.names()) - set(SUPERNETS.names()) == {"x-blocks"}


def test_a_copy_is_one_of_its_own(small):
    supernet = Supernet(small, seed=0).eval()
    images = torch.randn(4, 1, 8, 8)
    recalibrate(supernet, [0, 1, 2], images)
    copied = copy.deepcopy(supernet)
    torch.testing.assert_close(copied(images, [0, 1, 2]), supernet(images, [0, 1, 2]))
    next(copied.parameters()).data.zero_()
    assert next(supernet.parameters()).abs().sum() > 0


def test_a_subnet_is_in_the_mode_of_its_supernet(small):
    supernet = Supernet(small, seed=0)
    assert supernet.train().subnet([0, 0, 0]).training
    assert not supernet.eval().subnet([0, 0, 0]).training


def test_a_supernet_of_a_shrunk_space_runs_every_architecture_of_the_whole(small):
    shrunk = ExplicitSpace.of(small, np.array([[0, 1, 2], [1, 1, 1]], dtype=np.uint8))
    supernet = Supernet(shrunk, seed=0)
    assert supernet.state_dict().keys() == Supernet(small, seed=0).state_dict().keys()
    assert supernet.subnet([3, 3, 3])(torch.zeros(4, 1, 8, 8)).shape == (4, 10)
    with pytest.raises(UserError, match="has alleles"):
        supernet.subnet([4, 0, 0])


def test_a_smaller_tensor_is_the_first_channels_and_the_middle_of_the_kernel():
    shared = torch.arange(2 * 3 * 5 * 5).view(2, 3, 5, 5)
    assert cut(shared, shared.shape) is shared
    assert torch.equal(cut(shared, torch.Size([1, 2, 3, 3])), shared[:1, :2, 1:4, 1:4])
    assert torch.equal(cut(shared[0, 0, 0], torch.Size([2])), torch.tensor([0, 1]))
    assert cut(torch.tensor(7), torch.Size([])) == 7
