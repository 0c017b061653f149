"""The supernet of NAS-Bench-201: every edge of every cell holds all five operations [AutoDL-Projects, generic_model.py]."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from lissnas.errors import UserError
from lissnas.oneshot.blocks import NormFactory
from lissnas.oneshot.network import Path
from lissnas.oneshot.networks.nasbench201 import build_operation, build_reduction, build_stem, build_tail
from lissnas.oneshot.supernet import Block, Inherited, Supernet
from lissnas.oneshot.supernets.edge_cell import Nothing, SharedEdgeCell, live_edges
from lissnas.spaces.base import SearchSpace
from lissnas.spaces.edge_cell import EDGES
from lissnas.spaces.nasbench201 import OPERATIONS, NASBench201Layout

__all__ = ["NASBench201Supernet"]


class NASBench201Supernet(Supernet):
    """Cells are chosen alike, and have weights of their own."""

    def _build(self, space: SearchSpace, norm: NormFactory) -> None:
        layout = space.layout
        if not isinstance(layout, NASBench201Layout):
            raise UserError(f"'{space.name}' has no layout of NAS-Bench-201, so it has no such supernet")
        self.stem = build_stem(layout, norm)
        parts: dict[str, nn.Module] = {}
        width = layout.channels
        for stage, (channels, _) in enumerate(layout.stages):
            if channels != width:
                parts[f"reduction_{stage}"] = build_reduction(width, channels, norm)
            width = channels
            for cell in range(layout.cells):
                parts[f"cell_{stage}_{cell}"] = _cell(channels, norm)
        self.parts = nn.ModuleDict(parts)
        self._parts = list(parts.items())
        self._nothing = Nothing(width, layout.resolution // layout.stages[-1][1])
        self.tail = build_tail(width, layout.classes, norm)

    def blocks(self, path: Path) -> list[Block]:
        """A block per node of each cell, and the residual blocks between stages."""
        live = live_edges(path)
        if not live[-1]:
            return [self._nothing]
        blocks: list[Block] = []
        for _, part in self._parts:
            blocks += part.blocks(live) if isinstance(part, SharedEdgeCell) else [part]
        return blocks

    def _inherited(self, path: list[int]) -> Iterator[Inherited]:
        live = live_edges(path)
        for name, part in self._parts:
            if isinstance(part, SharedEdgeCell):
                for edge, module, reaches in part.used(path, live):
                    yield Inherited(f"{name}.edges.{edge}", module, reaches)
            else:
                yield Inherited(name, part, live=bool(live[-1]))

    def inherited(self, path: list[int]) -> Iterator[Inherited]:
        for part in super().inherited(path):
            cut_off = part.name == "stem" and not live_edges(path)[-1]
            yield part._replace(live=False) if cut_off else part


def _cell(channels: int, norm: NormFactory) -> SharedEdgeCell:
    free = {name: build_operation(name, channels, norm) for name in OPERATIONS if "conv" not in name}  # the same on all edges
    return SharedEdgeCell(
        [[free[name] if name in free else build_operation(name, channels, norm) for name in OPERATIONS] for _ in EDGES]
    )
