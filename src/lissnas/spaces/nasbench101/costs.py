"""What a cell costs in the official network, with no network built (nasbench lib/model_builder.py; reconstruction B.1).

Channels follow from a drawing's edges alone, so that a cell costs what its shape does and, for each of its places, what the
operation there does: tables of a few thousand shapes. Spare channels go by the order of vertices, so that two drawings of one
cell can differ by a little (at most 1.2%).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lissnas.spaces.chain import Conv
from lissnas.spaces.nasbench101.drawings import INTERIOR, OPERATIONS, OUT, PLACES, adjacency_of

__all__ = ["CellLayout", "ShapeCosts", "shape_costs", "vertex_channels"]

_KERNELS = (3, 1)  # of the operations that are convolutions; the third, max-pooling, costs nothing


@dataclass(frozen=True)
class CellLayout:
    """A stem, stacks of equal cells, a classifier with a bias. Between stacks the image is halved and channels are doubled.

    Attributes:
        resolution: side of the square input.
        in_channels: channels of the input image.
        classes: outputs of the classifier.
        stem_channels: channels of the 3x3 convolution in front, and of the first stack.
        stacks: how many stacks.
        cells: how many cells in each.
    """

    kind: ClassVar[str] = "nasbench101"
    counts_norms: ClassVar[bool] = True  # the official trainable_parameters

    resolution: int = 32
    in_channels: int = 3
    classes: int = 10
    stem_channels: int = 128
    stacks: int = 3
    cells: int = 3

    def definition(self) -> dict[str, Any]:
        """Plain JSON data."""
        return asdict(self)

    @classmethod
    def from_definition(cls, data: Mapping[str, Any]) -> CellLayout:
        """Build a layout again from what :meth:`definition` wrote."""
        return cls(**data)

    def sites(self) -> list[tuple[int, int, int]]:
        """For each cell in order: channels that enter, channels that leave, and the side of its image."""
        sites = []
        channels, side = self.stem_channels, self.resolution
        for stack in range(self.stacks):
            width = self.stem_channels << stack
            for _ in range(self.cells):
                sites.append((channels, width, side))
                channels = width
            side = (side + 1) // 2
        return sites


@dataclass(frozen=True)
class ShapeCosts:
    """FLOPs and parameters of shapes: ``base`` float64[C], and ``operation`` float64[C, 5, 3] for what stands at each place."""

    flops_base: NDArray[np.float64]
    flops_operation: NDArray[np.float64]
    params_base: NDArray[np.float64]
    params_operation: NDArray[np.float64]

    def total(self, shapes: NDArray[Any], operations: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """FLOPs and parameters, float64[n] each; ``operations`` [n, 5], anything where a place is empty."""
        named = np.minimum(operations, len(OPERATIONS) - 1)
        flops, params = self.flops_base[shapes], self.params_base[shapes]
        for place in range(INTERIOR):
            flops += self.flops_operation[shapes, place, named[:, place]]
            params += self.params_operation[shapes, place, named[:, place]]
        return flops, params


def vertex_channels(masks: NDArray[Any], out_channels: int) -> NDArray[np.int64]:
    """int64[n, 7]: the channels that each vertex of pruned drawings puts out; 0 at empty places and at IN.

    What leaves the cell is cut into equal parts for the vertices before OUT, spare channels to the first of them; any other
    vertex is as wide as the widest that follows it.
    """
    adjacency = adjacency_of(masks)
    channels = np.zeros((len(masks), PLACES), dtype=np.int64)
    channels[:, OUT] = out_channels
    before_out = adjacency[:, 1:OUT, OUT]
    parts = np.maximum(before_out.sum(axis=1), 1)[:, None]
    spare = np.cumsum(before_out, axis=1) <= out_channels % parts
    channels[:, 1:OUT] = before_out * (out_channels // parts + spare)
    for vertex in range(OUT - 2, 0, -1):
        widest = (channels[:, vertex + 1 : OUT] * adjacency[:, vertex, vertex + 1 : OUT]).max(axis=1)
        channels[:, vertex] = np.where(adjacency[:, vertex, OUT], channels[:, vertex], widest)
    return channels


def shape_costs(masks: NDArray[Any], layout: CellLayout) -> ShapeCosts:
    """The tables for pruned drawings ``masks`` [C]."""
    from_input = adjacency_of(masks)[:, 0, 1:]
    flops_base, params_base = np.zeros(len(masks)), np.zeros(len(masks))
    flops_operation, params_operation = np.zeros((2, len(masks), INTERIOR, len(OPERATIONS)))

    stem = Conv(3, layout.in_channels, layout.stem_channels)
    flops, weights = stem.cost(layout.resolution)
    flops_base += flops
    params_base += weights + 2 * layout.stem_channels
    sites = layout.sites()
    for in_channels, out_channels, side in sites:
        channels = vertex_channels(masks, out_channels)
        # projections of the cell's input: convolutions 1x1
        weights = (in_channels * channels[:, 1:] * from_input).sum(axis=1)
        flops_base += side**2 * weights
        params_base += weights + 2 * (channels[:, 1:] * from_input).sum(axis=1)
        for operation, kernel in enumerate(_KERNELS):
            width = channels[:, 1:OUT]
            flops_operation[:, :, operation] += side**2 * kernel**2 * width**2
            params_operation[:, :, operation] += kernel**2 * width**2 + 2 * width
    last = sites[-1][1]
    flops_base += last * layout.classes
    params_base += (last + 1) * layout.classes
    return ShapeCosts(flops_base, flops_operation, params_base, params_operation)
