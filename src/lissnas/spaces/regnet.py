"""RegNet: stages whose widths and depths follow from four numbers (reconstruction B.7; arXiv 2003.13678, Sec. 3.3)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.anynet import PAPER
from lissnas.spaces.base import Costs
from lissnas.spaces.composed import ComposedSpace
from lissnas.spaces.diagram import Diagram
from lissnas.spaces.gene import Gene
from lissnas.spaces.notation import format_rows, parse_rows
from lissnas.spaces.parts import FreeGenes
from lissnas.spaces.xblock import Stages, XBlockLayout, make_compatible, stage_costs, stage_diagram

__all__ = ["RegNet", "regnet", "regnet_stages"]

QUANTUM = 8  # widths are multiples of it
_BLOCK = 1 << 13  # rows at a time: 64 block widths each stay in the cache

# Four times 64 values, which make the published 64^4 * 6 * 3 = 3.0e8 within d < 64, w_0, w_a < 256, 1.5 <= w_m <= 3; the paper
# gives the ranges, the steps are ours.
DEPTHS = tuple(range(1, 65))
WIDTHS = tuple(range(4, 257, 4))
SLOPES = tuple(range(4, 257, 4))
MULTIPLIERS = tuple(round(1.5 + 1.5 * step / 63, 3) for step in range(64))


class RegNet(ComposedSpace):
    """Networks of X blocks, written as the six numbers of a RegNet: depth, initial width, slope, width multiplier, and one
    bottleneck ratio and group width for all stages.

    Every encoding counts as an architecture of its own, though several sets of numbers can give the same stages (the 64^4 have
    10,985,679 different lists of widths and depths): none are folded, and so all six genes are free, draws and neighbors are
    uniform at every distance, and the distance (the number of genes that differ) is exact. Where a group width does not divide
    an inner width, the width is rounded as pycls does it (``make_compatible``).

    Networks have as many stages as their numbers give, 1 to 12. The paper keeps those with four, 3,120,701 of the 64^4: that is
    the limit ``stages == 4``, since ``stages`` is one of the costs.

    Args:
        name: what the space is called: its registry name.
        depths, widths, slopes, multipliers: the values of d, w_0, w_a and w_m.
        bottlenecks, groups: the ratios of width to inner width, the channels of a group.
        layout: what stands around the stages.

    Raises:
        UserError: a value outside the domain of the formula.
    """

    def __init__(
        self,
        name: str,
        *,
        depths: Sequence[int] = DEPTHS,
        widths: Sequence[int] = WIDTHS,
        slopes: Sequence[float] = SLOPES,
        multipliers: Sequence[float] = MULTIPLIERS,
        bottlenecks: Sequence[int] = (1, 2, 4),
        groups: Sequence[int] = (1, 2, 4, 8, 16, 32),
        layout: XBlockLayout | None = None,
    ) -> None:
        self.name = name
        self.layout = XBlockLayout() if layout is None else layout
        self.paper = PAPER
        self.isomorphisms = "none: every set of numbers counts, also where two give the same stages"
        self.cost_names = ("flops", "params", "stages")
        self._options: dict[str, Sequence[float]] = {
            "depths": depths,
            "widths": widths,
            "slopes": slopes,
            "multipliers": multipliers,
            "bottlenecks": bottlenecks,
            "groups": groups,
        }
        names = ("depth", "initial_width", "slope", "multiplier", "bottleneck", "group")
        self.genes = tuple(
            Gene(name, tuple(values), ordered=True) for name, values in zip(names, self._options.values(), strict=True)
        )
        _check_domain(depths, widths, slopes, multipliers)
        for option in ("bottlenecks", "groups"):
            if min(self._options[option]) < 1:
                raise UserError(f"the {option} must be whole numbers from 1 on, but got {list(self._options[option])}")
        self._values = [np.array(gene.alleles) for gene in self.genes]
        self._compose([FreeGenes(range(6), [len(gene.alleles) for gene in self.genes])])
        self.encodings = self.cardinality

    def definition(self) -> dict[str, Any]:
        options: dict[str, Any] = {option: list(values) for option, values in self._options.items()}
        return {"kind": "published", "name": self.name, "options": options | self.layout.definition()}

    def format(self, genotypes: Genotypes) -> list[str]:
        return format_rows(self.genes, self.check(genotypes), "named")

    def parse(self, texts: Sequence[str]) -> Genotypes:
        return parse_rows(self.genes, texts, "named", self.name)

    def stages_of(self, genotypes: Genotypes) -> Stages:
        """The stages that networks are built from, once widths and groups fit each other."""
        self.check(genotypes)
        depth, width, slope, multiplier, bottleneck, group = (
            values[genotypes[:, gene]] for gene, values in enumerate(self._values)
        )
        widths, depths = regnet_stages(width, slope, multiplier, depth)
        shape = widths.shape
        fitted = make_compatible(
            np.maximum(widths, 1),  # where there is no stage, any number
            np.broadcast_to(bottleneck[:, None], shape),
            np.broadcast_to(group[:, None], shape),
        )
        return Stages(depths, *fitted)

    def _cost(self, genotypes: Genotypes) -> Costs:
        results = {name: np.empty(len(genotypes)) for name in self.cost_names}
        for low in range(0, len(genotypes), _BLOCK):
            stages = self.stages_of(genotypes[low : low + _BLOCK])
            costs = stage_costs(stages, self.layout)
            costs["stages"] = np.count_nonzero(stages.depths, axis=1).astype(np.float64)
            for name, values in results.items():
                values[low : low + _BLOCK] = costs[name]
        return Costs(results)

    def diagram(self, genotype: Genotypes) -> Diagram:
        stages = self.stages_of(self.require_valid(np.asarray(genotype, dtype=np.uint8)[None]))
        return stage_diagram(stages.row(0), self.layout)


def regnet_stages(w0: ArrayLike, wa: ArrayLike, wm: ArrayLike, depth: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The stages of RegNets: widths int64[n, S] and depths int64[n, S], 0 past a network's last stage.

    Block j is to be ``u_j = w0 + wa * j`` wide; the power of ``wm`` nearest to ``u_j / w0`` makes that ``w0 * wm^s_j``, rounded
    to a multiple of 8 (half to even, at least 8); blocks of equal width are a stage [pycls regnet.py generate_regnet]. Widths
    are not yet made to fit a group width.

    Args:
        w0: the initial width, for each network; scalars are for all of them.
        wa: the slope.
        wm: the width multiplier.
        depth: the number of blocks.

    Raises:
        UserError: a width or depth below 1, a falling slope, or a multiplier that does not multiply.
    """
    w0, wa, wm, depth = np.broadcast_arrays(*(np.atleast_1d(np.asarray(value)) for value in (w0, wa, wm, depth)))
    _check_domain(depth, w0, wa, wm)
    rows, most = len(w0), int(depth.max(initial=1))
    block = np.arange(most)
    wanted = block * wa[:, None] + w0[:, None]
    power = np.round(np.log(wanted / w0[:, None]) / np.log(wm)[:, None])
    width = w0[:, None] * np.power(wm[:, None], power)
    width = np.maximum(np.round(width / QUANTUM), 1).astype(np.int64) * QUANTUM
    there = block < depth[:, None]
    begins = np.ones((rows, most), dtype=bool)
    begins[:, 1:] = width[:, 1:] != width[:, :-1]
    stage = np.cumsum(begins, axis=1) - 1
    count = int(np.where(there, stage, 0).max(initial=0)) + 1
    row, column = np.nonzero(there)
    place = row * count + stage[row, column]
    depths = np.bincount(place, minlength=rows * count).reshape(rows, count)
    widths = np.zeros(rows * count, dtype=np.int64)
    widths[place] = width[row, column]
    return widths.reshape(rows, count), depths.astype(np.int64)


