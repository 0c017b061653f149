"""The supernet of NATS-Bench's size space: layers as wide as the widest choice, of which a path slices the first channels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn

from lissnas.errors import UserError
from lissnas.oneshot.blocks import NormFactory
from lissnas.oneshot.network import Path
from lissnas.oneshot.networks.edge_cell import ResidualBlock, relu_conv_norm
from lissnas.oneshot.networks.nasbench201 import build_reduction, build_tail
from lissnas.oneshot.networks.nats_size import build_stem
from lissnas.oneshot.supernet import Block, Inherited, Supernet
from lissnas.oneshot.supernets.elastic import ElasticClassifier, first, sliced, sliced_residual
from lissnas.spaces.base import SearchSpace
from lissnas.spaces.edge_cell import EDGES, edges_into
from lissnas.spaces.nats_size import NATSSizeLayout

__all__ = ["NATSSizeSupernet", "WidthCell"]


class WidthCell(nn.Module):
    """3x3 convolutions on all edges but that from the first node to the last, which skips, or is a 1x1 convolution."""

    def __init__(self, before: int, after: int, norm: NormFactory) -> None:
        super().__init__()
        self.edges = nn.ModuleDict(
            {
                f"{start}_{end}": nn.Sequential(nn.Conv2d(before, after, 1, bias=False), norm(after))
                if (start, end) == (0, 3)
                else relu_conv_norm(3, before if start == 0 else after, after, 1, norm)
                for start, end in EDGES
            }
        )

    def run(self, x: Tensor, channels: int) -> Tensor:
        """float32[n, c, H, W] -> float32[n, channels, H, W]."""
        nodes = [x]
        for end in (1, 2, 3):
            total: Tensor | None = None
            for _, start in edges_into(end):
                if (start, end) == (0, 3) and x.shape[1] == channels:
                    brought = x
                else:
                    brought = sliced(self.edges[f"{start}_{end}"], nodes[start], channels)  # type: ignore[arg-type]
                total = brought if total is None else total + brought
            assert total is not None
            nodes.append(total)
        return nodes[-1]


class NATSSizeSupernet(Supernet):
    """Five layers: cell, residual block, cell, residual block, cell."""

    def _build(self, space: SearchSpace, norm: NormFactory) -> None:
        layout = space.layout
        if not isinstance(layout, NATSSizeLayout):
            raise UserError(f"'{space.name}' has no layout of NATS-Bench's size space, so it has no such supernet")
        self._layout = layout
        widest = [max(choices) for choices in layout.channels]
        self.stem = build_stem(layout, widest[0], norm)
        pairs = list(zip([widest[0], *widest], widest, strict=False))
        self.layers = nn.ModuleList(
            WidthCell(before, after, norm) if index % 2 == 0 else build_reduction(before, after, norm)
            for index, (before, after) in enumerate(pairs)
        )
        self._layers = list(self.layers)
        tail = build_tail(widest[-1], layout.classes, norm)
        self.tail = ElasticClassifier(*tail)

    def blocks(self, path: Path) -> list[Block]:
        """A block per layer."""
        widths = self._layout.widths([int(allele) for allele in path])
        return [_First(widths[0]), *(_Layer(layer, width) for layer, width in zip(self._layers, widths, strict=True))]

    def _inherited(self, path: list[int]) -> Iterator[Inherited]:
        widths = self._layout.widths(path)
        for index, (layer, before, after) in enumerate(zip(self._layers, [widths[0], *widths], widths, strict=False)):
            if isinstance(layer, ResidualBlock):
                yield Inherited(f"layer_{index}", layer)
                continue
            assert isinstance(layer, WidthCell)
            for name, edge in layer.edges.items():
                if name != "0_3" or before != after:
                    yield Inherited(f"layer_{index}.edges.{name}", edge)


@dataclass(frozen=True)
class _First:
    """Of what the stem gives the first channels, as if it gave no others."""

    channels: int

    def __call__(self, x: Tensor) -> Tensor:
        return first(x, self.channels)


@dataclass(frozen=True)
class _Layer:
    layer: nn.Module
    channels: int

    def __call__(self, x: Tensor) -> Tensor:
        if isinstance(self.layer, ResidualBlock):
            return sliced_residual(self.layer, x, self.channels)
        assert isinstance(self.layer, WidthCell)
        return self.layer.run(x, self.channels)
