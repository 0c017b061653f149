"""How different the architectures of a space are (paper Sec. 5.4)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import locate
from lissnas.errors import UserError
from lissnas.spaces import ExplicitSpace, SearchSpace

__all__ = ["cost_coverage", "mean_distance", "pockets"]

PAIRS = 2000
_BLOCK = 4096


def mean_distance(space: SearchSpace, rng: np.random.Generator, pairs: int = PAIRS) -> float:
    """The mean edit distance between two architectures of ``space``, over ``pairs`` random pairs."""
    return float(space.distance(space.sample(pairs, rng), space.sample(pairs, rng)).mean())


def pockets(space: ExplicitSpace) -> NDArray[np.int64]:
    """int64[n]: the pocket of each member in the order of ``space.codes``, the largest pocket first.

    A pocket is a component of the one-edit graph: its members can be reached from one another by single edits inside the
    space.
    """
    from scipy import sparse

    sources, targets = [], []
    genotypes = space.genotypes
    for low in range(0, len(genotypes), _BLOCK):
        near = space.root.all_neighbors(genotypes[low : low + _BLOCK])
        member = locate(space.codes, space.encode(near.genotypes))
        kept = member > near.parents + low  # edits are symmetric: one direction is enough
        sources.append(near.parents[kept] + low)
        targets.append(member[kept])
    source, target = np.concatenate(sources), np.concatenate(targets)
    graph = sparse.coo_array((np.ones(len(source), dtype=np.int8), (source, target)), shape=(len(genotypes),) * 2)
    _, label = sparse.csgraph.connected_components(graph, directed=False)
    size = np.bincount(label)
    rank = np.empty(len(size), dtype=np.int64)
    rank[np.argsort(-size, kind="stable")] = np.arange(len(size))
    return rank[label]


def cost_coverage(costs: NDArray[np.float64], reference: NDArray[np.float64], bins: int = 20) -> float:
    """The share of the reference's cost quantile bins that ``costs`` falls into (Fig. 5 as a number)."""
    if len(costs) == 0 or len(reference) < bins:
        raise UserError(f"coverage of {bins} cost bins needs at least {bins} reference costs, but got {len(reference)}")
    edges = np.quantile(reference, np.linspace(0, 1, bins + 1)[1:-1])
    return len(np.unique(np.searchsorted(edges, costs, side="right"))) / len(
        np.unique(np.searchsorted(edges, reference, side="right"))
    )
