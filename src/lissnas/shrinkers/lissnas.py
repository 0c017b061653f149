"""LISSNAS: seeds, their neighbors, and again (paper Sec. 4.3; reconstruction A.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from lissnas.arrays import Codes, Genotypes, union
from lissnas.errors import UserError
from lissnas.shrinkers.base import (
    Iteration,
    OnIteration,
    Shrinkage,
    Shrinker,
    Tracker,
    require_settings,
    require_size,
    require_smaller,
)
from lissnas.shrinkers.ledger import Pool
from lissnas.shrinkers.soft_box import STARTS, start_from_box
from lissnas.spaces import SearchSpace, meets_limits, sample_within

__all__ = ["LISSNAS"]

MOST_KEPT = 0.8  # of what was queried, in the first shrunk space of a run that keeps the best
FIRST_SAMPLE = 1000  # the paper's least sample for any statement about a space (Sec. 4.3)


@dataclass(frozen=True)
class LISSNAS(Shrinker):
    """Locality-based iterative shrinkage.

    Each iteration takes the best architectures of the current space as seeds, gives each some neighbors a few edits away,
    queries those, and makes the next, smaller space from what it has. It goes on while the mean rises, and gives back the
    previous space once it does not. Every number that the paper leaves open is a setting; the defaults are a middle between
    mean and diversity (docs/log.md), and :meth:`as_in_paper` is the paper's own form.

    Args:
        queries: the budget, in predictor queries; an architecture is never paid for twice.
        size: architectures wanted in the result; None: a tenth of the queries, or a twentieth of a space that the budget
            covers. ``as_in_paper`` has no target unless one is given: its iterations decide.
        iterations: the most iterations.
        first_share: the part of the budget spent on a uniform sample first, at least 1,000 architectures.
        seed_share: the seeds, as a share of the current space (of the first sample, in the first iteration); None: as many
            as the iteration's part of the budget has neighbors for.
        draws: the most neighbors drawn for each seed.
        max_distance: the farthest edit distance of a neighbor, drawn uniformly from 1 to it; None: a third of the space's
            ``max_edits`` (Sec. 4.3).
        proposal: what is queried beside the seeds. ``neighbors``; ``random``: the same number of uniform draws from the
            given space (Table 10's random refill); ``none``: seeds alone.
        walk: ``exact`` distances, or ``random``: that many random edits, which may lead back, as the paper describes.
        keep: ``best``: the next space is the best of everything queried; ``all``: the seeds and all their neighbors.
        plateau: the least rise of the mean, in the score's unit, for an iteration to count.
        min_diversity: stop before the mean edit distance falls below this share of the given space's.
        strata: take the seeds evenly from this many quantile bins of a cost (F13); None: the best wherever they are.
        strata_cost: which cost; the space's first if not given.
        cover: query everything where the budget covers the space.
        start: ``sample``, or ``soft-box``: as many networks of a soft box as of the uniform sample are queried beside it, from
            the smallest box that has the diversity of the floor (see ``soft_box``; needs exact means).
    """

    queries: int = 100_000
    size: int | None = None
    iterations: int = 8
    first_share: float = 0.1
    seed_share: float | None = None
    draws: int = 20
    max_distance: int | None = 1
    proposal: Literal["neighbors", "random", "none"] = "neighbors"
    walk: Literal["exact", "random"] = "exact"
    keep: Literal["best", "all"] = "best"
    plateau: float = 0.0
    min_diversity: float = 0.5
    strata: int | None = None
    strata_cost: str | None = None
    cover: bool = True
    start: Literal["sample", "soft-box"] = "sample"
    name: str = field(default="lissnas", repr=False)

    def __post_init__(self) -> None:
        rules = [
            ("queries", self.queries >= 1, "at least 1"),
            ("size", self.size is None or self.size >= 1, "at least 1"),
            ("iterations", self.iterations >= 1, "at least 1"),
            ("first_share", 0 < self.first_share < 1, "between 0 and 1"),
            ("seed_share", self.seed_share is None or 0 < self.seed_share <= 1, "above 0 and at most 1"),
            ("draws", self.draws >= 1, "at least 1"),
            ("max_distance", self.max_distance is None or self.max_distance >= 1, "at least 1"),
            ("min_diversity", 0 <= self.min_diversity < 1, "at least 0 and below 1"),
            ("strata", self.strata is None or self.strata >= 2, "at least 2"),
            ("proposal", self.proposal in ("neighbors", "random", "none"), "neighbors, random or none"),
            ("walk", self.walk in ("exact", "random"), "exact or random"),
            ("start", self.start in STARTS, " or ".join(STARTS)),
            ("keep", self.keep in ("best", "all"), "best or all"),
        ]
        require_settings(self, rules)
        require_size(self.size, self.queries)

    @classmethod
    def as_in_paper(cls, queries: int = 100_000, size: int | None = None) -> LISSNAS:
        """The paper's own form: half the budget for the first sample, neighbors from walks of up to a third of the edits,
        all neighbors kept, the plateau as the only stop (reconstruction A.4 to A.6)."""
        return cls(
            queries=queries,
            size=size,
            iterations=10,
            first_share=0.5,
            seed_share=0.02,
            draws=30,
            max_distance=None,
            walk="random",
            keep="all",
            min_diversity=0.0,
            cover=False,
            name="lissnas-paper",
        )

    def with_settings(self, **settings: object) -> LISSNAS:
        """The same with some settings changed."""
        return replace(self, **settings)  # type: ignore[arg-type]  # checked again by __post_init__

    def check(self, space: SearchSpace, limits: Sequence[str] = ()) -> tuple[str, ...]:
        require_smaller(space, self.size)
        if not self._covers(space) and self.queries < 2 * FIRST_SAMPLE:
            raise UserError(
                f"a budget of {self.queries:,} is smaller than one iteration: it takes at least {2 * FIRST_SAMPLE:,} "
                f"({FIRST_SAMPLE:,} to look at the space, as many for neighbors)"
            )
        if self.strata is not None and not space.cost_names:
            raise UserError(f"strata need a cost, but '{space.name}' has none: leave strata out, or add a cost")
        if self.strata_cost is not None and self.strata_cost not in space.cost_names:
            costs = ", ".join(space.cost_names) or "none"
            raise UserError(
                f"strata_cost must be a cost of '{space.name}', but got '{self.strata_cost}': its costs are {costs}"
            )
        return super().check(space, limits)

    def _covers(self, space: SearchSpace) -> bool:
        """Whether everything is queried."""
        return self.cover and self.keep == "best" and space.cardinality_is_exact and space.cardinality <= self.queries

    def _shrink(
        self,
        space: SearchSpace,
        pool: Pool,
        limits: tuple[str, ...],
        rng: np.random.Generator,
        on_iteration: OnIteration | None,
    ) -> Shrinkage:
        sample_rng, edit_rng, measure_rng = rng.spawn(3)
        if self._covers(space):
            return self._cover(space, pool, limits, measure_rng, on_iteration)

        first = max(FIRST_SAMPLE, round(self.first_share * self.queries))
        sample = pool.query(space.encode(sample_within(space, first, limits, sample_rng)), sample_rng)
        tracker = Tracker(space, pool, sample, measure_rng, on_iteration)
        current, previous = sample, tracker.start()
        iterations = self._iterations(first)
        stopped = f"all {iterations} iterations were made"
        if self.start == "soft-box":
            from_box = start_from_box(space, pool, limits, self.min_diversity, first, sample_rng)
            current = union(sample, from_box)
        for index in range(1, iterations + 1):
            iterations_left = iterations - index + 1
            seeds = self._seeds(space, pool, current, iterations_left)
            queried = pool.query(space.encode(self._propose(space, pool, seeds, limits, edit_rng)), edit_rng)
            members = self._members(pool, seeds, queried, iterations_left, previous)
            step = tracker.measure(members)
            reason = self._stop(pool, tracker, step, previous)
            if reason:
                stopped = reason
                break
            tracker.accept(step)
            current, previous = members, step
            if pool.left == 0 and iterations_left > 1:
                stopped = "the budget was spent"
                break
        if previous.codes is None:
            raise UserError(
                f"the space could not be shrunk ({stopped}): the predictor sees no better neighbors; "
                "give it more measured networks, or more queries"
            )
        result = previous.codes
        if self.size is not None and len(result) > self.size:
            result = pool.best(self.size, result)
            step = tracker.measure(result)
            tracker.accept(step)
            if step.diversity < self.min_diversity * tracker.full_diversity:
                share = step.diversity / tracker.full_diversity
                stopped += (
                    f"; cut to {self.size:,} it keeps {share:.0%} of the diversity (the floor is {self.min_diversity:.0%})"
                )
        return tracker.finish(result, stopped)

    @property
    def _target(self) -> int:
        return self.size or max(1, self.queries // 10)

    def _iterations(self, first: int) -> int:
        """As many iterations as are allowed; fewer, where the first must already query more than the target holds."""
        if self.proposal == "none":
            return 1
        if self.keep == "all":
            return self.iterations
        needed = self._target / MOST_KEPT - first
        return self.iterations if needed <= 0 else max(1, min(self.iterations, int((self.queries - first) / needed)))

    # -- the parts of an iteration ----------------------------------------------------------------------------------

    def _seeds(self, space: SearchSpace, pool: Pool, current: Codes, iterations_left: int) -> Codes:
        """The best of the current space: everywhere, or in each stratum of a cost."""
        if self.seed_share is not None:
            wanted = max(1, round(self.seed_share * len(current)))
        else:
            wanted = min(max(1, len(current) // 2), -(-pool.left // (iterations_left * self.draws)))
        if self.strata is None:
            return pool.best(wanted, current)
        name = self.strata_cost or space.cost_names[0]
        cost = space.cost(space.decode(current))[name]
        edges = np.quantile(cost, np.linspace(0, 1, self.strata + 1)[1:-1])
        stratum = np.searchsorted(edges, cost, side="right")
        share = max(1, wanted // self.strata)
        parts = [pool.best(share, current[stratum == s]) for s in range(self.strata) if (stratum == s).any()]
        return np.concatenate(parts)

    def _propose(
        self, space: SearchSpace, pool: Pool, seeds: Codes, limits: Sequence[str], rng: np.random.Generator
    ) -> Genotypes:
        """Architectures to query beside the seeds."""
        genotypes = space.decode(seeds)
        if self.proposal == "none":
            return genotypes[:0]
        if self.proposal == "random":
            return sample_within(space, min(self.draws * len(seeds), pool.left), limits, rng)
        distance = max(1, space.max_edits // 3) if self.max_distance is None else self.max_distance
        found = []
        for _ in range(self.draws):
            edits = rng.integers(1, distance + 1, size=len(genotypes))
            for d in np.unique(edits):
                near = self._move(space, genotypes[edits == d], int(d), rng)
                found.append(near[meets_limits(space, near, limits)])
        return np.concatenate(found)

    def _move(self, space: SearchSpace, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Genotypes:
        if self.walk == "exact":
            return space.neighbors(genotypes, edits, rng).genotypes
        for _ in range(edits):
            genotypes = space.neighbors(genotypes, 1, rng).genotypes
        return genotypes

    def _members(self, pool: Pool, seeds: Codes, queried: Codes, iterations_left: int, previous: Iteration) -> Codes:
        """The next space."""
        if self.proposal == "none":
            return seeds
        if self.keep == "all":
            return union(seeds, queried)
        # sizes fall geometrically, from most of what the first iteration has queried to the target
        most = round(MOST_KEPT * len(pool.codes)) if previous.codes is None else len(previous.codes)
        ratio = self._target / max(most, self._target)
        return pool.best(
            round(most * ratio ** (1 / iterations_left)) if previous.codes is not None or iterations_left == 1 else most
        )

    def _stop(self, pool: Pool, tracker: Tracker, step: Iteration, previous: Iteration) -> str | None:
        """Why this step must not be taken, if so."""
        rise = pool.sign * (step.mean - previous.mean)
        if rise <= self.plateau:
            return f"the mean no longer rose (by {rise:.3g} after {len(tracker.iterations) - 1} iterations)"
        if step.size >= previous.size:
            return f"the space no longer became smaller ({step.size:,} after {previous.size:,})"
        if previous.codes is not None and step.diversity < self.min_diversity * tracker.full_diversity:
            kept = step.diversity / tracker.full_diversity
            return f"the space would have kept only {kept:.0%} of the diversity (the floor is {self.min_diversity:.0%})"
        return None

    def _cover(
        self, space: SearchSpace, pool: Pool, limits: Sequence[str], rng: np.random.Generator, on_iteration: OnIteration | None
    ) -> Shrinkage:
        """The budget covers the space: query everything, keep the best."""
        everything = np.concatenate([block[meets_limits(space, block, limits)] for block in space.enumerate()])
        if not len(everything):
            raise UserError(f"no architecture of '{space.name}' meets {' and '.join(limits)}: relax the limits")
        codes = pool.query(space.encode(everything), rng)
        tracker = Tracker(space, pool, codes, rng, on_iteration)
        tracker.start()
        size = self.size or max(1, min(self.queries // 10, len(codes) // 20))
        best = pool.best(size)
        tracker.accept(tracker.measure(best))
        return tracker.finish(best, f"the budget covers all {len(codes):,} architectures: each was queried")
