"""The supernet of NAS-Bench-101: every vertex holds all operations, as wide as the cell [kcyu2014/eval-nas].

A path slices the first channels of each weight ("fixed chunk": scripts/nasbench-oneshot-search.sh; reconstruction D). A vertex
has a projection of its own for the cell's input, as in the benchmark's networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from lissnas.errors import UserError
from lissnas.oneshot.blocks import NormFactory, convolutions
from lissnas.oneshot.network import Path
from lissnas.oneshot.networks.nasbench101 import build_operation, build_stem, build_tail, mask_of
from lissnas.oneshot.supernet import Block, Inherited, Supernet
from lissnas.oneshot.supernets.elastic import first, sliced
from lissnas.oneshot.supernets.nodes import Node, Nodes, enter
from lissnas.spaces.base import SearchSpace
from lissnas.spaces.chain import Conv
from lissnas.spaces.nasbench101.costs import CellLayout, vertex_channels
from lissnas.spaces.nasbench101.drawings import EDGES, INACTIVE, OUT

__all__ = ["NASBench101Supernet", "SharedCell"]

INTERIOR = range(1, OUT)


class Vertex(NamedTuple):
    """What a path makes of a vertex.

    Attributes:
        place: where it stands, OUT included.
        operation: its allele; ``INACTIVE`` for OUT.
        channels: that it gives, and takes.
        sources: the interior vertices that lead to it.
        projected: whether the cell's input leads to it too.
    """

    place: int
    operation: int
    channels: int
    sources: tuple[int, ...]
    projected: bool


class SharedCell(nn.Module):
    """All operations at all vertices, and a projection of the input for each vertex and for OUT."""

    def __init__(self, in_channels: int, out_channels: int, norm: NormFactory) -> None:
        super().__init__()
        self.out_channels = out_channels
        self.projections = nn.ModuleDict(
            {str(place): convolutions([Conv(1, in_channels, out_channels)], norm) for place in range(1, OUT + 1)}
        )
        self.operations = nn.ModuleDict(
            {
                str(place): nn.ModuleList(build_operation(code, out_channels, norm) for code in range(INACTIVE))
                for place in INTERIOR
            }
        )

    def used(self, vertices: tuple[Vertex, ...]) -> Iterator[tuple[str, nn.Module]]:
        """The modules that these vertices run, under the names that they have in the benchmark's networks."""
        for vertex in vertices:
            place = str(vertex.place)
            if vertex.projected:
                yield f"projections.{place}", self.projections[place]
            if vertex.place != OUT:
                yield f"operations.{place}", self.operations[place][vertex.operation]  # type: ignore[index]


@dataclass(frozen=True)
class _VertexBlock:
    """Computes one vertex; OUT is what the cell gives."""

    cell: SharedCell
    vertex: Vertex

    def __call__(self, values: Nodes) -> Nodes | Tensor:
        place, operation, channels, sources, projected = self.vertex
        # a vertex is at most one channel wider than one that it leads to, which takes as many as it has
        parts = [values[source].value for source in sources]
        parts = [torch.cat(parts, 1)] if place == OUT and parts else [first(part, channels) for part in parts]
        if projected:
            projection = self.cell.projections[str(place)]
            parts.append(values[0].made((place, channels), lambda x: sliced(projection, x, channels)))  # type: ignore[arg-type]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        if place == OUT:
            return total
        module = self.cell.operations[str(place)][operation]  # type: ignore[index]
        value = sliced(module, total, channels) if isinstance(module, nn.Sequential) else module(total)
        return {**values, place: Node(value)}


class NASBench101Supernet(Supernet):
    """Cells are chosen alike, and have weights of their own. A place in the drawing has its own weights too."""

    def _build(self, space: SearchSpace, norm: NormFactory) -> None:
        layout = space.layout
        if not isinstance(layout, CellLayout):
            raise UserError(f"'{space.name}' has no layout of NAS-Bench-101, so it has no such supernet")
        self.stem = build_stem(layout, norm)
        parts: dict[str, nn.Module] = {}
        for index, (in_channels, out_channels, _) in enumerate(layout.sites()):
            stack, cell = divmod(index, layout.cells)
            if stack > 0 and cell == 0:
                parts[f"pool_{stack}"] = nn.MaxPool2d(2, ceil_mode=True)
            parts[f"cell_{stack}_{cell}"] = SharedCell(in_channels, out_channels, norm)
        self.parts = nn.ModuleDict(parts)
        self._parts = list(parts.items())
        self.tail = build_tail(layout)

    def blocks(self, path: Path) -> list[Block]:
        """A block per vertex of each cell, and the pools between stacks."""
        alleles = tuple(int(allele) for allele in path)
        blocks: list[Block] = []
        for _, part in self._parts:
            if isinstance(part, SharedCell):
                blocks.append(enter)
                blocks += [_VertexBlock(part, vertex) for vertex in _vertices(alleles, part.out_channels)]
            else:
                blocks.append(part)
        return blocks

    def _inherited(self, path: list[int]) -> Iterator[Inherited]:
        for name, part in self._parts:
            if isinstance(part, SharedCell):
                for inner, module in part.used(_vertices(tuple(path), part.out_channels)):
                    yield Inherited(f"{name}.{inner}", module)


@lru_cache(maxsize=1 << 14)
def _vertices(alleles: tuple[int, ...], out_channels: int) -> tuple[Vertex, ...]:
    """The vertices of a cell, one after the other, OUT last."""
    mask, operations = mask_of(alleles), alleles[len(EDGES) :]
    channels = vertex_channels(np.array([mask]), out_channels)[0].tolist()
    drawn = [edge for bit, edge in zip(alleles, EDGES, strict=False) if bit]
    return tuple(
        Vertex(place, operation, channels[place], tuple(i for i, j in drawn if j == place and i), (0, place) in drawn)
        for place, operation in enumerate((*operations, INACTIVE), start=1)
        if operation != INACTIVE or place == OUT
    )
