"""Will shrinking by locality work here: one sentence, by a stated rule, before a query is spent.

The lines were laid where measurement puts them: LISSNAS with 400 labels and 2,000 queries, its neighbors against the same
number of random networks, true mean rank of what is kept, 3 seeds, on 10 tables (2 of NAS-Bench-201, 8 of TransNAS-Bench-101).
Where the answer is yes (10 of 10 as they are) neighbors won by .008 to .069; with permuted labels (10 of 10: no) by -.012 to
.018, below zero in 7; with noise (30 of 30: noise) by -.009 to .058, since a predictor averages some of it out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from lissnas.locality.estimate import Estimate
from lissnas.locality.source import Noise

__all__ = ["LINE", "TIMES_CHANCE", "Verdict", "judge"]

LINE = 0.3  # rank correlation of neighbors
TIMES_CHANCE = 2.0  # how much likelier a good network's neighbor is good

MUCH_NOISE = 1 / 3  # of the variance of ranks

Answer = Literal["yes", "no", "noise", "unclear", "unknown"]


@dataclass(frozen=True)
class Verdict:
    """The answer and why.

    Attributes:
        answer: ``yes``: both lower bounds reach their lines. ``no``: an upper bound stays below its line. ``noise``: not
            yes, but without the known noise (a third or more of the variance of the ranks) the correlation could reach its
            line. ``unclear``: an interval holds its line, so more networks decide. ``unknown``: a statistic has no value.
        sentence: the same in words.
        correlation: the rank correlation of networks ``edits`` apart; its line is ``line``.
        gain: how many times likelier than a random network a good network's neighbor is good; its line is ``times_chance``.
        edits: the distance of both: 1, or the nearest at which there are enough pairs.
    """

    answer: Answer
    sentence: str
    correlation: Estimate
    gain: Estimate
    edits: int
    line: float = LINE
    times_chance: float = TIMES_CHANCE

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {**self.__dict__, "correlation": self.correlation.to_dict(), "gain": self.gain.to_dict()}


def judge(correlation: Estimate, gain: Estimate, edits: int, noise: Noise) -> Verdict:
    """The verdict on neighbors ``edits`` apart.

    Args:
        correlation: the rank correlation of a uniform network and its neighbor.
        gain: the share of good networks' neighbors that are good, over the share of all networks that are.
    """
    answer = _answer(correlation, gain, edits, noise)
    return Verdict(answer, _sentence(answer, correlation, gain, edits, noise), correlation, gain, edits)


def _answer(correlation: Estimate, gain: Estimate, edits: int, noise: Noise) -> Answer:
    if correlation.low is None or correlation.high is None or gain.low is None or gain.high is None:
        return "unknown"
    if correlation.low >= LINE and gain.low >= TIMES_CHANCE:
        return "yes"
    if edits > 1:
        return "unknown"  # nearer networks may still be alike
    signal = 1 - (noise.rank_share or 0.0)
    if signal <= 1 - MUCH_NOISE and correlation.high >= LINE * signal:
        return "noise"
    if correlation.high < LINE or gain.high < TIMES_CHANCE:
        return "no"
    return "unclear"


def _sentence(answer: Answer, correlation: Estimate, gain: Estimate, edits: int, noise: Noise) -> str:
    near = "one edit apart" if edits == 1 else f"{edits} edits apart (the nearest with enough pairs)"
    why = (
        f"the scores of networks {near} have a rank correlation of {_shown(correlation)}"
        if correlation.value is not None
        else ""
    )
    if gain.value is not None:
        why += f"{' and ' if why else ''}a good network's neighbor is good {_shown(gain)} times as often as a random network"
    if noise.rank_share is not None:
        why += f"; {noise.source} noise is {noise.rank_share:.0%} of the variance of the ranks"
    missing = "; ".join(e.reason for e in (correlation, gain) if e.reason)
    lines = f"(it takes {LINE} and {TIMES_CHANCE:g})"
    match answer:
        case "yes":
            return f"Shrinking by locality should work here: {why}."
        case "no":
            return f"Shrinking by locality will not work here: {why} {lines}."
        case "noise":
            return f"Noise drowns the locality that may be here, so do not rely on these scores: {why} {lines}: repeat them."
        case "unclear":
            return f"It is not clear whether shrinking by locality will work here: {why} {lines}: score more networks."
        case "unknown":
            reason = missing or why
            return f"These scores do not say whether shrinking by locality will work: {reason}: score networks one edit apart."


def _shown(estimate: Estimate) -> str:
    if estimate.exact:
        return f"{estimate.value:.2f} (all pairs)"
    return f"{estimate.value:.2f} (95% interval {estimate.low:.2f} to {estimate.high:.2f})"
