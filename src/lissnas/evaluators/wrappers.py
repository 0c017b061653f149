"""Evaluators that give other scores than the one inside, to stress a method without new data (as Vizier's benchmarks do)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Codes, Genotypes, locate, unique
from lissnas.errors import UserError
from lissnas.evaluators.base import Evaluator, Metric
from lissnas.evaluators.scores_file import ScoresFile
from lissnas.evaluators.table import TableEvaluator
from lissnas.evaluators.wrappers_base import Wrapper, check_seed, check_share, uniform
from lissnas.spaces import ExplicitSpace, check_limits, meets_limits

__all__ = ["Infeasible", "Noise", "PermutedLabels"]

# Hashes of one architecture that must not know of one another.
_RADIUS, _ANGLE, _REGION = 0, 1, 2


class Noise(Wrapper):
    """The scores with normal noise. An architecture's noise is its own: the same in any batch, at any time.

    Args:
        evaluator: what gives the true scores.
        size: the standard deviation, in the unit of the score.
        seed: another seed is another draw; two around one another need two seeds, or their noise is the same.
    """

    def __init__(self, evaluator: Evaluator, size: float, seed: int = 0) -> None:
        if not (np.isfinite(size) and size >= 0):
            raise UserError(f"the size of noise must be a finite number >= 0, but got {size}")
        super().__init__(evaluator, _renamed(evaluator.metric, "noisy"))
        self.size = float(size)
        self.noise = float(np.hypot(size, evaluator.noise or 0.0))
        self.seed = check_seed(seed)

    def _evaluate(self, genotypes: Genotypes) -> NDArray[np.float64]:
        codes = self.space.encode(genotypes)
        # Box and Muller: two uniform numbers in (0, 1] make a normal one
        radius = np.sqrt(-2 * np.log(uniform(codes, self.seed, _RADIUS)))
        noise = radius * np.cos(2 * np.pi * uniform(codes, self.seed, _ANGLE))
        scores: NDArray[np.float64] = self.evaluator.evaluate(genotypes) + self.size * noise
        return scores


class PermutedLabels(Wrapper):
    """The score of another architecture in place of each one's own: nothing can be learned from it, and no method may win.

    Over a file of scores, a benchmark's table or an explicit space it is an exact permutation of all members.
    Elsewhere each architecture has a partner of its own, drawn uniformly from the space by its code, whose score it takes.

    Args:
        evaluator: what gives the true scores.
        seed: another seed is another permutation.
    """

    def __init__(self, evaluator: Evaluator, seed: int = 0) -> None:
        super().__init__(evaluator, _renamed(evaluator.metric, "permuted"))
        self.seed = check_seed(seed)
        self._members = self._list_members()
        if self._members is not None:
            self._partner = np.random.default_rng(seed).permutation(len(self._members))

    def _list_members(self) -> Codes | None:
        known, inside = self.known, self.unwrapped
        if known is not None:
            return known.codes
        if isinstance(inside, (ScoresFile, TableEvaluator)):
            held = inside.genotypes
            return unique(self.space.encode(held[self.space.is_valid(held)]))
        return self.space.codes if isinstance(self.space, ExplicitSpace) else None

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


class Infeasible(Wrapper):
    """A region whose architectures cannot be evaluated: they score ``penalty``, and the evaluator inside is not asked.

    They count as evaluations, as a training that ends in nothing does. Vizier marks such trials; here every score is a finite
    number, so the penalty is one that the metric would give at worst, and :meth:`infeasible` says which they are.

    Args:
        evaluator: what gives the true scores.
        penalty: what an infeasible architecture scores.
        region: conditions on costs and genes, like ``"flops > 3e8"``: where any of them holds is infeasible.
        share: this share of all other architectures is infeasible too, chosen by a hash of each one's code.
        seed: another seed is another choice.

    Raises:
        UserError: a region that cannot be read, a penalty that is no finite number, or a share beyond [0, 1).
    """

    def __init__(
        self, evaluator: Evaluator, penalty: float, region: Iterable[str] = (), share: float = 0.0, seed: int = 0
    ) -> None:
        super().__init__(evaluator)
        if not np.isfinite(penalty):
            raise UserError(f"the penalty of an infeasible architecture must be a finite number, but got {penalty}")
        self.penalty = float(penalty)
        self.region = check_limits(self.space, region)
        self.share = check_share(share, "the infeasible share")
        self.seed = check_seed(seed)

    def infeasible(self, genotypes: Genotypes) -> NDArray[np.bool_]:
        """bool[n]: which architectures cannot be evaluated. Asking costs nothing."""
        self.space.require_valid(genotypes)
        # A hash is above 0, so that a share of 0 is nobody.
        outside = uniform(self.space.encode(genotypes), self.seed, _REGION) <= self.share
        for condition in self.region:
            outside |= meets_limits(self.space, genotypes, (condition,))
        return outside

    def _evaluate(self, genotypes: Genotypes) -> NDArray[np.float64]:
        feasible = ~self.infeasible(genotypes)
        scores = np.full(len(genotypes), self.penalty)
        scores[feasible] = self.evaluator.evaluate(genotypes[feasible])
        return scores


def _renamed(metric: Metric, how: str) -> Metric:
    return Metric(f"{how} {metric.name}", metric.unit, metric.higher_is_better)
