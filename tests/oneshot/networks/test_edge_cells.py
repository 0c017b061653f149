"""The networks of NAS-Bench-201 and TransNAS-Bench-101 count what their spaces say, and compute what their cells say."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lissnas.errors import UserError
from lissnas.oneshot import build_network, count_network
from lissnas.spaces import SearchSpace
from lissnas.spaces.nasbench201 import nasbench201, nasbench201_unique
from lissnas.spaces.transnas import TransNASLayout
from lissnas.spaces.transnas_macro import transnasbench101_macro
from lissnas.spaces.transnas_micro import transnasbench101_micro, transnasbench101_micro_unique

SMALL = [
    nasbench201(resolution=8),
    nasbench201_unique(resolution=8),
    transnasbench101_macro(resolution=32),
    transnasbench101_micro(resolution=30),
    transnasbench101_micro_unique(resolution=32),
]


def counts(space: SearchSpace, row: np.ndarray) -> tuple[int, int]:
    side = space.layout.resolution
    # Drawing the weights of wide networks takes longer than running them, and shapes are enough to count.
    with torch.device("meta" if isinstance(space.layout, TransNASLayout) else "cpu"):
        return count_network(build_network(space, row), torch.zeros(1, 3, side, side), norms=space.layout.counts_norms)


@pytest.mark.parametrize("space", SMALL, ids=lambda space: space.name)
def test_a_network_counts_the_costs_of_its_space(space: SearchSpace, rng: np.random.Generator) -> None:
    x = space.sample(30 if "unique" in space.name else 100, rng)
    cost = space.cost(x)
    assert [counts(space, row) for row in x] == list(zip(cost.flops, cost.params, strict=True))


@pytest.mark.parametrize("make", [nasbench201, transnasbench101_macro, transnasbench101_micro])
def test_at_the_published_resolution(make, rng: np.random.Generator) -> None:
    space = make()
    x = space.sample(2, rng)
    cost = space.cost(x)
    assert [counts(space, row) for row in x] == list(zip(cost.flops, cost.params, strict=True))


@pytest.mark.parametrize("space", SMALL, ids=lambda space: space.name)
def test_logits_and_seeds(space: SearchSpace, rng: np.random.Generator) -> None:
    (row,) = space.sample(1, rng)
    side = space.layout.resolution
    images = torch.rand(3, 3, side, side, generator=torch.Generator().manual_seed(0))
    first, again = (build_network(space, row, seed=1).eval()(images) for _ in range(2))
    assert first.shape == (3, space.layout.classes)
    assert torch.equal(first, again)


def test_a_cell_of_nothing_says_the_same_of_every_image() -> None:
    for space in (SMALL[0], SMALL[3]):
        network = space.to_torch(np.zeros(6, dtype=np.uint8), seed=0).eval()
        side = space.layout.resolution
        logits = network(torch.rand(2, 3, side, side))
        assert torch.equal(logits[0], logits[1])


def test_folded_encodings_compute_the_same() -> None:
    """The network of an encoding gives what the canonical one gives, with the same weights where the same operations are."""
    space, unique = SMALL[0], SMALL[1]
    images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    # 3x3 on the way 0 -> 2 -> 3, by a skip out of node 2; node 1 has no input, and what it is asked for matters to nobody
    a, b = np.array([[0, 3, 4, 0, 1, 1], [0, 3, 0, 0, 0, 1]], dtype=np.uint8)
    assert (unique.canonicalize(a[None]) == unique.canonicalize(b[None])).all()
    one, two = (space.to_torch(row, seed=3).eval() for row in (a, b))
    assert torch.allclose(one(images), two(images), atol=1e-6)


def test_skips_leave_their_input_alone() -> None:
    """An edge's ReLU must not change what another edge of the same node reads."""
    network = SMALL[0].to_torch(np.array([3, 1, 1, 1, 1, 1], dtype=np.uint8), seed=0).eval()
    cell = network.get_submodule("cell_0_0")
    x = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))
    before = x.clone()
    out = cell(x)
    assert torch.equal(x, before)
    convolved = cell.edges["0_1"](x)
    # node 1 = conv, node 2 = in + node 1, node 3 = in + node 1 + node 2
    assert torch.allclose(out, 2 * x + 2 * convolved, atol=1e-5)


def test_gradients_reach_the_stem() -> None:
    for space, row in ((SMALL[0], [1, 2, 3, 4, 1, 1]), (SMALL[2], [0, 0, 0, 3, 4, 4]), (SMALL[3], [1, 2, 3, 1, 1, 1])):
        side = space.layout.resolution
        network = space.to_torch(np.array(row, dtype=np.uint8), seed=0)
        network(torch.rand(4, 3, side, side)).square().sum().backward()
        assert all(parameter.grad is not None for parameter in network.parameters())


def test_a_shrunk_space_builds_its_roots_networks(rng: np.random.Generator) -> None:
    from lissnas.spaces import ExplicitSpace

    for space in SMALL[1:3]:
        shrunk = ExplicitSpace.of(space, space.sample(5, rng))
        assert counts(shrunk, shrunk.genotypes[0]) == tuple(v[0] for v in shrunk.cost(shrunk.genotypes[:1]).values())


def test_what_is_no_architecture_is_named() -> None:
    with pytest.raises(UserError, match="no canonical architecture of 'transnasbench101-macro'"):
        SMALL[2].to_torch(np.array([0, 0, 0, 0, 4, 4], dtype=np.uint8))
