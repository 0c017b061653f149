"""The networks that DARTS evaluates in the end [quark0/darts cnn/model.py, cnn/operations.py].

The auxiliary head and the drop path, which only training has, are left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from lissnas.errors import UserError
from lissnas.oneshot.blocks import NormFactory
from lissnas.oneshot.networks.edge_cell import classifier, relu_conv_norm
from lissnas.spaces.base import SearchSpace
from lissnas.spaces.darts import DartsSpace
from lissnas.spaces.darts.layout import CellSite, DartsLayout

__all__ = ["DartsNetwork", "build_darts", "build_inputs", "build_operation", "build_stem", "drawings_of"]


def build_darts(space: SearchSpace, path: Sequence[int], norm: NormFactory) -> nn.Module:
    """The network of one normal and one reduction cell, given as the alleles of their drawings."""
    if not isinstance(space, DartsSpace):
        raise UserError(f"'{space.name}' has no cells of DARTS, so no such network can be built of it")
    return DartsNetwork(space, drawings_of(space, path), norm)


# Where each edge comes from, and its operation; two edges per node.
Drawing = tuple[list[int], list[str]]


def drawings_of(space: DartsSpace, path: Sequence[int]) -> list[Drawing]:
    """The normal and the reduction cell of one architecture."""
    operations = space.layout.operations
    return [
        (space.tables.sources[structure[0]].tolist(), [operations[label] for label in labels[0]])
        for structure, labels in space.drawn(np.array([path], dtype=np.uint8))
    ]


def build_stem(layout: DartsLayout, norm: NormFactory) -> nn.Sequential:
    """The 3x3 convolution in front."""
    convolution = nn.Conv2d(layout.in_channels, layout.stem_channels, 3, padding=1, bias=False)
    return nn.Sequential(convolution, norm(layout.stem_channels))


def build_inputs(site: CellSite, norm: NormFactory) -> tuple[nn.Module, nn.Module]:
    """What brings the outputs of the two cells before, the older first, to a cell's channels and to one size."""
    older, newer = site.inputs
    if site.halved:
        return FactorizedReduction(older, site.channels, norm), relu_conv_norm(1, newer, site.channels, 1, norm)
    return relu_conv_norm(1, older, site.channels, 1, norm), relu_conv_norm(1, newer, site.channels, 1, norm)


class DartsNetwork(nn.Module):
    """A stem, cells that each see the two outputs before them, and a classifier."""

    def __init__(self, space: DartsSpace, drawings: Sequence[Drawing], norm: NormFactory) -> None:
        super().__init__()
        layout = space.layout
        self.stem = build_stem(layout, norm)
        self.cells = nn.ModuleList(DartsCell(site, *drawings[int(site.reduction)], norm) for site in layout.cells())
        self.tail = nn.Sequential(*classifier(layout.out_channels, layout.classes))

    def forward(self, images: Tensor) -> Tensor:
        older = newer = self.stem(images)
        for cell in self.cells:
            older, newer = newer, cell(older, newer)
        logits: Tensor = self.tail(newer)
        return logits


class DartsCell(nn.Module):
    """One cell: each node adds up two operations on what was there before it; all nodes together are the output."""

    def __init__(self, site: CellSite, sources: Sequence[int], operations: Sequence[str], norm: NormFactory) -> None:
        super().__init__()
        self.older, self.newer = build_inputs(site, norm)
        self.sources = list(sources)
        self.operations = nn.ModuleList(
            build_operation(name, site, source, norm) for name, source in zip(operations, sources, strict=True)
        )

    def forward(self, older: Tensor, newer: Tensor) -> Tensor:
        outputs = [self.older(older), self.newer(newer)]
        edges = list(zip(self.sources, self.operations, strict=True))
        for (a, first), (b, second) in zip(edges[::2], edges[1::2], strict=True):
            outputs.append(first(outputs[a]) + second(outputs[b]))
        return torch.cat(outputs[2:], 1)


class FactorizedReduction(nn.Module):
    """Half the size: half of the channels from the even pixels, half from the odd ones, so that none is lost."""

    def __init__(self, in_channels: int, out_channels: int, norm: NormFactory) -> None:
        super().__init__()
        self.even = nn.Conv2d(in_channels, out_channels // 2, 1, stride=2, bias=False)
        self.odd = nn.Conv2d(in_channels, out_channels // 2, 1, stride=2, bias=False)
        self.norm = norm(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(x)
        reduced: Tensor = self.norm(torch.cat((self.even(x), self.odd(x[:, :, 1:, 1:])), 1))
        return reduced


def build_operation(name: str, site: CellSite, source: int, norm: NormFactory) -> nn.Module:
    """The module of an operation on what ``source`` gives: of a reduction cell the first two are read at every other pixel."""
    channels, stride = site.channels, 2 if site.reduction and source < 2 else 1
    match name:
        case "max_pool_3x3":
            return nn.MaxPool2d(3, stride=stride, padding=1)
        case "avg_pool_3x3":
            return nn.AvgPool2d(3, stride=stride, padding=1, count_include_pad=False)
        case "skip_connect":
            return nn.Identity() if stride == 1 else FactorizedReduction(channels, channels, norm)
    kernel = int(name[-1])
    if name.startswith("dil"):
        return nn.Sequential(*_separable(kernel, channels, stride, 2, norm))
    return nn.Sequential(*_separable(kernel, channels, stride, 1, norm), *_separable(kernel, channels, 1, 1, norm))


def _separable(kernel: int, channels: int, stride: int, dilation: int, norm: NormFactory) -> list[nn.Module]:
    """ReLU, a depthwise convolution, one that mixes the channels, batch norm."""
    padding = dilation * (kernel // 2)
    depthwise = nn.Conv2d(channels, channels, kernel, stride, padding, dilation, groups=channels, bias=False)
    # the first ReLU must not change what other edges read
    return [nn.ReLU(), depthwise, nn.Conv2d(channels, channels, 1, bias=False), norm(channels)]
