"""The contract of a path sampler."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError
from lissnas.spaces.base import SearchSpace

__all__ = ["PathSampler", "require_share", "require_whole"]


class PathSampler(ABC):
    """Draws the paths that a supernet is trained on.

    Attributes:
        space: where paths come from.
        trains: None: all paths of a step are trained on. k: they are candidates, and a step trains the k best by their loss on
            held-out images, of which ``observe`` is told (GreedyNAS). ``draw`` is then called before each step, for one.
        distils: whether the first path of a step learns from the labels, and the others from what it says (BigNAS).
    """

    space: SearchSpace
    trains: int | None = None
    distils: bool = False

    @abstractmethod
    def draw(self, steps: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        """The paths of the next ``steps`` steps, uint8[steps, P, L]: the gradients of a step's ``P`` paths are added up.

        Called once per epoch, with a generator that depends on seed and epoch alone, so that a resumed training draws the same.
        """

    def observe(self, paths: NDArray[np.uint8], losses: NDArray[np.float64]) -> None:  # noqa: B027 - a default
        """Be told the held-out losses float64[P] of the candidates uint8[P, L] of a step."""

    def state(self) -> dict[str, NDArray[Any]]:
        """What a checkpoint must hold of it, beside its definition."""
        return {}

    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:  # noqa: B027 - a default
        """The inverse of :meth:`state`."""

    def finished(self) -> bool:
        """Whether training can end; asked after each epoch."""
        return False

    def definition(self) -> dict[str, Any]:
        """What identifies it in a checkpoint, as plain JSON data."""
        return {"sampler": type(self).__name__, "space": self.space.fingerprint}


def require_whole(name: str, value: Any, least: int = 1) -> None:
    """Refuse a setting that is no whole number from ``least`` on."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
        raise UserError(f"{name} must be a whole number from {least} on, but got {value!r}")


def require_share(name: str, value: Any) -> None:
    """Refuse a setting that is no number from 0 to 1."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= 1:
        raise UserError(f"{name} must be 0 to 1, but got {value!r}")
