"""Several methods over several blocks (seeds, tasks): which differ by more than chance (Demsar, JMLR 2006).

Scores are float64[n, k], a row per block and a column per method, higher is better. Ranks count from 1, the best; equal scores
share their mean rank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lissnas.errors import UserError

__all__ = ["PairedTest", "Ranking", "critical_difference", "holm", "paired_tests", "rank_methods"]

LEVEL = 0.05
FEWEST = 2  # blocks below which nothing can be said about chance

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ranking:
    """Friedman's test and Nemenyi's critical difference.

    Attributes:
        ranks: float64[k], the mean rank of each method.
        chi2: Friedman's statistic, corrected for ties; 0 where all methods are equal in every block.
        p: its p, by the chi-squared distribution with k - 1 degrees of freedom.
        f: Iman and Davenport's, which is less conservative: of five blocks in nearly the same order its p is 10^-30, which
            nobody should read; infinite where every block has the same order.
        critical_difference: two methods whose mean ranks differ by less cannot be told apart at the level .05.
        groups: the largest sets of methods (columns, in the order of their ranks) that cannot be told apart.
        blocks: n.
    """

    ranks: Floats
    chi2: float
    p: float
    f: float
    critical_difference: float
    groups: tuple[tuple[int, ...], ...]
    blocks: int


@dataclass(frozen=True)
class PairedTest:
    """A method against the control, over the same blocks.

    Attributes:
        method: its column.
        difference: its mean less the control's (positive: it is better).
        t: of a paired t-test; 0 where all differences are 0, infinite where all are the same other number.
        p, p_holm: two-sided, alone and corrected by Holm for all methods that were compared with the control.
    """

    method: int
    difference: float
    t: float
    p: float
    p_holm: float


def critical_difference(methods: int, blocks: int, level: float = LEVEL) -> float:
    """Nemenyi's: ``q sqrt(k (k + 1) / 6n)``, where q is the studentized range's quantile over the root of 2.

    Raises:
        UserError: fewer than 2 methods or 2 blocks.
    """
    from scipy.stats import studentized_range

    _require(methods, blocks)
    q = float(studentized_range.ppf(1 - level, methods, np.inf)) / np.sqrt(2)
    return float(q * np.sqrt(methods * (methods + 1) / (6 * blocks)))


def rank_methods(scores: ArrayLike, level: float = LEVEL) -> Ranking:
    """Mean ranks, whether they differ at all (Friedman), and by how much they must (Nemenyi).

    Raises:
        UserError: fewer than 2 methods or 2 blocks, or a score that is not finite.
    """
    from scipy.stats import chi2 as chi2_distribution
    from scipy.stats import rankdata

    values = _checked(scores)
    n, k = values.shape
    ranks = np.stack([rankdata(-row) for row in values])
    mean = ranks.mean(axis=0)
    # with ties the ranks of a block spread less, by what sum of (t^3 - t) says of the sets of t equal ones
    spread = float(((ranks - (k + 1) / 2) ** 2).sum()) / (n * (k - 1))
    chi2 = n * float(((mean - (k + 1) / 2) ** 2).sum()) / spread if spread > 0 else 0.0
    most = n * (k - 1)
    f = np.inf if chi2 >= most * (1 - 1e-12) else (n - 1) * chi2 / (most - chi2)
    p = float(chi2_distribution.sf(chi2, k - 1))
    distance = critical_difference(k, n, level)
    return Ranking(mean, float(chi2), p, float(f), distance, _groups(mean, distance), n)


def paired_tests(scores: ArrayLike, control: int) -> list[PairedTest]:
    """Each method against the ``control`` column by a paired t-test, corrected by Holm.

    A t-test and not Wilcoxon's: over 5 blocks the smallest p that Wilcoxon's can give is .0625, whatever the differences.

    Raises:
        UserError: as :func:`rank_methods`.
    """
    from scipy.stats import t as t_distribution

    values = _checked(scores)
    n, k = values.shape
    others = [column for column in range(k) if column != control]
    found = []
    for column in others:
        gaps = values[:, column] - values[:, control]
        mean, error = float(gaps.mean()), float(gaps.std(ddof=1)) / np.sqrt(n)
        # differences that agree to the last digits of a float agree
        t = mean / error if error > 1e-12 * max(abs(mean), 1e-300) else (0.0 if mean == 0 else np.copysign(np.inf, mean))
        found.append((column, mean, float(t), float(2 * t_distribution.sf(abs(t), n - 1))))
    corrected = holm([row[3] for row in found])
    return [PairedTest(*row, float(p)) for row, p in zip(found, corrected, strict=True)]


def holm(p: Sequence[float]) -> Floats:
    """Holm's step-down correction: float64[m], each p times how many are not smaller, never falling, at most 1."""
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected


def _groups(ranks: Floats, distance: float) -> tuple[tuple[int, ...], ...]:
    """Runs of methods within ``distance`` that are part of no longer one, those of a single method left out."""
    order = np.argsort(ranks, kind="stable")
    found: list[tuple[int, ...]] = []
    reached = 0
    for first in range(len(order)):
        last = int(np.searchsorted(ranks[order], ranks[order[first]] + distance, side="right"))
        if last - first > 1 and last > reached:
            found.append(tuple(int(method) for method in order[first:last]))
            reached = last
    return tuple(found)


def _checked(scores: ArrayLike) -> Floats:
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 2:
        raise UserError(f"scores must be float64[blocks, methods], but got the shape {list(values.shape)}")
    _require(values.shape[1], values.shape[0])
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise UserError(f"a score must be finite, but that of method {column} in block {row} is {values[row, column]}")
    return values


def _require(methods: int, blocks: int) -> None:
    if methods < 2 or blocks < FEWEST:
        raise UserError(
            f"a comparison takes at least 2 methods over {FEWEST} blocks, but got {methods} over {blocks}: give more seeds"
        )
