"""A cell of four nodes with all operations on every edge: what the supernets of NAS-Bench-201 and TransNAS micro share.

Operations that bring nothing (they lead from a node without input) or lead nowhere are left out. What they would have brought
is exactly zero, since batch norms have no weights, so that the network which does build them computes the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lissnas.oneshot.network import Path
from lissnas.oneshot.supernet import Block
from lissnas.oneshot.supernets.nodes import Node, Nodes, enter
from lissnas.spaces.edge_cell import EDGES, edges_into

__all__ = ["LiveEdge", "Nothing", "SharedEdgeCell", "live_edges"]


class LiveEdge(NamedTuple):
    """An edge that brings something to the output: its place in ``EDGES``, the node it leads from, and its operation."""

    edge: int
    start: int
    operation: int


def live_edges(alleles: Path) -> list[tuple[LiveEdge, ...]]:
    """For the nodes 1, 2 and 3 the edges into them through which something gets from the first node to the last.

    The allele 0 is ``none``. A cell through which nothing gets has no edges at all.
    """
    filled = [True, False, False, False]
    for node in (1, 2, 3):
        filled[node] = any(alleles[index] and filled[start] for index, start in edges_into(node))
    wanted = [False, False, False, filled[3]]
    into: list[tuple[LiveEdge, ...]] = []
    for node in (3, 2, 1):
        edges = [
            LiveEdge(index, start, int(alleles[index]))
            for index, start in edges_into(node)
            if wanted[node] and alleles[index] and filled[start]
        ]
        for edge in edges:
            wanted[edge.start] = True
        into.insert(0, tuple(edges))
    return into


class SharedEdgeCell(nn.Module):
    """All operations on all edges.

    Args:
        operations: for each edge a module per allele, or None where the allele brings nothing. One that begins with a ReLU is a
            ``Sequential`` of ReLU, convolution and norm. Edges may hold the same module where it has no weights.
    """

    def __init__(self, operations: Sequence[Sequence[nn.Module | None]]) -> None:
        super().__init__()
        self._operations = [list(choices) for choices in operations]
        self.edges = nn.ModuleDict(
            {
                f"{start}_{end}": nn.ModuleList(choice for choice in choices if choice is not None)
                for (start, end), choices in zip(EDGES, operations, strict=True)
            }
        )
        # of a ReLU, a convolution and a norm the last two: edges that leave a node share the ReLU
        self._behind_relu = [
            [tuple(c)[1:] if isinstance(c, nn.Sequential) and isinstance(c[0], nn.ReLU) else None for c in choices]
            for choices in operations
        ]

    def blocks(self, live: Sequence[tuple[LiveEdge, ...]]) -> list[Block]:
        """The block that enters the cell, and one per node that something is brought to and that leads to the output."""
        return [enter, *(_NodeBlock(self, node, edges) for node, edges in enumerate(live, start=1) if edges)]

    def used(self, alleles: Path, live: Sequence[tuple[LiveEdge, ...]]) -> Iterator[tuple[str, nn.Module, bool]]:
        """For each edge that has a module: its name, the module, and whether what it brings reaches the output."""
        reaching = {edge.edge for edges in live for edge in edges}
        for index, (start, end) in enumerate(EDGES):
            module = self._operations[index][alleles[index]]
            if module is not None:
                yield f"{start}_{end}", module, index in reaching

    def passes(self, edge: LiveEdge) -> bool:
        """Whether an edge brings its node as it is."""
        return isinstance(self._operations[edge.edge][edge.operation], nn.Identity)

    def bring(self, node: Node, edge: LiveEdge) -> Tensor:
        """What an edge brings from its node."""
        operation = self._operations[edge.edge][edge.operation]
        behind = self._behind_relu[edge.edge][edge.operation]
        if isinstance(operation, nn.Identity):
            return node.value
        if behind is None:
            assert operation is not None
            return node.made(operation, operation)
        convolution, norm = behind
        return node.made(operation, lambda _: norm(convolution(node.rectified)))


@dataclass(frozen=True)
class _NodeBlock:
    """Adds up what the edges into a node bring; the last node is what the cell gives."""

    cell: SharedEdgeCell
    node: int
    edges: tuple[LiveEdge, ...]

    def __call__(self, nodes: Nodes) -> Nodes | Tensor:
        if len(self.edges) == 1 and self.node != 3 and self.cell.passes(self.edges[0]):
            return {**nodes, self.node: nodes[self.edges[0].start]}
        brought = [self.cell.bring(nodes[edge.start], edge) for edge in self.edges]
        total = brought[0]
        for more in brought[1:]:
            total = total + more
        return total if self.node == 3 else {**nodes, self.node: Node(total)}


@dataclass(frozen=True)
class Nothing:
    """Zeros, where no way leads through the cells: ``channels`` of them, at ``1 / stride`` of the resolution."""

    channels: int
    stride: int

    def __call__(self, x: Tensor) -> Tensor:
        place = x[:, :1, :: self.stride, :: self.stride]
        return torch.zeros_like(place).expand(-1, self.channels, -1, -1)
