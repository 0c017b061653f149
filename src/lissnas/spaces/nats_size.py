"""The networks of NATS-Bench's size space, in plain numbers: one cell, the channels of five layers free.

[Dong et al. 2021, arXiv 2009.00437; D-X-Y/AutoDL-Projects xautodl/models/shape_infers/InferTinyCellNet.py]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from lissnas.errors import UserError
from lissnas.spaces.cost import JointCost, JointTerm
from lissnas.spaces.diagram import Diagram
from lissnas.spaces.edge_cell import conv_with_norm
from lissnas.spaces.gene import Gene

__all__ = ["NATSSizeLayout"]

Counted = np.ndarray[Any, np.dtype[np.float64]]  # FLOPs and parameters


@dataclass(frozen=True)
class NATSSizeLayout:
    """Stem, cell, residual block, cell, residual block, cell, classifier: as NAS-Bench-201 with one cell in a stage.

    The cell is one of NAS-Bench-201's: 3x3 convolutions on all edges but that from the first node to the last, a skip, which
    is a 1x1 convolution with batch norm where the cell changes the channels.

    Attributes:
        resolution: side of the square input, a multiple of 4.
        in_channels: channels of the input image.
        classes: outputs of the classifier, a linear layer with bias.
        channels: for each of the five genes, the channels it can choose: of the stem and first cell, the first residual block,
            the second cell, the second residual block, the last cell.
    """

    kind: ClassVar[str] = "nats-size"
    counts_norms: ClassVar[bool] = True  # 713,674 for 64:64:64:64:64 is all of them

    resolution: int
    in_channels: int
    classes: int
    channels: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        if self.resolution < 4 or self.resolution % 4:
            raise UserError(
                f"NATS-Bench halves its images twice: the resolution must be a multiple of 4, not {self.resolution}"
            )
        if len(self.channels) != 5 or any(not isinstance(c, int) or c < 1 for choices in self.channels for c in choices):
            raise UserError("a network of NATS-Bench's size space needs five genes whose alleles are numbers of channels")

    @classmethod
    def for_genes(cls, genes: Sequence[Gene], resolution: int = 32, in_channels: int = 3, classes: int = 10) -> NATSSizeLayout:
        """The layout behind these genes.

        Raises:
            UserError: they are not five that are always active and choose numbers of channels.
        """
        if any(gene.active is not None for gene in genes):
            raise UserError("the genes of NATS-Bench's size space are always active: leave 'active' out")
        channels: tuple[tuple[Any, ...], ...] = tuple(tuple(gene.alleles) for gene in genes)
        return cls(resolution, in_channels, classes, channels)

    def costs(self) -> list[JointCost]:
        """FLOPs (multiply-adds) and parameters (batch norms included): a term for each pair of neighboring layers."""
        side = self.resolution
        pairs: list[tuple[int, int, Callable[[int, int, int], Counted], int]] = [
            (0, 1, _residual_cost, side),
            (1, 2, _cell_cost, side // 2),
            (2, 3, _residual_cost, side // 2),
            (3, 4, _cell_cost, side // 4),
        ]
        ends = [
            (
                0,
                [
                    conv_with_norm(3, self.in_channels, width, side) + _cell_cost(width, width, side)
                    for width in self.channels[0]
                ],
            ),
            (4, [np.array([width * self.classes, (width + 1) * self.classes + 2 * width]) for width in self.channels[4]]),
        ]
        costs = []
        for which, name in enumerate(("flops", "params")):
            terms = [JointTerm((gene,), np.array([float(cost[which]) for cost in each])) for gene, each in ends]
            for before, after, cost, at in pairs:
                table = [[float(cost(a, b, at)[which]) for b in self.channels[after]] for a in self.channels[before]]
                terms.append(JointTerm((before, after), np.array(table)))
            costs.append(JointCost(name, 0.0, terms))
        return costs

    def widths(self, alleles: Sequence[int]) -> list[int]:
        """The channels of one architecture."""
        return [choices[allele] for choices, allele in zip(self.channels, alleles, strict=True)]

    def diagram(self, alleles: Sequence[int], labels: Sequence[str]) -> Diagram:  # noqa: ARG002 - the widths are the labels
        """The network of one architecture."""
        widths = self.widths(alleles)
        names = ("cell", "residual block /2", "cell", "residual block /2", "cell")
        nodes = ("conv 3x3", *names, "classifier")
        groups = (f"{widths[0]} channels", *(f"{width} channels" for width in widths), "head")
        return Diagram(nodes, tuple((index, index + 1, "") for index in range(6)), groups)

    def definition(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {**asdict(self), "channels": [list(choices) for choices in self.channels]}

    @classmethod
    def from_definition(cls, data: Mapping[str, Any]) -> NATSSizeLayout:
        """Build a layout again from what :meth:`definition` wrote."""
        return cls(**{**data, "channels": tuple(map(tuple, data["channels"]))})


def _cell_cost(before: int, after: int, side: int) -> Counted:
    """Two 3x3 convolutions from the first node, three among the others, and a skip."""
    cost = 2 * conv_with_norm(3, before, after, side) + 3 * conv_with_norm(3, after, after, side)
    if before != after:
        cost = cost + conv_with_norm(1, before, after, side)
    return np.asarray(cost, dtype=np.float64)


def _residual_cost(before: int, after: int, side: int) -> Counted:
    """Two 3x3 convolutions, the first of stride 2; a 1x1 convolution without batch norm on the pooled shortcut."""
    cost = conv_with_norm(3, before, after, side, stride=2) + conv_with_norm(3, after, after, side // 2)
    return np.asarray(cost + conv_with_norm(1, before, after, side // 2) - [0, 2 * after], dtype=np.float64)
