"""The simplest ways to shrink, which every method must beat: the best of a sample, the best of all (paper Table 9)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lissnas.arrays import Codes
from lissnas.errors import UserError
from lissnas.shrinkers.base import OnIteration, Shrinkage, Shrinker, Tracker, require_settings, require_size, require_smaller
from lissnas.shrinkers.ledger import Pool
from lissnas.spaces import ConstrainedSpace, SearchSpace, meets_limits, sample_within

__all__ = ["KeepBest", "NaiveTop", "NoShrinkage", "QueryAll", "default_size"]

FIRST_SAMPLE = 1000  # the paper's least sample for any statement about a space (Sec. 4.3)


def default_size(queries: int, space: SearchSpace) -> int:
    """What a list of the best is cut to where no size is asked for: a tenth of the queries, a twentieth of the space."""
    return max(1, min(queries // 10, space.cardinality // 20))


class KeepBest(Shrinker):
    """Methods that differ in what they query, and then keep the best of everything queried."""

    size: int | None

    def check(self, space: SearchSpace, limits: Sequence[str] = ()) -> tuple[str, ...]:
        require_size(self.size, self.queries)
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
        query_rng, measure_rng = rng.spawn(2)
        first, how = self._query(space, pool, limits, query_rng)
        tracker = Tracker(space, pool, pool.codes if first is None else first, measure_rng, on_iteration)
        tracker.start()
        best = self._keep(space, pool, tracker.first_sample)
        tracker.accept(tracker.measure(best))
        return tracker.finish(best, f"{len(best):,} of {len(pool.codes):,} queried were kept{how}")

    @abstractmethod
    def _query(
        self, space: SearchSpace, pool: Pool, limits: tuple[str, ...], rng: np.random.Generator
    ) -> tuple[Codes | None, str]:
        """Spend the budget.

        Returns:
            The codes of the uniform sample among what was queried (None: all of it), and how it went, for ``stopped``.
        """

    def _keep(self, space: SearchSpace, pool: Pool, first: Codes) -> Codes:  # noqa: ARG002 - for those that sort by costs
        """The codes of the result. ``first`` is the uniform sample."""
        return pool.best(self.size or default_size(self.queries, space))


@dataclass(frozen=True)
class NaiveTop(KeepBest):
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
        require_settings(self, [("share", 0 < self.share < 1, "between 0 and 1")])
        require_size(self.size, self.queries)

    def _query(
        self, space: SearchSpace, pool: Pool, limits: tuple[str, ...], rng: np.random.Generator
    ) -> tuple[Codes | None, str]:
        pool.query(space.encode(sample_within(space, self.queries, limits, rng)), rng)
        return None, ""

    def _keep(self, space: SearchSpace, pool: Pool, first: Codes) -> Codes:  # noqa: ARG002 - a share of the sample, whatever the space
        return pool.best(self.size or max(1, round(self.share * len(pool.codes))))


@dataclass(frozen=True)
class QueryAll(KeepBest):
    """Query every architecture, keep the best: the ceiling for one predictor, where the space is small enough.

    Args:
        queries: the budget, which must cover the space.
        size: architectures kept; None: ``share`` of the space.
        share: the part kept.
    """

    queries: int = 1_000_000
    size: int | None = None
    share: float = 0.05
    name: str = field(default="query-all", repr=False)

    def __post_init__(self) -> None:
        require_settings(self, [("share", 0 < self.share < 1, "between 0 and 1")])
        require_size(self.size, self.queries)

    def check(self, space: SearchSpace, limits: Sequence[str] = ()) -> tuple[str, ...]:
        if space.cardinality > self.queries:
            raise UserError(
                f"'{space.name}' has {space.cardinality:,} architectures, more than the {self.queries:,} queries: "
                "choose another method, or a larger budget"
            )
        return super().check(space, limits)

    def _query(
        self, space: SearchSpace, pool: Pool, limits: tuple[str, ...], rng: np.random.Generator
    ) -> tuple[Codes | None, str]:
        for block in space.enumerate():
            pool.query(space.encode(block[meets_limits(space, block, limits)]), rng)
        if not len(pool.codes):
            raise UserError(f"no architecture of '{space.name}' meets {' and '.join(limits)}: relax the limits")
        return None, ""

    def _keep(self, space: SearchSpace, pool: Pool, first: Codes) -> Codes:  # noqa: ARG002 - a share of all, whatever the space
        return pool.best(self.size or max(1, round(self.share * len(pool.codes))))


@dataclass(frozen=True)
class NoShrinkage(Shrinker):
    """No shrinkage: the given space as it is, within the limits. What every comparison begins with.

    Args:
        queries: the budget, of which a sample of 1,000 is spent to measure the space.
        size: not used: the space keeps its own.
    """

    queries: int = 100_000
    size: int | None = None
    name: str = field(default="none", repr=False)

    def _shrink(
        self,
        space: SearchSpace,
        pool: Pool,
        limits: tuple[str, ...],
        rng: np.random.Generator,
        on_iteration: OnIteration | None,
    ) -> Shrinkage:
        sample_rng, measure_rng = rng.spawn(2)
        within = ConstrainedSpace(space, limits) if limits else space
        sample = pool.query(space.encode(within.sample(min(FIRST_SAMPLE, self.queries), sample_rng)), sample_rng)
        tracker = Tracker(space, pool, sample, measure_rng, on_iteration)
        tracker.start()
        tracker.accept(tracker.measure_space(within, sample))
        return tracker.finish_space(within, "nothing was to be shrunk")
