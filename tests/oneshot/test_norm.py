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


@pytest.mark.parametrize("momentum", [0.1, 0.3])
def test_one_batch_moves_running_statistics_by_the_mean_over_its_ghosts(momentum):
    norm = GhostBatchNorm2d(3)
    norm.momentum = momentum
    set_ghost(norm, 4)
    x = batch()
    norm(x)
    parts = x.split(4)
    mean = torch.stack([part.mean((0, 2, 3)) for part in parts]).mean(0)
    variance = torch.stack([part.var((0, 2, 3)) for part in parts]).mean(0)
    torch.testing.assert_close(norm.running_mean, momentum * mean)
    torch.testing.assert_close(norm.running_var, (1 - momentum) + momentum * variance)


def test_a_batch_in_parts_moves_them_as_far_as_a_whole_one():
    whole, parts = GhostBatchNorm2d(3), GhostBatchNorm2d(3)
    set_ghost(whole, None)
    set_ghost(parts, None, parts=3)
    for _ in range(3):
        parts(batch(4))
    whole(batch(4))
    torch.testing.assert_close(parts.running_mean, whole.running_mean)
    torch.testing.assert_close(parts.running_var, whole.running_var)


def test_in_half_precision_statistics_are_taken_in_single():
    norm, x = GhostBatchNorm2d(3), batch() + 100
    with calibrating(norm, 12, keep=True):
        norm(x.bfloat16())
    torch.testing.assert_close(norm.running_mean, x.bfloat16().float().mean((0, 2, 3)))


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
