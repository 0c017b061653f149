"""The networks of NAS-Bench-201 (Dong & Yang 2020; AutoDL-Projects xautodl/models/cell_infers/tiny_network.py)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from lissnas.errors import UserError
from lissnas.oneshot.blocks import NormFactory
from lissnas.oneshot.networks.edge_cell import EdgeCell, ResidualBlock, classifier, relu_conv_norm
from lissnas.spaces.base import SearchSpace
from lissnas.spaces.nasbench201 import OPERATIONS, NASBench201Layout

__all__ = ["build_nasbench201", "build_operation", "build_reduction", "build_stem", "build_tail"]


def build_nasbench201(space: SearchSpace, path: Sequence[int], norm: NormFactory) -> nn.Sequential:
    """The network of one cell, given as its six alleles."""
    layout = space.layout
    if not isinstance(layout, NASBench201Layout):
        raise UserError(f"'{space.name}' has no layout of NAS-Bench-201, so no such network can be built of it")
    width = layout.channels
    network = nn.Sequential()
    network.add_module("stem", build_stem(layout, norm))
    for stage, (channels, _) in enumerate(layout.stages):
        if channels != width:
            network.add_module(f"reduction_{stage}", build_reduction(width, channels, norm))
        width = channels
        for cell in range(layout.cells):
            edges = [build_operation(OPERATIONS[allele], channels, norm) for allele in path]
            network.add_module(f"cell_{stage}_{cell}", EdgeCell(edges, channels))
    network.add_module("tail", build_tail(width, layout.classes, norm))
    return network


def build_stem(layout: NASBench201Layout, norm: NormFactory) -> nn.Sequential:
    """The 3x3 convolution in front."""
    convolution = nn.Conv2d(layout.in_channels, layout.channels, 3, padding=1, bias=False)
    return nn.Sequential(convolution, norm(layout.channels))


def build_reduction(in_channels: int, out_channels: int, norm: NormFactory) -> ResidualBlock:
    """The residual block that halves the images."""
    shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(in_channels, out_channels, 1, bias=False))
    return ResidualBlock(in_channels, out_channels, 2, shortcut, norm)


def build_tail(channels: int, classes: int, norm: NormFactory) -> nn.Sequential:
    """Norm, ReLU, average pool, classifier."""
    return nn.Sequential(norm(channels), nn.ReLU(), *classifier(channels, classes))


def build_operation(name: str, channels: int, norm: NormFactory) -> nn.Module | None:
    """The module of an operation; None where it brings nothing."""
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
