"""What a device is trusted with."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lissnas.errors import UserError
from lissnas.oneshot import Recipe, digits, train_network
from lissnas.oneshot.choices import ElasticConv2d
from lissnas.oneshot.devices import enough_memory, memory_order, smaller_parts

CPU, LAST, FIRST = torch.device("cpu"), torch.channels_last, torch.contiguous_format


@pytest.mark.parametrize(
    ("layer", "order"),
    [
        (nn.Conv2d(6, 8, 1, stride=2), FIRST),  # what oneDNN writes past its memory for, see memory_order
        (nn.Conv2d(6, 8, 1), LAST),
        (nn.Conv2d(6, 8, 3, stride=2), LAST),
        (nn.Conv2d(16, 8, 1, stride=2), LAST),
        (nn.Conv2d(32, 32, 1, stride=2, groups=8), FIRST),
        (ElasticConv2d(64, 8, (1, 3), name="a", stride=2), FIRST),
        (ElasticConv2d(64, 8, (3, 5), name="a", stride=2), LAST),
    ],
)
def test_channels_are_last_but_for_strided_1x1_convolutions_of_few_channels_on_a_cpu(layer, order):
    network = nn.Sequential(nn.ReLU(), layer)
    assert memory_order(network, Recipe(), CPU) == order
    assert memory_order(network, Recipe(channels_last=False), CPU) == FIRST
    assert memory_order(network, Recipe(), torch.device("cuda")) == LAST


def test_images_of_one_channel_take_the_order_too():
    """Their strides can say either, and what follows goes by them."""
    seen = []
    strided = nn.Conv2d(6, 8, 1, stride=2)
    strided.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].stride()))
    network = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), strided, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10))
    train_network(network, digits(train=64, validation=64), Recipe(epochs=1, batch_size=32, ghost=None), seed=0)
    assert set(seen) == {(6 * 64, 64, 8, 1)}


@pytest.mark.parametrize(
    ("settings", "world", "remedy"),
    [
        ({"batch_size": 64, "ghost": 32}, 1, "accumulate 2 does the same"),
        ({"batch_size": 64, "ghost": 32, "accumulate": 2}, 1, "choose a smaller batch_size or ghost"),
        ({"batch_size": 64, "ghost": 32}, 2, "choose a smaller batch_size or ghost"),
        ({"batch_size": 50, "ghost": None, "accumulate": 2}, 1, "accumulate 5 takes smaller parts, which batch norm then sees"),
        ({"batch_size": 50, "ghost": None, "accumulate": 50}, 1, "choose a smaller batch_size, and"),
    ],
)
def test_what_helps_where_memory_runs_out_is_a_recipe(settings, world, remedy):
    assert smaller_parts(Recipe(**settings), world).startswith(remedy)


def test_memory_that_runs_out_is_said_and_other_errors_are_not_touched():
    cublas = RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")
    cudnn = RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED")
    for error in (torch.OutOfMemoryError("CUDA out of memory"), cublas, cudnn, RuntimeError("CUDA error: out of memory")):
        with (
            pytest.raises(UserError, match="'cpu' has not enough memory for so much: take less"),
            enough_memory(CPU, "so much", "take less"),
        ):
            raise error
    with pytest.raises(RuntimeError, match="another"), enough_memory(CPU, "so much", "take less"):
        raise RuntimeError("another")
