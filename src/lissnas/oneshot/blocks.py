"""Blocks in torch, built from the same lists of layers that costs are counted from (``spaces.chain_blocks``).

``BLOCKS`` is the one place that says which module a named block kind becomes; a new kind is a line there and one in
``BLOCK_KINDS``. Inverted residuals (``mb_k3e6_se``) spell out what they are and need none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from lissnas.spaces.chain import Conv, Site
from lissnas.spaces.chain_blocks import InvertedResidual, SqueezeExcite, block_branches, inverted_residual

__all__ = [
    "ACTIVATIONS",
    "BLOCKS",
    "ChannelShuffle",
    "InvertedResidualBlock",
    "NormFactory",
    "ShuffleBlock",
    "SqueezeExciteLayer",
    "build_block",
    "convolutions",
]

NormFactory = Callable[[int], nn.Module]

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": partial(nn.ReLU, inplace=True),
    "relu6": partial(nn.ReLU6, inplace=True),
    "swish": partial(nn.SiLU, inplace=True),
    "hswish": partial(nn.Hardswish, inplace=True),
}


def convolutions(branch: Sequence[Conv | SqueezeExcite], norm: NormFactory, activation: str = "relu") -> nn.Sequential:
    """Bias-free convolutions with batch norm; activation behind each that mixes channels (SPOS: a depthwise one has none)."""
    layers: list[nn.Module] = []
    for conv in branch:
        assert isinstance(conv, Conv)
        layers += [_convolution(conv), norm(conv.out_channels)]
        if conv.groups == 1:
            layers.append(ACTIVATIONS[activation]())
    return nn.Sequential(*layers)


def _convolution(conv: Conv) -> nn.Conv2d:
    return nn.Conv2d(
        conv.in_channels,
        conv.out_channels,
        conv.kernel,
        conv.stride,
        padding=conv.kernel // 2,
        groups=conv.groups,
        bias=False,
    )


class ShuffleBlock(nn.Module):
    """A ShuffleNetV2 block [SinglePathOneShot src/Supernet/blocks.py].

    At stride 1 channels are shuffled, the even ones pass by and the odd ones go through ``main``. At stride 2 the whole input
    goes through both branches.
    """

    def __init__(self, kind: str, site: Site, norm: NormFactory, activation: str = "relu") -> None:
        super().__init__()
        branches = block_branches(kind, site.in_channels, site.out_channels, site.stride)
        self.main = convolutions(branches[0], norm, activation)
        self.projection = convolutions(branches[1], norm, activation) if len(branches) > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        if self.projection is not None:
            return torch.cat((self.projection(x), self.main(x)), 1)
        # One operation, and one in the backward pass, where two slices would each fill a whole gradient.
        past, through = x.unflatten(1, (-1, 2)).unbind(2)  # type: ignore[no-untyped-call]
        return torch.cat((past, self.main(through)), 1)


class SqueezeExciteLayer(nn.Module):
    """Scales channels by a gate that sees the mean of each: see :class:`~lissnas.spaces.chain_blocks.SqueezeExcite`."""

    def __init__(self, layer: SqueezeExcite, activation: str) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(layer.channels, layer.squeezed, 1),
            ACTIVATIONS[activation](),
            nn.Conv2d(layer.squeezed, layer.channels, 1),
            nn.Hardsigmoid() if layer.hard else nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        gate: Tensor = self.gate(x)
        return x * gate


class ChannelShuffle(nn.Module):
    """Mixes groups of channels: the first of each group, then the second of each, and so on (ShuffleNet)."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(1, (self.groups, -1)).transpose(1, 2).flatten(1, 2)  # type: ignore[no-untyped-call, no-any-return]


class InvertedResidualBlock(nn.Module):
    """MobileNetV2's block: see :class:`~lissnas.spaces.chain_blocks.InvertedResidual`.

    An activation follows the widening and the filtering, none the narrowing; a shuffle follows a widening in groups. The input
    is added at stride 1 between equal channels.
    """

    def __init__(self, block: InvertedResidual, site: Site, norm: NormFactory, activation: str) -> None:
        super().__init__()
        activation = block.activation or activation
        (branch,) = block.branches(site.in_channels, site.out_channels, site.stride)
        layers: list[nn.Module] = []
        for layer in branch:
            if isinstance(layer, SqueezeExcite):
                layers.append(SqueezeExciteLayer(layer, activation))
            else:
                layers += [_convolution(layer), norm(layer.out_channels), ACTIVATIONS[activation]()]
        if block.groups > 1:
            layers.insert(3, ChannelShuffle(block.groups))  # behind the convolution, norm and activation of the widening
        self.main = nn.Sequential(*layers[:-1])
        self.residual = site.stride == 1 and site.in_channels == site.out_channels

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.main(x)
        return x + y if self.residual else y


def _plain_convolution(kind: str, site: Site, norm: NormFactory, activation: str) -> nn.Module:
    (branch,) = block_branches(kind, site.in_channels, site.out_channels, site.stride)
    return convolutions(branch, norm, activation)


# nn.Identity takes any arguments, and ignores them.
BLOCKS: dict[str, Callable[[str, Site, NormFactory, str], nn.Module]] = {
    "shuffle_k1": ShuffleBlock,
    "shuffle_k1_half": ShuffleBlock,
    "shuffle_k3_half": ShuffleBlock,
    "shuffle_k3": ShuffleBlock,
    "shuffle_k5": ShuffleBlock,
    "shuffle_k7": ShuffleBlock,
    "shuffle_xception": ShuffleBlock,
    "skip": nn.Identity,
    "conv_k1": _plain_convolution,
}


def build_block(kind: str, site: Site, norm: NormFactory, activation: str = "relu") -> nn.Module:
    """The block of ``kind`` for ``site``; ``activation`` is the chain's, for kinds that name none."""
    block = inverted_residual(kind)
    if block is not None:
        return InvertedResidualBlock(block, site, norm, activation)
    return BLOCKS[kind](kind, site, norm, activation)
