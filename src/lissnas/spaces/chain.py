"""A chain of blocks: the layout behind block spaces, in plain numbers, and what each of its networks costs.

One layout serves both sides: costs are counted from it here, layer by layer, and torch builds networks and supernets from it.
What a block kind is made of says ``chain_blocks``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

import numpy as np

from lissnas.errors import UserError
from lissnas.spaces.chain_blocks import ACTIVATIONS, BLOCK_KINDS, Conv, block_branches, sum_branches
from lissnas.spaces.cost import TableCost
from lissnas.spaces.diagram import Diagram

__all__ = ["BLOCK_KINDS", "ChainLayout", "Conv", "Site", "stage_sites"]

LATER = (
    "activation",
    "classifier_bias",
    "counts_norms",
)  # no part of a definition where they are the default


@dataclass(frozen=True)
class Site:
    """A place in the chain: its channels, its stride, and the block kinds that can stand there, one per allele.

    A site with one kind is fixed and has no gene.
    """

    in_channels: int
    out_channels: int
    stride: int
    kinds: tuple[str, ...]


def stage_sites(
    in_channels: int,
    stages: Iterable[tuple[int, int, int]],
    kinds: tuple[str, ...],
    first_kinds: tuple[str, ...] | None = None,
) -> Iterator[Site]:
    """The sites of stages, each given as its number of blocks, its channels and the stride of its first block.

    Args:
        first_kinds: what can stand at the first site of a stage, where that is not the same as at the others.
    """
    for repeats, width, stride in stages:
        for index in range(repeats):
            first = index == 0
            here = kinds if not first or first_kinds is None else first_kinds
            yield Site(in_channels, width, stride if first else 1, here)
            in_channels = width


@dataclass(frozen=True)
class ChainLayout:
    """Stem, sites, head.

    Attributes:
        resolution: side of the square input.
        in_channels: channels of the input image.
        stem: channels and stride of the 3x3 convolution in front.
        sites: the blocks, in order; those with more than one kind are the genes.
        head: channels of the 1x1 convolution behind.
        classes: outputs of the classifier, a linear layer.
        dropout: probability before the classifier.
        activation: of stem and head, and of the blocks whose kind names none.
        classifier_bias: whether the classifier has a bias (SPOS has none).
        counts_norms: whether parameters include the weights of batch norms (SPOS leaves them out).
    """

    kind: ClassVar[str] = "chain"

    resolution: int
    in_channels: int
    stem: tuple[int, int]
    sites: tuple[Site, ...]
    head: int
    classes: int
    dropout: float = 0.0
    activation: str = "relu"
    classifier_bias: bool = False
    counts_norms: bool = False

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise UserError(f"unknown activation '{self.activation}': there are {', '.join(ACTIVATIONS)}")
        for site in self.sites:
            for kind in site.kinds:
                block_branches(kind, site.in_channels, site.out_channels, site.stride)

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
        base += sum_branches([[stem]], self.resolution, self.counts_norms)
        resolution = stem.out_resolution(self.resolution)
        gene = 0
        for site in self.sites:
            sums = [
                sum_branches(
                    block_branches(kind, site.in_channels, site.out_channels, site.stride), resolution, self.counts_norms
                )
                for kind in site.kinds
            ]
            if len(sums) == 1:
                base += sums[0]
            else:
                table[:, gene, : len(sums)] = np.array(sums).T
                gene += 1
            resolution = (resolution - 1) // site.stride + 1
        head = Conv(1, self.sites[-1].out_channels, self.head)
        base += sum_branches([[head]], resolution, self.counts_norms)
        base += self.head * self.classes
        base[1] += self.classes * self.classifier_bias
        return [TableCost(name, float(base[i]), table[i]) for i, name in enumerate(("flops", "params"))]

    def diagram(self, alleles: Sequence[int], labels: Sequence[str]) -> Diagram:
        """The network of one architecture, stage by stage; a skip is no node.

        Args:
            alleles: one per site that has a gene.
            labels: what each of them is called.
        """
        chosen = dict(zip(self.choices, zip(alleles, labels, strict=True), strict=True))
        nodes, groups = [f"conv 3x3 {_stride(self.stem[1])}".strip()], ["stem"]
        stage, width = 0, 0
        for index, site in enumerate(self.sites):
            if site.out_channels != width or site.stride > 1:
                stage, width = stage + 1, site.out_channels
            allele, label = chosen.get(index, (0, site.kinds[0]))
            if site.kinds[allele] != "skip":
                nodes.append(f"{label} {_stride(site.stride)}".strip())
                groups.append(f"stage {stage}: {width} channels")
        nodes += ["conv 1x1", "classifier"]
        groups += ["head", "head"]
        edges = tuple((a, b, "") for a, b in itertools.pairwise(range(len(nodes))))
        return Diagram(tuple(nodes), edges, tuple(groups))

    def definition(self) -> dict[str, Any]:
        """Plain JSON data."""
        data = asdict(self)
        data["stem"] = list(self.stem)
        data["sites"] = [{**asdict(site), "kinds": list(site.kinds)} for site in self.sites]
        for field in fields(self):
            if field.name in LATER and data[field.name] == field.default:
                del data[field.name]
        return data

    @classmethod
    def from_definition(cls, data: Mapping[str, Any]) -> ChainLayout:
        """Build a layout again from what :meth:`definition` wrote."""
        sites = tuple(Site(s["in_channels"], s["out_channels"], s["stride"], tuple(s["kinds"])) for s in data["sites"])
        return cls(**{**data, "stem": tuple(data["stem"]), "sites": sites})


def _stride(stride: int) -> str:
    return f"/{stride}" if stride > 1 else ""
