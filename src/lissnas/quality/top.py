"""What a shrunk space kept of the best, and how far its networks push the front of score against cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError

__all__ = ["hypervolume", "kept_of_top", "share_kept"]


def share_kept(
    scores: NDArray[np.float64], member: NDArray[np.bool_], top: float, *, higher_is_better: bool = True
) -> float | None:
    """Which share of the best ``top`` of the original space's ``scores`` (float64[n]) are members (bool[n]) of the shrunk one.

    Ties at the edge of the top all count. None where the top would hold no whole architecture.

    Raises:
        UserError: a share that is none.
    """
    kept, best = kept_of_top(scores, member, top, higher_is_better=higher_is_better)
    return kept / best if best else None


def kept_of_top(
    scores: NDArray[np.float64], member: NDArray[np.bool_], top: float, *, higher_is_better: bool = True
) -> tuple[int, int]:
    """As :func:`share_kept`, as two numbers: how many of the best are members, of how many (0 of 0 where there are none)."""
    if not 0 < top < 1:
        raise UserError(f"a top share must lie between 0 and 1, but got {top}")
    count = int(top * len(scores) + 1e-9)  # .001 of 5,000 is 5, whatever doubles make of it
    if count < 1:
        return 0, 0
    utility = scores if higher_is_better else -scores
    edge = np.partition(utility, len(utility) - count)[len(utility) - count]
    best = member[utility >= edge]
    return int(np.count_nonzero(best)), len(best)


def hypervolume(
    scores: NDArray[np.float64],
    costs: NDArray[np.float64],
    reference: tuple[float, float],
    *,
    higher_is_better: bool = True,
) -> float:
    """The area that the front of ``scores`` against ``costs`` (lower is better) covers, from the point ``reference``.

    Args:
        reference: a (score, cost) that is worse than what counts; architectures beyond it add nothing.
    """
    sign = 1.0 if higher_is_better else -1.0
    gain = sign * (scores - reference[0])
    saving = reference[1] - costs
    inside = (gain > 0) & (saving > 0)
    if not inside.any():
        return 0.0
    gain, saving = gain[inside], saving[inside]
    top = gain >= np.partition(gain, len(gain) - 1 - len(gain) // 100)[len(gain) - 1 - len(gain) // 100]
    front = top | (saving > saving[top].max())  # all others have a better and cheaper one among the top: not worth sorting
    gain, saving = gain[front], saving[front]
    order = np.argsort(-gain, kind="stable")  # the best score first: each further one counts by what it saves more
    gain, saving = gain[order], np.maximum.accumulate(saving[order])
    return float((gain * np.diff(saving, prepend=0.0)).sum())
