"""Supernets of cell spaces."""

from __future__ import annotations

import pytest
import torch

from lissnas.oneshot import Supernet, recalibrate
from lissnas.oneshot.supernets.edge_cell import live_edges
from lissnas.spaces.darts import darts
from lissnas.spaces.nasbench101 import nasbench101
from lissnas.spaces.nasbench201 import nasbench201
from lissnas.spaces.transnas_macro import transnasbench101_macro
from lissnas.spaces.transnas_micro import transnasbench101_micro
from lissnas.testing import SupernetContract

NONE, SKIP, CONV1, CONV3, POOL = range(5)


class TestNASBench201(SupernetContract):
    def supernet(self):
        return Supernet(nasbench201(resolution=8), seed=0)


class TestNASBench101(SupernetContract):
    def supernet(self):
        return Supernet(nasbench101(resolution=8, stem_channels=9), seed=0)  # 9 channels, so that cells have spare ones


class Narrow:
    """TransNAS-Bench-101 with 8 channels instead of 64."""

    @pytest.fixture(autouse=True)
    def _channels(self, monkeypatch):
        # those that import the number come first
        for module in ("oneshot.networks.transnas", "oneshot.supernets.transnas", "spaces.transnas"):
            monkeypatch.setattr(f"lissnas.{module}.BASE", 8)


class TestTransNASMicro(Narrow, SupernetContract):
    def supernet(self):
        return Supernet(transnasbench101_micro(resolution=20, classes=7), seed=0)


class TestTransNASMacro(Narrow, SupernetContract):
    def supernet(self):
        return Supernet(transnasbench101_macro(resolution=16, classes=7), seed=0)


class TestDarts(SupernetContract):
    def supernet(self):
        return Supernet(darts(init_channels=4, layers=5, resolution=8), seed=0)


def test_what_gets_through_a_cell():
    # node 1 leads nowhere, node 2 gets nothing but leads to the output
    assert live_edges([CONV3, NONE, NONE, CONV1, NONE, CONV3]) == [(), (), ((3, 0, CONV1),)]
    assert live_edges([CONV3, NONE, SKIP, NONE, NONE, POOL]) == [((0, 0, CONV3),), ((2, 1, SKIP),), ((5, 2, POOL),)]
    assert live_edges([CONV3, CONV3, CONV3, NONE, NONE, NONE]) == [(), (), ()]


@pytest.mark.parametrize(
    "path",
    [
        [NONE] * 6,
        [CONV3, CONV3, CONV3, NONE, NONE, NONE],  # nothing gets to the output
        [CONV3, NONE, NONE, CONV1, NONE, CONV3],  # a node that leads nowhere, and one that nothing leads to
        [SKIP, CONV3, NONE, NONE, CONV3, CONV3],  # a node that is another one
    ],
)
@pytest.mark.parametrize("space", [nasbench201(resolution=8), transnasbench101_micro(resolution=16, classes=7)])
def test_edges_that_bring_nothing_and_lead_nowhere(space, path):
    """The plain network computes them, the supernet does not; after other paths have left their statistics behind."""
    path = [min(allele, len(space.genes[0].alleles) - 1) for allele in path]
    supernet = Supernet(space, seed=0).eval()
    layout = space.layout
    images = torch.randn(6, 3, layout.resolution, layout.resolution, generator=torch.Generator().manual_seed(0))
    for other in ([CONV3] * 6, [CONV1] * 6, path):
        recalibrate(supernet, other, images)
    subnet = supernet.subnet(path)
    with torch.no_grad():
        torch.testing.assert_close(subnet(images), supernet(images, path))
    supernet.train()
    subnet.train()
    torch.testing.assert_close(subnet(images), supernet(images, path))
    supernet(images, path).sum().backward()
    reached = [p for p in supernet.parameters() if p.grad is not None]
    assert {id(p) for p in reached} == {id(p) for p in supernet.parameters_of(path)}
    assert any(p is supernet.tail[-1].weight for p in reached)
    assert (supernet.stem[0].weight.grad is None) == (not live_edges(path)[-1])


def test_operations_share_the_relu_and_pools_of_their_node():
    """On the first node of a cell: two convolutions and two pools read it, one ReLU and one pool are computed."""
    supernet = Supernet(nasbench201(resolution=8), seed=0).eval()
    calls = []
    cell = supernet.parts["cell_0_0"]
    cell.edges["0_1"][-1].register_forward_hook(lambda *_: calls.append("pool"))
    x = supernet.stem(torch.randn(2, 3, 8, 8))
    for block in cell.blocks(live_edges([POOL, POOL, CONV3, POOL, SKIP, SKIP])):
        x = block(x)
    assert calls == ["pool"]
