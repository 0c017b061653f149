"""The front between quality and diversity: a space of a size, as good as it can be for how diverse it must be.

An elite that is chosen for both, children of two of its members, and the same choice once more among everything queried. What
was tried before each part and each default is in docs/log.md; how it compares, in docs/results/frontier.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Codes, Genotypes, difference, locate, unique
from lissnas.errors import UserError
from lissnas.shrinkers.base import OnIteration, Shrinkage, Shrinker, Tracker, require_settings, require_size, require_smaller
from lissnas.shrinkers.crossover import cross, other_allele
from lissnas.shrinkers.ledger import Pool
from lissnas.shrinkers.naive import default_size
from lissnas.shrinkers.soft_box import STARTS, start_from_box
from lissnas.shrinkers.spread import Chosen, Spread
from lissnas.spaces import SearchSpace, meets_limits, sample_within

__all__ = ["Frontier"]

FIRST_SAMPLE = 1000  # the paper's least sample for any statement about a space (Sec. 4.3)
LEAST_PARENTS = 10
LEAST_OF_A_KIND = 0.1  # of the children
PAIRS = 2000  # of a set, whose mean distance is its diversity
ELITE_TRIES = 5  # weights that are looked at for an elite, which need not meet the diversity to a hair
TRIES = 6  # batches of children for a round, where many are no architectures or known already


@dataclass(frozen=True)
class Frontier(Shrinker):
    """A point on the front between predicted mean and diversity.

    A uniform sample is queried first. In each round an elite is chosen among everything queried: the set of so many
    architectures that has the highest mean at the diversity asked for. Children take a block of genes from a second random
    member of it; others are a member with another allele in one gene. How many there are of each kind follows from how many of
    the last round's came into the elite. Where a space has no use for most of them (its genes depend on each other, or it is a
    list), neighbors of the elite fill the round, and then uniform draws.
    At the end the space of ``size`` is chosen among everything queried as the elites were. Where the budget covers the space,
    all of it is queried instead.

    Bins of a cost, quantiles of the first sample, each keep a part of every choice, so that cheap and expensive networks stay.

    Args:
        queries: the budget, in predictor queries; an architecture is never paid for twice.
        size: architectures wanted in the result; None: a tenth of the queries, or a twentieth of a space that is smaller.
        diversity: the mean edit distance that the result must keep, as a share of the given space's. Where no set of what
            was queried has it, the result is the most diverse one, and ``stopped`` says so.
        first_share: the part of the budget spent on a uniform sample first, at least 1,000 architectures.
        rounds: how many times an elite is chosen.
        parent_share: the size of the elite, as a share of ``size``; at least 10, at most half of what is queried.
        start: ``sample``, or ``soft-box``: as many networks of a soft box as of the uniform sample are queried beside it, from
            the smallest box that is as diverse as the result must be (see ``soft_box``; needs exact means).
        bins: of the cost; 1 leaves costs alone.
        bin_share: what each bin keeps of a choice, as a share of an equal share, where it has so many.
        bins_cost: which cost; None: the first that the space can compute.
        cover: query everything where the budget covers the space.
    """

    queries: int = 100_000
    size: int | None = None
    diversity: float = 0.6
    first_share: float = 0.1
    rounds: int = 10
    parent_share: float = 0.2
    start: str = "sample"
    bins: int = 20
    bin_share: float = 0.1
    bins_cost: str | None = None
    cover: bool = True
    name: str = field(default="frontier", repr=False)

    def __post_init__(self) -> None:
        rules = [
            ("queries", self.queries >= 1, "at least 1"),
            ("size", self.size is None or self.size >= 1, "at least 1"),
            ("diversity", 0 <= self.diversity <= 1, "between 0 and 1"),
            ("first_share", 0 < self.first_share <= 1, "above 0 and at most 1"),
            ("rounds", self.rounds >= 1, "at least 1"),
            ("parent_share", 0 < self.parent_share <= 1, "above 0 and at most 1"),
            ("start", self.start in STARTS, " or ".join(STARTS)),
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
        if self._covers(space):
            sample = _query_all(space, pool, limits, sample_rng)
        else:
            first = max(FIRST_SAMPLE, round(self.first_share * self.queries))
            sample = pool.query(space.encode(sample_within(space, first, limits, sample_rng)), sample_rng)
        tracker = Tracker(space, pool, sample, measure_rng, on_iteration)
        tracker.start()
        if self.start == "soft-box" and pool.left:
            start_from_box(space, pool, limits, self.diversity, len(sample), sample_rng)
        choice = _Choice(self, space, sample, self.diversity * tracker.full_diversity, measure_rng)
        size = self.size or default_size(self.queries, space)
        elite_size = max(LEAST_PARENTS, round(self.parent_share * size))
        kinds = _Kinds()
        for index in range(self.rounds):
            if pool.left == 0 or len(pool.codes) == space.cardinality:
                break
            choice.look_at(pool)
            elite = choice.elite(max(1, min(elite_size, len(pool.codes) // 2)))
            kinds.learn(pool.codes[elite])
            if len(pool.codes) > size:
                tracker.accept(tracker.measure(pool.codes[choice.at_same_weight(size)]))
            wanted = -(-pool.left // (self.rounds - index))
            _breed(space, pool, pool.codes[elite], wanted, limits, kinds, child_rng)
        choice.look_at(pool)
        chosen = choice.result(size)
        tracker.accept(tracker.measure(pool.codes[chosen.rows]))
        return tracker.finish(pool.codes[chosen.rows], self._story(pool, chosen, tracker))

    def _story(self, pool: Pool, chosen: Chosen, tracker: Tracker) -> str:
        kept = chosen.diversity / tracker.full_diversity if tracker.full_diversity else 1.0
        how = f"{len(chosen.rows):,} of {len(pool.codes):,} queried were kept, with {kept:.0%} of the diversity"
        return how if chosen.reached else f"{how}: {self.diversity:.0%} was asked for, and no choice among them has more"


class _Choice:
    """The choice that is made over and over: of a size, at the diversity asked for, with something from each bin."""

    def __init__(self, settings: Frontier, space: SearchSpace, sample: Codes, target: float, rng: np.random.Generator) -> None:
        self.space = space
        self.counts = [len(gene.alleles) for gene in space.genes]
        self.target = target
        self.rng = rng
        self.weight = 1.0
        self.floor = settings.bin_share / settings.bins
        self.cost, self.edges = self._bins(settings, space.decode(sample))

    def _bins(self, settings: Frontier, sample: Genotypes) -> tuple[str | None, NDArray[np.float64]]:
        if settings.bins > 1 and settings.bin_share > 0 and self.space.cost_names:
            costs = self.space.cost(sample)
            for name in (settings.bins_cost,) if settings.bins_cost else self.space.cost_names:
                if np.isfinite(costs[name]).all():
                    return name, np.quantile(costs[name], np.linspace(0, 1, settings.bins + 1)[1:-1])
            if settings.bins_cost:
                raise UserError(
                    f"bins_cost '{settings.bins_cost}' is learned from measurements, which are not there: give the scores file"
                )
        return None, np.zeros(0)

    def look_at(self, pool: Pool) -> None:
        """Choose among what is in the pool now."""
        self.genotypes = self.space.decode(pool.codes)
        bins = None
        if self.cost is not None:
            bins = np.searchsorted(self.edges, self.space.cost(self.genotypes)[self.cost], side="right")
        self.spread = Spread(self.genotypes, self.counts, pool.utility, bins, self.floor)

    def elite(self, size: int) -> NDArray[np.intp]:
        """The rows of a set of ``size`` that is about as diverse as was asked."""
        chosen = self.spread.at_least(size, self.target, self._distances(), self.weight, ELITE_TRIES)
        self.weight = chosen.weight or self.weight
        return chosen.rows

    def at_same_weight(self, size: int) -> NDArray[np.intp]:
        """The rows of a set of another size at the weight that the elite had."""
        return self.spread.best(size, self.weight)

    def result(self, size: int) -> Chosen:
        """A set of ``size`` that is as diverse as was asked."""
        return self.spread.at_least(size, self.target, self._distances(), self.weight)

    def _distances(self) -> Callable[[NDArray[np.intp]], float]:
        """The mean edit distance of a set, by the same random places in it for every set that is compared."""
        places = self.rng.random((2, PAIRS))

        def measure(rows: NDArray[np.intp]) -> float:
            one, other = (self.genotypes[rows[(part * len(rows)).astype(np.intp)]] for part in places)
            return float(self.space.distance(one, other).mean())

        return measure


class _Kinds:
    """How many of the children have two parents, as it proves good."""

    def __init__(self) -> None:
        self.crossed = 0.5
        self._made: list[list[Codes]] = [[], []]

    def add(self, codes: Codes, crossed: bool) -> None:
        """Architectures that were queried anew."""
        self._made[crossed].append(codes)

    def learn(self, elite: Codes) -> None:
        """Share by share of each kind that is in the elite now."""
        if all(self._made):
            rate = [(np.count_nonzero(locate(elite, c := np.concatenate(m)) >= 0) + 1) / (len(c) + 1) for m in self._made]
            self.crossed = float(np.clip(rate[1] / (rate[0] + rate[1]), LEAST_OF_A_KIND, 1 - LEAST_OF_A_KIND))
        self._made = [[], []]


def _breed(
    space: SearchSpace,
    pool: Pool,
    elite: Codes,
    wanted: int,
    limits: Sequence[str],
    kinds: _Kinds,
    rng: np.random.Generator,
) -> None:
    """Query about ``wanted`` new architectures that descend from the elite."""
    parents = space.decode(elite)
    goal = len(pool.codes) + wanted

    def ask(proposed: Genotypes) -> Codes:
        """Query what meets the limits and is new."""
        codes = difference(unique(space.encode(proposed[meets_limits(space, proposed, limits)])), pool.codes)
        return pool.query(codes, rng)

    def missing() -> int:
        return min(goal - len(pool.codes), pool.left)

    for _ in range(TRIES):
        crossed = round(kinds.crossed * missing())
        for two_parents, n in ((True, crossed), (False, missing() - crossed)):
            one, other = parents[rng.integers(0, len(parents), size=(2, n))]
            kinds.add(ask(cross(space, one, other, rng) if two_parents else other_allele(space, one, rng)), two_parents)
        if missing() <= 0:
            return
    ask(space.neighbors(parents[rng.integers(0, len(parents), size=missing())], 1, rng).genotypes)
    if missing() > 0:
        ask(sample_within(space, missing(), limits, rng))


def _query_all(space: SearchSpace, pool: Pool, limits: Sequence[str], rng: np.random.Generator) -> Codes:
    everything = np.concatenate([block[meets_limits(space, block, limits)] for block in space.enumerate()])
    if not len(everything):
        raise UserError(f"no architecture of '{space.name}' meets {' and '.join(limits)}: relax the limits")
    return pool.query(space.encode(everything), rng)
