"""PAD-NAS: layer by layer the better operations, in a few stages (Xia et al. 2020; reconstruction C.3)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lissnas.shrinkers.base import OnIteration, Shrinkage, Shrinker, require_settings, require_smaller
from lissnas.shrinkers.ledger import Pool
from lissnas.shrinkers.units import SCORES, Pruning, Unit, UnitScore, require_units
from lissnas.spaces import SearchSpace

__all__ = ["PADNAS"]


@dataclass(frozen=True)
class PADNAS(Shrinker):
    """Progressive layer-wise operation pruning, in the predictor form of the paper's comparison (4.5).

    In each stage every gene keeps the alleles whose architectures (those within the limits) have the best mean prediction.
    The paper's method section could not be found: how an operation is scored, and how many stay, are ours.

    Args:
        queries: the budget, in predictor queries; a stage spends at most a quarter of what is left.
        size: None: what the stages leave. A number: no stage goes below it, and after the last one the worst allele of the
            whole space is dropped, and again, until at most so many architectures are left.
        stages: how often the genes are pruned.
        keep: the share of its alleles that a gene keeps in a stage, two at least (of 4 operations 2, of 12 first 6, then 3).
        unit_score: what a unit is worth instead, see ``UnitScore``.
        scores: ``sampled``, as in the comparison, or ``exact``: the mean of all that holds a unit by formula, without a query
            (trees or a line over single genes; genes drawn independently, limits not seen).
    """

    queries: int = 100_000
    size: int | None = None
    stages: int = 2
    keep: float = 0.5
    unit_score: UnitScore | None = None
    scores: str = "sampled"
    name: str = field(default="padnas", repr=False)

    def __post_init__(self) -> None:
        require_settings(
            self,
            [
                ("size", self.size is None or self.size >= 1, "at least 1"),
                ("scores", self.scores in SCORES, "sampled or exact"),
                ("stages", self.stages >= 1, "at least 1"),
                ("keep", 0 < self.keep < 1, "between 0 and 1"),
            ],
        )

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
        pruning = Pruning(space, pool, limits, rng, on_iteration, scores=self.scores)
        stopped = f"all {self.stages} stages were made"
        for _ in range(self.stages):
            scores = pruning.scores(self.unit_score)
            worst: list[Unit] = []
            for group, kept in enumerate(pruning.kept):
                ranked = sorted((Unit(group, allele) for allele in kept), key=lambda unit: (scores[unit], unit))
                worst += ranked[: len(kept) - max(2, math.ceil(self.keep * len(kept)))]
            worst.sort(key=lambda unit: (scores[unit], unit))
            if not pruning.drop(worst, size=self.size):
                break
            pruning.record()
        if self.size is not None and pruning.size > self.size:
            stopped = pruning.prune_to(self.size, self.unit_score, drop=1)
        return pruning.finish(stopped)
