"""Networks of X blocks in stages, as AnyNetX and RegNetX have them: what they are made of, and what they cost.

[Radosavovic et al. 2020, arXiv 2003.13678; facebookresearch/pycls pycls/models/{anynet,blocks}.py]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lissnas.spaces.diagram import Diagram

__all__ = ["Stage", "Stages", "XBlockLayout", "make_compatible", "stage_costs", "stage_diagram"]


class Stage(NamedTuple):
    """A stage: ``depth`` blocks of ``width`` channels, each 1x1, 3x3, 1x1 with ``inner`` channels in groups of ``group``.

    The first block has stride 2 and a projection (1x1, stride 2) beside it, all others an identity.
    """

    depth: int
    width: int
    inner: int
    group: int


class Stages(NamedTuple):
    """The stages of a batch, each field int64[n, S]; a network with fewer than S has depth 0 in the last ones."""

    depths: NDArray[np.int64]
    widths: NDArray[np.int64]
    inners: NDArray[np.int64]
    groups: NDArray[np.int64]

    def row(self, index: int) -> list[Stage]:
        """The stages of one network."""
        columns = zip(*(field[index].tolist() for field in self), strict=True)
        return [Stage(*values) for values in columns if values[0] > 0]


@dataclass(frozen=True)
class XBlockLayout:
    """What stands around the stages: a 3x3 stem of stride 2; average pooling and a classifier with bias.

    Attributes:
        resolution: side of the square input.
        in_channels: channels of the input image.
        classes: outputs of the classifier.
        stem: channels of the stem.
    """

    kind: ClassVar[str] = "x-blocks"
    counts_norms: ClassVar[bool] = True  # pycls reports all parameters: RegNetX-200MF has 2,684,792

    resolution: int = 224
    in_channels: int = 3
    classes: int = 1000
    stem: int = 32

    def definition(self) -> dict[str, Any]:
        """Plain JSON data."""
        return asdict(self)

    @classmethod
    def from_definition(cls, data: Mapping[str, Any]) -> XBlockLayout:
        """Build a layout again from what :meth:`definition` wrote."""
        return cls(**data)


def make_compatible(
    widths: NDArray[np.int64], bottlenecks: NDArray[np.int64], groups: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Widths, inner widths and group widths that fit: the inner width ``width / bottleneck`` is a whole number of groups.

    The group width is at most the inner width, which is then rounded to the nearest multiple of it (half to even), and the
    width follows [pycls blocks.py adjust_block_compatibility, for bottlenecks that narrow].
    """
    inners = np.maximum(1, widths // bottlenecks)
    groups = np.minimum(groups, inners)
    inners = np.maximum(groups, np.rint(inners / groups).astype(np.int64) * groups)
    return inners * bottlenecks, inners, groups


def stage_costs(stages: Stages, layout: XBlockLayout) -> dict[str, NDArray[np.float64]]:
    """``flops`` (multiply-adds) and ``params`` (batch norms included) of each network, float64[n]."""

    def halved(side: int) -> int:
        return (side - 1) // 2 + 1

    side = halved(layout.resolution)
    stem_weights = 9 * layout.in_channels * layout.stem
    flops = np.full(len(stages.depths), float(stem_weights * side**2))
    params = np.full(len(stages.depths), float(stem_weights + 2 * layout.stem))
    before = np.full(len(stages.depths), float(layout.stem))
    for index in range(stages.depths.shape[1]):
        depth, width, inner, group = (field[:, index].astype(np.float64) for field in stages)
        entered, side = side, halved(side)
        there = depth > 0
        grouped = 9 * inner * group
        main = 2 * inner * width + grouped  # of a block that keeps width and resolution
        first = inner * before * entered**2 + (grouped + inner * width + before * width) * side**2
        flops += np.where(there, first + (depth - 1) * main * side**2, 0)
        weights = inner * before + grouped + inner * width + before * width + (depth - 1) * main
        norms = 2 * (depth * (2 * inner + width) + width)
        params += np.where(there, weights + norms, 0)
        before = np.where(there, width, before)
    flops += before * layout.classes
    params += (before + 1) * layout.classes
    return {"flops": flops, "params": params}


def stage_diagram(stages: Sequence[Stage], layout: XBlockLayout) -> Diagram:
    """A network, one node per stage."""
    nodes, groups = [f"3x3 conv, {layout.stem}"], ["stem"]
    for index, stage in enumerate(stages, start=1):
        nodes.append(f"{stage.depth} x {stage.width} wide")
        groups.append(f"stage {index}: {stage.inner} in groups of {stage.group}")
    nodes.append(f"{layout.classes} classes")
    groups.append("head")
    return Diagram(tuple(nodes), tuple((i, i + 1, "") for i in range(len(nodes) - 1)), tuple(groups))
