"""Best-first search: the neighbors of the best architecture that was not looked around yet, and again."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from lissnas.arrays import Codes, difference, union
from lissnas.shrinkers.base import require_settings, require_size
from lissnas.shrinkers.ledger import Pool
from lissnas.shrinkers.naive import FIRST_SAMPLE, KeepBest
from lissnas.spaces import SearchSpace, meets_limits, sample_within

__all__ = ["BestFirst"]

MOST_NEIGHBORS = 256  # of one architecture that are queried; where it has more (AnyNetX: 500), as many random ones


@dataclass(frozen=True)
class BestFirst(KeepBest):
    """Query a uniform sample; then all one-edit neighbors of the best that was not expanded yet, until the budget is spent.

    It climbs to the nearest tops and stays on them: a high mean, and as little diversity as a search can leave. Several are
    expanded at a time, which changes nothing but the speed.

    Args:
        queries: the budget, in predictor queries.
        size: architectures kept; None: a tenth of the queries, a twentieth of the space at most.
        first_share: the part of the budget spent on the uniform sample, at least 1,000 architectures.
        at_once: architectures expanded at a time; a hundredth of what was queried, where that is more.
    """

    queries: int = 100_000
    size: int | None = None
    first_share: float = 0.1
    at_once: int = 32
    name: str = field(default="best-first", repr=False)

    def __post_init__(self) -> None:
        require_settings(
            self,
            [
                ("first_share", 0 < self.first_share <= 1, "above 0 and at most 1"),
                ("at_once", self.at_once >= 1, "at least 1"),
            ],
        )
        require_size(self.size, self.queries)

    def _query(
        self, space: SearchSpace, pool: Pool, limits: tuple[str, ...], rng: np.random.Generator
    ) -> tuple[Codes | None, str]:
        first = min(self.queries, max(FIRST_SAMPLE, round(self.first_share * self.queries)))
        sample = pool.query(space.encode(sample_within(space, first, limits, rng)), rng)
        expanded = pool.codes[:0]
        while pool.left:
            waiting = difference(pool.codes, expanded)
            if not len(waiting):
                return sample, f": all that edits lead to, {len(expanded):,} were expanded"
            chosen = pool.best(max(self.at_once, len(pool.codes) // 100), waiting)
            expanded = union(expanded, chosen)
            near = space.all_neighbors(space.decode(chosen)).genotypes
            if len(near) > MOST_NEIGHBORS * len(chosen):
                near = near[rng.permutation(len(near))[: MOST_NEIGHBORS * len(chosen)]]
            pool.query(space.encode(near[meets_limits(space, near, limits)]), rng)
        return sample, f": {len(expanded):,} were expanded"
