"""Evaluators that make scores harder to get: a budget, architectures that may not be asked for, a delay, failures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes, unique
from lissnas.errors import UserError
from lissnas.evaluators.base import Evaluator
from lissnas.evaluators.wrappers_base import Wrapper, check_seed, check_share, uniform
from lissnas.spaces import check_limits, meets_limits

__all__ = ["CostLimit", "Delay", "FailureRate"]

_FAILURES = 3  # the stream of the hash, beside those of wrappers.py


class CostLimit(Wrapper):
    """A limit on what may be evaluated. A batch that goes beyond it is refused as a whole: nothing of it is evaluated.

    Args:
        evaluator: what gives the scores.
        evaluations: how many architectures may be evaluated in all; None: any number.
        limits: what each of them has to meet, like ``"flops <= 330e6"``.

    Raises:
        UserError: limits that cannot be read, or a number of evaluations below 0.
    """

    def __init__(self, evaluator: Evaluator, evaluations: int | None = None, limits: Iterable[str] = ()) -> None:
        super().__init__(evaluator)
        whole = isinstance(evaluations, (int, np.integer)) and not isinstance(evaluations, bool)
        if evaluations is not None and not (whole and evaluations >= 0):
            raise UserError(f"a limit of evaluations must be a whole number >= 0, but got {evaluations!r}")
        self.most = evaluations
        self.limits = check_limits(self.space, limits)
        self.is_free = self.is_free and evaluations is None

    @property
    def left(self) -> int | None:
        """How many evaluations are left; None: any number."""
        return None if self.most is None else self.most - self.evaluations

    def _evaluate(self, genotypes: Genotypes) -> NDArray[np.float64]:
        if self.left is not None and len(genotypes) > self.left:
            raise UserError(
                f"at most {self.most:,} architectures may be evaluated: {self.evaluations:,} were, and {len(genotypes):,} more "
                f"were asked for, the first of them {self._shown(genotypes, 0)}: ask for {self.left:,} or raise the limit"
            )
        for limit in self.limits:
            beyond = np.flatnonzero(~meets_limits(self.space, genotypes, (limit,)))
            if len(beyond):
                raise UserError(
                    f"only architectures with {limit} may be evaluated, but not {self._shown(genotypes, int(beyond[0]))}"
                    f"{f' and {len(beyond) - 1} more' if len(beyond) > 1 else ''}: give the search the same limit"
                )
        return self.evaluator.evaluate(genotypes)


class Delay(Wrapper):
    """The same scores, later: what evaluations that take their time do to a schedule.

    Args:
        evaluator: what gives the scores.
        seconds: for each architecture.
        sleep: what waits so many seconds.
    """

    def __init__(self, evaluator: Evaluator, seconds: float, sleep: Callable[[float], object] = time.sleep) -> None:
        super().__init__(evaluator)
        if not (np.isfinite(seconds) and seconds >= 0):
            raise UserError(f"a delay must be a finite number of seconds >= 0, but got {seconds}")
        self.seconds = float(seconds)
        self.sleep = sleep
        self.is_free = self.is_free and not seconds

    def _evaluate(self, genotypes: Genotypes) -> NDArray[np.float64]:
        self.sleep(self.seconds * len(genotypes))
        return self.evaluator.evaluate(genotypes)


class FailureRate(Wrapper):
    """Evaluations that fail now and then: each attempt at an architecture fails with chance ``rate``, until one succeeds.

    How often an architecture fails is its own, by a hash of its code: the same in any batch and order. A batch in which an
    attempt fails is an error that names the architecture; asked for again, each that failed makes its next attempt, and those
    that did not fail will not. A failed batch is not evaluated, and not counted in ``evaluations``.

    Args:
        evaluator: what gives the scores.
        rate: the chance of each attempt to fail, from 0 to below 1.
        seed: another seed is another draw.
        retries: how often a failed attempt is made again before it is an error.

    Attributes:
        failures: how many attempts failed so far, those that a retry made good included.

    Raises:
        UserError: a rate beyond [0, 1), or retries below 0.
    """

    def __init__(self, evaluator: Evaluator, rate: float, seed: int = 0, retries: int = 0) -> None:
        super().__init__(evaluator)
        self.rate = check_share(rate, "a failure rate")
        self.is_free = self.is_free and not self.rate
        if not isinstance(retries, (int, np.integer)) or retries < 0:
            raise UserError(f"retries must be a whole number >= 0, but got {retries!r}")
        self.seed = check_seed(seed)
        self.retries = int(retries)
        self.failures = 0
        self._failed: dict[tuple[int, ...], int] = {}

    def _evaluate(self, genotypes: Genotypes) -> NDArray[np.float64]:
        codes = self.space.encode(genotypes)
        failing: dict[tuple[int, ...], int] = {}
        attempted = unique(codes)
        for code, due in zip(attempted.tolist(), self._failures_due(attempted).tolist(), strict=True):
            before = self._failed.get(tuple(code), 0)
            now = min(due - before, self.retries + 1)
            if now > 0:
                self._failed[tuple(code)] = before + now
                self.failures += now
            if now > self.retries:
                failing[tuple(code)] = before + now
        if failing:
            row = next(row for row, code in enumerate(codes.tolist()) if tuple(code) in failing)
            raise UserError(
                f"the evaluation of {self._shown(genotypes, row)} failed (attempt {failing[tuple(codes[row].tolist())]}"
                f"{f'; {len(failing) - 1} more of the batch failed' if len(failing) > 1 else ''}), as {self.rate:.0%} of all "
                "attempts are made to: ask again"
            )
        return self.evaluator.evaluate(genotypes)

    def _failures_due(self, codes: NDArray[np.uint64]) -> NDArray[np.int64]:
        """int64[n]: how many attempts fail before one succeeds, geometric."""
        if not self.rate:
            return np.zeros(len(codes), dtype=np.int64)
        due: NDArray[np.int64] = np.floor(np.log(uniform(codes, self.seed, _FAILURES)) / np.log(self.rate)).astype(np.int64)
        return due
