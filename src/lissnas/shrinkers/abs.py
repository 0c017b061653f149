"""ABS: drop the operations whose networks are worth least, a few at a time (Hu et al., ECCV 2020; reconstruction C.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lissnas.shrinkers.base import OnIteration, Shrinkage, Shrinker, require_settings, require_smaller
from lissnas.shrinkers.ledger import Pool
from lissnas.shrinkers.units import SCORES, Pruning, UnitScore, default_product_size, require_units
from lissnas.spaces import SearchSpace

__all__ = ["ABS"]


@dataclass(frozen=True)
class ABS(Shrinker):
    """Angle-based shrinking, in the predictor form of the paper's comparison (4.5).

    Each stage scores every allele of every gene by the mean prediction of the architectures that hold it (in the original: by
    the angle that their weights have turned, which ``unit_score`` brings back), drops the lowest, and goes on in what is left.

    Args:
        queries: the budget, in predictor queries; a stage spends at most a quarter of what is left.
        size: the result is the first space on the way down with at most so many architectures; None: 10^6, as published, or a
            twentieth of a space of less than 2 x 10^7.
        drop: units dropped in a stage; None: one more than the most alleles that a gene has, as published (7 of 6).
        unit_score: what a unit is worth instead, see ``UnitScore``.
        scores: ``sampled``, as in the comparison, or ``exact``: the mean of all that holds a unit by formula, without a query
            (trees or a line over single genes; genes drawn independently, limits not seen).
    """

    queries: int = 100_000
    size: int | None = None
    drop: int | None = None
    unit_score: UnitScore | None = None
    scores: str = "sampled"
    name: str = field(default="abs", repr=False)

    def __post_init__(self) -> None:
        require_settings(
            self,
            [
                ("size", self.size is None or self.size >= 1, "at least 1"),
                ("scores", self.scores in SCORES, "sampled or exact"),
                ("drop", self.drop is None or self.drop >= 1, "at least 1"),
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
        drop = self.drop or pruning.most_alleles + 1
        stopped = pruning.prune_to(self.size or default_product_size(space), self.unit_score, drop)
        return pruning.finish(stopped)
