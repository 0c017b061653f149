"""Uniform single path (SPOS)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lissnas.oneshot.samplers.base import PathSampler
from lissnas.spaces.base import SearchSpace

__all__ = ["UniformSampler"]


class UniformSampler(PathSampler):
    """One path per step, uniform over the space: by gene where the space is full, over the list where it was shrunk to one."""

    def __init__(self, space: SearchSpace) -> None:
        self.space = space

    def draw(self, steps: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        return self.space.sample(steps, rng)[:, None]
