"""The simplest ways to shrink, which every method must beat: the best of a sample, the best of all (paper Table 9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lissnas.errors import UserError
from lissnas.evaluators import Evaluator
from lissnas.predictors import Predictor
from lissnas.shrinkers.base import OnIteration, Shrinkage, Shrinker, Tracker, require_size, require_smaller
from lissnas.shrinkers.ledger import Ledger, Pool
from lissnas.spaces import SearchSpace, meets_limits, sample_within

__all__ = ["NaiveTop", "QueryAll"]


@dataclass(frozen=True)
class NaiveTop(Shrinker):
    """Naive random top-x%: query a uniform sample, keep its best.

    Args:
        queries: the size of the sample.
        size: architectures kept; None: ``share`` of the sample.
        share: the x% as a fraction.
    """

    queries: int = 100_000
    size: int | None = None
    share: float = 0.1
    name: str = field(default="naive", repr=False)

    def __post_init__(self) -> None:
        _require_share(self.share)
        require_size(self.size, self.queries)

    def check(self, space: SearchSpace, limits: Sequence[str] = ()) -> tuple[str, ...]:
        require_smaller(space, self.size)
        return super().check(space, limits)

    def shrink(
        self,
        space: SearchSpace,
        scorer: Predictor | Evaluator,
        rng: np.random.Generator,
        limits: Sequence[str] = (),
        *,
        on_iteration: OnIteration | None = None,
    ) -> Shrinkage:
        limits = self.check(space, limits)
        sample_rng, measure_rng = rng.spawn(2)
        pool = _pool(space, scorer, self.queries)
        sample = pool.query(space.encode(sample_within(space, self.queries, limits, sample_rng)), sample_rng)
        return _keep_best(space, pool, self.size or max(1, round(self.share * len(sample))), measure_rng, on_iteration)


@dataclass(frozen=True)
class QueryAll(Shrinker):
    """Query every architecture, keep the best: the ceiling for one predictor, where the space is small enough.

    Args:
        queries: the budget, which must cover the space.
        size: architectures kept; None: ``share`` of the space.
    """

    queries: int = 1_000_000
    size: int | None = None
    share: float = 0.05
    name: str = field(default="query-all", repr=False)

    def __post_init__(self) -> None:
        _require_share(self.share)
        require_size(self.size, self.queries)

    def check(self, space: SearchSpace, limits: Sequence[str] = ()) -> tuple[str, ...]:
        if space.cardinality > self.queries:
            raise UserError(
                f"'{space.name}' has {space.cardinality:,} architectures, more than the {self.queries:,} queries: "
                "choose another method, or a larger budget"
            )
        require_smaller(space, self.size)
        return super().check(space, limits)

    def shrink(
        self,
        space: SearchSpace,
        scorer: Predictor | Evaluator,
        rng: np.random.Generator,
        limits: Sequence[str] = (),
        *,
        on_iteration: OnIteration | None = None,
    ) -> Shrinkage:
        limits = self.check(space, limits)
        pool = _pool(space, scorer, self.queries)
        for block in space.enumerate():
            pool.query(space.encode(block[meets_limits(space, block, limits)]), rng)
        if not len(pool.codes):
            raise UserError(f"no architecture of '{space.name}' meets {' and '.join(limits)}: relax the limits")
        return _keep_best(space, pool, self.size or max(1, round(self.share * len(pool.codes))), rng, on_iteration)


def _require_share(share: float) -> None:
    if not 0 < share < 1:
        raise UserError(f"share must be between 0 and 1, but got {share!r}")


def _pool(space: SearchSpace, scorer: Predictor | Evaluator, budget: int) -> Pool:
    truly = isinstance(scorer, Evaluator)
    return Pool(space, scorer, Ledger(0 if truly else budget, budget if truly else 0))


def _keep_best(
    space: SearchSpace, pool: Pool, size: int, rng: np.random.Generator, on_iteration: OnIteration | None
) -> Shrinkage:
    tracker = Tracker(space, pool, pool.codes, rng, on_iteration)
    tracker.start()
    best = pool.best(size)
    tracker.accept(tracker.measure(best))
    return tracker.finish(best, f"the best {len(best):,} of {len(pool.codes):,} queried were kept")
