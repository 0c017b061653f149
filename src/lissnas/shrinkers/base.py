"""The contract of a shrinker, and what it gives back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Codes
from lissnas.errors import UserError
from lissnas.evaluators import Evaluator
from lissnas.predictors import Predictor
from lissnas.quality import good_threshold, shrink_index_interval
from lissnas.shrinkers.ledger import Ledger, Pool
from lissnas.spaces import ExplicitSpace, SearchSpace, check_limits

__all__ = [
    "Iteration",
    "OnIteration",
    "Shrinkage",
    "Shrinker",
    "Tracker",
    "require_settings",
    "require_size",
    "require_smaller",
]


@dataclass(frozen=True)
class Iteration:
    """One step of the way down. Scores are predicted ones, on the metric's own scale.

    Attributes:
        index: 0 is the space that was given.
        size: its number of architectures.
        mean, best: of their scores; of a sample's at index 0.
        queries, evaluations: spent so far.
        p_good: the share of good architectures; the threshold is the given space's 90th percentile.
        shrink_index, shrink_index_low, shrink_index_high: Eq. 2 with its bootstrap interval.
        diversity: mean edit distance of two members.
        codes: the members; None at index 0, and where the space is no list.
        space: what is left, where it is no list; its numbers are then a sample's.
    """

    index: int
    size: int
    mean: float
    best: float
    queries: int
    evaluations: int
    p_good: float
    shrink_index: float
    shrink_index_low: float
    shrink_index_high: float
    diversity: float
    codes: Codes | None = None
    space: SearchSpace | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data without the members."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("codes", "space")}


OnIteration = Callable[[Iteration], None]


@dataclass(frozen=True)
class Shrinkage:
    """What a shrinker gives back.

    Attributes:
        space: the shrunk space, a search space like any other.
        iterations: the way down, the given space first.
        ledger: what was spent.
        threshold: the score from which on an architecture counts as good.
        first_sample: the codes of the uniform sample of the given space that was queried first.
        stopped: why it stopped, a sentence.
    """

    space: SearchSpace
    iterations: tuple[Iteration, ...]
    ledger: Ledger
    threshold: float
    first_sample: Codes
    stopped: str


class Shrinker(ABC):
    """Turns a space and a scorer into a smaller space. A new one writes ``_shrink``, and ``check`` where it can refuse early.

    Attributes:
        name: as in ``SHRINKERS``.
        queries: the budget: predictor queries, or true evaluations where the scorer is an evaluator.
        spends: ``evaluations`` where the scorer must be an evaluator.
    """

    name: str
    queries: int
    spends: ClassVar[Literal["queries", "evaluations"]] = "queries"

    def check(self, space: SearchSpace, limits: Sequence[str] = ()) -> tuple[str, ...]:
        """Refuse, before anything is spent, what this method cannot do with ``space``. ``shrink`` begins with it.

        Returns:
            The limits.

        Raises:
            UserError: a limit that cannot be read, a budget that is too small for the space.
        """
        return check_limits(space, limits)

    def shrink(
        self,
        space: SearchSpace,
        scorer: Predictor | Evaluator,
        rng: np.random.Generator,
        limits: Sequence[str] = (),
        *,
        on_iteration: OnIteration | None = None,
    ) -> Shrinkage:
        """Shrink ``space``.

        Args:
            scorer: a fitted predictor, or an evaluator where a method spends true evaluations.
            limits: what every architecture of the result must meet: ``["flops <= 330e6"]``.
            on_iteration: called with each iteration as it ends.

        Raises:
            UserError: a budget that is too small, limits that nothing meets, a scorer of the wrong kind.
        """
        limits = self.check(space, limits)
        return self._shrink(space, Pool(space, scorer, self._ledger(scorer)), limits, rng, on_iteration)

    def _ledger(self, scorer: Predictor | Evaluator) -> Ledger:
        """What may be spent on ``scorer``."""
        truly = isinstance(scorer, Evaluator)
        return Ledger(0 if truly else self.queries, self.queries if truly else 0)

    @abstractmethod
    def _shrink(
        self,
        space: SearchSpace,
        pool: Pool,
        limits: tuple[str, ...],
        rng: np.random.Generator,
        on_iteration: OnIteration | None,
    ) -> Shrinkage:
        """The method itself; every score it sees is asked of ``pool``."""


def require_settings(settings: object, rules: Sequence[tuple[str, bool, str]]) -> None:
    """Refuse a setting that breaks its rule: (name, whether it holds, the rule in words)."""
    for name, holds, rule in rules:
        if not holds:
            raise UserError(f"{name} must be {rule}, but got {getattr(settings, name)!r}")


def require_size(size: int | None, queries: int) -> None:
    """Refuse a ``size`` that cannot come out of so many ``queries``."""
    if size is not None and size > queries:
        raise UserError(
            f"a space of {size:,} architectures cannot come out of {queries:,} queries: ask for a smaller size or more queries"
        )


def require_smaller(space: SearchSpace, size: int | None) -> None:
    """Refuse a ``size`` that is not smaller than ``space``."""
    if size is not None and space.cardinality_is_exact and size >= space.cardinality:
        raise UserError(
            f"a shrunk space is smaller than the given one, but {size:,} architectures were asked for and '{space.name}' has "
            f"{space.cardinality:,}: ask for a smaller size"
        )


class Tracker:
    """Measures each iteration of a method in the same way: against one threshold, one first sample, one random stream.

    Args:
        pool: where the members' scores are.
        first_sample: codes of a uniform sample of the given space, already queried.
    """

    def __init__(
        self, space: SearchSpace, pool: Pool, first_sample: Codes, rng: np.random.Generator, on_iteration: OnIteration | None
    ) -> None:
        self.space = space
        self.first_sample = first_sample
        self.iterations: list[Iteration] = []
        self._pool = pool
        self._rng = rng
        self._on_iteration = on_iteration
        self._full = pool.utilities(first_sample)
        self.threshold = good_threshold(self._full)
        start = space.sample(1000, rng)
        self.full_diversity = float(space.distance(start, space.sample(1000, rng)).mean())

    def start(self) -> Iteration:
        """The given space, as its first sample shows it."""
        return self._add(self._full, self.space.cardinality, self.full_diversity, None)

    def measure(self, codes: Codes) -> Iteration:
        """A candidate for the next iteration; nothing is recorded yet."""
        return self._iteration(self._pool.utilities(codes), len(codes), self.diversity(codes), codes)

    def measure_space(self, space: SearchSpace, sample: Codes) -> Iteration:
        """The same for a space that is no list, by a uniform sample of it that was queried."""
        # estimated sizes are not allowed to rise: a part is never larger than the whole
        size = min([space.cardinality, *(iteration.size for iteration in self.iterations)])
        return replace(self._iteration(self._pool.utilities(sample), size, self.diversity(sample), None), space=space)

    def accept(self, iteration: Iteration) -> None:
        """Record an iteration."""
        self.iterations.append(iteration)
        if self._on_iteration is not None:
            self._on_iteration(iteration)

    def diversity(self, codes: Codes, pairs: int = 1000) -> float:
        """Mean edit distance of random pairs of ``codes``."""
        pick = self._rng.integers(0, len(codes), size=(2, pairs))
        return float(self.space.distance(self.space.decode(codes[pick[0]]), self.space.decode(codes[pick[1]])).mean())

    def finish(self, codes: Codes, stopped: str) -> Shrinkage:
        """The result: the space of ``codes``."""
        parent = self.space.parent if isinstance(self.space, ExplicitSpace) else self.space
        return self.finish_space(ExplicitSpace(parent, codes), stopped)

    def finish_space(self, space: SearchSpace, stopped: str) -> Shrinkage:
        """The result, where it is no list."""
        threshold = self._pool.sign * self.threshold
        return Shrinkage(space, tuple(self.iterations), self._pool.ledger, threshold, self.first_sample, stopped)

    def _add(self, utility: NDArray[np.float64], size: int, diversity: float, codes: Codes | None) -> Iteration:
        iteration = self._iteration(utility, size, diversity, codes)
        self.accept(iteration)
        return iteration

    def _iteration(self, utility: NDArray[np.float64], size: int, diversity: float, codes: Codes | None) -> Iteration:
        index = shrink_index_interval(utility, self._full, self.threshold, rng=self._rng)
        sign = self._pool.sign
        return Iteration(
            index=len(self.iterations),
            size=size,
            mean=float(sign * utility.mean()),
            best=float(sign * utility.max()),
            queries=self._pool.ledger.queries,
            evaluations=self._pool.ledger.evaluations,
            p_good=index.p_shrunk,
            shrink_index=index.value,
            shrink_index_low=index.low,
            shrink_index_high=index.high,
            diversity=diversity,
            codes=codes,
        )
