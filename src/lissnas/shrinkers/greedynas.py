"""GreedyNAS: a candidate pool of the best paths, drawn from ever more often (You et al., CVPR 2020; reconstruction C.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from lissnas.arrays import difference
from lissnas.errors import UserError
from lissnas.shrinkers.base import OnIteration, Shrinkage, Shrinker, Tracker, require_settings, require_size, require_smaller
from lissnas.shrinkers.ledger import Pool
from lissnas.spaces import ConstrainedSpace, MixtureSpace, SearchSpace, sample_within

__all__ = ["GreedyNAS"]

EPOCH = 12_000  # paths between two looks at the pool: 1,203 steps of 10 (mmrazor's configuration)
BEGIN, END = 10_000 / 150_000, 144_360 / 150_000  # of all steps, while the share drawn from the pool rises


@dataclass(frozen=True)
class GreedyNAS(Shrinker):
    """Paths come from the candidate pool with a chance that rises to 0.8, and uniformly else; the pool is the best so far.

    In the predictor form a path that is drawn again costs nothing and scores the same, so the pool is the best of the uniform
    draws: what sets the method apart, training on the better half of every ten paths, needs a supernet.

    Args:
        queries: the budget, in predictor queries.
        size: architectures in the pool; None: 1,000, as published.
        epsilon: the chance of the pool at the end.
        settled: stop when an epoch of 12,000 paths replaced at most this share of the pool.
        form: ``pool``: the result is the pool, a list. ``distribution``: it is the distribution that paths are drawn from at
            the end, the pool with the chance ``epsilon`` and the whole space else (F21).
    """

    queries: int = 100_000
    size: int | None = None
    epsilon: float = 0.8
    settled: float = 0.08
    form: Literal["pool", "distribution"] = "pool"
    name: str = field(default="greedynas", repr=False)

    def __post_init__(self) -> None:
        require_settings(
            self,
            [
                ("size", self.size is None or self.size >= 1, "at least 1"),
                ("epsilon", 0 < self.epsilon < 1, "between 0 and 1"),
                ("settled", 0 <= self.settled < 1, "at least 0 and below 1"),
                ("form", self.form in ("pool", "distribution"), "pool or distribution"),
            ],
        )
        require_size(self.size, self.queries)

    def check(self, space: SearchSpace, limits: Sequence[str] = ()) -> tuple[str, ...]:
        require_smaller(space, self._size)
        if self._size > self.queries:
            raise UserError(
                f"a pool of {self._size:,} cannot come out of {self.queries:,} queries: give a size or more queries"
            )
        return super().check(space, limits)

    @property
    def _size(self) -> int:
        return self.size or 1000

    def _shrink(
        self,
        space: SearchSpace,
        pool: Pool,
        limits: tuple[str, ...],
        rng: np.random.Generator,
        on_iteration: OnIteration | None,
    ) -> Shrinkage:
        draw_rng, measure_rng = rng.spawn(2)
        # draws from the pool cost nothing: so many paths in all spend the budget on the uniform ones
        total = self.queries / (1 - self.epsilon * (1 - (BEGIN + END) / 2))
        paths, best = 0.0, pool.codes
        first = None
        stopped = "the budget was spent"
        while pool.left:
            rise = float(np.clip((paths / total - BEGIN) / (END - BEGIN), 0, 1))
            uniform = max(1, round(EPOCH * (1 - self.epsilon * rise)))
            asked = min(uniform, pool.left)
            before, known = best, len(pool.codes)
            pool.query(space.encode(sample_within(space, asked, limits, draw_rng)), draw_rng)
            best = pool.best(self._size)
            first = pool.codes if first is None else first
            paths += EPOCH * asked / uniform
            if len(pool.codes) == known:
                stopped = "no new architecture was met"
                break
            if len(before) == self._size and asked == uniform:
                replaced = len(difference(best, before)) / self._size
                if replaced <= self.settled:
                    stopped = f"the pool has settled: {replaced:.0%} was replaced in an epoch"
                    break
        assert first is not None  # the budget is at least the pool's size
        tracker = Tracker(space, pool, first, measure_rng, on_iteration)
        tracker.start()
        how = f"{stopped} ({paths:,.0f} paths, {len(pool.codes):,} of them different)"
        if self.form == "pool":
            tracker.accept(tracker.measure(best))
            return tracker.finish(best, how)
        whole = ConstrainedSpace(space, limits) if limits else space
        mixture = MixtureSpace(whole, best, self.epsilon)
        sample = pool.query(space.encode(mixture.sample(1000, measure_rng)), measure_rng)
        tracker.accept(tracker.measure_space(mixture, sample))
        return tracker.finish_space(mixture, how)
