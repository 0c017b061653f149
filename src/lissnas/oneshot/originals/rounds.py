"""NSE's rounds: a new supernet for the operations that are tried (Ci et al., ICCV 2021; reconstruction C.2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.evaluators import Evaluator, Metric
from lissnas.oneshot.evaluate import evaluate_subnets
from lissnas.oneshot.originals.stages import StagedTraining
from lissnas.oneshot.supernet import Supernet
from lissnas.spaces import SearchSpace, keep_alleles

__all__ = ["RoundsEvaluator"]


class RoundsEvaluator(Evaluator):
    """Accuracy with weights of a supernet that was trained anew on just the operations that are asked for.

    Given to :class:`~lissnas.shrinkers.NSE` in place of a predictor: each round asks for architectures of the operations that
    are tried in it, and a question that holds others than the last one begins a round. Here paths are single, and there are no
    indicators to be learned beside the weights, which the original adds for its 27 operations; a front keeps the accuracies of
    its own round.

    Args:
        space: where the rounds begin.
        training: how each supernet is trained.
        least: architectures below which a question begins no round.

    Attributes:
        rounds: supernets that were trained.
    """

    def __init__(self, space: SearchSpace, training: StagedTraining, least: int = 5) -> None:
        super().__init__(space, Metric("accuracy", "%"))
        self.training, self.least = training, least
        self.rounds = 0
        self._kept: tuple[tuple[int, ...], ...] = ()
        self._supernet: Supernet | None = None

    def _evaluate(self, genotypes: Genotypes) -> NDArray[np.float64]:
        kept = tuple(tuple(np.unique(column).tolist()) for column in genotypes.T)
        if self._supernet is None or (kept != self._kept and len(genotypes) >= self.least):
            tried = keep_alleles(self.space, {gene.name: k for gene, k in zip(self.space.genes, kept, strict=True)})
            self._supernet = self.training.begin(self.space, self.rounds)
            self.training.train(self._supernet, tried, self.rounds)
            self.rounds, self._kept = self.rounds + 1, kept
        return evaluate_subnets(self._supernet, genotypes, self.training.data, calibration=self.training.calibration)
