"""The blocks of chains: networks of them count what their spaces say, and subnets of supernets are those networks."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest
import torch

from lissnas.formats import space_from_text
from lissnas.oneshot import Supernet, build_network, count_network, recalibrate
from lissnas.oneshot.blocks import ChannelShuffle, SqueezeExciteLayer, build_block
from lissnas.spaces import SearchSpace, Site
from lissnas.spaces.chain_blocks import SqueezeExcite
from lissnas.spaces.fairnas import fairnas, fairnas_se
from lissnas.spaces.mobilenet import mobilenet, mobilenet_se
from lissnas.spaces.shufflenetv2 import shufflenetv2_cifar


def packaged(name: str) -> SearchSpace:
    """The space in the YAML file ``name``, for images of 32 pixels."""
    text = files("lissnas.formats.packaged").joinpath(f"{name}.yaml").read_text("utf-8")
    return space_from_text(text.replace("resolution: 224", "resolution: 32"))


SPACES = {
    "shufflenetv2-cifar": shufflenetv2_cifar(),
    "fairnas": fairnas(32, 10),
    "fairnas-se": fairnas_se(32, 10),
    "mobilenet": mobilenet(32, 10),
    "mobilenet-se": mobilenet_se(32, 10),
    "proxyless": packaged("proxyless"),
    "fbnet": packaged("fbnet"),
}


@pytest.fixture
def _any_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks hold whatever memory held: drawing their weights takes most of the time to build one."""
    for module in (torch.nn.Conv2d, torch.nn.Linear):
        monkeypatch.setattr(module, "reset_parameters", lambda self: None)
    monkeypatch.setattr("lissnas.oneshot.network.initialise", lambda network, seed: None)


@pytest.mark.usefixtures("_any_weights")
@pytest.mark.parametrize("name", SPACES)
def test_a_hundred_networks_count_the_costs_of_their_space(name: str, rng: np.random.Generator) -> None:
    space = SPACES[name]
    images = torch.zeros(1, 3, 32, 32)
    x = space.sample(100, rng)
    cost = space.cost(x)
    counted = [count_network(build_network(space, row), images, norms=space.layout.counts_norms) for row in x]
    assert counted == list(zip(cost.flops, cost.params, strict=True))


@pytest.mark.parametrize("name", SPACES)
def test_an_inherited_subnet_equals_the_supernet_on_that_path(name: str, rng: np.random.Generator) -> None:
    space = SPACES[name]
    supernet = Supernet(space, seed=0).eval()
    images = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    (row,) = space.sample(1, rng)
    recalibrate(supernet, row, images)
    with torch.no_grad():
        logits = supernet(images, row)
        torch.testing.assert_close(supernet.subnet(row)(images), logits)
    assert logits.shape == (8, space.layout.classes)
    assert logits.std() > 1e-6


@pytest.mark.parametrize(("stride", "out_channels", "residual"), [(1, 16, True), (1, 24, False), (2, 16, False)])
def test_the_input_is_added_where_shapes_allow(stride: int, out_channels: int, residual: bool) -> None:
    block = build_block("mb_k3e3", Site(16, out_channels, stride, ("mb_k3e3",)), torch.nn.BatchNorm2d, "relu6")
    x = torch.randn(2, 16, 8, 8)
    expected = block.main(x) + (x if residual else 0)
    torch.testing.assert_close(block(x), expected)


def test_an_activation_of_its_own_goes_before_the_chains() -> None:
    def activations(kind: str) -> set[str]:
        block = build_block(kind, Site(8, 8, 1, (kind,)), torch.nn.BatchNorm2d, "relu6")
        return {type(m).__name__ for m in block.modules()} & {"ReLU", "ReLU6", "SiLU", "Hardswish", "Sigmoid", "Hardsigmoid"}

    assert activations("mb_k3e3") == {"ReLU6"}
    assert activations("mb_k3e3_swish") == {"SiLU"}
    assert activations("mb_k3e3_se_hswish") == {"Hardswish", "Hardsigmoid"}
    assert activations("mb_k3e3_se25") == {"ReLU6", "Sigmoid"}


def test_groups_are_mixed_behind_a_widening_in_groups() -> None:
    def names(kind: str) -> list[str]:
        return [type(m).__name__ for m in build_block(kind, Site(4, 4, 1, (kind,)), torch.nn.BatchNorm2d, "relu").main]

    layer, last = ["Conv2d", "BatchNorm2d", "ReLU"], ["Conv2d", "BatchNorm2d"]
    assert names("mb_k3e1") == [*layer, *last]
    assert names("mb_k3e1_pw") == [*layer, *layer, *last]
    assert names("mb_k3e1_g2") == [*layer, "ChannelShuffle", *layer, *last]
    x = torch.randn(2, 6, 3, 3)
    assert torch.equal(ChannelShuffle(2)(x), x[:, [0, 3, 1, 4, 2, 5]])
    assert torch.equal(ChannelShuffle(3)(x), torch.nn.functional.channel_shuffle(x, 3))


def test_a_plain_convolution_has_norm_and_activation() -> None:
    block = build_block("conv_k1", Site(4, 6, 2, ("conv_k1",)), torch.nn.BatchNorm2d, "relu6")
    assert [type(m).__name__ for m in block] == ["Conv2d", "BatchNorm2d", "ReLU6"]
    assert block(torch.randn(2, 4, 5, 5)).shape == (2, 6, 3, 3)


def test_a_gate_scales_channels() -> None:
    layer = SqueezeExciteLayer(SqueezeExcite(4, 2, hard=False), "relu")
    x = torch.randn(3, 4, 5, 5)
    ratio = layer(x) / x
    assert ((ratio > 0) & (ratio < 1)).all()
    torch.testing.assert_close(ratio, ratio[:, :, :1, :1].expand_as(x))


def test_the_seed_decides_biases_too() -> None:
    space = SPACES["fairnas-se"]
    first, again = (build_network(space, [0] * 19, seed=1).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not first["site_1.main.6.gate.1.bias"].any()
    assert not first["tail.6.bias"].any()
