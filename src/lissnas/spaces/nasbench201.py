"""NAS-Bench-201: cells of four nodes with one of five operations on every edge (Dong & Yang 2020, D-X-Y/AutoDL-Projects)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.cost import TableCost
from lissnas.spaces.edge_cell import EDGES, EdgeCellSpace, conv_with_norm, edges_into
from lissnas.spaces.folded import FoldedSpace

__all__ = ["OPERATIONS", "NASBench201Layout", "NASBench201Space", "nasbench201", "nasbench201_unique"]

# In the official order [AutoDL-Projects xautodl/models/cell_operations.py, NAS_BENCH_201].
OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
PAPER = "Dong & Yang, NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search (ICLR 2020)"
EXAMPLE = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|"


@dataclass(frozen=True)
class NASBench201Layout:
    """Stem, three stages of cells at 1, 2 and 4 times the channels, a residual block in front of the second and third.

    Attributes:
        resolution: side of the square input, a multiple of 4.
        classes: outputs of the classifier, a linear layer with bias.
        channels: of the first stage.
        cells: in each stage.
    """

    kind: ClassVar[str] = "nasbench201"
    counts_norms: ClassVar[bool] = True

    resolution: int = 32
    classes: int = 10
    channels: int = 16
    cells: int = 5
    in_channels: int = 3

    def __post_init__(self) -> None:
        if self.resolution < 4 or self.resolution % 4:
            raise UserError(
                f"NAS-Bench-201 halves its images twice: the resolution must be a multiple of 4, not {self.resolution}"
            )

    @property
    def stages(self) -> list[tuple[int, int]]:
        """(channels, side of the feature maps) of each stage."""
        return [(self.channels << stage, self.resolution >> stage) for stage in range(3)]

    def costs(self) -> list[TableCost]:
        """FLOPs (multiply-adds) and parameters (batch norms included) as tables over edges, as the official API has them."""
        base = conv_with_norm(3, self.in_channels, self.channels, self.resolution)
        for (before, side), (after, _) in zip(self.stages, self.stages[1:], strict=False):
            base += conv_with_norm(3, before, after, side, stride=2) + conv_with_norm(3, after, after, side // 2)
            base += conv_with_norm(1, before, after, side // 2) - [0, 2 * after]  # the shortcut has no batch norm
        width, _ = self.stages[-1]
        base += [0, 2 * width]  # the last batch norm
        base += [width * self.classes, (width + 1) * self.classes]
        table = np.zeros((2, len(EDGES), len(OPERATIONS)))
        for operation, kernel in (("nor_conv_1x1", 1), ("nor_conv_3x3", 3)):
            each = sum(self.cells * conv_with_norm(kernel, width, width, side) for width, side in self.stages)
            table[:, :, OPERATIONS.index(operation)] = np.asarray(each)[:, None]
        return [TableCost(name, float(base[i]), table[i]) for i, name in enumerate(("flops", "params"))]

    def definition(self) -> dict[str, Any]:
        """Plain JSON data."""
        return asdict(self)

    @classmethod
    def from_definition(cls, data: Mapping[str, Any]) -> NASBench201Layout:
        """Build a layout again from what :meth:`definition` wrote."""
        return cls(**data)


class NASBench201Space(EdgeCellSpace):
    """15,625 cells, none folded: the benchmark holds a training for every encoding.

    FLOPs and parameters are the official ones but for the ten additions of the classifier's bias (all 3x3: 220.11968M against
    220.11969M), parameters exactly. An operation that no way through the cell passes is built, and so counted, there and here.
    """

    def _write(self, row: Sequence[int]) -> str:
        labels = [f"{OPERATIONS[op]}~{start}" for (start, _), op in zip(EDGES, row, strict=True)]
        return "+".join(f"|{'|'.join(labels[index] for index, _ in edges_into(node))}|" for node in (1, 2, 3))

    def _read(self, text: str) -> Sequence[int]:
        nodes = text.split("+")
        if len(nodes) != 3:
            raise UserError(f"a cell has three nodes joined by '+', like '{EXAMPLE}', but '{text[:80]}' has {len(nodes)}")
        row = []
        for number, part in enumerate(nodes, start=1):
            inputs = part[1:-1].split("|") if re.fullmatch(r"\|.*\|", part) else []
            if len(inputs) != number:
                raise UserError(
                    f"node {number} must have {number} inputs between bars, like '{EXAMPLE}', but it is '{part[:60]}'"
                )
            for start, entry in enumerate(inputs):
                operation, mark, source = entry.partition("~")
                if operation not in OPERATIONS:
                    raise UserError(f"node {number}: unknown operation '{operation}': there are {', '.join(OPERATIONS)}")
                if not mark or source != str(start):
                    raise UserError(f"node {number}: input {start} must end in '~{start}', but it is '{entry}'")
                row.append(OPERATIONS.index(operation))
        return row


def nasbench201(resolution: int = 32, classes: int = 10, channels: int = 16, cells: int = 5) -> NASBench201Space:
    """The 15,625 cells, as published. CIFAR-100: ``classes=100``; ImageNet16-120: ``resolution=16, classes=120``.

    Args:
        channels: of the first stage.
        cells: in each stage.
    """
    layout = NASBench201Layout(resolution, classes, channels, cells)
    smaller = {} if (channels, cells) == (16, 5) else {"channels": channels, "cells": cells}
    return NASBench201Space(
        "nasbench201",
        OPERATIONS,
        skip="skip_connect",
        costs=layout.costs(),
        layout=layout,
        options={"resolution": resolution, "classes": classes, **smaller},
        paper=PAPER,
    )


def nasbench201_unique(resolution: int = 32, classes: int = 10, merge_sums: bool = False) -> FoldedSpace:
    """The unique networks among the 15,625 cells: 6,466 as published, 4,930 if sums are merged as well.

    Published (AutoDL-Projects ``Structure.to_unique_str(consider_zero=True)``): a ``none`` brings nothing, a skip brings what
    its node is, and the order of inputs does not matter; but a sum with nothing as a term is another sum than the one without
    it, and terms that a skip brought together stay together. ``merge_sums`` leaves nothing out of sums, and merges them: cells
    are equal when they are the same sum of operations (a convolution of nothing is nothing, though its batch norm has a bias).
    """
    product = nasbench201(resolution, classes)
    return FoldedSpace(
        product,
        product.merged_keys if merge_sums else _published_keys,
        name="nasbench201-unique",
        options={"resolution": resolution, "classes": classes, "merge_sums": merge_sums},
        isomorphisms="folds skips into what they lead from, the order of a node's inputs and what none cuts off"
        + (", and sums within sums" if merge_sums else ", as the benchmark's paper counts (nothing is a term of a sum)"),
    )


def _published_keys(genotypes: Genotypes) -> list[str]:
    """The published rule: a node is the sorted sum of its inputs' expressions, "#" where an input brings nothing."""
    keys = []
    for row in genotypes.tolist():
        nodes = ["0"]
        for node in (1, 2, 3):
            terms = []
            for edge, start in edges_into(node):
                operation = OPERATIONS[row[edge]]
                if operation == "none" or nodes[start] == "#":
                    terms.append("#")
                else:
                    terms.append(nodes[start] if operation == "skip_connect" else f"({nodes[start]})@{operation}")
            nodes.append("+".join(sorted(terms)))
        keys.append(nodes[-1])
    return keys
