"""TransNAS-Bench-101, micro: one cell of four nodes, in a fixed chain of modules (reconstruction B.4)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from lissnas.errors import UserError
from lissnas.spaces.cost import TableCost
from lissnas.spaces.edge_cell import EDGES, EdgeCellSpace
from lissnas.spaces.folded import FoldedSpace
from lissnas.spaces.transnas import BASE, PAPER, TransNASLayout

__all__ = ["OPERATIONS", "TransNASMicroSpace", "transnasbench101_micro", "transnasbench101_micro_unique"]

# In the order of the official digits [TransNASBench lib/models/net_ops/cell_ops.py, OPS]. NASLib's own order is another one.
OPERATIONS = ("none", "skip", "conv1x1", "conv3x3")
MODULES = "41414"


class TransNASMicroSpace(EdgeCellSpace):
    """4,096 cells, none folded: the benchmark holds a training for every encoding.

    A cell is written as officially, ``64-41414-3_12_013``, and also read as its six digits, ``312013``. In a cell that halves
    the resolution, a skip from the first node is two 1x1 convolutions side by side.
    """

    def _write(self, row: Sequence[int]) -> str:
        a, b, c, d, e, f = row
        return f"{BASE}-{MODULES}-{a}_{b}{c}_{d}{e}{f}"

    def _read(self, text: str) -> Sequence[int]:
        example = f"'{BASE}-{MODULES}-3_12_013' or '312013'"
        cell = text
        if "-" in text:
            parts = text.split("-")
            if len(parts) != 3:
                raise UserError(
                    f"an architecture is three parts joined by '-', like {example}, but '{text[:60]}' has {len(parts)}"
                )
            if parts[0] != str(BASE):
                raise UserError(f"the micro space has {BASE} channels in front, but '{text[:60]}' starts with '{parts[0]}'")
            if parts[1] != MODULES:
                raise UserError(f"the micro space has the modules {MODULES}, but '{text[:60]}' names '{parts[1]}'")
            cell = parts[2]
            if not re.fullmatch(r"[^_]_[^_]{2}_[^_]{3}", cell):
                raise UserError(f"a cell is written as a_bc_def, like {example}, but got '{cell}'")
        digits = cell.replace("_", "") if "-" in text else cell
        if len(digits) != len(EDGES):
            raise UserError(f"a cell has {len(EDGES)} digits, like {example}, but '{text[:60]}' has {len(digits)}")
        for digit, (start, end) in zip(digits, EDGES, strict=True):
            if digit not in "0123":
                raise UserError(f"edge {start} -> {end}: an operation is a digit from 0 to 3, but '{text[:60]}' has '{digit}'")
        return [int(digit) for digit in digits]


def _costs(layout: TransNASLayout) -> list[TableCost]:
    modules = [int(digit) for digit in MODULES]
    base = layout.cost_around(modules)
    table = np.zeros((2, len(EDGES), len(OPERATIONS)))
    for block in layout.blocks(modules):
        for edge, (start, _) in enumerate(EDGES):
            first = start == 0
            if first and block.reduces:
                table[:, edge, OPERATIONS.index("skip")] += block.conv(1)
            table[:, edge, OPERATIONS.index("conv1x1")] += block.conv(1, first=first)
            table[:, edge, OPERATIONS.index("conv3x3")] += block.conv(3, first=first)
    return [TableCost(name, float(base[i]), table[i]) for i, name in enumerate(("flops", "params"))]


def transnasbench101_micro(resolution: int = 256, classes: int = 63) -> TransNASMicroSpace:
    """The 4,096 cells. FLOPs are multiply-adds; parameters equal the published ones of the scene task."""
    layout = TransNASLayout(resolution, classes, MODULES)
    return TransNASMicroSpace(
        "transnasbench101-micro",
        OPERATIONS,
        skip="skip",
        reduces=True,
        costs=_costs(layout),
        layout=layout,
        options={"resolution": resolution, "classes": classes},
        paper=PAPER,
    )


def transnasbench101_micro_unique(resolution: int = 256, classes: int = 63) -> FoldedSpace:
    """The unique networks among the 4,096 cells, folded as sums (:meth:`EdgeCellSpace.merged_keys`)."""
    product = transnasbench101_micro(resolution, classes)
    return FoldedSpace(
        product,
        product.merged_keys,
        name="transnasbench101-micro-unique",
        options=product.options,
        isomorphisms="folds skips between inner nodes, the order of a node's inputs, sums within sums and what none cuts off",
    )
