"""The networks of NAS-Bench-101 (google-research/nasbench lib/model_builder.py; reconstruction B.1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from lissnas.errors import UserError
from lissnas.oneshot.blocks import NormFactory, convolutions
from lissnas.spaces.base import SearchSpace
from lissnas.spaces.chain import Conv
from lissnas.spaces.nasbench101.costs import CellLayout, vertex_channels
from lissnas.spaces.nasbench101.drawings import EDGES, INACTIVE, OPERATIONS, OUT, SHIFT

__all__ = ["Cell", "build_nasbench101", "build_operation", "build_stem", "build_tail", "mask_of"]


class Cell(nn.Module):
    """One cell: edges from IN are projected, sums enter each vertex, and what enters OUT is put side by side.

    Args:
        mask: its drawing, see ``spaces.nasbench101.drawings``.
        operations: for each of the five interior places the operation, or ``INACTIVE``.
    """

    def __init__(self, mask: int, operations: Sequence[int], in_channels: int, out_channels: int, norm: NormFactory) -> None:
        super().__init__()
        channels = [int(count) for count in vertex_channels(np.array([mask]), out_channels)[0]]
        self.edges = [(i, j) for i, j in EDGES if mask >> int(SHIFT[i, j]) & 1]
        self.vertices = [v for v in range(1, OUT) if operations[v - 1] != INACTIVE]
        self.channels = channels
        self.projections = nn.ModuleDict(
            {str(j): convolutions([Conv(1, in_channels, channels[j])], norm) for i, j in self.edges if i == 0}
        )
        self.operations = nn.ModuleDict({str(v): build_operation(operations[v - 1], channels[v], norm) for v in self.vertices})

    def forward(self, x: Tensor) -> Tensor:
        values: dict[int, Tensor] = {}
        for v in self.vertices:
            # a vertex is at most one channel wider than one that it leads to, which takes as many as it has
            parts = [values[i][:, : self.channels[v]] for i, j in self.edges if j == v and i != 0]
            values[v] = self.operations[str(v)](self._sum(x, v, parts))
        before = [values[i] for i, j in self.edges if j == OUT and i != 0]
        return self._sum(x, OUT, [torch.cat(before, 1)] if before else [])

    def _sum(self, x: Tensor, vertex: int, parts: list[Tensor]) -> Tensor:
        if str(vertex) in self.projections:
            parts = [*parts, self.projections[str(vertex)](x)]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total


def build_nasbench101(space: SearchSpace, path: Sequence[int], norm: NormFactory) -> nn.Sequential:
    """The network of one cell, given as its genotype."""
    layout = space.layout
    if not isinstance(layout, CellLayout):
        raise UserError(f"'{space.name}' has no layout of NAS-Bench-101, so no such network can be built of it")
    mask = mask_of(path)
    network = nn.Sequential()
    network.add_module("stem", build_stem(layout, norm))
    for index, (in_channels, out_channels, _) in enumerate(layout.sites()):
        stack, cell = divmod(index, layout.cells)
        if stack > 0 and cell == 0:
            network.add_module(f"pool_{stack}", nn.MaxPool2d(2, ceil_mode=True))
        network.add_module(f"cell_{stack}_{cell}", Cell(mask, path[len(EDGES) :], in_channels, out_channels, norm))
    network.add_module("tail", build_tail(layout))
    return network


def build_stem(layout: CellLayout, norm: NormFactory) -> nn.Sequential:
    """The 3x3 convolution in front."""
    return convolutions([Conv(3, layout.in_channels, layout.stem_channels)], norm)


def build_tail(layout: CellLayout) -> nn.Sequential:
    """Average pool and classifier."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(layout.sites()[-1][1], layout.classes))


def mask_of(path: Sequence[int]) -> int:
    """The drawing of a genotype as bits, see ``spaces.nasbench101.drawings``."""
    return sum(int(bit) << int(SHIFT[i, j]) for bit, (i, j) in zip(path, EDGES, strict=False))


def build_operation(code: int, channels: int, norm: NormFactory) -> nn.Module:
    """The module of an operation."""
    if OPERATIONS[code] == "maxpool3x3":
        return nn.MaxPool2d(3, stride=1, padding=1)
    return convolutions([Conv(3 if OPERATIONS[code].startswith("conv3x3") else 1, channels, channels)], norm)
