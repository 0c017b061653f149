"""The front between quality and diversity: a space of a size, as good as it can be for how diverse it must be.

An elite that is chosen for both, children of two of its members, and the same choice once more among everything queried. How
each part and each default came about is in docs/log.md; how it compares, in docs/results/frontier.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Codes, Genotypes
from lissnas.errors import UserError
from lissnas.shrinkers.base import OnIteration, Shrinkage, Shrinker, Tracker, require_settings, require_size, require_smaller
from lissnas.shrinkers.crossover import cross
from lissnas.shrinkers.ledger import Pool
from lissnas.shrinkers.spread import Chosen, Spread
from lissnas.spaces import SearchSpace, meets_limits, sample_within

__all__ = ["Frontier"]

FIRST_SAMPLE = 1000  # the paper's least sample for any statement about a space (Sec. 4.3)
PAIRS = 2000  # of a set, whose mean distance is its diversity
TRIES = 6  # batches of children for a round; where they bring nothing new, uniform draws take the rest of it


@dataclass(frozen=True)
class Frontier(Shrinker):
    """A point on the front between predicted mean and diversity.

    A uniform sample is queried first. In each round the elite is chosen among everything queried: the set of ``parents``
    architectures with the highest mean whose mean edit distance is what was asked. Children take a block of genes from
    each of two random members of it, and some of them get an edit too; what is new is queried. At the end the space of ``size`` is
    chosen among everything queried in the same way. Where the budget covers the space, all of it is queried instead.

    Bins of a cost, quantiles of the first sample, each keep a part of every choice, so that cheap and expensive networks stay in.

    Args:
        queries: the budget, in predictor queries; an architecture is never paid for twice.
        size: architectures wanted in the result; None: a tenth of the queries, or a twentieth of a space that the budget
            covers.
        diversity: the mean edit distance that the result must keep, as a share of the given space's.
        first_share: the part of the budget spent on a uniform sample first, at least 1,000 architectures.
        rounds: how many times an elite is chosen.
        parents: the size of the elite; where less than twice as many are queried, half of those.
        edit_share: how many of the children get a random edit too.
        bins: of the cost; 1 leaves costs alone.
        bin_share: what each bin keeps of a choice, as a share of an equal share, where it has so many.
        bins_cost: which cost; None: the space's first, if it has one.
        cover: query everything where the budget covers the space.
    """

    queries: int = 100_000
    size: int | None = None
    diversity: float = 0.75
    first_share: float = 0.1
    rounds: int = 10
    parents: int = 5000
    edit_share: float = 0.5
    bins: int = 20
    bin_share: float = 0.1
    bins_cost: str | None = None
    cover: bool = True
    elite_diversity: float = 1.0
    name: str = field(default="frontier", repr=False)

    def __post_init__(self) -> None:
        rules = [
            ("queries", self.queries >= 1, "at least 1"),
            ("size", self.size is None or self.size >= 1, "at least 1"),
            ("diversity", 0 <= self.diversity <= 1, "between 0 and 1"),
            ("first_share", 0 < self.first_share <= 1, "above 0 and at most 1"),
            ("rounds", self.rounds >= 1, "at least 1"),
            ("parents", self.parents >= 2, "at least 2"),
            ("edit_share", 0 <= self.edit_share <= 1, "between 0 and 1"),
            ("bins", self.bins >= 1, "at least 1"),
            ("bin_share", 0 <= self.bin_share <= 1, "between 0 and 1"),
        ]
        require_settings(self, rules)
        require_size(self.size, self.queries)

    def with_settings(self, **settings: object) -> Frontier:
        """The same with some settings changed."""
        return replace(self, **settings)  # type: ignore[arg-type]  # checked again by __post_init__

    def check(self, space: SearchSpace, limits: Sequence[str] = ()) -> tuple[str, ...]:
        require_smaller(space, self.size)
        if not self._covers(space) and self.queries < 2 * FIRST_SAMPLE:
            raise UserError(
                f"a budget of {self.queries:,} is smaller than one round: it takes at least {2 * FIRST_SAMPLE:,} "
                f"({FIRST_SAMPLE:,} to look at the space, as many for children)"
            )
        if self.bins_cost is not None and self.bins_cost not in space.cost_names:
            costs = ", ".join(space.cost_names) or "none"
            raise UserError(f"bins_cost must be a cost of '{space.name}', but got '{self.bins_cost}': its costs are {costs}")
        return super().check(space, limits)

    def _covers(self, space: SearchSpace) -> bool:
        """Whether everything is queried."""
        return self.cover and space.cardinality_is_exact and space.cardinality <= self.queries

    def _shrink(
        self,
        space: SearchSpace,
        pool: Pool,
        limits: tuple[str, ...],
        rng: np.random.Generator,
        on_iteration: OnIteration | None,
    ) -> Shrinkage:
        sample_rng, child_rng, measure_rng = rng.spawn(3)
        covered = self._covers(space)
        if covered:
            sample = self._query_all(space, pool, limits, sample_rng)
        else:
            first = max(FIRST_SAMPLE, round(self.first_share * self.queries))
            sample = pool.query(space.encode(sample_within(space, first, limits, sample_rng)), sample_rng)
        tracker = Tracker(space, pool, sample, measure_rng, on_iteration)
        tracker.start()
        choice = _Choice(self, space, sample, self.diversity * tracker.full_diversity, measure_rng)
        if self.size is not None:
            size = self.size
        else:
            size = max(1, min(self.queries // 10, len(sample) // 20 if covered else self.queries))
        for index in range(0 if covered else self.rounds):
            elite = choice.of(pool, min(self.parents, len(pool.codes) // 2), self.elite_diversity)
            self._breed(space, pool, elite, -(-pool.left // (self.rounds - index)), limits, child_rng)
            if pool.left == 0 and index < self.rounds - 1:
                break
        codes, chosen = choice.last(pool, size)
        tracker.accept(tracker.measure(codes))
        self.__dict__["_last"] = chosen
        return tracker.finish(codes, self._story(pool, chosen, tracker, covered))

    def _story(self, pool: Pool, chosen: Chosen, tracker: Tracker, covered: bool) -> str:
        kept = chosen.diversity / max(tracker.full_diversity, 1e-12)
        how = f"{len(chosen.rows):,} of {len(pool.codes):,} queried were kept, with {kept:.0%} of the diversity"
        if covered:
            how += "; the budget covers the space"
        return how if chosen.reached else f"{how}: no more than that was to be had of the {self.diversity:.0%} asked for"

    def _query_all(self, space: SearchSpace, pool: Pool, limits: Sequence[str], rng: np.random.Generator) -> Codes:
        everything = np.concatenate([block[meets_limits(space, block, limits)] for block in space.enumerate()])
        if not len(everything):
            raise UserError(f"no architecture of '{space.name}' meets {' and '.join(limits)}: relax the limits")
        return pool.query(space.encode(everything), rng)

    def _breed(
        self, space: SearchSpace, pool: Pool, elite: Codes, wanted: int, limits: Sequence[str], rng: np.random.Generator
    ) -> None:
        """Query about ``wanted`` new children of the elite."""
        parents = space.decode(elite)
        goal = len(pool.codes) + wanted
        for _ in range(TRIES):
            missing = goal - len(pool.codes)
            if missing <= 0:
                return
            one, other = parents[rng.integers(0, len(parents), size=(2, missing))]
            self._ask(space, pool, cross(space, one, other, rng, self.edit_share), limits, rng)
        missing = goal - len(pool.codes)
        if missing > 0:
            some = parents[rng.integers(0, len(parents), size=missing)]
            self._ask(space, pool, space.neighbors(some, 1, rng).genotypes, limits, rng)
        missing = goal - len(pool.codes)
        if missing > 0:
            self._ask(space, pool, sample_within(space, missing, limits, rng), limits, rng)

    @staticmethod
    def _ask(space: SearchSpace, pool: Pool, x: Genotypes, limits: Sequence[str], rng: np.random.Generator) -> None:
        """Query what meets the limits; what is known already is asked for nothing."""
        pool.query(space.encode(x[meets_limits(space, x, limits)]), rng)


class _Choice:
    """The choice that is made over and over: of a size, at the diversity asked for, with something from each bin."""

    def __init__(
        self, settings: Frontier, space: SearchSpace, sample: Codes, target: float, rng: np.random.Generator
    ) -> None:
        self.space = space
        self.target = target
        self.floor = settings.bin_share / settings.bins
        self.rng = rng
        self.guess = 1.0
        self.cost = None
        if settings.bins > 1 and settings.bin_share > 0 and space.cost_names:
            self.cost = settings.bins_cost or space.cost_names[0]
            known = space.cost(space.decode(sample))[self.cost]
            self.edges = np.quantile(known, np.linspace(0, 1, settings.bins + 1)[1:-1])

    def of(self, pool: Pool, size: int, share: float = 1.0) -> Codes:
        chosen = self._choose(pool, size, share * self.target, 3)
        self.guess = chosen.weight or self.guess
        return pool.codes[chosen.rows]

    def last(self, pool: Pool, size: int) -> tuple[Codes, Chosen]:
        chosen = self._choose(pool, size, self.target, 16)
        return pool.codes[chosen.rows], chosen

    def _choose(self, pool: Pool, size: int, target: float, tries: int) -> Chosen:
        genotypes = self.space.decode(pool.codes)
        bins = None
        if self.cost is not None:
            bins = np.searchsorted(self.edges, self.space.cost(genotypes)[self.cost], side="right")
        spread = Spread(genotypes, pool.utility, bins, self.floor)
        pick = self.rng.random((2, PAIRS))

        def measure(rows: NDArray[np.intp]) -> float:
            one, other = (rows[(part * len(rows)).astype(np.intp)] for part in pick)
            return float(self.space.distance(genotypes[one], genotypes[other]).mean())

        return spread.at_least(size, target, measure, self.guess, tries)
