"""Supernets of a space on its way down: one for each stage (PAD-NAS: Xia et al. 2020; reconstruction C.3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lissnas.arrays import Genotypes
from lissnas.evaluators import Evaluator
from lissnas.oneshot.data import ImageData
from lissnas.oneshot.evaluate import evaluate_subnets
from lissnas.oneshot.recipe import Recipe
from lissnas.oneshot.supernet import Supernet
from lissnas.oneshot.train import train_supernet
from lissnas.predictors import Predictor
from lissnas.spaces import SearchSpace

__all__ = ["StagedAccuracy", "StagedTraining"]


@dataclass(frozen=True)
class StagedTraining:
    """How the supernets of all stages are trained, on uniform paths of what is left.

    Attributes:
        data: the images.
        recipe: of a supernet that begins anew.
        later: of one that goes on after some operations were dropped (ABS).
        seed: with the number of the stage, all that chance depends on.
        calibration: training images for the statistics of a subnet.
    """

    data: ImageData
    recipe: Recipe
    later: Recipe | None = None
    seed: int = 0
    calibration: int = 256
    device: str = "cpu"

    def begin(self, space: SearchSpace, stage: int = 0) -> Supernet:
        """A supernet for all of ``space``'s root with weights of its own, not trained yet."""
        return Supernet(space.root, seed=self.seed + stage).to(self.device)

    def train(self, supernet: Supernet, space: SearchSpace, stage: int, *, on: bool = False) -> None:
        """Train ``supernet`` on paths of ``space``; ``on``: it goes on, by the later recipe."""
        recipe = self.later if on and self.later is not None else self.recipe
        train_supernet(supernet, space, self.data, recipe, seed=self.seed + stage)


class StagedAccuracy:
    """What a unit is worth: the mean accuracy, with weights of a supernet of this stage, of architectures that hold it.

    As ``unit_score`` it makes :class:`~lissnas.shrinkers.PADNAS` the original: whenever the space has become smaller, a new
    supernet is trained on what is left.

    Args:
        training: how.
        children: architectures that are asked for, of those that hold a unit.
    """

    def __init__(self, training: StagedTraining, children: int = 50) -> None:
        self.training, self.children = training, children
        self.stages = 0
        self._at = ""
        self._supernet: Supernet | None = None
        self._known: dict[bytes, float] = {}

    def __call__(
        self,
        space: SearchSpace,
        unit: tuple[int, int],  # noqa: ARG002 - all that matters is who holds it
        genotypes: Genotypes,
        scorer: Predictor | Evaluator,  # noqa: ARG002 - its place is taken
    ) -> float:
        if self._supernet is None or space.fingerprint != self._at:
            self._supernet = self.training.begin(space, self.stages)
            self.training.train(self._supernet, space, self.stages)
            self.stages, self._at, self._known = self.stages + 1, space.fingerprint, {}
        some = genotypes[: self.children]
        new = [row for row in some if row.tobytes() not in self._known]
        if new:
            asked = np.array(new)
            scores = evaluate_subnets(self._supernet, asked, self.training.data, calibration=self.training.calibration)
            self._known.update((row.tobytes(), float(score)) for row, score in zip(asked, scores, strict=True))
        return sum(self._known[row.tobytes()] for row in some) / len(some)
