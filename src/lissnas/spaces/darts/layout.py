"""The networks behind DARTS cells, in plain numbers, and what they cost [quark0/darts cnn/model.py, cnn/operations.py]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError
from lissnas.spaces.chain import Conv

__all__ = ["OPERATIONS", "CellSite", "DartsLayout"]

# In the order of NAS-Bench-301 [automl/nasbench301 nasbench301/representations.py]
OPERATIONS = (
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)

STEM_MULTIPLIER = 3  # the stem has this many times the channels of the first cell's operations


class CellSite(NamedTuple):
    """A cell's place in the network.

    Attributes:
        reduction: whether it is a reduction cell: operations on the cell's own inputs have stride 2.
        inputs: channels of the two cells before it.
        channels: of each of its operations; its output has one of that many per node.
        resolution: side of the output of the cell before it.
        halved: whether the cell before it is a reduction cell, so that the one before that is twice as large.
    """

    reduction: bool
    inputs: tuple[int, int]
    channels: int
    resolution: int
    halved: bool


@dataclass(frozen=True)
class DartsLayout:
    """A 3x3 convolution, ``layers`` cells of which two reduce (at a third and two thirds), and a linear classifier.

    The network that is evaluated in the end: batch norms have weights, pooling has no batch norm, there is no auxiliary
    head and no drop path.

    Attributes:
        resolution: side of the square input, a multiple of 4.
        in_channels: channels of the input image.
        classes: outputs of the classifier.
        init_channels: of an operation in the first cell; each reduction doubles them.
        layers: how many cells.
        nodes: intermediate nodes of a cell.
        operations: what an edge can be.
    """

    kind: ClassVar[str] = "darts"
    counts_norms: ClassVar[bool] = True

    resolution: int
    in_channels: int
    classes: int
    init_channels: int
    layers: int
    nodes: int
    operations: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in ("resolution", "in_channels", "classes", "init_channels", "layers"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise UserError(f"{name} of a DARTS network must be a whole number >= 1, but got {value!r}")
        if self.resolution % 4:
            raise UserError(
                f"DARTS networks halve their input twice: its side must be a multiple of 4, but got {self.resolution}"
            )
        if self.init_channels % 2:
            raise UserError(f"DARTS networks split channels in two: init_channels must be even, but got {self.init_channels}")
        unknown = [name for name in self.operations if name not in OPERATIONS]
        if unknown or len(set(self.operations)) < len(self.operations):
            raise UserError(
                f"operations of DARTS cells are different ones of {', '.join(OPERATIONS)}, but got {', '.join(self.operations)}"
            )

    @property
    def stem_channels(self) -> int:
        """Channels of the convolution in front."""
        return STEM_MULTIPLIER * self.init_channels

    @property
    def out_channels(self) -> int:
        """What the classifier sees."""
        return self.nodes * self.cells()[-1].channels

    def cells(self) -> list[CellSite]:
        """The cells in order."""
        sites = []
        inputs, channels = (self.stem_channels, self.stem_channels), self.init_channels
        resolution, halved = self.resolution, False
        for layer in range(self.layers):
            reduction = layer in (self.layers // 3, 2 * self.layers // 3)
            channels *= 1 + reduction
            sites.append(CellSite(reduction, inputs, channels, resolution, halved))
            inputs = (inputs[1], self.nodes * channels)
            resolution //= 1 + reduction
            halved = reduction
        return sites

    def costs(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """FLOPs (multiply-adds) and parameters (batch norms' included), of what all networks have and of what differs.

        Returns:
            float64[2], of stem, preprocessing and classifier; and float64[2, 2, 2, K], for normal and reduction cells, for
            edges from a node and from an input of the cell, for each operation, summed over all cells of that kind.
        """
        base = np.array(_cost([Conv(3, self.in_channels, self.stem_channels)], self.resolution, [self.stem_channels]))
        edges = np.zeros((2, 2, 2, len(self.operations)))
        for site in self.cells():
            for convs, resolution in preprocessing(site):
                base += _cost(convs, resolution, [site.channels])
            for from_input in (False, True):
                stride = 2 if site.reduction and from_input else 1
                resolution = site.resolution // (2 if site.reduction and not from_input else 1)
                for index, name in enumerate(self.operations):
                    convs, norms = operation(name, site.channels, stride)
                    edges[:, int(site.reduction), int(from_input), index] += _cost(convs, resolution, norms)
        base += (self.out_channels * self.classes, (self.out_channels + 1) * self.classes)
        return base, edges

    def definition(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {**asdict(self), "operations": list(self.operations)}

    @classmethod
    def from_definition(cls, data: Mapping[str, Any]) -> DartsLayout:
        """Build a layout again from what :meth:`definition` wrote."""
        return cls(**{**data, "operations": tuple(data["operations"])})


def preprocessing(site: CellSite) -> list[tuple[list[Conv], int]]:
    """The convolutions that bring each of a cell's inputs to its channels and to one size, and the side they start from."""
    older = reduction(site.inputs[0], site.channels) if site.halved else [Conv(1, site.inputs[0], site.channels)]
    side = site.resolution * (2 if site.halved else 1)
    return [(older, side), ([Conv(1, site.inputs[1], site.channels)], site.resolution)]


def reduction(in_channels: int, out_channels: int) -> list[Conv]:
    """Half of the channels from the even pixels, half from the odd ones."""
    return [Conv(1, in_channels, out_channels // 2, 2), Conv(1, in_channels, out_channels // 2, 2)]


def operation(name: str, channels: int, stride: int) -> tuple[list[Conv], list[int]]:
    """The convolutions of an operation, the ones before a reduction side by side, and the channels of its batch norms."""
    if name.endswith("pool_3x3") or (name == "skip_connect" and stride == 1):
        return [], []
    if name == "skip_connect":
        return reduction(channels, channels), [channels]
    kernel = int(name[-1])
    once = [Conv(kernel, channels, channels, stride, groups=channels), Conv(1, channels, channels)]
    if name.startswith("dil"):
        return once, [channels]
    return [*once, Conv(kernel, channels, channels, groups=channels), Conv(1, channels, channels)], [channels, channels]


def _cost(convs: list[Conv], resolution: int, norms: list[int]) -> tuple[float, float]:
    """Multiply-adds and parameters of ``convs``: one after another, but those with stride 2 all on the input."""
    flops = params = 0.0
    smaller = resolution
    for conv in convs:
        side = resolution if conv.stride > 1 else smaller
        macs, weights = conv.cost(side)
        flops += macs
        params += weights
        smaller = conv.out_resolution(side)
    return flops, params + 2 * sum(norms)
