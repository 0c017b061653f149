"""What a predictor learns in place of the scores, and the way back to the scale of the scores.

Labels are rising numbers without unit: the scores moved to mean 0 and spread 1 (``raw``), the same of their logarithms
(``log``: costs, losses, perplexities, which spread by factors) or of their log-odds (``logit``: accuracies, whose distances
shrink near the end), or the normal quantiles of their ranks (``rank-normal``), which keep the order and forget the distances.
The way back is a line through knots, and for ``log`` and ``logit`` the inverse of that function.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError

__all__ = ["LABELS", "LabelKind", "LabelMap", "make_labels"]

LabelKind = Literal["auto", "raw", "rank-normal", "log", "logit"]
LABELS: tuple[LabelKind, ...] = ("auto", "raw", "rank-normal", "log", "logit")

# "auto" takes ranks where skewness is past 1 or excess kurtosis past 3. Held out, mean of 3 seeds, raw -> rank-normal:
#                                    300 networks                                 1,000 networks
#                         skew   kurt   kendall      top tenth    skew   kurt   kendall      top tenth
# NAS-Bench-201 CIFAR-10  -4.8   26     .590 -> .699 .35 -> .63   -4.6   24     .717 -> .797 .48 -> .73
# TransNAS micro scenes   -1.4   0.7    .629 -> .715 .26 -> .47   -1.4   0.8    .694 -> .785 .34 -> .53
# NAS-Bench-101           -1.6   4.3    .663 -> .681 .58 -> .61   -10.6  228    .718 -> .767 .65 -> .72
# TransNAS macro jigsaw   -1.1   3.6    .627 -> .633 .50 -> .54   -1.1   4.1    .649 -> .653 .56 -> .58
# NAS-Bench-301           -0.8   1.1    .708 -> .699 .63 -> .62   -0.7   0.6    .785 -> .800 .77 -> .77
# TransNAS macro scenes   -0.4   -0.5   .792 -> .785 .67 -> .63   -0.4   -0.5   .838 -> .835 .74 -> .72
# HW-GPT perplexity       -0.0   -1.5   .938 -> .932 .85 -> .82   0.1    -1.5   .957 -> .953 .91 -> .87
# Over 27 score columns ranks never lost anything that counts where the rule takes them (worst: Kendall -.002), and raw
# labels never lost more than .015 where it takes those.
MAX_SKEWNESS = 1.0
MAX_EXCESS_KURTOSIS = 3.0

# A line beyond the last knot has the mean slope over this much of the labels (one gap between two ranks would be chance), but
# no more than the middle half has: a few networks that failed far below all others must not send predictions still further.
_END = 0.5
_QUARTILE = 0.6745


@dataclass(frozen=True)
class LabelMap:
    """A rising line from labels to scores through knots, straight on beyond both ends.

    Attributes:
        kind: ``rank-normal`` (one knot for each different score), or ``raw``, ``log``, ``logit`` (two knots).
        labels: float64[k], strictly rising.
        scores: float64[k], strictly rising: scores, their logarithms or their log-odds.
        whole: with ``logit``, the score that stands for all: 1, or 100 for percents.
    """

    kind: str
    labels: NDArray[np.float64]
    scores: NDArray[np.float64]
    whole: float = 1.0

    def to_scores(self, labels: NDArray[np.float64]) -> NDArray[np.float64]:
        """float64[n]: the score that stands for each label."""
        x, y = self.labels, self.scores
        middle = _slope(x, y, *np.searchsorted(x, [-_QUARTILE, _QUARTILE]))
        low = min(middle, _slope(x, y, 0, int(np.searchsorted(x, x[0] + _END))))
        high = min(middle, _slope(x, y, int(np.searchsorted(x, x[-1] - _END, side="right")) - 1, len(x) - 1))
        below, above = np.minimum(labels - x[0], 0), np.maximum(labels - x[-1], 0)
        inside: NDArray[np.float64] = np.interp(labels, x, y)
        inside += low * below + high * above
        match self.kind:
            case "log":
                return np.exp(inside)
            case "logit":
                return self.whole / (1 + np.exp(-inside))
        return inside

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {"kind": self.kind, "labels": self.labels.tolist(), "scores": self.scores.tolist(), "whole": self.whole}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> LabelMap:
        """Read what :meth:`to_json` wrote."""
        labels, scores = (np.array(data[key], dtype=np.float64) for key in ("labels", "scores"))
        return cls(str(data["kind"]), labels, scores, float(data.get("whole", 1.0)))


def make_labels(scores: NDArray[np.float64], kind: LabelKind = "auto") -> tuple[NDArray[np.float64], LabelMap]:
    """Labels float64[n] for scores that are not all equal, and the map back.

    Raises:
        UserError: scores so close to each other that they cannot be told apart in double precision, or outside of what the
            kind takes: above 0 for ``log``, between 0 and 1 or between 0 and 100 for ``logit``.
    """
    if kind in ("log", "logit"):
        transformed, whole = _log(scores) if kind == "log" else _logit(scores)
        standard, mean, spread = _standardize(transformed)
        return standard, LabelMap(kind, np.array([0.0, 1.0]), np.array([mean, mean + spread]), whole)
    standard, mean, spread = _standardize(scores)
    if kind == "auto":
        kind = "rank-normal" if _is_far_from_normal(standard) else "raw"
    if kind == "raw":
        return standard, LabelMap("raw", np.array([0.0, 1.0]), np.array([mean, mean + spread]))
    from scipy.special import ndtri

    values, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts + 1) / 2  # counted from 0
    quantiles = ndtri((mean_rank + 0.5) / len(scores))
    return quantiles[place], LabelMap("rank-normal", quantiles, values)


def _log(scores: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    low = float(scores.min())
    if not low > 0:
        raise UserError(f"labels log are for scores above 0, but the lowest is {low:g}: take labels rank-normal")
    return np.log(scores), 1.0


def _logit(scores: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    low, high = float(scores.min()), float(scores.max())
    whole = 1.0 if high < 1 else 100.0
    if not 0 < low <= high < whole:
        raise UserError(
            f"labels logit are for scores between 0 and 1, or percents between 0 and 100, both excluded, but they go from "
            f"{low:g} to {high:g}: take labels rank-normal"
        )
    return np.log(scores / (whole - scores)), whole


def _standardize(scores: NDArray[np.float64]) -> tuple[NDArray[np.float64], float, float]:
    mean = float(scores.mean())
    width = float(np.abs(scores - mean).max())
    centered = (scores - mean) / width if width > 0 else np.zeros_like(scores)  # so that no square under- or overflows
    spread = width * float(centered.std())
    if not spread > 0 or mean + spread == mean:
        raise UserError(f"scores from {scores.min():g} to {scores.max():g} are too close to tell apart: shift or scale them")
    return (scores - mean) / spread, mean, spread


def _is_far_from_normal(standard: NDArray[np.float64]) -> bool:
    skewness = float(np.mean(standard**3))
    excess_kurtosis = float(np.mean(standard**4)) - 3
    return abs(skewness) > MAX_SKEWNESS or excess_kurtosis > MAX_EXCESS_KURTOSIS


def _slope(x: NDArray[np.float64], y: NDArray[np.float64], low: int, high: int) -> float:
    """The mean slope between two knots; over all of them where the two are one."""
    low, high = max(low, 0), min(high, len(x) - 1)
    if low >= high:
        low, high = 0, len(x) - 1
    return float((y[high] - y[low]) / (x[high] - x[low]))
