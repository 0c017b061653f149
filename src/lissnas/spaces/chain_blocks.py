"""Block kinds: what stands at a place of a chain, each as the list of its layers.

Costs are counted from these lists, and the torch blocks of ``oneshot.blocks`` are built to the same lists; a test compares
the two. A kind is a name: of an entry of ``BLOCK_KINDS``, or of an inverted residual, which spells out what it is made of
(see :class:`InvertedResidual`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from lissnas.errors import UserError

__all__ = [
    "ACTIVATIONS",
    "BLOCK_KINDS",
    "Branches",
    "Conv",
    "InvertedResidual",
    "SqueezeExcite",
    "block_branches",
    "inverted_residual",
    "sum_branches",
]

ACTIVATIONS = ("relu", "relu6", "swish", "hswish")

MAX_KERNEL = 31
MAX_EXPANSION = 32
MAX_GROUPS = 32


@dataclass(frozen=True)
class Conv:
    """A bias-free convolution with batch norm: what is counted of it."""

    norms: ClassVar[int] = 2  # weights of its batch norm, for each channel of the output

    kernel: int
    in_channels: int
    out_channels: int
    stride: int = 1
    groups: int = 1

    def out_resolution(self, resolution: int) -> int:
        """Side of the output, padded by half the kernel."""
        return (resolution - 1) // self.stride + 1

    def cost(self, resolution: int) -> tuple[float, float]:
        """Multiply-adds on a square input of side ``resolution``, and weights (without those of the batch norm)."""
        weights = self.kernel**2 * self.in_channels * self.out_channels // self.groups
        return self.out_resolution(resolution) ** 2 * weights, weights


@dataclass(frozen=True)
class SqueezeExcite:
    """Channels scaled by a gate: pooled to one pixel, two 1x1 convolutions with biases and no batch norm.

    Attributes:
        channels: of the input, and of the output.
        squeezed: between the two convolutions.
        hard: whether the gate is a hard sigmoid (MobileNetV3) rather than a sigmoid.
    """

    norms: ClassVar[int] = 0

    channels: int
    squeezed: int
    hard: bool

    @property
    def out_channels(self) -> int:
        """As many as came."""
        return self.channels

    def out_resolution(self, resolution: int) -> int:
        """Side of the output: as it came."""
        return resolution

    def cost(self, resolution: int) -> tuple[float, float]:  # noqa: ARG002 - it works on one pixel
        """Multiply-adds of the two convolutions, and their weights and biases."""
        weights = 2 * self.channels * self.squeezed
        return weights, weights + self.squeezed + self.channels


# A block kind is a function (in_channels, out_channels, stride) -> its branches, each a list of layers.
Branches = list[list[Conv | SqueezeExcite]]


def _shuffle(kernel: int, narrowing: int = 1) -> Callable[[int, int, int], Branches]:
    def branches(in_channels: int, out_channels: int, stride: int) -> Branches:
        inp, mid = _split(in_channels, out_channels, stride)
        mid //= narrowing
        main: list[Conv | SqueezeExcite] = [
            Conv(1, inp, mid),
            Conv(kernel, mid, mid, stride, groups=mid),
            Conv(1, mid, out_channels - inp),
        ]
        return [main, *_projection(kernel, inp, stride)]

    return branches


def _xception(in_channels: int, out_channels: int, stride: int) -> Branches:
    inp, mid = _split(in_channels, out_channels, stride)
    main: list[Conv | SqueezeExcite] = [
        Conv(3, inp, inp, stride, groups=inp),
        Conv(1, inp, mid),
        Conv(3, mid, mid, groups=mid),
        Conv(1, mid, mid),
        Conv(3, mid, mid, groups=mid),
        Conv(1, mid, out_channels - inp),
    ]
    return [main, *_projection(3, inp, stride)]


def _split(in_channels: int, out_channels: int, stride: int) -> tuple[int, int]:
    """Channels that enter the main branch (half of them pass by at stride 1), and its inner width."""
    inp = in_channels // 2 if stride == 1 else in_channels
    if stride == 1 and in_channels % 2:
        raise UserError(f"a shuffle block at stride 1 needs an even number of channels, but gets {in_channels}")
    if out_channels <= inp or out_channels < 4:
        raise UserError(
            f"a shuffle block that passes {inp} channels by must have more than those, and 4, but has {out_channels}: widen it"
        )
    return inp, out_channels // 2


def _projection(kernel: int, inp: int, stride: int) -> Branches:
    return [] if stride == 1 else [[Conv(kernel, inp, inp, stride, groups=inp), Conv(1, inp, inp)]]


def _skip(in_channels: int, out_channels: int, stride: int) -> Branches:
    if stride != 1 or in_channels != out_channels:
        raise UserError(
            f"a skip keeps its input, so it cannot lead from {in_channels} to {out_channels} channels at stride {stride}"
        )
    return []


def _plain_convolution(kernel: int) -> Callable[[int, int, int], Branches]:
    def branches(in_channels: int, out_channels: int, stride: int) -> Branches:
        return [[Conv(kernel, in_channels, out_channels, stride)]]

    return branches


BLOCK_KINDS: dict[str, Callable[[int, int, int], Branches]] = {
    # ShuffleNetV2 choice blocks of SPOS [megvii-model/SinglePathOneShot src/Supernet/blocks.py]
    "shuffle_k3": _shuffle(3),
    "shuffle_k5": _shuffle(5),
    "shuffle_k7": _shuffle(7),
    "shuffle_xception": _xception,
    # Weaker and cheaper: a kernel that sees no neighbor, half the inner width, nothing at all
    "shuffle_k1": _shuffle(1),
    "shuffle_k1_half": _shuffle(1, narrowing=2),
    "shuffle_k3_half": _shuffle(3, narrowing=2),
    "skip": _skip,
    # What is left of FBNet's blocks where one is skipped and the shape must change [facebookresearch/mobile-vision]
    "conv_k1": _plain_convolution(1),
}


@dataclass(frozen=True)
class InvertedResidual:
    """MobileNetV2's block (MBConv): widen by 1x1, filter each channel, narrow by 1x1; added to its input where shapes allow.

    Its kind is ``mb_k<kernel>e<expansion>``, then ``_se`` or ``_se<percent>`` for squeeze-and-excitation, then an activation
    if it is not the chain's: ``mb_k3e6``, ``mb_k5e3_se``, ``mb_k7e6_se50_swish``. With expansion 1 there is no widening, unless
    ``_pw`` or ``_g<groups>`` follows the expansion: ``mb_k3e1_pw``, ``mb_k5e1_g2``, as FBNet's blocks have it.

    Attributes:
        kernel: side of the middle convolution, odd.
        expansion: inner width, as a multiple of the block's input.
        squeeze: None: no squeeze-and-excitation. 0: squeezed to a quarter of the inner width in steps of 8, with a hard gate
            (MobileNetV3; GreedyNAS in open-mmlab/mmrazor configs/nas/greedynas). Else squeezed to that percentage of the
            block's input (EfficientNet; FairNAS-SE in xiaomi-automl/FairNAS models/timm_models.py).
        activation: None: the chain's.
        widens: whether the first 1x1 convolution is there at expansion 1 too.
        groups: of both 1x1 convolutions; above 1 the channels are shuffled behind the first, which is always there.
    """

    kernel: int
    expansion: int
    squeeze: int | None = None
    activation: str | None = None
    widens: bool = False
    groups: int = 1

    def branches(self, in_channels: int, out_channels: int, stride: int) -> Branches:
        """Its one branch."""
        inner = in_channels * self.expansion
        if in_channels % self.groups or out_channels % self.groups:
            raise UserError(
                f"a block in {self.groups} groups needs channels they divide, but leads from {in_channels} to {out_channels}"
            )
        widens = self.widens or self.expansion > 1 or self.groups > 1
        layers: list[Conv | SqueezeExcite] = [Conv(1, in_channels, inner, groups=self.groups)] if widens else []
        layers.append(Conv(self.kernel, inner, inner, stride, groups=inner))
        if self.squeeze == 0:
            layers.append(SqueezeExcite(inner, _in_steps_of_8(inner // 4), hard=True))
        elif self.squeeze is not None:
            layers.append(SqueezeExcite(inner, max(1, (in_channels * self.squeeze + 50) // 100), hard=False))
        return [[*layers, Conv(1, inner, out_channels, groups=self.groups)]]


_KIND = re.compile(
    r"mb_k(?P<kernel>\d{1,3})e(?P<expansion>\d{1,3})(?P<pw>_pw|_g(?P<groups>\d{1,3}))?(?P<se>_se(?P<percent>\d{0,3}))?"
    rf"(_(?P<activation>{'|'.join(ACTIVATIONS)}))?"
)


@lru_cache(maxsize=1024)
def inverted_residual(kind: str) -> InvertedResidual | None:
    """What ``kind`` spells out; None where it names no inverted residual.

    Raises:
        UserError: a kernel, an expansion or groups that cannot be.
    """
    match = _KIND.fullmatch(kind)
    if match is None:
        return None
    kernel, expansion = int(match["kernel"]), int(match["expansion"])
    if kernel % 2 == 0 or kernel > MAX_KERNEL:
        raise UserError(f"the kernel of '{kind}' must be odd and at most {MAX_KERNEL}, but is {kernel}")
    if not 1 <= expansion <= MAX_EXPANSION:
        raise UserError(f"the expansion of '{kind}' must be 1 to {MAX_EXPANSION}, but is {expansion}")
    groups = 1 if match["groups"] is None else int(match["groups"])
    if match["groups"] is not None and not 2 <= groups <= MAX_GROUPS:
        raise UserError(f"the groups of '{kind}' must be 2 to {MAX_GROUPS}, but are {groups}")
    squeeze = None if match["se"] is None else int(match["percent"] or 0)
    if match["percent"] and not squeeze:
        raise UserError(f"'{kind}' squeezes to nothing: give a percentage, or leave it out")
    return InvertedResidual(kernel, expansion, squeeze, match["activation"], match["pw"] == "_pw", groups)


def block_branches(kind: str, in_channels: int, out_channels: int, stride: int) -> Branches:
    """The branches of a block of ``kind`` at a place with these channels and this stride.

    Raises:
        UserError: no such kind, or one that cannot stand there.
    """
    block = inverted_residual(kind)
    if block is not None:
        return block.branches(in_channels, out_channels, stride)
    if kind not in BLOCK_KINDS:
        raise UserError(
            f"unknown block kind '{kind}': there are {', '.join(BLOCK_KINDS)}, and inverted residuals like mb_k3e6, mb_k5e3_se"
        )
    return BLOCK_KINDS[kind](in_channels, out_channels, stride)


def sum_branches(branches: Branches, resolution: int, norms: bool = False) -> tuple[float, float]:
    """Multiply-adds and parameters of a block on a square input of side ``resolution``.

    Args:
        norms: whether the weights of batch norms are parameters too.
    """
    flops = params = 0.0
    for branch in branches:
        side = resolution
        for layer in branch:
            macs, weights = layer.cost(side)
            flops += macs
            params += weights + norms * layer.norms * layer.out_channels
            side = layer.out_resolution(side)
    return flops, params


def _in_steps_of_8(channels: int) -> int:
    """The nearest multiple of 8, not more than a tenth below ``channels`` (as MobileNetV3 rounds)."""
    rounded = max(8, (channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded
