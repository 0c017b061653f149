"""A score of our own for spaces that no data is here of: it says how a method behaves there, and nothing of any accuracy.

The score of a network is 75 + 4 * tanh(z / 2) - 3 * u: z is a sum of one number for each gene's allele and one for each pair of
alleles that stand beside each other, all drawn once from a normal distribution (seed 20230711), scaled to a spread of 1; u is
how far the logarithm of its first cost lies from the middle of the space, in spreads, squared and cut at 1. So it has what real
scores have: single choices that matter, neighbors that are alike, interactions, a saturated top, and a cost that pays up to a
point.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.evaluators import Evaluator, Metric
from lissnas.spaces import SearchSpace

__all__ = ["STAND_IN", "StandIn"]

STAND_IN = "a stand-in score (lissnas.experiments.stand_in), not an accuracy"
_SEED = 20230711
_SAMPLE = 2000
_PAIRED = 0.5  # the weight of a pair beside that of an allele


class StandIn(Evaluator):
    """The stand-in score of ``space``."""

    is_free = True

    def __init__(self, space: SearchSpace) -> None:
        super().__init__(space, Metric("stand-in score", ""))
        rng = np.random.default_rng(_SEED)
        radix = max(gene.radix for gene in space.genes)
        self._alone = rng.normal(size=(space.length, radix))
        self._beside = _PAIRED * rng.normal(size=(space.length - 1, radix, radix))
        sample = space.sample(_SAMPLE, rng)
        raw, cost = self._raw(sample), self._log_cost(sample)
        self._middle, self._spread = float(raw.mean()), float(raw.std())
        self._cost_middle, self._cost_spread = float(cost.mean()), float(cost.std())

    def _raw(self, genotypes: Genotypes) -> NDArray[np.float64]:
        genes = np.arange(genotypes.shape[1])
        total: NDArray[np.float64] = self._alone[genes, genotypes].sum(axis=1)
        total += self._beside[genes[:-1], genotypes[:, :-1], genotypes[:, 1:]].sum(axis=1)
        return total

    def _log_cost(self, genotypes: Genotypes) -> NDArray[np.float64]:
        return np.log(self.space.cost(genotypes)[self.space.cost_names[0]])

    def _evaluate(self, genotypes: Genotypes) -> NDArray[np.float64]:
        z = (self._raw(genotypes) - self._middle) / self._spread
        u = np.minimum(((self._log_cost(genotypes) - self._cost_middle) / self._cost_spread) ** 2, 1.0)
        score: NDArray[np.float64] = 75 + 4 * np.tanh(z / 2) - 3 * u
        return score
