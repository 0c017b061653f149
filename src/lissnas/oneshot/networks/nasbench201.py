"""The networks of NAS-Bench-201 (Dong & Yang 2020; AutoDL-Projects xautodl/models/cell_infers/tiny_network.py)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from lissnas.errors import UserError
from lissnas.oneshot.blocks import NormFactory
from lissnas.oneshot.networks.edge_cell import EdgeCell, ResidualBlock, classifier, relu_conv_norm
from lissnas.spaces.base import SearchSpace
from lissnas.spaces.nasbench201 import OPERATIONS, NASBench201Layout

__all__ = ["build_nasbench201"]


def build_nasbench201(space: SearchSpace, path: Sequence[int], norm: NormFactory) -> nn.Sequential:
    """The network of one cell, given as its six alleles."""
    layout = space.layout
    if not isinstance(layout, NASBench201Layout):
        raise UserError(f"'{space.name}' has no layout of NAS-Bench-201, so no such network can be built of it")
    width = layout.channels
    network = nn.Sequential()
    stem = nn.Sequential(nn.Conv2d(layout.in_channels, width, 3, padding=1, bias=False), norm(width))
    network.add_module("stem", stem)
    for stage, (channels, _) in enumerate(layout.stages):
        if channels != width:
            shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(width, channels, 1, bias=False))
            network.add_module(f"reduction_{stage}", ResidualBlock(width, channels, 2, shortcut, norm))
        width = channels
        for cell in range(layout.cells):
            edges = [_operation(OPERATIONS[allele], channels, norm) for allele in path]
            network.add_module(f"cell_{stage}_{cell}", EdgeCell(edges, channels))
    network.add_module("tail", nn.Sequential(norm(width), nn.ReLU(), *classifier(width, layout.classes)))
    return network


def _operation(name: str, channels: int, norm: NormFactory) -> nn.Module | None:
    match name:
        case "none":
            return None
        case "skip_connect":
            return nn.Identity()
        case "avg_pool_3x3":
            return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
        case "nor_conv_1x1":
            return relu_conv_norm(1, channels, channels, 1, norm)
        case _:
            return relu_conv_norm(3, channels, channels, 1, norm)
