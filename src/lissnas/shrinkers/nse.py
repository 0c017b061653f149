"""NSE: the operations that the best networks of a cost window use, the others' turn to be tried next (Ci et al., ICCV 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Codes, union
from lissnas.errors import UserError
from lissnas.shrinkers.base import OnIteration, Shrinkage, Shrinker, require_settings, require_smaller
from lissnas.shrinkers.ledger import Pool
from lissnas.shrinkers.units import SCORES, Pruning, UnitScore, require_units
from lissnas.spaces import SearchSpace, meets_limits

__all__ = ["NSE", "pareto_front"]

NEAREST = 100  # architectures outside of the window that are queried where none is in it
DRAWN = 20  # architectures whose cost is looked at for each that is queried
WIDE = 10  # alleles from which on a gene tries five at a time, as the original does with its 27


@dataclass(frozen=True)
class NSE(Shrinker):
    """Neural search-space evolution, in the predictor form of the paper's comparison (4.5; reconstruction C.2).

    Every gene begins with some of its alleles, drawn at random. Each round queries architectures of that part whose cost lies
    in a window, adds the earlier fronts, takes the Pareto front of cost and prediction, keeps the alleles that the front
    uses, and lets alleles that were not tried yet fill the places that became free. The result is the product of the alleles
    that the last front uses. Without a window the front spans all costs and uses nearly every allele, so nothing is pruned:
    where none is given, the middle tenth of the given space's costs is the window.

    Args:
        queries: the budget, in predictor queries, evenly over the rounds and at most ``sample`` in each.
        size: None: what the last front uses. A number: where that is more, the worst allele of the whole space is dropped, and
            again. Where it is fewer (a front is short), it stays so: adding the next best made the product worse.
        tried: alleles that a gene tries at a time; None: 2, or 5 of 10 and more (the original: 5 of 27).
        sample: architectures queried in a round.
        cost: the cost of the window; None: the space's first.
        low, high: the window; None: the 45th and 55th percentile of the given space.
        unit_score: what a unit is worth instead where ``size`` asks for more pruning, see ``UnitScore``.
        scores: of that pruning: ``sampled``, as in the comparison, or ``exact``: the mean of all that holds a unit by formula,
            without a query (trees or a line over single genes; genes drawn independently, limits not seen).
    """

    queries: int = 100_000
    size: int | None = None
    tried: int | None = None
    sample: int = 2000
    cost: str | None = None
    low: float | None = None
    high: float | None = None
    unit_score: UnitScore | None = None
    scores: str = "sampled"
    name: str = field(default="nse", repr=False)

    def __post_init__(self) -> None:
        require_settings(
            self,
            [
                ("size", self.size is None or self.size >= 1, "at least 1"),
                ("scores", self.scores in SCORES, "sampled or exact"),
                ("tried", self.tried is None or self.tried >= 2, "at least 2"),
                ("sample", self.sample >= 1, "at least 1"),
            ],
        )
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise UserError(f"a window needs low < high, but got low = {self.low}, high = {self.high}")

    def check(self, space: SearchSpace, limits: Sequence[str] = ()) -> tuple[str, ...]:
        require_units(space, self.queries)
        require_smaller(space, self.size)
        if not space.cost_names:
            raise UserError(f"nse looks for the best within a cost window, but '{space.name}' has no cost: add one")
        if self.cost is not None and self.cost not in space.cost_names:
            raise UserError(f"'{space.name}' has no cost '{self.cost}': it has {', '.join(space.cost_names)}")
        return super().check(space, limits)

    def _shrink(
        self,
        space: SearchSpace,
        pool: Pool,
        limits: tuple[str, ...],
        rng: np.random.Generator,
        on_iteration: OnIteration | None,
    ) -> Shrinkage:
        prune_rng, order_rng, draw_rng = rng.spawn(3)
        pruning = Pruning(space, pool, limits, prune_rng, on_iteration, scores=self.scores)
        cost = self.cost or space.cost_names[0]
        costs = space.cost(space.decode(pruning.tracker.first_sample))[cost]
        low = float(np.quantile(costs, 0.45)) if self.low is None else self.low
        high = float(np.quantile(costs, 0.55)) if self.high is None else self.high

        window = f"{cost} from {low:.6g} to {high:.6g}"
        if not ((costs >= low) & (costs <= high)).any():
            raise UserError(
                f"none of {len(costs):,} architectures of '{space.name}' has {window} (they go from {costs.min():.6g} to "
                f"{costs.max():.6g}): choose a wider window"
            )
        pending = [order_rng.permutation(kept).tolist() for kept in pruning.kept]
        wanted = [self.tried or (5 if len(order) >= WIDE else 2) for order in pending]
        rounds = max(-(-(len(order) - k) // (k - 1)) + 1 for order, k in zip(pending, wanted, strict=True))
        share = max(1, min(self.sample, pool.left // (rounds + 1)))  # the last part measures the result
        front = pool.codes[:0]
        tried: list[set[int]] = [set() for _ in pending]
        for _ in range(rounds):
            for alleles, order, k in zip(tried, pending, wanted, strict=True):
                while len(alleles) < k and order:
                    alleles.add(order.pop())
            found = self._sample_window(pruning, tried, share, cost, low, high, draw_rng)
            if not len(found):
                continue
            both = union(front, found)
            front = both[pareto_front(space.cost(space.decode(both))[cost], pool.utilities(both))]
            tried = pruning.used(front)
        if not len(front):
            raise UserError(f"no architecture that holds the tried alleles meets {' and '.join(limits)}: relax the limits")
        tried = pruning.used(front)
        pruning.keep(tried)
        stopped = f"the front of {window} after {rounds} rounds, {len(front)} architectures, uses what is left"
        if pruning.size < pruning.given.cardinality:
            pruning.record()
        if self.size is not None and pruning.size > self.size:
            stopped = pruning.prune_to(self.size, self.unit_score, drop=1)
        return pruning.finish(stopped)

    def _sample_window(
        self,
        pruning: Pruning,
        tried: list[set[int]],
        n: int,
        cost: str,
        low: float,
        high: float,
        rng: np.random.Generator,
    ) -> Codes:
        """Query up to ``n`` architectures that hold tried alleles only and whose cost lies in the window, or nearest to it."""
        space = pruning.part(tried)
        drawn = space.sample(DRAWN * n, rng)
        costs = space.cost(drawn)[cost]
        outside = np.maximum(low - costs, costs - high).clip(0)
        outside[~meets_limits(space, drawn, pruning.limits)] = np.inf
        chosen = np.flatnonzero(outside == 0)[:n]
        if not len(chosen):  # these alleles do not reach the window: what comes nearest to it
            nearest = np.argsort(outside, kind="stable")[: min(NEAREST, n)]
            chosen = nearest[np.isfinite(outside[nearest])]
        return pruning.pool.query(space.encode(drawn[chosen]), rng)


def pareto_front(costs: NDArray[np.float64], utility: NDArray[np.float64]) -> NDArray[np.intp]:
    """The rows that no other beats in both low cost and high utility, cheapest first; of equals the first."""
    order = np.lexsort((-utility, costs))
    before = np.concatenate([[-np.inf], np.maximum.accumulate(utility[order])[:-1]])
    return order[utility[order] > before]
