"""The torch networks of NAS-Bench-101: their parameters and FLOPs are what the space says without building them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lissnas.oneshot.network import NETWORKS, build_network, count_network
from lissnas.oneshot.norm import GhostBatchNorm2d
from lissnas.spaces.nasbench101 import nasbench101


def test_parameters_of_200_networks(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    """At full width; on torch's meta device no weight is stored, and none needs a first value."""
    for module in (torch.nn.Conv2d, torch.nn.Linear, GhostBatchNorm2d):
        monkeypatch.setattr(module, "reset_parameters", lambda self: None)
    space = nasbench101()
    x = space.sample(200, rng)
    build = NETWORKS.get("nasbench101")
    counts = []
    with torch.device("meta"):
        for row in x.tolist():
            counts.append(sum(weights.numel() for weights in build(space, row, GhostBatchNorm2d).parameters()))
    assert counts == space.cost(x).params.tolist()


def test_costs_of_built_networks(rng: np.random.Generator) -> None:
    """FLOPs and parameters by watching small ones run; 9 channels, so that cells have spare ones."""
    space = nasbench101(resolution=10, classes=7, stem_channels=9)
    x = np.concatenate([space.sample(95, rng), space.parse(["0100:", "011001000:maxpool3x3"])])
    costs = space.cost(x)
    images = torch.randn(1, 3, 10, 10)
    assert build_network(space, x[0])(torch.randn(2, 3, 10, 10)).shape == (2, 7)
    for row, flops, params in zip(x, costs.flops, costs.params, strict=True):
        network = NETWORKS.get("nasbench101")(space, row.tolist(), GhostBatchNorm2d)
        assert count_network(network, images, norms=space.layout.counts_norms) == (flops, params)


def test_a_seed_gives_the_same_network() -> None:
    space = nasbench101(resolution=8, stem_channels=4)
    x = space.sample(1, np.random.default_rng(1))[0]
    images = torch.randn(2, 3, 8, 8)
    one, two = (space.to_torch(x, seed=3).eval()(images) for _ in range(2))
    assert torch.equal(one, two)


@pytest.mark.parametrize("text", ["0100:", "0110001000010000:conv3x3,maxpool3x3"])
def test_networks_can_be_traced(text: str) -> None:
    space = nasbench101(resolution=8, stem_channels=6)
    network = space.to_torch(space.parse([text])[0], seed=0).eval()
    images = torch.randn(2, 3, 8, 8)
    exported = torch.export.export(network, (images,))
    torch.testing.assert_close(exported.module()(images), network(images))
