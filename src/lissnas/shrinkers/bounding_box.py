"""Bounding box: the smallest box around the best trials (Perrone et al., NeurIPS 2019; Syne Tune's ``BoundingBox``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lissnas.errors import UserError
from lissnas.shrinkers.base import OnIteration, Shrinkage, Shrinker, require_settings, require_smaller
from lissnas.shrinkers.ledger import Pool
from lissnas.shrinkers.units import Pruning, default_product_size, require_units
from lissnas.spaces import SearchSpace

__all__ = ["BoundingBox"]


@dataclass(frozen=True)
class BoundingBox(Shrinker):
    """Query a uniform sample and keep the box around its best: of an ordered gene the range from the lowest allele to the
    highest, of any other the alleles that occur.

    The original takes the best trial of each earlier task; here there is one task, and its best trials stand for them.

    Args:
        queries: the size of the sample.
        size: the result is the box of as many of the best as stay within so many architectures, and of the best two at least
            (where every gene has a say, their box may already be larger); None: 10^6, or a twentieth of a space of less than
            2 x 10^7.
        trials: the box of so many instead, whatever its size.
    """

    queries: int = 100_000
    size: int | None = None
    trials: int | None = None
    name: str = field(default="bounding-box", repr=False)

    def __post_init__(self) -> None:
        require_settings(
            self,
            [
                ("size", self.size is None or self.size >= 1, "at least 1"),
                ("trials", self.trials is None or self.trials >= 1, "at least 1"),
            ],
        )
        if self.size is not None and self.trials is not None:
            raise UserError("a bounding box has a size or a number of trials, but both were given: leave one out")

    def check(self, space: SearchSpace, limits: Sequence[str] = ()) -> tuple[str, ...]:
        require_units(space, self.queries)
        require_smaller(space, self.size)
        return super().check(space, limits)

    def _shrink(
        self,
        space: SearchSpace,
        pool: Pool,
        limits: tuple[str, ...],
        rng: np.random.Generator,
        on_iteration: OnIteration | None,
    ) -> Shrinkage:
        # a part of the budget is left to measure the box, which the best alone cannot
        pruning = Pruning(space, pool, limits, rng, on_iteration, first=max(1, self.queries - min(1000, self.queries // 10)))
        sample = pruning.tracker.first_sample
        ranked = space.decode(sample[np.argsort(-pool.utilities(sample), kind="stable")])

        def box(trials: int) -> list[list[int]]:
            kept = []
            for columns, before in zip(pruning.groups, pruning.kept, strict=True):
                held = set(np.unique(ranked[:trials, columns]).tolist()) & set(before)
                if held and space.genes[columns[0]].is_ordinal:
                    held = {allele for allele in before if min(held) <= allele <= max(held)}
                kept.append(sorted(held) or before)
            return kept

        trials = self.trials
        if trials is None:
            size = self.size or default_product_size(space)
            low, high = 2, min(len(ranked), 1 << 12)
            while low < high:  # boxes are nested, so their sizes rise
                middle = (low + high + 1) // 2
                low, high = (middle, high) if pruning.count(box(middle)) <= size else (low, middle - 1)
            trials = low
        pruning.keep(box(trials))
        pruning.record()
        return pruning.finish(f"the box of the best {trials:,} of {len(ranked):,} queried holds {pruning.size:,} architectures")
