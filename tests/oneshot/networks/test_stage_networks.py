"""The networks of AnyNetX, RegNet, Once-for-All and NATS-Bench count what their spaces say."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest
import torch

from lissnas.errors import UserError
from lissnas.formats import space_from_text
from lissnas.formats.packaged import nats_size, ofa_mobilenetv3
from lissnas.oneshot.network import build_network, count_network
from lissnas.oneshot.networks.nats_size import build_nats_size
from lissnas.oneshot.networks.templated_chain import build_templated_chain
from lissnas.oneshot.networks.xblocks import build_x_blocks, x_block_network
from lissnas.oneshot.norm import GhostBatchNorm2d
from lissnas.spaces import ExplicitSpace, SearchSpace
from lissnas.spaces.anynet import anynetx
from lissnas.spaces.regnet import regnet, regnet_stages
from lissnas.spaces.shufflenetv2 import digits_shuffle
from lissnas.spaces.xblock import Stages, XBlockLayout, make_compatible

SMALL = {"resolution": 32, "classes": 10}
SHALLOW = {"depths": (1, 2, 3), "widths": range(8, 65, 8), **SMALL}


def small_ofa() -> SearchSpace:
    """The packaged space with fewer channels and small images."""
    text = files("lissnas.formats.packaged").joinpath("ofa-mobilenetv3.yaml").read_text("utf-8")
    for wide, narrow in {
        "resolution: 224": "resolution: 32",
        "classes: 1000": "classes: 10",
        "channels: 80": "channels: 24",
        "channels: 112": "channels: 32",
        "channels: 160": "channels: 40",
        "head: 960": "head: 64",
        "features: 1280": "features: 96",
    }.items():
        assert wide in text
        text = text.replace(wide, narrow)
    return space_from_text(text)


SPACES = {
    "anynetx-a": lambda: anynetx(**SHALLOW),
    "anynetx-b": lambda: anynetx(letter="b", **SHALLOW),
    "anynetx-e": lambda: anynetx(letter="e", stages=3, **SHALLOW),
    "regnet": lambda: regnet(depths=range(1, 10), slopes=(4, 16, 36.44), widths=(4, 16, 24), **SMALL),
    "nats-size": nats_size,
    "ofa-mobilenetv3": small_ofa,
}


def counts(space: SearchSpace, row: np.ndarray) -> tuple[int, int]:
    side = space.layout.resolution
    # Drawing the weights of large networks takes longer than running them, and shapes are enough to count; of small ones, not.
    with torch.device("meta" if side > 32 else "cpu"):
        images = torch.zeros(1, space.layout.in_channels, side, side)
        return count_network(build_network(space, row), images, norms=space.layout.counts_norms)


@pytest.mark.parametrize("make", SPACES.values(), ids=SPACES)
def test_a_network_counts_the_costs_of_its_space(make, rng: np.random.Generator) -> None:
    space = make()
    x = space.sample(100, rng)
    cost = space.cost(x)
    assert [counts(space, row) for row in x] == list(zip(cost.flops, cost.params, strict=True))


@pytest.mark.parametrize("make", [anynetx, regnet, ofa_mobilenetv3], ids=["anynetx", "regnet", "ofa-mobilenetv3"])
def test_full_ranges(make, rng: np.random.Generator) -> None:
    space = make()
    x = space.sample(2, rng)
    cost = space.cost(x)
    assert [counts(space, row) for row in x] == list(zip(cost.flops, cost.params, strict=True))


def test_regnetx_400mf_as_published() -> None:
    widths, depths = regnet_stages(24, 24.48, 2.54, 22)
    stages = Stages(depths, *make_compatible(widths, np.ones_like(widths), np.full_like(widths, 16)))
    with torch.device("meta"):
        network = x_block_network(stages.row(0), XBlockLayout(), GhostBatchNorm2d)
        assert count_network(network, torch.zeros(1, 3, 224, 224), norms=True) == (397_677_568, 5_157_512)


@pytest.mark.parametrize("make", SPACES.values(), ids=SPACES)
def test_logits_and_seeds(make, rng: np.random.Generator) -> None:
    space = make()
    (row,) = space.sample(1, rng)
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    first, again = (space.to_torch(row, seed=1).eval()(images) for _ in range(2))
    assert first.shape == (2, space.layout.classes)
    assert torch.equal(first, again)
    assert torch.isfinite(first).all()


def test_a_shrunk_space_builds_its_roots_networks(rng: np.random.Generator) -> None:
    space = anynetx(letter="d", **SHALLOW)
    x = space.sample(3, rng)
    small = ExplicitSpace(space, np.unique(space.encode(x), axis=0), "few")
    assert counts(small, x[0]) == counts(space, x[0])


def test_a_switched_off_block_is_left_out() -> None:
    space = ofa_mobilenetv3()
    shallow = space.canonicalize(np.zeros((1, space.length), dtype=np.uint8))[0]
    network = space.to_torch(shallow)
    names = [name for name, _ in network.named_children()]
    assert names == ["stem", *(f"site_{i}" for i in (0, 1, 2, 5, 6, 9, 10, 13, 14, 17, 18)), "tail"]


@pytest.mark.parametrize("build", [build_x_blocks, build_nats_size, build_templated_chain])
def test_a_space_with_another_layout_is_refused(build) -> None:
    with pytest.raises(UserError, match="'digits-shuffle' has no"):
        build(digits_shuffle(), [0] * 9, GhostBatchNorm2d)
