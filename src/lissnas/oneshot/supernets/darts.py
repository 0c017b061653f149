"""The supernet of DARTS cells: every edge of every cell holds all operations, and a path runs two edges per node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lissnas.errors import UserError
from lissnas.oneshot.blocks import NormFactory
from lissnas.oneshot.network import Path
from lissnas.oneshot.networks.darts import build_inputs, build_operation, build_stem, drawings_of
from lissnas.oneshot.networks.edge_cell import classifier
from lissnas.oneshot.supernet import Block, Inherited, Supernet
from lissnas.oneshot.supernets.nodes import Node, Nodes
from lissnas.spaces.base import SearchSpace
from lissnas.spaces.darts import DartsSpace
from lissnas.spaces.darts.layout import CellSite

__all__ = ["DartsSupernet", "SharedDartsCell"]

INPUTS = 2  # of a cell: the outputs of the two cells before it


class Edge(NamedTuple):
    """An edge of a cell: the node that it leads to (inputs are 0 and 1), the one that it leads from, and its operation."""

    node: int
    source: int
    operation: str


class SharedDartsCell(nn.Module):
    """All operations on all edges, and what brings both inputs to the cell's channels."""

    def __init__(self, site: CellSite, nodes: int, operations: tuple[str, ...], norm: NormFactory) -> None:
        super().__init__()
        self.reduction = site.reduction
        self.older, self.newer = build_inputs(site, norm)
        free = {
            (source >= INPUTS, name): build_operation(name, site, source, norm)
            for source in (0, INPUTS)
            for name in operations
            if name.endswith("pool_3x3")  # has no weights: the same on all edges
        }
        edges = [(node, source) for node in range(INPUTS, INPUTS + nodes) for source in range(node)]
        self._operations = {
            Edge(node, source, name): free.get((source >= INPUTS, name)) or build_operation(name, site, source, norm)
            for node, source in edges
            for name in operations
        }
        self.operations = nn.ModuleDict({f"{e.source}_{e.node}_{e.operation}": m for e, m in self._operations.items()})

    def operation(self, edge: Edge) -> nn.Module:
        """The module on an edge."""
        return self._operations[edge]


_Pair = tuple[Tensor, Tensor]  # the outputs of the last two cells, the newer last


def _begin(x: Tensor) -> _Pair:
    """The first cell sees the stem twice."""
    return x, x


@dataclass(frozen=True)
class _Enter:
    """Brings the outputs of the last two cells to a cell's channels: its nodes 0 and 1. The newer one is kept for the next."""

    cell: SharedDartsCell

    def __call__(self, pair: _Pair) -> tuple[Tensor, Nodes]:
        older, newer = pair
        return newer, {0: Node(self.cell.older(older)), 1: Node(self.cell.newer(newer))}


@dataclass(frozen=True)
class _NodeBlock:
    """Computes one node of a cell; the last one also puts all nodes side by side, and the cell is done."""

    cell: SharedDartsCell
    edges: tuple[Edge, Edge]
    last: bool

    def __call__(self, state: tuple[Tensor, Nodes]) -> tuple[Tensor, Nodes | Tensor]:
        newer, nodes = state
        a, b = (
            nodes[edge.source].made(operation, operation) for edge in self.edges for operation in [self.cell.operation(edge)]
        )
        nodes = {**nodes, self.edges[0].node: Node(a + b)}
        if not self.last:
            return newer, nodes
        return newer, torch.cat([node.value for number, node in nodes.items() if number >= INPUTS], 1)


def _end(pair: _Pair) -> Tensor:
    """The output of the last cell."""
    return pair[1]


class DartsSupernet(Supernet):
    """Cells of a kind are chosen alike, and have weights of their own, as have the nodes in the order of the drawing."""

    def _build(self, space: SearchSpace, norm: NormFactory) -> None:
        if not isinstance(space, DartsSpace):
            raise UserError(f"'{space.name}' has no cells of DARTS, so it has no such supernet")
        layout = space.layout
        self._space = space
        self.stem = build_stem(layout, norm)
        self.cells = nn.ModuleList(
            SharedDartsCell(site, layout.nodes, tuple(layout.operations), norm) for site in layout.cells()
        )
        self._cells: list[SharedDartsCell] = list(self.cells)  # type: ignore[arg-type]
        self.tail = nn.Sequential(*classifier(layout.out_channels, layout.classes))

    def blocks(self, path: Path) -> list[Block]:
        """A block per node of each cell."""
        drawings = _edges(self._space, tuple(int(allele) for allele in path))
        blocks: list[Block] = [_begin]
        for cell in self._cells:
            nodes = drawings[cell.reduction]
            blocks.append(_Enter(cell))
            blocks += [_NodeBlock(cell, pair, pair is nodes[-1]) for pair in nodes]
        return [*blocks, _end]

    def _inherited(self, path: list[int]) -> Iterator[Inherited]:
        drawings = _edges(self._space, tuple(path))
        for index, cell in enumerate(self._cells):
            edges = [edge for pair in drawings[cell.reduction] for edge in pair]
            for source, name, module in ((0, "older", cell.older), (1, "newer", cell.newer)):
                yield Inherited(f"cells.{index}.{name}", module, any(edge.source == source for edge in edges))
            for place, edge in enumerate(edges):
                yield Inherited(f"cells.{index}.operations.{place}", cell.operation(edge))


@lru_cache(maxsize=1 << 14)
def _edges(space: DartsSpace, path: tuple[int, ...]) -> list[tuple[tuple[Edge, Edge], ...]]:
    """For the normal and the reduction cell the two edges of each node."""
    found = []
    for sources, operations in drawings_of(space, path):
        edges = [Edge(INPUTS + i // 2, s, o) for i, (s, o) in enumerate(zip(sources, operations, strict=True))]
        found.append(tuple(zip(edges[::2], edges[1::2], strict=True)))
    return found
