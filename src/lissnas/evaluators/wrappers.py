"""Evaluators around an evaluator, to stress a method without new data (as Vizier's benchmarks wrap one another)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Codes, Genotypes, locate, unique
from lissnas.errors import UserError
from lissnas.evaluators.base import Evaluator, Metric
from lissnas.evaluators.scores_file import ScoresFile
from lissnas.spaces import ExplicitSpace

__all__ = ["Noise", "PermutedLabels"]


class Noise(Evaluator):
    """The scores with normal noise. An architecture's noise is its own: the same in any batch, at any time.

    Args:
        evaluator: what gives the true scores.
        size: the standard deviation, in the unit of the score.
        seed: another seed is another draw.
    """

    def __init__(self, evaluator: Evaluator, size: float, seed: int = 0) -> None:
        if not (np.isfinite(size) and size >= 0):
            raise UserError(f"the size of noise must be a finite number >= 0, but got {size}")
        super().__init__(evaluator.space, _renamed(evaluator.metric, "noisy"))
        self.evaluator = evaluator
        self.size = float(size)
        self.seed = seed

    def _evaluate(self, genotypes: Genotypes) -> NDArray[np.float64]:
        codes = self.space.encode(genotypes)
        # Box and Muller: two uniform numbers in (0, 1] make a normal one
        radius = np.sqrt(-2 * np.log(_uniform(codes, self.seed, 0)))
        noise = radius * np.cos(2 * np.pi * _uniform(codes, self.seed, 1))
        scores: NDArray[np.float64] = self.evaluator.evaluate(genotypes) + self.size * noise
        return scores


class PermutedLabels(Evaluator):
    """The score of another architecture in place of each one's own: nothing can be learned from it, and no method may win.

    Over a file of scores or an explicit space it is an exact permutation of all members. Elsewhere each architecture has a
    partner of its own, drawn uniformly from the space by its code, whose score it takes.

    Args:
        evaluator: what gives the true scores.
        seed: another seed is another permutation.
    """

    def __init__(self, evaluator: Evaluator, seed: int = 0) -> None:
        super().__init__(evaluator.space, _renamed(evaluator.metric, "permuted"))
        self.evaluator = evaluator
        self.seed = seed
        self._members: Codes | None = None
        if isinstance(evaluator, ScoresFile):
            self._members = unique(evaluator.space.encode(evaluator.genotypes))
        elif isinstance(evaluator.space, ExplicitSpace):
            self._members = evaluator.space.codes
        if self._members is not None:
            self._partner = np.random.default_rng(seed).permutation(len(self._members))

    def _evaluate(self, genotypes: Genotypes) -> NDArray[np.float64]:
        codes = self.space.encode(genotypes)
        if self._members is None:
            partners = np.concatenate([self._draw(code) for code in codes])
            return self.evaluator.evaluate(partners)
        place = locate(self._members, codes)
        if (place < 0).any():
            return self.evaluator.evaluate(genotypes)  # raises, naming the architecture that has no score
        return self.evaluator.evaluate(self.space.decode(self._members[self._partner[place]]))

    def _draw(self, code: NDArray[np.uint64]) -> Genotypes:
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, *map(int, code)]))
        return self.space.sample(1, rng)


def _renamed(metric: Metric, how: str) -> Metric:
    return Metric(f"{how} {metric.name}", metric.unit, metric.higher_is_better)


def _uniform(codes: Codes, seed: int, stream: int) -> NDArray[np.float64]:
    """float64[n] in (0, 1], a hash of each code: the finalizer of SplitMix64 (Steele, Lea, Flood 2014) over its words."""
    state = np.random.SeedSequence([seed, stream]).generate_state(1, np.uint64)
    mixed = np.full(len(codes), state[0], dtype=np.uint64)
    for word in codes.T:
        mixed = (mixed ^ word) + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return ((mixed >> np.uint64(11)).astype(np.float64) + 1) * 2.0**-53
