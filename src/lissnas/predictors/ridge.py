"""Ridge regression in closed form, and its quick way through genotypes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.spaces import SearchSpace

__all__ = ["Ridge", "add_alleles", "fit_ridge"]

_STRENGTHS = np.logspace(-7, 1, 33)  # of which the best is taken

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Ridge:
    """A fitted line.

    Attributes:
        weights: float64[F], what one of each feature is worth.
        offset: added to every sum.
        l2: the penalty on squared weights, in units of the mean square of a feature times the number of rows.
        left_out_r2: 1 - (squared error of labels whose row was left out) / (their variance).
    """

    weights: Array
    offset: float
    l2: float
    left_out_r2: float


def fit_ridge(x: Array, labels: Array, l2: float | None = None) -> Ridge:
    """Fit labels float64[n] by features float64[n, F].

    Args:
        l2: the penalty; None: of 33 from 1e-7 to 10 the one with the least squared error when each row is left out in turn,
            which the singular values give without a second fit (Golub, Heath and Wahba 1979).
    """
    middle, level = x.mean(axis=0), float(labels.mean())
    left, sizes, right = np.linalg.svd(x - middle, full_matrices=False)
    reached = sizes > 1e-10 * sizes[0]  # the rest is rounding; what is kept is orthogonal to the mean
    left, sizes, right = left[:, reached], sizes[reached], right[reached]
    along = left.T @ (labels - level)
    unit = float(np.sum(sizes**2)) / x.shape[1] or 1.0
    strengths = unit * (_STRENGTHS if l2 is None else np.array([l2]))
    errors = [_left_out_error(left, sizes, along, labels - level, strength) for strength in strengths]
    best = int(np.argmin(errors))
    weights = right.T @ (along * sizes / (sizes**2 + strengths[best]))
    spread = float(np.mean((labels - level) ** 2)) or 1.0
    return Ridge(weights, level - float(middle @ weights), float(strengths[best] / unit), 1 - errors[best] / spread)


def add_alleles(space: SearchSpace, weights: Array, offset: float, genotypes: Genotypes) -> Array:
    """float64[n]: the line through one-hot features, without making them. A row's sum does not depend on the others'."""
    total = np.full(len(genotypes), offset)
    first = 0
    for column, gene in enumerate(space.genes):
        worth = np.append(weights[first : first + len(gene.alleles)], 0.0)  # an inactive gene adds nothing
        total += worth[genotypes[:, column]]
        first += len(gene.alleles)
    return total


def _left_out_error(left: Array, sizes: Array, along: Array, labels: Array, strength: float) -> float:
    """The mean squared error of each label when its row is left out, of a fit with this strength."""
    # what the penalty takes away, and what no feature reaches: as such, for with more features than rows both are tiny
    lost = strength / (sizes**2 + strength)
    residual = left @ (lost * along) + (labels - left @ along)
    spare = (left**2) @ lost + np.maximum(1 - 1 / len(labels) - (left**2).sum(axis=1), 0)
    return float(np.mean((residual / np.maximum(spare, 1e-12)) ** 2))
