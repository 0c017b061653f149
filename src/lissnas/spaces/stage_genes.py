"""The widths of a network's stages, with the bottleneck ratios and group widths that must fit them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.dependent import DependentGenes, all_rising, between_its_neighbors, draw_rising, never_falls
from lissnas.spaces.parts import grid

__all__ = ["StageGenes"]


class StageGenes(DependentGenes):
    """Widths, bottleneck ratios and group widths: ``ratio * group`` divides the width in every stage.

    Stages may share a ratio or a group width. Each ratio divides the next and each group width the next, and so the distance
    is the number of genes that differ. From ``a`` to ``b``: lower each group width that falls; change the widths while the
    ratio of their stage is the lesser of its two values, so widths first where it rises and last where it falls, and change
    the ratio on the other side of that; at last raise each group width that rises. On the way every group width is the lesser
    of its two, which divides whatever either does, and a width that fits a ratio fits a lesser one. Widths that must not fall
    change among themselves as ``MonotoneGenes`` do.

    Args:
        columns: for each stage the columns of its width, its ratio and its group width, the same where stages share one.
        widths: the channels of a stage.
        bottlenecks: the ratios of width to inner width, each dividing the next.
        groups: the channels of a group, each dividing the next.
        widths_rise: whether widths must not fall from stage to stage; all stages must then share ratio and group width.

    Raises:
        UserError: values that do not divide one another, or none that fit.
    """

    def __init__(
        self,
        columns: Sequence[tuple[int, int, int]],
        widths: Sequence[int],
        bottlenecks: Sequence[int],
        groups: Sequence[int],
        *,
        widths_rise: bool = False,
    ) -> None:
        for name, values in (("bottleneck ratios", bottlenecks), ("group widths", groups)):
            if any(b % a for a, b in itertools.pairwise(values)):
                raise UserError(f"of the {name} each must divide the next, but got {list(values)}")
        everything = sorted({column for stage in columns for column in stage})
        local = {column: index for index, column in enumerate(everything)}
        self.stages = [(local[w], local[b], local[g]) for w, b, g in columns]
        self.widths_rise = widths_rise
        counts = np.zeros(len(everything), dtype=np.int64)
        for width, bottleneck, group in self.stages:
            counts[[width, bottleneck, group]] = len(widths), len(bottlenecks), len(groups)
        super().__init__(everything, counts.tolist())
        self._width_columns = [width for width, _, _ in self.stages]
        self._controls = sorted({index for _, b, g in self.stages for index in (b, g)})
        factors = np.multiply.outer(np.array(bottlenecks), np.array(groups))
        self._fits = np.array(widths)[:, None, None] % factors == 0  # bool[widths, ratios, groups]
        self._list_states()
        if not self.cardinality:
            raise UserError(f"of the widths {list(widths)[:8]} none is a multiple of a bottleneck ratio times a group width")

    def _list_states(self) -> None:
        """The joint values of ratios and groups, and how many rows of widths fit each."""
        fitting = self._fits.sum(axis=0)
        values = grid(self.counts[self._controls])
        self._states = np.zeros((len(values), len(self.counts)), dtype=np.uint8)
        self._states[:, self._controls] = values
        in_stage = np.stack([fitting[self._states[:, b], self._states[:, g]] for _, b, g in self.stages], axis=1)
        if self.widths_rise:
            self._sizes = [math.comb(count + len(self.stages) - 1, len(self.stages)) for count in in_stage[:, 0].tolist()]
        else:
            self._sizes = [math.prod(counts) for counts in in_stage.tolist()]
        self.cardinality = sum(self._sizes)

    def allowed(self, x: Genotypes, gene: int) -> NDArray[np.bool_]:
        allowed = np.ones((len(x), int(self.counts[gene])), dtype=bool)
        for place, (width, bottleneck, group) in enumerate(self.stages):
            if gene == width:
                allowed &= self._fits[:, x[:, bottleneck], x[:, group]].T
                if self.widths_rise:
                    allowed &= between_its_neighbors(x[:, self._width_columns], place, allowed.shape[1])
            elif gene == bottleneck:
                allowed &= self._fits[x[:, width], :, x[:, group]]
            elif gene == group:
                allowed &= self._fits[x[:, width], x[:, bottleneck]]
        return allowed

    def is_valid(self, x: Genotypes) -> NDArray[np.bool_]:
        valid = np.ones(len(x), dtype=bool)
        for width, bottleneck, group in self.stages:
            valid &= self._fits[x[:, width], x[:, bottleneck], x[:, group]]
        if self.widths_rise:
            valid &= never_falls(x[:, self._width_columns])
        return valid

    def _fitting_widths(self, state: Genotypes, stage: int) -> NDArray[np.intp]:
        _, bottleneck, group = self.stages[stage]
        return np.flatnonzero(self._fits[:, state[bottleneck], state[group]])

    def sample(self, n: int, rng: np.random.Generator) -> Genotypes:
        share = np.array([size / self.cardinality for size in self._sizes])
        x = self._states[rng.choice(len(share), size=n, p=share / share.sum())]
        fitting = self._fits.sum(axis=0)
        # for each ratio and group, the widths that fit, in order, at the front
        listed = np.argsort(~self._fits, axis=0, kind="stable")
        _, bottleneck, group = self.stages[0]
        rising = draw_rising(fitting[x[:, bottleneck], x[:, group]], len(self.stages), rng) if self.widths_rise else None
        for place, (width, bottleneck, group) in enumerate(self.stages):
            ratios, groups = x[:, bottleneck], x[:, group]
            rank = rng.integers(0, fitting[ratios, groups]) if rising is None else rising[:, place]
            x[:, width] = listed[rank, ratios, groups]
        return x

    def states(self) -> Genotypes:
        blocks = []
        for state, size in zip(self._states, self._sizes, strict=True):
            if not size:
                continue
            fitting = [self._fitting_widths(state, place) for place in range(len(self.stages))]
            block = np.repeat(state[None], size, axis=0)
            if self.widths_rise:
                block[:, self._width_columns] = fitting[0][all_rising(len(fitting[0]), len(self.stages))]
            else:
                ranks = grid(np.array([len(widths) for widths in fitting]))
                for place, width in enumerate(self._width_columns):
                    block[:, width] = fitting[place][ranks[:, place]]
            blocks.append(block)
        return np.concatenate(blocks)
