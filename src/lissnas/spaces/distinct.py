"""A sample without repetition."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lissnas.arrays import Genotypes, unique
from lissnas.spaces.base import SearchSpace
from lissnas.spaces.constrained import sample_within
from lissnas.spaces.limits import check_limits, meets_limits

__all__ = ["sample_distinct"]

_ROUNDS = 64  # of n draws each: an architecture among at most n is missed by all of them once in 10^27


def sample_distinct(space: SearchSpace, n: int, rng: np.random.Generator, limits: Sequence[str] = ()) -> Genotypes:
    """``n`` different architectures that meet ``limits``, uniform over all sets of them, sorted by code.

    Where there are no more than ``n``, it is all of them.

    Raises:
        UserError: a limit that cannot be read, or no architecture that meets them.
    """
    limits = check_limits(space, limits)
    if space.cardinality_is_exact and space.cardinality <= n:
        everything = np.concatenate(list(space.enumerate()))
        kept = everything[meets_limits(space, everything, limits)]
        return kept if len(kept) else sample_within(space, n, limits, rng)  # which says why there are none
    codes = space.encode(sample_within(space, n, limits, rng))
    for _ in range(_ROUNDS):
        codes = unique(codes)
        if len(codes) >= n:
            break
        codes = np.concatenate([codes, space.encode(sample_within(space, n, limits, rng))])
    codes = unique(codes)
    return space.decode(codes[np.sort(rng.permutation(len(codes))[:n])])
