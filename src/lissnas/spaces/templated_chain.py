"""A chain of blocks in which several genes together say what stands at a site, and may say that nothing does.

``mb_k{}e{}_se`` with a kernel and an expansion is a block kind of ``chain_blocks`` once the braces are filled in. Where a gene
of the site is inactive (a stage is not as deep), the site is left out. That is how Once-for-All writes its networks.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from lissnas.errors import UserError
from lissnas.spaces.chain_blocks import ACTIVATIONS, Conv, block_branches, sum_branches
from lissnas.spaces.cost import JointCost, JointTerm
from lissnas.spaces.diagram import Diagram

__all__ = ["TemplatedChainLayout", "TemplatedSite"]


@dataclass(frozen=True)
class TemplatedSite:
    """A place in the chain.

    Attributes:
        in_channels: channels of the input.
        out_channels: channels of the output.
        stride: of the block.
        template: the kind of block, with a ``{}`` for each gene.
        genes: the genes' columns in the genotype.
        texts: what each gene fills in, by allele.
        optional: for each gene whether it can be inactive: it then has one more value, with which the site is left out.
    """

    in_channels: int
    out_channels: int
    stride: int
    template: str
    genes: tuple[int, ...] = ()
    texts: tuple[tuple[str, ...], ...] = ()
    optional: tuple[bool, ...] = ()

    def __post_init__(self) -> None:
        if any(self.optional) and (self.stride != 1 or self.in_channels != self.out_channels):
            raise UserError(
                f"a block that can be switched off must keep its input, but '{self.template}' leads from {self.in_channels} to "
                f"{self.out_channels} channels at stride {self.stride}"
            )
        for kind in filter(None, self.kinds()):
            block_branches(kind, self.in_channels, self.out_channels, self.stride)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values each gene has, inactive included."""
        return tuple(len(texts) + can_be_off for texts, can_be_off in zip(self.texts, self.optional, strict=True))

    def kind(self, alleles: Sequence[int]) -> str | None:
        """The kind of block, given its genes' alleles; None where one of them is inactive."""
        if any(allele == len(texts) for allele, texts in zip(alleles, self.texts, strict=True)):
            return None
        return self.template.format(*(texts[allele] for allele, texts in zip(alleles, self.texts, strict=True)))

    def kinds(self) -> Iterator[str | None]:
        """The kinds for all combinations of alleles, the last gene's changing fastest."""
        return (self.kind(alleles) for alleles in itertools.product(*(range(size) for size in self.shape)))


@dataclass(frozen=True)
class TemplatedChainLayout:
    """Stem, sites, head.

    Attributes:
        resolution: side of the square input.
        in_channels: channels of the input image.
        stem: channels and stride of the 3x3 convolution in front.
        sites: the blocks, in order.
        head: channels of the 1x1 convolution behind.
        features: channels of a layer behind the pooling (a 1x1 convolution without bias or norm, then the activation); 0: none.
        classes: outputs of the classifier, a linear layer.
        dropout: probability before the classifier.
        activation: of stem and head, and of the blocks whose kind names none.
        classifier_bias: whether the classifier has a bias.
    """

    kind: ClassVar[str] = "templated-chain"
    counts_norms: ClassVar[bool] = True

    resolution: int
    in_channels: int
    stem: tuple[int, int]
    sites: tuple[TemplatedSite, ...]
    head: int
    features: int
    classes: int
    dropout: float = 0.0
    activation: str = "relu"
    classifier_bias: bool = True

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise UserError(f"unknown activation '{self.activation}': there are {', '.join(ACTIVATIONS)}")

    def kinds(self, alleles: Sequence[int]) -> list[str | None]:
        """The kind of block at each site of one architecture, None where it is left out."""
        return [site.kind([alleles[gene] for gene in site.genes]) for site in self.sites]

    def costs(self) -> list[JointCost]:
        """FLOPs (multiply-adds) and parameters (batch norms included) of every network: a term per site that has genes."""
        stem = Conv(3, self.in_channels, *self.stem)
        base = np.array(sum_branches([[stem]], self.resolution, norms=True))
        side = stem.out_resolution(self.resolution)
        terms: list[tuple[TemplatedSite, np.ndarray[tuple[int, int], np.dtype[np.float64]]]] = []
        for site in self.sites:
            shape = (site.in_channels, site.out_channels, site.stride)
            sums = np.array(
                [(0, 0) if kind is None else sum_branches(block_branches(kind, *shape), side, True) for kind in site.kinds()],
                dtype=np.float64,
            )
            if site.genes:
                terms.append((site, sums))
            else:
                base += sums[0]
            side = (side - 1) // site.stride + 1
        base += sum_branches([[Conv(1, self.sites[-1].out_channels, self.head)]], side, norms=True)
        width = self.features or self.head
        base += self.head * self.features + width * self.classes
        base[1] += self.classes * self.classifier_bias
        return [
            JointCost(name, base[which], [JointTerm(site.genes, sums[:, which].reshape(site.shape)) for site, sums in terms])
            for which, name in enumerate(("flops", "params"))
        ]

    def diagram(self, alleles: Sequence[int], labels: Sequence[str]) -> Diagram:  # noqa: ARG002 - a block's kind names it
        """The network of one architecture, stage by stage."""
        nodes, groups = ["conv 3x3" + _stride(self.stem[1])], ["stem"]
        stage, width = 0, 0
        for kind, site in zip(self.kinds(alleles), self.sites, strict=True):
            if site.out_channels != width or site.stride > 1:
                stage, width = stage + 1, site.out_channels
            if kind is not None:
                nodes.append(kind + _stride(site.stride))
                groups.append(f"stage {stage}: {width} channels")
        head = ["conv 1x1", *(["features"] if self.features else []), "classifier"]
        edges = tuple((index, index + 1, "") for index in range(len(nodes) + len(head) - 1))
        return Diagram((*nodes, *head), edges, (*groups, *["head"] * len(head)))

    def definition(self) -> dict[str, Any]:
        """Plain JSON data."""
        data = asdict(self)
        data["stem"] = list(self.stem)
        data["sites"] = [
            {
                **asdict(site),
                "genes": list(site.genes),
                "texts": [list(texts) for texts in site.texts],
                "optional": list(site.optional),
            }
            for site in self.sites
        ]
        return data

    @classmethod
    def from_definition(cls, data: Mapping[str, Any]) -> TemplatedChainLayout:
        """Build a layout again from what :meth:`definition` wrote."""
        sites = tuple(
            TemplatedSite(
                **{
                    **site,
                    "genes": tuple(site["genes"]),
                    "texts": tuple(map(tuple, site["texts"])),
                    "optional": tuple(site["optional"]),
                }
            )
            for site in data["sites"]
        )
        return cls(**{**data, "stem": tuple(data["stem"]), "sites": sites})


def _stride(stride: int) -> str:
    return f" /{stride}" if stride > 1 else ""
