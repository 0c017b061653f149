"""AnyNetX and RegNet in torch: stages of X blocks [facebookresearch/pycls pycls/models/{anynet,blocks}.py]."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor, nn

from lissnas.errors import UserError
from lissnas.oneshot.blocks import NormFactory
from lissnas.spaces import SearchSpace
from lissnas.spaces.anynet import AnyNetX
from lissnas.spaces.regnet import RegNet
from lissnas.spaces.xblock import Stage, XBlockLayout

__all__ = ["XBlock", "build_x_blocks", "x_block_network"]


class XBlock(nn.Module):
    """1x1, 3x3 in groups, 1x1, each with batch norm, added to the input, or at stride 2 to a projection of it; then ReLU."""

    def __init__(self, in_channels: int, stage: Stage, stride: int, norm: NormFactory) -> None:
        super().__init__()
        _, width, inner, group = stage
        self.main = nn.Sequential(
            nn.Conv2d(in_channels, inner, 1, bias=False),
            norm(inner),
            nn.ReLU(inplace=True),
            nn.Conv2d(inner, inner, 3, stride, padding=1, groups=inner // group, bias=False),
            norm(inner),
            nn.ReLU(inplace=True),
            nn.Conv2d(inner, width, 1, bias=False),
            norm(width),
        )
        self.projection: nn.Module = nn.Identity()
        if stride != 1 or in_channels != width:
            self.projection = nn.Sequential(nn.Conv2d(in_channels, width, 1, stride, bias=False), norm(width))
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.relu(self.projection(x) + self.main(x))
        return result


def x_block_network(stages: Sequence[Stage], layout: XBlockLayout, norm: NormFactory) -> nn.Sequential:
    """The network of these stages."""
    network = nn.Sequential()
    stem = (nn.Conv2d(layout.in_channels, layout.stem, 3, 2, padding=1, bias=False), norm(layout.stem), nn.ReLU(inplace=True))
    network.add_module("stem", nn.Sequential(*stem))
    channels = layout.stem
    for index, stage in enumerate(stages, start=1):
        blocks = nn.Sequential()
        for place in range(stage.depth):
            blocks.append(XBlock(channels, stage, 2 if place == 0 else 1, norm))
            channels = stage.width
        network.add_module(f"stage_{index}", blocks)
    network.add_module("head", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, layout.classes)))
    return network


def build_x_blocks(space: SearchSpace, path: Sequence[int], norm: NormFactory) -> nn.Sequential:
    """The network of one architecture of an AnyNetX space or of RegNet."""
    if not isinstance(space, (AnyNetX, RegNet)) or not isinstance(space.layout, XBlockLayout):
        raise UserError(f"'{space.name}' has no stages of X blocks: use anynetx or regnet")
    stages = space.stages_of(np.array([path], dtype=np.uint8)).row(0)
    return x_block_network(stages, space.layout, norm)
