"""Networks count what their space says they cost."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lissnas.errors import UserError
from lissnas.oneshot import build_network, count_network
from lissnas.spaces import Gene, ProductSpace
from lissnas.spaces.shufflenetv2 import digits_shuffle, shufflenetv2


@pytest.mark.parametrize(
    ("space", "shape"),
    [(shufflenetv2(), (3, 224, 224)), (shufflenetv2(32, 10, stem_stride=1), (3, 32, 32)), (digits_shuffle(), (1, 8, 8))],
    ids=["224", "32", "digits"],
)
def test_a_network_counts_the_costs_of_its_space(space, shape, rng):
    x = np.concatenate([space.sample(2, rng), np.full((1, space.length), 3, dtype=np.uint8)])
    cost = space.cost(x)
    for row, flops, params in zip(x, cost.flops, cost.params, strict=True):
        network = build_network(space, row)
        assert count_network(network, torch.zeros(1, *shape)) == (flops, params)
        assert network.training


def test_the_published_network_counts_the_published_numbers():
    space = shufflenetv2()
    network = build_network(space, [2, 1, 0, 1, 2, 0, 2, 0, 2, 0, 2, 3, 0, 0, 0, 0, 3, 2, 3, 3])
    flops, params = count_network(network, torch.zeros(1, 3, 224, 224))
    assert round(flops / 1e6, 2) == 322.92
    assert round(params / 1e6, 3) == 3.529


def test_forward_gives_one_logit_per_class(small):
    assert build_network(small, [0, 1, 3])(torch.zeros(5, 1, 8, 8)).shape == (5, 10)


def test_the_seed_decides_the_weights(small):
    first, again, other = (build_network(small, [0, 1, 2], seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["stem.0.weight"], other["stem.0.weight"])
    assert first["stem.0.weight"].std() < 0.02  # SPOS: the first convolution starts at N(0, 0.01)


@pytest.mark.parametrize(
    ("genotype", "message"),
    [
        ([0, 1], "must be uint8"),
        ([0, 1, 9], "has alleles 0 to 3"),
        ([[0, 1, 2]], "take one row"),
        ([-1, 0, 0], "must be uint8"),
    ],
)
def test_what_is_no_architecture_is_named(small, genotype, message):
    with pytest.raises(UserError, match=message):
        build_network(small, genotype)


def test_a_space_without_a_layout_has_no_networks():
    space = ProductSpace("plain", [Gene("a", (1, 2))])
    with pytest.raises(UserError, match="says nothing of layers"):
        build_network(space, [0])
