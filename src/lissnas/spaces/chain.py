"""A chain of blocks: the layout behind block spaces, in plain numbers, and what each of its networks costs.

One layout serves both sides: costs are counted from it here, layer by layer, and torch builds networks and supernets from it.
Each block kind has a twin here that lists its convolutions; the torch block is built to the same list; a test compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from lissnas.errors import UserError
from lissnas.spaces.cost import TableCost

__all__ = ["BLOCK_KINDS", "ChainLayout", "Conv", "Site"]


@dataclass(frozen=True)
class Conv:
    """A bias-free convolution with batch norm: what is counted of it."""

    kernel: int
    in_channels: int
    out_channels: int
    stride: int = 1
    groups: int = 1

    def out_resolution(self, resolution: int) -> int:
        """Side of the output, padded by half the kernel."""
        return (resolution - 1) // self.stride + 1

    def cost(self, resolution: int) -> tuple[float, float]:
        """Multiply-adds on a square input of side ``resolution``, and weights (the published counts leave batch norms out)."""
        weights = self.kernel**2 * self.in_channels * self.out_channels // self.groups
        return self.out_resolution(resolution) ** 2 * weights, weights


@dataclass(frozen=True)
class Site:
    """A place in the chain: its channels, its stride, and the block kinds that can stand there, one per allele.

    A site with one kind is fixed and has no gene.
    """

    in_channels: int
    out_channels: int
    stride: int
    kinds: tuple[str, ...]


# A block kind is a function (in_channels, out_channels, stride) -> its branches, each a list of convolutions.
Branches = list[list[Conv]]


def _shuffle(kernel: int, narrowing: int = 1) -> Callable[[int, int, int], Branches]:
    def branches(in_channels: int, out_channels: int, stride: int) -> Branches:
        inp, mid = _split(in_channels, out_channels, stride)
        mid //= narrowing
        main = [
            Conv(1, inp, mid),
            Conv(kernel, mid, mid, stride, groups=mid),
            Conv(1, mid, out_channels - inp),
        ]
        return [main, *_projection(kernel, inp, stride)]

    return branches


def _xception(in_channels: int, out_channels: int, stride: int) -> Branches:
    inp, mid = _split(in_channels, out_channels, stride)
    main = [
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
    return (in_channels // 2 if stride == 1 else in_channels), out_channels // 2


def _projection(kernel: int, inp: int, stride: int) -> Branches:
    return [] if stride == 1 else [[Conv(kernel, inp, inp, stride, groups=inp), Conv(1, inp, inp)]]


def _skip(in_channels: int, out_channels: int, stride: int) -> Branches:
    if stride != 1 or in_channels != out_channels:
        raise UserError(
            f"a skip keeps its input, so it cannot lead from {in_channels} to {out_channels} channels at stride {stride}"
        )
    return []


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
}


@dataclass(frozen=True)
class ChainLayout:
    """Stem, sites, head.

    Attributes:
        resolution: side of the square input.
        in_channels: channels of the input image.
        stem: channels and stride of the 3x3 convolution in front.
        sites: the blocks, in order; those with more than one kind are the genes.
        head: channels of the 1x1 convolution behind.
        classes: outputs of the classifier, a linear layer without bias (as SPOS has it).
        dropout: probability before the classifier.
    """

    kind: ClassVar[str] = "chain"
    counts_norms: ClassVar[bool] = False

    resolution: int
    in_channels: int
    stem: tuple[int, int]
    sites: tuple[Site, ...]
    head: int
    classes: int
    dropout: float = 0.0

    def __post_init__(self) -> None:
        for site in self.sites:
            for kind in site.kinds:
                if kind not in BLOCK_KINDS:
                    raise UserError(f"unknown block kind '{kind}': there are {', '.join(BLOCK_KINDS)}")

    @property
    def choices(self) -> list[int]:
        """Indices of the sites that have a gene."""
        return [index for index, site in enumerate(self.sites) if len(site.kinds) > 1]

    def costs(self) -> list[TableCost]:
        """FLOPs (multiply-adds) and parameters of every network, as tables over genes."""
        widest = max(len(site.kinds) for site in self.sites)
        base = np.zeros(2)
        table = np.zeros((2, len(self.choices), widest))
        stem = Conv(3, self.in_channels, self.stem[0], self.stem[1])
        base += stem.cost(self.resolution)
        resolution = stem.out_resolution(self.resolution)
        gene = 0
        for site in self.sites:
            sums = [
                _sum_branches(BLOCK_KINDS[k](site.in_channels, site.out_channels, site.stride), resolution) for k in site.kinds
            ]
            if len(sums) == 1:
                base += sums[0]
            else:
                table[:, gene, : len(sums)] = np.array(sums).T
                gene += 1
            resolution = (resolution - 1) // site.stride + 1
        head = Conv(1, self.sites[-1].out_channels, self.head)
        base += head.cost(resolution)
        base += self.head * self.classes
        return [TableCost(name, float(base[i]), table[i]) for i, name in enumerate(("flops", "params"))]

    def definition(self) -> dict[str, Any]:
        """Plain JSON data."""
        data = asdict(self)
        data["stem"] = list(self.stem)
        data["sites"] = [{**asdict(site), "kinds": list(site.kinds)} for site in self.sites]
        return data

    @classmethod
    def from_definition(cls, data: Mapping[str, Any]) -> ChainLayout:
        """Build a layout again from what :meth:`definition` wrote."""
        sites = tuple(Site(s["in_channels"], s["out_channels"], s["stride"], tuple(s["kinds"])) for s in data["sites"])
        return cls(**{**data, "stem": tuple(data["stem"]), "sites": sites})


def _sum_branches(branches: Branches, resolution: int) -> tuple[float, float]:
    flops = params = 0.0
    for branch in branches:
        side = resolution
        for conv in branch:
            macs, weights = conv.cost(side)
            flops += macs
            params += weights
            side = conv.out_resolution(side)
    return flops, params
