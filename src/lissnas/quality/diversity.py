"""How different the architectures of a space are (paper Sec. 5.4)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError
from lissnas.spaces import SearchSpace

__all__ = ["cost_coverage", "mean_distance"]

PAIRS = 2000


def mean_distance(space: SearchSpace, rng: np.random.Generator, pairs: int = PAIRS) -> float:
    """The mean edit distance between two architectures of ``space``, over ``pairs`` random pairs."""
    return float(space.distance(space.sample(pairs, rng), space.sample(pairs, rng)).mean())


def cost_coverage(costs: NDArray[np.float64], reference: NDArray[np.float64], bins: int = 20) -> float:
    """The share of the reference's cost quantile bins that ``costs`` falls into (Fig. 5 as a number)."""
    if len(costs) == 0 or len(reference) < bins:
        raise UserError(f"coverage of {bins} cost bins needs at least {bins} reference costs, but got {len(reference)}")
    edges = np.quantile(reference, np.linspace(0, 1, bins + 1)[1:-1])
    return len(np.unique(np.searchsorted(edges, costs, side="right"))) / len(
        np.unique(np.searchsorted(edges, reference, side="right"))
    )
