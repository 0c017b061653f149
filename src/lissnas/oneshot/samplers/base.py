"""The contract of a path sampler."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.spaces.base import SearchSpace

__all__ = ["PathSampler"]


class PathSampler(ABC):
    """Draws the paths that a supernet is trained on.

    Attributes:
        space: where paths come from.
    """

    space: SearchSpace

    @abstractmethod
    def draw(self, steps: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        """The paths of the next ``steps`` steps, uint8[steps, P, L]: the gradients of a step's ``P`` paths are added up.

        Called once per epoch, with a generator that depends on seed and epoch alone, so that a resumed training draws the same.
        """

    def definition(self) -> dict[str, Any]:
        """What identifies it in a checkpoint, as plain JSON data."""
        return {"sampler": type(self).__name__, "space": self.space.fingerprint}
