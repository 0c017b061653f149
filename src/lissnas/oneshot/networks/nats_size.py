"""The networks of NATS-Bench's size space in torch [AutoDL-Projects xautodl/models/shape_infers/InferTinyCellNet.py]."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from lissnas.errors import UserError
from lissnas.oneshot.blocks import NormFactory
from lissnas.oneshot.networks.edge_cell import EdgeCell, relu_conv_norm
from lissnas.oneshot.networks.nasbench201 import build_reduction, build_tail
from lissnas.spaces.base import SearchSpace
from lissnas.spaces.edge_cell import EDGES
from lissnas.spaces.nats_size import NATSSizeLayout

__all__ = ["build_nats_size", "build_stem"]


def build_nats_size(space: SearchSpace, path: Sequence[int], norm: NormFactory) -> nn.Sequential:
    """The network of five widths, given as their alleles."""
    layout = space.layout
    if not isinstance(layout, NATSSizeLayout):
        raise UserError(f"'{space.name}' has no layout of NATS-Bench's size space, so no such network can be built of it")
    widths = layout.widths(path)
    network = nn.Sequential()
    network.add_module("stem", build_stem(layout, widths[0], norm))
    before = widths[0]
    for index, width in enumerate(widths):
        network.add_module(
            f"layer_{index}", _cell(before, width, norm) if index % 2 == 0 else build_reduction(before, width, norm)
        )
        before = width
    network.add_module("tail", build_tail(before, layout.classes, norm))
    return network


def build_stem(layout: NATSSizeLayout, width: int, norm: NormFactory) -> nn.Sequential:
    """The 3x3 convolution in front."""
    return nn.Sequential(nn.Conv2d(layout.in_channels, width, 3, padding=1, bias=False), norm(width))


def _cell(before: int, after: int, norm: NormFactory) -> EdgeCell:
    """3x3 convolutions on all edges but that from the first node to the last, which skips."""
    skip = nn.Identity() if before == after else nn.Sequential(nn.Conv2d(before, after, 1, bias=False), norm(after))
    edges = [
        skip if (start, end) == (0, 3) else relu_conv_norm(3, before if start == 0 else after, after, 1, norm)
        for start, end in EDGES
    ]
    return EdgeCell(edges, after)
