"""Uniform over bins of FLOPs, then uniform within the bin (SPOS's own code)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.oneshot.samplers.base import PathSampler, require_whole
from lissnas.oneshot.samplers.extremes import costs_of
from lissnas.spaces.base import SearchSpace

__all__ = ["FlopsBinsSampler"]

DRAWN = 20_000  # architectures that bins are made from
RAREST = 1e-3  # of them a bin must hold, to be drawn from by rejection
BLOCK = 4096
EDGES = ("equal-width", "quantile")


class FlopsBinsSampler(PathSampler):
    """One path per step: a bin by equal chances, and uniformly one of its architectures [SinglePathOneShot
    src/Supernet/train.py: bins of 10M from 290M to 360M multiply-adds]. Cheap and dear networks, which are rare, are trained
    as often as others.

    Bins are made from 20,000 architectures drawn with a seed of their own. One that holds less than a thousandth of them is
    left out, so that all that are left are drawn from.

    Args:
        bins: how many.
        edges: of ``equal-width``, or by ``quantile``, where each bin holds equally many architectures.
        low, high: architectures outside are never drawn (SPOS: 290e6 and 360e6). None: bins cover the middle 98 percent, and
            the first and the last hold what is outside as well.
        cost: what bins are of.

    Attributes:
        bounds: float64[k, 2], the bins that are drawn from, each from (inclusive) to (exclusive).

    Raises:
        UserError: a cost that the space does not have, or options that leave no bin.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        bins: int = 7,
        edges: str = "equal-width",
        low: float | None = None,
        high: float | None = None,
        cost: str = "flops",
    ) -> None:
        require_whole("bins", bins)
        if edges not in EDGES:
            raise UserError(f"the edges of bins are {' or '.join(EDGES)}, but got {edges!r}")
        for name, value in (("low", low), ("high", high)):
            if value is not None and (not isinstance(value, (int, float)) or isinstance(value, bool)):
                raise UserError(f"{name} must be a number (in a file: 2.9e+8), but got {value!r}")
        self.space = space
        self.cost = cost
        self.options = {"bins": bins, "edges": edges, "low": low, "high": high, "cost": cost}
        costs = costs_of(space, space.sample(DRAWN, np.random.default_rng(0)), cost)
        bounds = _bounds(costs, bins, edges, low, high)
        share = ((costs >= bounds[:, :1]) & (costs < bounds[:, 1:])).mean(axis=1)
        self.bounds = bounds[share >= RAREST]
        if not len(self.bounds):
            raise UserError(
                f"no bin of '{cost}' from {bounds[0, 0]:g} to {bounds[-1, 1]:g} holds a thousandth of '{space.name}', whose "
                f"networks have {costs.min():g} to {costs.max():g}: choose other limits or fewer bins"
            )

    def draw(self, steps: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        chosen = rng.integers(0, len(self.bounds), size=steps)
        paths = np.empty((steps, self.space.length), dtype=np.uint8)
        waiting = [np.flatnonzero(chosen == index) for index in range(len(self.bounds))]
        while any(map(len, waiting)):
            drawn: Genotypes = self.space.sample(BLOCK, rng)
            costs = costs_of(self.space, drawn, self.cost)
            for index, (low, high) in enumerate(self.bounds):
                found = drawn[(costs >= low) & (costs < high)][: len(waiting[index])]
                paths[waiting[index][: len(found)]] = found
                waiting[index] = waiting[index][len(found) :]
        return paths[:, None]

    def definition(self) -> dict[str, Any]:
        return {**super().definition(), **self.options}


def _bounds(costs: NDArray[np.float64], bins: int, edges: str, low: float | None, high: float | None) -> NDArray[np.float64]:
    """From and to of each bin, float64[bins, 2]."""
    first, last = np.quantile(costs, [0.01, 0.99])
    start, stop = float(first if low is None else low), float(last if high is None else high)
    if not (start < stop or (low is None and high is None)):
        raise UserError(f"low < high must hold for bins, but they are from {start:g} to {stop:g}: choose other limits")
    if edges == "equal-width":
        at = np.linspace(start, stop, bins + 1)
    else:
        lower = -np.inf if low is None else low
        upper = np.inf if high is None else high
        inside = costs[(costs >= lower) & (costs < upper)]
        at = np.quantile(inside, np.linspace(0, 1, bins + 1)) if len(inside) else np.array([start, stop])
        at[0], at[-1] = (at[0] if low is None else low), (at[-1] if high is None else high)
    if low is None:
        at[0] = -np.inf
    if high is None:
        at[-1] = np.inf
    return np.stack([at[:-1], at[1:]], axis=1)
