"""The best of a sample that is too large to be held: what ``naive`` does, in memory that does not grow with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lissnas.errors import UserError
from lissnas.predictors import Predictor
from lissnas.predictors.scan import top_of_sample
from lissnas.shrinkers.base import OnIteration, Shrinkage, Shrinker, Tracker, require_settings, require_size, require_smaller
from lissnas.shrinkers.ledger import Pool
from lissnas.shrinkers.naive import FIRST_SAMPLE, default_size
from lissnas.spaces import SearchSpace, sample_within

__all__ = ["Scan"]


@dataclass(frozen=True)
class Scan(Shrinker):
    """The best of a sample of any size: the budget is drawn in chunks, and only the best so far are held.

    Draws are by the space's own distribution: uniform, or the weights of a soft box. Each is paid for, also one that was drawn
    before or that breaks a limit, since nothing remembers them; the result holds each architecture once.

    Args:
        queries: the budget: 1,000 to look at the space, and the draws.
        size: architectures kept; None: a tenth of the queries, or a twentieth of a space that is smaller.
    """

    queries: int = 1_000_000
    size: int | None = None
    name: str = field(default="scan", repr=False)

    def __post_init__(self) -> None:
        require_settings(self, [("queries", self.queries > FIRST_SAMPLE, f"more than {FIRST_SAMPLE:,}")])
        require_size(self.size, self.queries - FIRST_SAMPLE)

    def check(self, space: SearchSpace, limits: Sequence[str] = ()) -> tuple[str, ...]:
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
        if not isinstance(pool.scorer, Predictor):
            raise UserError("scan needs a predictor, and here true scores are asked: take naive, or fit one")
        sample_rng, draw_rng, measure_rng = rng.spawn(3)
        first = pool.query(space.encode(sample_within(space, FIRST_SAMPLE, limits, sample_rng)), sample_rng)
        tracker = Tracker(space, pool, first, measure_rng, on_iteration)
        tracker.start()
        draws, size = pool.left, self.size or default_size(self.queries, space)
        pool.ledger.spend(queries=draws)
        seed = np.random.SeedSequence(int(draw_rng.integers(2**63)))
        genotypes, scores = top_of_sample(space, pool.scorer, draws, min(size, draws), seed, limits=limits)
        pool.add(space.encode(genotypes), scores)
        best = pool.best(size)
        tracker.accept(tracker.measure(best))
        return tracker.finish(best, f"{len(best):,} of {self.queries:,} draws were kept")
