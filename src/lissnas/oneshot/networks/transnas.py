"""The classification networks of TransNAS-Bench-101 (yawen-d/TransNASBench lib/models/net_infer)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from lissnas.errors import UserError
from lissnas.oneshot.blocks import NormFactory
from lissnas.oneshot.networks.edge_cell import EdgeCell, ResidualBlock, classifier, relu_conv_norm
from lissnas.spaces.base import SearchSpace
from lissnas.spaces.edge_cell import EDGES
from lissnas.spaces.transnas import BASE, Block, TransNASLayout
from lissnas.spaces.transnas_macro import digits_of
from lissnas.spaces.transnas_micro import OPERATIONS

__all__ = ["FactorizedReduce", "build_operation", "build_residual", "build_stem", "build_transnas"]


def build_transnas(space: SearchSpace, path: Sequence[int], norm: NormFactory) -> nn.Sequential:
    """The network of one chain of modules (macro), or of one cell in the fixed chain (micro)."""
    layout = space.layout
    if not isinstance(layout, TransNASLayout):
        raise UserError(f"'{space.name}' has no layout of TransNAS-Bench-101, so no such network can be built of it")
    digits = digits_of(path) if layout.modules is None else [int(digit) for digit in layout.modules]
    network = nn.Sequential()
    network.add_module("stem", build_stem(layout, norm))
    width = BASE
    for index, block in enumerate(layout.blocks(digits)):
        built = build_residual(block, norm) if layout.modules is None else _cell(block, path, norm)
        network.add_module(f"block_{index}", built)
        width = block.out_channels
    network.add_module("tail", classifier(width, layout.classes))
    return network


class FactorizedReduce(nn.Module):
    """ReLU, and two 1x1 convolutions of half the channels each side by side, the second one pixel further; batch norm."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, norm: NormFactory) -> None:
        super().__init__()
        self.here = nn.Conv2d(in_channels, out_channels // 2, 1, stride, bias=False)
        self.beside = nn.Conv2d(in_channels, out_channels - out_channels // 2, 1, stride, bias=False)
        self.norm = norm(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(x)
        shifted = functional.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:]
        result: Tensor = self.norm(torch.cat([self.here(x), self.beside(shifted)], 1))
        return result


def build_stem(layout: TransNASLayout, norm: NormFactory) -> nn.Sequential:
    """Two 3x3 convolutions, each of which halves the resolution."""
    convolution = nn.Conv2d(layout.in_channels, BASE // 2, 3, 2, padding=1, bias=False)
    return nn.Sequential(convolution, norm(BASE // 2), relu_conv_norm(3, BASE // 2, BASE, 2, norm))


def build_residual(block: Block, norm: NormFactory) -> ResidualBlock:
    """A block of the macro space."""
    shortcut: nn.Module = nn.Identity()
    if block.reduces:
        convolution = nn.Conv2d(block.in_channels, block.out_channels, 1, block.stride, bias=False)
        shortcut = nn.Sequential(convolution, norm(block.out_channels))
    return ResidualBlock(block.in_channels, block.out_channels, block.stride, shortcut, norm)


def _cell(block: Block, path: Sequence[int], norm: NormFactory) -> nn.Module:
    edges = [build_operation(OPERATIONS[allele], block, start, norm) for allele, (start, _) in zip(path, EDGES, strict=True)]
    return EdgeCell(edges, block.out_channels, block.stride)


def build_operation(name: str, block: Block, start: int, norm: NormFactory) -> nn.Module | None:
    """The module of an operation on an edge from node ``start`` of a cell; None where it brings nothing."""
    if start > 0:  # only from the first node the block's change of channels and resolution is made
        block = Block(block.out_channels, block.out_channels, 1, block.out_side)
    if name == "none":
        return None
    if name == "skip":
        return FactorizedReduce(block.in_channels, block.out_channels, block.stride, norm) if block.reduces else nn.Identity()
    return relu_conv_norm(3 if name == "conv3x3" else 1, block.in_channels, block.out_channels, block.stride, norm)
