"""S3's measure of a space: its expected and its top-tier error (Chen et al., Searching the Search Space of Vision
Transformer, NeurIPS 2021, arXiv 2111.14725, "Searching the Search Space", quality of a space).

Q(A) is the average of two parts: Q_e, the expected error of a network within the constraint, estimated by N random ones, and
Q_t, the mean error of the top 50 within it. The code that its authors published (microsoft/Cream, AutoFormerV2) trains and
tests what was found, and has nothing of the measure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError

__all__ = ["ExpectedTopError", "expected_top_error"]

TOP = 50  # architectures whose mean is the top-tier error


@dataclass(frozen=True)
class ExpectedTopError:
    """Errors on the scores' own scale, lower is better.

    Attributes:
        expected: the mean error of the space.
        top: the mean error of its best ``n_top``; None where there are not so many scores.
        value: the mean of both, by which S3 compares spaces; None where ``top`` is.
    """

    expected: float
    top: float | None
    value: float | None
    n_top: int


def expected_top_error(errors: NDArray[np.float64], top: int = TOP) -> ExpectedTopError:
    """The E-T error of a space.

    Where higher scores are better, give them with the sign turned, or as errors: the halves and the order are the same.

    Args:
        errors: float64[n] of a uniform sample, or of all of the space. The original looks for the best ``top`` by a search; a
            sample has worse ones, the fewer it has the worse, so compare spaces by as many errors each.
        top: how many are top-tier.

    Raises:
        UserError: no errors, or a ``top`` below 1.
    """
    if top < 1 or not len(errors):
        raise UserError(f"the E-T error needs errors and top >= 1, but got {len(errors)} errors and top = {top}")
    expected = float(np.mean(errors))
    if len(errors) < top:
        return ExpectedTopError(expected, None, None, top)
    best = float(np.partition(errors, top - 1)[:top].mean())
    return ExpectedTopError(expected, best, (expected + best) / 2, top)