def _check_domain(depths: ArrayLike, widths: ArrayLike, slopes: ArrayLike, multipliers: ArrayLike) -> None:
    """Refuse numbers for which there is no RegNet."""
    rules = (
        ("depth", depths, 1, "at least 1"),
        ("initial width", widths, 1, "at least 1"),
        ("slope", slopes, 0, "at least 0"),
        ("width multiplier", multipliers, math.nextafter(1.0, 2.0), "greater than 1"),
    )
    for name, values, least, rule in rules:
        values = np.asarray(values, dtype=np.float64)
        wrong = ~(values >= least) | ~np.isfinite(values)
        if wrong.any():
            raise UserError(f"the {name} of a RegNet must be {rule}, but got {values[wrong].flat[0]:g}")


def regnet(
    *,
    depths: Sequence[int] = DEPTHS,
    widths: Sequence[int] = WIDTHS,
    slopes: Sequence[float] = SLOPES,
    multipliers: Sequence[float] = MULTIPLIERS,
    bottlenecks: Sequence[int] = (1, 2, 4),
    groups: Sequence[int] = (1, 2, 4, 8, 16, 32),
    resolution: int = 224,
    in_channels: int = 3,
    classes: int = 1000,
    stem: int = 32,
) -> RegNet:
    """64^4 * 6 * 3 = 3.0e8 RegNets. RegNetX-200MF and its like have slopes between the steps: see ``regnet_stages``."""
    return RegNet(
        "regnet",
        depths=depths,
        widths=widths,
        slopes=slopes,
        multipliers=multipliers,
        bottlenecks=bottlenecks,
        groups=groups,
        layout=XBlockLayout(resolution, in_channels, classes, stem),
    )
