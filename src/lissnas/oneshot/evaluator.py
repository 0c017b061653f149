"""A trained supernet as an evaluator: what gives architectures a score."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.evaluators.base import Evaluator, Metric
from lissnas.oneshot.data import Images
from lissnas.oneshot.evaluate import score_subnets
from lissnas.oneshot.supernet import Supernet

__all__ = ["SupernetEvaluator"]

METRICS = {
    "accuracy": Metric("accuracy", "%", higher_is_better=True),
    "cross_entropy": Metric("cross_entropy", "nats", higher_is_better=False),
}


class SupernetEvaluator(Evaluator):
    """Scores of subnets with inherited weights, on the validation split.

    Args:
        supernet: a trained one; architectures are those of the space that others were shrunk from.
        data: where statistics and scores come from.
        score: accuracy in percent, or the finer cross entropy (lower is better).
        calibration: training images for each subnet's batch-norm statistics.
        workers: processes.

    Raises:
        UserError: an unknown score.
    """

    def __init__(
        self,
        supernet: Supernet,
        data: Images,
        *,
        score: Literal["accuracy", "cross_entropy"] = "accuracy",
        calibration: int = 256,
        workers: int = 1,
    ) -> None:
        if score not in METRICS:
            raise UserError(f"a supernet's score is {' or '.join(METRICS)}, but got '{score}'")
        super().__init__(supernet.space.root, METRICS[score])
        self.supernet = supernet
        self.data = data
        self.calibration = calibration
        self.workers = workers

    def _evaluate(self, genotypes: Genotypes) -> NDArray[np.float64]:
        scores = score_subnets(self.supernet, genotypes, self.data, calibration=self.calibration, workers=self.workers)
        return scores.accuracy if self.metric.higher_is_better else scores.cross_entropy
