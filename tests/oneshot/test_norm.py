"""Ghost batch norm, against batch norm of the parts."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lissnas.errors import UserError
from lissnas.oneshot.norm import GhostBatchNorm2d, calibrating, set_ghost


def batch(n=12, channels=3):
    return torch.randn(n, channels, 4, 4, generator=torch.Generator().manual_seed(0)) * 2 + 1


@pytest.mark.parametrize("affine", [True, False])
def test_each_ghost_batch_is_normalised_on_its_own(affine):
    norm = GhostBatchNorm2d(3, affine=affine)
    set_ghost(norm, 4)
    if affine:
        nn.init.uniform_(norm.weight)
    x = batch()
    parts = [nn.functional.batch_norm(part, None, None, norm.weight, norm.bias, True) for part in x.split(4)]
    torch.testing.assert_close(norm(x), torch.cat(parts))


def test_without_ghosts_it_is_batch_norm_running_statistics_included():
    mine, theirs = GhostBatchNorm2d(3), nn.BatchNorm2d(3)
    x = batch()
    assert torch.equal(mine(x), theirs(x))
    assert torch.equal(mine.running_var, theirs.running_var)
    assert torch.equal(mine.eval()(x), theirs.eval()(x))


def test_running_statistics_come_close_to_the_average_of_the_ghosts():
    norm = GhostBatchNorm2d(3)
    set_ghost(norm, 4)
    x = batch()
    for _ in range(200):
        norm(x)
    mean = torch.stack([part.mean((0, 2, 3)) for part in x.split(4)]).mean(0)
    torch.testing.assert_close(norm.running_mean, mean, atol=0.02, rtol=0)


def test_a_batch_that_does_not_split_is_refused():
    norm = GhostBatchNorm2d(3)
    set_ghost(norm, 5)
    with pytest.raises(UserError, match="ghost batches of 5, but has 12"):
        norm(batch())


def test_calibration_takes_statistics_from_the_first_images_and_leaves_no_trace_unless_asked():
    norm = GhostBatchNorm2d(3).eval()
    x = batch()
    with calibrating(norm, 8, keep=False):
        once = norm(x)
    assert torch.equal(norm.running_mean, torch.zeros(3))
    with calibrating(norm, 8, keep=True):
        norm(x)
    torch.testing.assert_close(norm.running_mean, x[:8].mean((0, 2, 3)))
    torch.testing.assert_close(norm(x), once)
