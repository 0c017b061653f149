"""WeakNAS: a predictor refitted to the true scores of its own best, round after round (Wu et al., NeurIPS 2021)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from lissnas.arrays import Codes, difference, union
from lissnas.errors import UserError
from lissnas.evaluators import Evaluator
from lissnas.predictors import Predictor
from lissnas.predictors.base import MINIMUM
from lissnas.shrinkers.base import OnIteration, Shrinkage, Shrinker, Tracker, require_settings, require_smaller
from lissnas.shrinkers.ledger import Ledger, Pool
from lissnas.shrinkers.naive import default_size
from lissnas.spaces import SearchSpace, meets_limits, sample_distinct, sample_within

__all__ = ["WeakNAS"]

SEED_SHARE = 0.5  # of a round's candidates: edits of the last round's best, where the space is too large to be ranked whole


@dataclass(frozen=True)
class WeakNAS(Shrinker):
    """Evaluate a random start; then fit a predictor to all true scores, rank candidates, evaluate some of the top, and again.

    The scorer is an evaluator: true evaluations are spent as the method goes, and predictor queries beside them. A round
    ranks the whole space where its part of the queries covers it, and else as many candidates, half of them uniform draws,
    half one edit from the last round's top. The result is what the last predictor ranks best. The numbers of the publication
    are given here from memory.

    Args:
        queries: the budget of predictor queries: half evenly over the rounds, half for the last ranking. Each predictor's are
            paid anew.
        evaluations: the budget of true evaluations.
        size: architectures kept; None: ``top``.
        start: true evaluations of the random start; None: a tenth of all, 20 at least.
        step: true evaluations in a round, drawn at random from its top; None: as many as ``start``.
        top: the best by prediction that a round draws from.
        predictor: makes an unfitted predictor; None: XGBoost with 200 trees.
    """

    queries: int = 100_000
    evaluations: int = 1000
    size: int | None = None
    start: int | None = None
    step: int | None = None
    top: int = 1000
    predictor: Callable[[], Predictor] | None = None
    name: str = field(default="weaknas", repr=False)
    spends: ClassVar[Literal["queries", "evaluations"]] = "evaluations"

    def __post_init__(self) -> None:
        require_settings(
            self,
            [
                ("size", self.size is None or self.size >= 1, "at least 1"),
                ("start", self._start >= MINIMUM, f"at least {MINIMUM}"),
                ("step", self._step >= 1, "at least 1"),
                ("top", self.top >= 1, "at least 1"),
                ("evaluations", self.evaluations >= self._start, f"at least start ({self._start:,})"),
            ],
        )
        if self.size is not None and self.size > self.queries // 2:
            raise UserError(
                f"a space of {self.size:,} cannot come out of a last round of {self.queries // 2:,} queries: ask for a smaller "
                "size, or more queries"
            )

    @property
    def _start(self) -> int:
        return max(MINIMUM, self.evaluations // 10) if self.start is None else self.start

    @property
    def _step(self) -> int:
        return self._start if self.step is None else self.step

    @property
    def _rounds(self) -> int:
        """Rounds that evaluate; a last one only ranks."""
        return -(-(self.evaluations - self._start) // self._step)

    @property
    def _each(self) -> int:
        return self.queries // 2 // max(self._rounds, 1)

    def check(self, space: SearchSpace, limits: Sequence[str] = ()) -> tuple[str, ...]:
        require_smaller(space, self.size)
        if self._each < 100:
            raise UserError(
                f"half of {self.queries:,} queries over {self._rounds} rounds are {self._each} each, too few to rank: give "
                "more queries, or a larger step"
            )
        return super().check(space, limits)

    def _ledger(self, scorer: Predictor | Evaluator) -> Ledger:
        if not isinstance(scorer, Evaluator):
            raise UserError(
                "weaknas spends true evaluations and fits its own predictors, but got a predictor: give an evaluator"
            )
        return Ledger(self.queries, self.evaluations)

    def _shrink(
        self,
        space: SearchSpace,
        pool: Pool,
        limits: tuple[str, ...],
        rng: np.random.Generator,
        on_iteration: OnIteration | None,
    ) -> Shrinkage:
        draw_rng, measure_rng = rng.spawn(2)
        pool.query(space.encode(sample_distinct(space, self._start, draw_rng, limits)), draw_rng)
        higher = pool.sign > 0
        seeds = pool.best(max(1, self._start // 10))
        for index in range(self._rounds + 1):
            predictor = (self.predictor or _default_predictor)()
            predictor.fit(space, space.decode(pool.codes), pool.sign * pool.utility, higher_is_better=higher, seed=index)
            ranked = Pool(space, predictor, pool.ledger)
            candidates = self._each if index < self._rounds else ranked.left
            uniform = self._rank(space, ranked, seeds, candidates, limits, draw_rng)
            seeds = ranked.best(min(self.top, len(ranked.codes)))
            if index < self._rounds:
                new = difference(seeds, pool.codes)
                pool.query(new[draw_rng.permutation(len(new))[: self._step]], draw_rng)
        tracker = Tracker(space, ranked, uniform, measure_rng, on_iteration)
        tracker.start()
        best = ranked.best(self.size or min(self.top, default_size(self.queries, space)))
        tracker.accept(tracker.measure(best))
        return tracker.finish(best, f"{pool.ledger.evaluations:,} true evaluations were spent in {self._rounds} rounds")

    def _rank(
        self, space: SearchSpace, ranked: Pool, seeds: Codes, each: int, limits: tuple[str, ...], rng: np.random.Generator
    ) -> Codes:
        """Query ``each`` candidates; the codes of the uniform ones."""
        if space.cardinality_is_exact and space.cardinality <= each:
            everything = [block[meets_limits(space, block, limits)] for block in space.enumerate()]
            return ranked.query(space.encode(np.concatenate(everything)), rng)
        near = round(SEED_SHARE * each)
        uniform = ranked.query(space.encode(sample_within(space, each - near, limits, rng)), rng)
        parents = space.decode(seeds)[rng.integers(0, len(seeds), size=near)]
        moved = space.neighbors(parents, 1, rng).genotypes
        candidates = union(seeds, space.encode(moved[meets_limits(space, moved, limits)]))
        ranked.query(candidates[rng.permutation(len(candidates))[:near]], rng)
        return uniform


def _default_predictor() -> Predictor:
    from lissnas.predictors import XGBoostPredictor  # a method that is only listed loads no trees

    return XGBoostPredictor(trees=200)
