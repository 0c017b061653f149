"""Balanced sampling: a path's chance is proportional to its parameters (NAO-V2)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError
from lissnas.oneshot.samplers.base import PathSampler
from lissnas.oneshot.samplers.extremes import costs_of, extremes, is_listed
from lissnas.spaces.base import SearchSpace

__all__ = ["BalancedSampler"]

BLOCK = 4096


class BalancedSampler(PathSampler):
    """One path per step, drawn in proportion to its parameters: large networks take longer to train [Luo et al.,
    arXiv 1909.10815; NAO_pytorch NAO_V2/utils.py, sample_arch]. The paper's Appendix F trains its full-space baseline so.

    Up to 2^20 architectures are weighed one by one. Of more, a uniformly drawn one is taken with the chance of its share of the
    largest one's parameters: the same distribution, as far as :func:`~lissnas.oneshot.samplers.extremes.extremes` finds the
    largest one. A space that draws some of its architectures more often keeps doing so, times their parameters.

    Args:
        cost: what is in proportion.

    Raises:
        UserError: a cost that the space does not have, or that is 0 everywhere or negative somewhere.
    """

    def __init__(self, space: SearchSpace, *, cost: str = "params") -> None:
        self.space = space
        self.cost = cost
        smallest, largest = costs_of(space, extremes(space, cost), cost)
        if smallest < 0 or largest <= 0:
            raise UserError(
                f"the sampler balanced needs '{cost}' above 0, but in '{space.name}' it is {smallest:g} to {largest:g}"
            )
        self.largest = float(largest)
        self._codes: NDArray[np.uint64] | None = None
        if is_listed(space):
            members = np.concatenate(list(space.enumerate()))
            self._codes = space.encode(members)
            self._bounds = np.cumsum(costs_of(space, members, cost))

    def draw(self, steps: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        if self._codes is not None:
            rows = np.searchsorted(self._bounds, rng.random(steps) * self._bounds[-1], side="right")
            return self.space.decode(self._codes[np.minimum(rows, len(self._codes) - 1)])[:, None]
        found = np.zeros((0, self.space.length), dtype=np.uint8)
        while len(found) < steps:
            drawn = self.space.sample(BLOCK, rng)
            taken = rng.random(BLOCK) * self.largest < costs_of(self.space, drawn, self.cost)
            found = np.concatenate([found, drawn[taken]])
        return found[:steps, None]

    def definition(self) -> dict[str, Any]:
        return {**super().definition(), "cost": self.cost}
