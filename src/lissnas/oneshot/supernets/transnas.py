"""The supernet of TransNAS-Bench-101: all operations on each edge of its cells (micro), all four modules at each place (macro).

In the macro space how many channels come to a place depends on the modules before it: each place's four modules are as wide as
that can be, and a path slices the first channels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn

from lissnas.errors import UserError
from lissnas.oneshot.blocks import NormFactory
from lissnas.oneshot.network import Path
from lissnas.oneshot.networks.edge_cell import ResidualBlock, classifier
from lissnas.oneshot.networks.transnas import build_operation, build_residual, build_stem
from lissnas.oneshot.supernet import Block, Inherited, Supernet
from lissnas.oneshot.supernets.edge_cell import LiveEdge, Nothing, SharedEdgeCell, live_edges
from lissnas.oneshot.supernets.elastic import ElasticClassifier, sliced_residual
from lissnas.spaces.base import SearchSpace
from lissnas.spaces.edge_cell import EDGES
from lissnas.spaces.transnas import BASE, BLOCKS, TransNASLayout
from lissnas.spaces.transnas import Block as Shape
from lissnas.spaces.transnas_macro import DIGITS, LONGEST, digits_of
from lissnas.spaces.transnas_micro import OPERATIONS

__all__ = ["TransNASSupernet"]

DOUBLINGS = 3  # at most, in a chain of modules


class TransNASSupernet(Supernet):
    """Of the micro space where the layout says which modules there are, else of the macro space."""

    def _build(self, space: SearchSpace, norm: NormFactory) -> None:
        layout = space.layout
        if not isinstance(layout, TransNASLayout):
            raise UserError(f"'{space.name}' has no layout of TransNAS-Bench-101, so it has no such supernet")
        self.stem = build_stem(layout, norm)
        self.cells = nn.ModuleList()
        self.places = nn.ModuleList()
        if layout.modules is not None:
            shapes = list(layout.blocks([int(digit) for digit in layout.modules]))
            self.cells.extend(_cell(shape, norm) for shape in shapes)
            width = shapes[-1].out_channels
            self._nothing = Nothing(width, math.prod(shape.stride for shape in shapes))
            self.tail = classifier(width, layout.classes)
        else:
            self.places.extend(nn.ModuleList(_module(place, int(digit), norm) for digit in DIGITS) for place in range(LONGEST))
            self.tail = ElasticClassifier(*classifier(BASE << DOUBLINGS, layout.classes))

    def blocks(self, path: Path) -> list[Block]:
        """A block per node of each cell, or per residual block."""
        if not self.cells:
            return [_Widening(block, widens) for _, block, widens in self._chain(path)]
        live = live_edges(path)
        if not live[-1]:
            return [self._nothing]
        return [block for cell in self.cells for block in _blocks(cell, live)]

    def _inherited(self, path: list[int]) -> Iterator[Inherited]:
        for name, block, _ in self._chain(path):
            yield Inherited(name, block)
        live = live_edges(path)
        for index, cell in enumerate(self.cells):
            assert isinstance(cell, SharedEdgeCell)
            for edge, module, reaches in cell.used(path, live):
                yield Inherited(f"block_{index}.edges.{edge}", module, reaches)

    def inherited(self, path: list[int]) -> Iterator[Inherited]:
        cut_off = bool(self.cells) and not live_edges(path)[-1]
        for part in super().inherited(path):
            yield part._replace(live=False) if cut_off and part.name == "stem" else part

    def _chain(self, path: Path) -> Iterator[tuple[str, ResidualBlock, bool]]:
        """The residual blocks that a path of the macro space runs: name, block, and whether it doubles the channels."""
        if not self.places:
            return
        for place, digit in enumerate(digits_of([int(allele) for allele in path])):
            pair = self.places[place][digit - 1]  # type: ignore[index]
            for half, block in enumerate(pair):
                yield f"block_{BLOCKS * place + half}", block, half == 0 and digit in (2, 4)


@dataclass(frozen=True)
class _Widening:
    """A residual block on as many channels as come, that gives as many or twice as many."""

    block: ResidualBlock
    widens: bool

    def __call__(self, x: Tensor) -> Tensor:
        return sliced_residual(self.block, x, x.shape[1] * (2 if self.widens else 1))


def _blocks(cell: nn.Module, live: list[tuple[LiveEdge, ...]]) -> list[Block]:
    assert isinstance(cell, SharedEdgeCell)
    return cell.blocks(live)


def _cell(shape: Shape, norm: NormFactory) -> SharedEdgeCell:
    return SharedEdgeCell([[build_operation(name, shape, start, norm) for name in OPERATIONS] for start, _ in EDGES])


def _module(place: int, digit: int, norm: NormFactory) -> nn.ModuleList:
    """The two residual blocks of a module, as wide as any chain needs them at that place."""
    widens = digit in (2, 4)
    before = BASE << min(place, DOUBLINGS - widens)
    after = before << widens
    # the side is for counting costs; a shortcut is there where the block changes something
    shapes = (Shape(before, after, 2 if digit in (3, 4) else 1, 1), Shape(after, after, 1, 1))
    return nn.ModuleList(build_residual(shape, norm) for shape in shapes)
