"""Blocks in torch, built from the same lists of convolutions that costs are counted from (``spaces.chain.BLOCK_KINDS``).

``BLOCKS`` is the one place that says which module a block kind becomes; a new kind is a line there and one in ``BLOCK_KINDS``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from lissnas.spaces.chain import BLOCK_KINDS, Conv, Site

__all__ = ["BLOCKS", "NormFactory", "ShuffleBlock", "build_block", "convolutions"]

NormFactory = Callable[[int], nn.Module]


def convolutions(branch: Sequence[Conv], norm: NormFactory) -> nn.Sequential:
    """Bias-free convolutions with batch norm; ReLU behind each that mixes channels (SPOS: a depthwise one has none)."""
    layers: list[nn.Module] = []
    for conv in branch:
        layers.append(
            nn.Conv2d(
                conv.in_channels,
                conv.out_channels,
                conv.kernel,
                conv.stride,
                padding=conv.kernel // 2,
                groups=conv.groups,
                bias=False,
            )
        )
        layers.append(norm(conv.out_channels))
        if conv.groups == 1:
            layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


class ShuffleBlock(nn.Module):
    """A ShuffleNetV2 block [SinglePathOneShot src/Supernet/blocks.py].

    At stride 1 channels are shuffled, the even ones pass by and the odd ones go through ``main``. At stride 2 the whole input
    goes through both branches.
    """

    def __init__(self, kind: str, site: Site, norm: NormFactory) -> None:
        super().__init__()
        branches = BLOCK_KINDS[kind](site.in_channels, site.out_channels, site.stride)
        self.main = convolutions(branches[0], norm)
        self.projection = convolutions(branches[1], norm) if len(branches) > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        if self.projection is not None:
            return torch.cat((self.projection(x), self.main(x)), 1)
        # One operation, and one in the backward pass, where two slices would each fill a whole gradient.
        past, through = x.unflatten(1, (-1, 2)).unbind(2)  # type: ignore[no-untyped-call]
        return torch.cat((past, self.main(through)), 1)


# nn.Identity takes any arguments, and ignores them.
BLOCKS: dict[str, Callable[[str, Site, NormFactory], nn.Module]] = {
    "shuffle_k1": ShuffleBlock,
    "shuffle_k1_half": ShuffleBlock,
    "shuffle_k3_half": ShuffleBlock,
    "shuffle_k3": ShuffleBlock,
    "shuffle_k5": ShuffleBlock,
    "shuffle_k7": ShuffleBlock,
    "shuffle_xception": ShuffleBlock,
    "skip": nn.Identity,
}


def build_block(kind: str, site: Site, norm: NormFactory) -> nn.Module:
    """The block of ``kind`` for ``site``."""
    return BLOCKS[kind](kind, site, norm)
