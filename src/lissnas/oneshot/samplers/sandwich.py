"""The sandwich rule with in-place distillation: the largest, the smallest, and some between (BigNAS)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError
from lissnas.oneshot.samplers.base import PathSampler, require_whole
from lissnas.oneshot.samplers.extremes import extremes
from lissnas.spaces.base import SearchSpace

__all__ = ["SandwichSampler"]


class SandwichSampler(PathSampler):
    """A step trains the largest path of the space, its smallest, and ``between`` random ones on one batch [BigNAS,
    arXiv 2003.11142]. The largest learns from the labels, the others from what it says.

    A shrunk space has a largest and a smallest of its own (:func:`~lissnas.oneshot.samplers.extremes.extremes`).

    Args:
        between: random paths of a step.
        cost: what the largest and the smallest are by.
        distils: False: all learn from the labels (slimmable networks).

    Raises:
        UserError: a cost that the space does not have.
    """

    def __init__(self, space: SearchSpace, *, between: int = 2, cost: str = "flops", distils: bool = True) -> None:
        require_whole("between", between, 0)
        if not isinstance(distils, bool):
            raise UserError(f"distils must be true or false, but got {distils!r}")
        self.space = space
        self.between = between
        self.cost = cost
        self.distils = distils
        self.smallest, self.largest = extremes(space, cost)

    def draw(self, steps: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        paths = np.empty((steps, self.between + 2, self.space.length), dtype=np.uint8)
        paths[:, 0] = self.largest
        paths[:, 1] = self.smallest
        paths[:, 2:] = self.space.sample(steps * self.between, rng).reshape(steps, self.between, self.space.length)
        return paths

    def definition(self) -> dict[str, Any]:
        return {**super().definition(), "between": self.between, "cost": self.cost, "distils": self.distils}
