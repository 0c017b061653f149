"""Cells with an operation on every edge, and the residual blocks beside them: what NAS-Bench-201 and TransNAS share."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lissnas.oneshot.blocks import NormFactory
from lissnas.spaces.edge_cell import EDGES, edges_into

__all__ = ["EdgeCell", "ResidualBlock", "classifier", "relu_conv_norm"]


def relu_conv_norm(kernel: int, in_channels: int, out_channels: int, stride: int, norm: NormFactory) -> nn.Sequential:
    """ReLU, convolution, batch norm. The ReLU leaves what it reads as it is: other edges read it too."""
    convolution = nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(nn.ReLU(), convolution, norm(out_channels))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut, their sum without a ReLU behind it: the next block begins with one."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, shortcut: nn.Module, norm: NormFactory) -> None:
        super().__init__()
        self.main = nn.Sequential(
            relu_conv_norm(3, in_channels, out_channels, stride, norm), relu_conv_norm(3, out_channels, out_channels, 1, norm)
        )
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        main: Tensor = self.main(x)
        past: Tensor = self.shortcut(x)
        return main + past


class EdgeCell(nn.Module):
    """A cell of four nodes, each the sum of what the edges into it bring; the last is the output.

    Every edge is built and run, whether or not its node leads anywhere, as the benchmarks do: what is counted is what runs.

    Args:
        edges: a module per edge, or None where it brings nothing.
        channels: of every node but the first.
        stride: between the first node and the others.
    """

    def __init__(self, edges: Sequence[nn.Module | None], channels: int, stride: int = 1) -> None:
        super().__init__()
        self.channels = channels
        self.stride = stride
        names = [f"{start}_{end}" for start, end in EDGES]
        self.edges = nn.ModuleDict({name: edge for name, edge in zip(names, edges, strict=True) if edge is not None})

    def forward(self, x: Tensor) -> Tensor:
        nodes = [x]
        for end in (1, 2, 3):
            names = [(start, f"{start}_{end}") for _, start in edges_into(end)]
            brought = [self.edges[name](nodes[start]) for start, name in names if name in self.edges]
            node = brought[0] if brought else self._nothing(x)
            for more in brought[1:]:
                node = node + more
            nodes.append(node)
        return nodes[-1]

    def _nothing(self, x: Tensor) -> Tensor:
        """Zeros in the shape of a node."""
        place = x[:, :1, :: self.stride, :: self.stride]
        return torch.zeros_like(place).expand(-1, self.channels, -1, -1)


def classifier(channels: int, classes: int) -> nn.Sequential:
    """Average pool and a linear layer, its bias 0 at first."""
    linear = nn.Linear(channels, classes)
    nn.init.zeros_(linear.bias)
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear)
