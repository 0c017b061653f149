"""DARTS networks count what their space says, and do not depend on the drawing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from lissnas.errors import UserError
from lissnas.oneshot import build_network, count_network
from lissnas.oneshot.networks.darts import build_darts
from lissnas.spaces import Gene, ProductSpace
from lissnas.spaces.darts import OPERATIONS, darts

SMALL = darts(init_channels=4, layers=5, resolution=8, classes=3)


def test_a_network_counts_the_costs_of_its_space(rng: np.random.Generator) -> None:
    x = SMALL.sample(100, rng)
    cost = SMALL.cost(x)
    images = torch.zeros(1, 3, 8, 8)
    counted = [count_network(build_network(SMALL, row, seed=0), images, norms=True) for row in x]
    assert counted == list(zip(cost.flops, cost.params, strict=True))


@pytest.mark.parametrize("layers", [1, 2, 3, 8])
def test_reductions_stand_where_darts_has_them(layers: int, rng: np.random.Generator) -> None:
    space = darts(layers=layers, resolution=8, init_channels=4)
    (x,) = space.sample(1, rng)
    network = build_network(space, x, seed=0).eval()
    with torch.no_grad():
        assert network(torch.zeros(2, 3, 8, 8)).shape == (2, 10)
    cost = space.cost(x[None])
    assert count_network(network, torch.zeros(1, 3, 8, 8), norms=True) == (cost.flops[0], cost.params[0])
    places = [index for index, site in enumerate(space.layout.cells()) if site.reduction]
    assert places == sorted({layers // 3, 2 * layers // 3})


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_at_both_strides(operation: str) -> None:
    space = darts(init_channels=4, layers=3, resolution=8, operations=(operation,))
    network = build_network(space, space.sample(1, np.random.default_rng(0))[0], seed=0)
    loss = network(torch.randn(2, 3, 8, 8)).sum()
    loss.backward()
    assert all(p.grad is not None for p in network.parameters())


def test_all_drawings_compute_the_same(rng: np.random.Generator) -> None:
    """With weights that do not tell channels apart, the order of the nodes in the output cannot matter."""
    x = SMALL.sample(12, rng)
    drawings = SMALL.drawings(x, rng)
    assert (drawings != x).any(axis=1).sum() > 3
    images = torch.rand(1, 3, 8, 8)
    for one, other in zip(x, drawings, strict=True):
        outputs = []
        for row in (one, other):
            network = build_darts(SMALL, row.tolist(), nn.BatchNorm2d).eval()
            for weights in network.parameters():
                nn.init.constant_(weights, 0.2)
            outputs.append(network(images))
        # a node's inputs are summed in another order
        torch.testing.assert_close(outputs[0], outputs[1], rtol=1e-5, atol=1e-5)


def test_the_same_seed_gives_the_same_network(rng: np.random.Generator) -> None:
    (x,) = SMALL.sample(1, rng)
    one, two = (build_network(SMALL, x, seed=3).state_dict() for _ in range(2))
    assert all(torch.equal(value, two[name]) for name, value in one.items())


def test_parameters_of_the_published_networks(test_data: Path) -> None:
    """``checks.csv`` counts NASLib's networks, whose operations have batch norms without weights: 2,752 are left elsewhere."""
    from lissnas.evaluators.nasbench301 import drawings_of_digits

    lines = (test_data / "nasbench301" / "checks.csv").read_text().splitlines()
    rows = [dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:]]
    rows = [row for row in rows if row["mparams"]][:6]
    space = darts()
    for row, genotype in zip(rows, space.canonicalize(drawings_of_digits([row["arch"] for row in rows])), strict=True):
        _, params = count_network(build_network(space, genotype, seed=0), torch.zeros(1, 3, 32, 32))
        assert f"{(params + 2_752) / 1e6:.6g}" == row["mparams"]


def test_another_space_is_refused() -> None:
    with pytest.raises(UserError, match="has no cells of DARTS"):
        build_darts(ProductSpace("mine", [Gene("a", (1, 2))]), [0], nn.BatchNorm2d)
