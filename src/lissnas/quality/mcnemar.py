"""Whether two networks that answered the same questions differ by more than chance (McNemar 1947, the exact form)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Discordance", "discordance"]


@dataclass(frozen=True)
class Discordance:
    """What one of two networks got right and the other did not; what both got right or wrong says nothing of which is better.

    Attributes:
        ours, theirs: how many only we, or only they, got right.
        p_value: two-sided, of fair coins coming up so unevenly; 1 where they never differ.
    """

    ours: int
    theirs: int
    p_value: float


def discordance(ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> Discordance:
    """Compare two networks by their right answers, bool[n] each, to the same n questions."""
    from scipy.stats import binomtest

    mine, other = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    p_value = float(binomtest(mine, mine + other).pvalue) if mine + other else 1.0
    return Discordance(mine, other, p_value)
