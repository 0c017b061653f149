"""TransNAS-Bench-101: the layers that its macro and micro spaces share (Duan et al. 2021; reconstruction B.4).

Facts from yawen-d/TransNASBench, lib/models/net_infer/{net_macro,cell_micro}.py. Only the networks of the classification
tasks are built: backbone, average pool, and a linear layer. Published parameters (batch norms included) are these exactly;
published FLOPs, of 256x256 images, count two more for every value that a batch norm gives, and one for every value that a ReLU
or the pool reads: 0.1 to 3% above the multiply-adds here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError
from lissnas.spaces.edge_cell import conv_with_norm

__all__ = ["BASE", "PAPER", "Block", "TransNASLayout"]

PAPER = "Duan et al., TransNAS-Bench-101: Improving Transferability and Generalizability of Cross-Task NAS (CVPR 2021)"
BASE = 64  # channels behind the stem
BLOCKS = 2  # in a module; the first of them carries what the module changes


class Block(NamedTuple):
    """A block of a module: its channels, its stride, and the side of the feature maps that come in."""

    in_channels: int
    out_channels: int
    stride: int
    side: int

    @property
    def out_side(self) -> int:
        """The side of the feature maps that come out."""
        return (self.side - 1) // self.stride + 1

    def conv(self, kernel: int, *, first: bool = True) -> NDArray[np.float64]:
        """What a convolution costs that reads the block's input, or else what the block made of it."""
        if first:
            return conv_with_norm(kernel, self.in_channels, self.out_channels, self.side, self.stride)
        return conv_with_norm(kernel, self.out_channels, self.out_channels, self.out_side)

    @property
    def reduces(self) -> bool:
        """Whether what comes out has another shape than what comes in."""
        return self.stride != 1 or self.in_channels != self.out_channels


@dataclass(frozen=True)
class TransNASLayout:
    """A stem that quarters the resolution, modules of two blocks, average pool, and a linear layer with bias.

    Attributes:
        resolution: side of the square input.
        classes: 63 for scenes, 100 for objects.
        modules: the digits of the modules, where the space does not search them: 1 plain, 2 twice the channels, 3 half the
            resolution, 4 both.
    """

    kind: ClassVar[str] = "transnas"
    counts_norms: ClassVar[bool] = True

    resolution: int = 256
    classes: int = 63
    modules: str | None = None
    in_channels: int = 3

    def __post_init__(self) -> None:
        if self.resolution < 1:
            raise UserError(f"the resolution must be a whole number >= 1, but got {self.resolution}")

    def blocks(self, modules: Sequence[int]) -> Iterator[Block]:
        """The blocks of modules, given as their digits."""
        channels, side = BASE, (self.resolution + 3) // 4
        for digit in modules:
            block = Block(channels, channels * (2 if digit in (2, 4) else 1), 2 if digit in (3, 4) else 1, side)
            for _ in range(BLOCKS):
                yield block
                channels, side = block.out_channels, block.out_side
                block = Block(channels, channels, 1, side)

    def cost_around(self, modules: Sequence[int]) -> NDArray[np.float64]:
        """Multiply-adds and parameters of stem and classifier: float64[2]."""
        *_, last = self.blocks(modules)
        cost = conv_with_norm(3, self.in_channels, BASE // 2, self.resolution, stride=2)
        cost += conv_with_norm(3, BASE // 2, BASE, (self.resolution + 1) // 2, stride=2)
        cost += [last.out_channels * self.classes, (last.out_channels + 1) * self.classes]
        return cost

    def definition(self) -> dict[str, Any]:
        """Plain JSON data."""
        return asdict(self)

    @classmethod
    def from_definition(cls, data: Mapping[str, Any]) -> TransNASLayout:
        """Build a layout again from what :meth:`definition` wrote."""
        return cls(**data)
