"""The contract of a shrinker, and what it gives back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Codes
from lissnas.errors import UserError
from lissnas.evaluators import Evaluator
from lissnas.predictors import Predictor
from lissnas.quality import good_threshold, shrink_index_interval
from lissnas.shrinkers.ledger import Ledger, Pool
from lissnas.spaces import ExplicitSpace, SearchSpace, check_limits

__all__ = ["Iteration", "OnIteration", "Shrinkage", "Shrinker", "Tracker", "require_size", "require_smaller"]


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
        codes: the members; None at index 0.
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

    def to_dict(self) -> dict[str, Any]:
        """Plain data without the members."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "codes"}


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
    """Turns a space and a scorer into a smaller space."""

    name: str

    def check(self, space: SearchSpace, limits: Sequence[str] = ()) -> tuple[str, ...]:
        """Refuse, before anything is spent, what this method cannot do with ``space``. ``shrink`` begins with it.

        Returns:
            The limits.

        Raises:
            UserError: a limit that cannot be read, a budget that is too small for the space.
        """
        return check_limits(space, limits)

    @abstractmethod
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
            UserError: a budget that is too small, limits that nothing meets.
        """


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
        shrunk = ExplicitSpace(parent, codes)
        sign = self._pool.sign
        return Shrinkage(shrunk, tuple(self.iterations), self._pool.ledger, sign * self.threshold, self.first_sample, stopped)

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
