"""What evaluators around an evaluator share: they are evaluators, and wrap one another in any order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Codes
from lissnas.errors import UserError
from lissnas.evaluators.base import Evaluator, Metric
from lissnas.spaces import ExplicitSpace

__all__ = ["Wrapper", "check_seed", "check_share", "uniform"]


class Wrapper(Evaluator):
    """An evaluator around ``evaluator``, of the same architectures.

    What it says of an architecture depends on the architecture and the seed alone, not on the batch. Its own ``evaluations``
    count what it was asked, the inner one's what came through to it.

    Args:
        metric: what the scores are now; None: what they were.
    """

    def __init__(self, evaluator: Evaluator, metric: Metric | None = None) -> None:
        super().__init__(evaluator.space, metric or evaluator.metric)
        self.evaluator = evaluator
        self.is_free = evaluator.is_free
        self.noise = evaluator.noise

    @property
    def known(self) -> ExplicitSpace | None:
        return self.evaluator.known

    @property
    def unwrapped(self) -> Evaluator:
        """The evaluator inside of all wrappers."""
        return self.evaluator.unwrapped if isinstance(self.evaluator, Wrapper) else self.evaluator


def check_share(share: float, what: str) -> float:
    """A number in [0, 1).

    Raises:
        UserError: it is none.
    """
    if not 0 <= share < 1:  # also false for NaN
        raise UserError(f"{what} must be a number from 0 to below 1, but got {share}")
    return float(share)


def check_seed(seed: int) -> int:
    """A whole number >= 0.

    Raises:
        UserError: it is none.
    """
    if not isinstance(seed, (int, np.integer)) or seed < 0:
        raise UserError(f"a seed must be a whole number >= 0, but got {seed!r}")
    return int(seed)


def uniform(codes: Codes, seed: int, stream: int) -> NDArray[np.float64]:
    """float64[n] in (0, 1], a hash of each code: the finalizer of SplitMix64 (Steele, Lea, Flood 2014) over its words."""
    state = np.random.SeedSequence([seed, stream]).generate_state(1, np.uint64)
    mixed = np.full(len(codes), state[0], dtype=np.uint64)
    for word in codes.T:
        mixed = (mixed ^ word) + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return ((mixed >> np.uint64(11)).astype(np.float64) + 1) * 2.0**-53
