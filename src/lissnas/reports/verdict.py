"""Whether a run improved anything, said plainly."""

from __future__ import annotations

from typing import NamedTuple

from lissnas.reports.data import RunData
from lissnas.reports.formats import coefficient, count, number, probability

__all__ = ["Verdict", "supernet_verdict", "verdicts"]

LEVEL = 0.05  # of a test; a p-value below it is called a difference
WEAK = 0.3  # a held-out Kendall tau below this is said aloud


class Verdict(NamedTuple):
    """Whether it is better (None: the evidence does not tell), and the same in words with the numbers."""

    improved: bool | None
    sentence: str


def verdicts(data: RunData) -> list[Verdict]:
    """What is to be said first, in this order.

    A warning where the predictor is weak; whether the space is better, by its mean and shrink index; whether its supernet
    ranks networks better than that of the full space, where both were trained; whether the final network is better, by its
    test score, where the run trained one.
    """
    return [v for v in (_trust(data), _space(data), supernet_verdict(data), _network(data)) if v is not None]


def _trust(data: RunData) -> Verdict | None:
    tau = data.get("predictor.kendall")
    if tau is None or tau >= WEAK:
        return None
    words = f"The predictor is weak: its Kendall τ on held-out networks is {coefficient(tau)}."
    return Verdict(None, f"{words} Score more networks before you rely on what follows.")


def _space(data: RunData) -> Verdict | None:
    full, shrunk = data.get("shrink.full"), data.get("shrink.shrunk")
    if not full or not shrunk:
        return None
    word = "measured" if shrunk.get("source") == "true" else "predicted"
    means = f"its {word} mean is {number(shrunk['mean'])} against {number(full['mean'])} before"
    index = shrunk.get("shrink_index")
    if not data.better(shrunk["mean"], full["mean"]):
        return Verdict(False, f"The smaller space is not a better one: {means}.")
    if index and index["low"] <= 0:
        return Verdict(None, f"The smaller space may be no better: {means}, but its shrink index is not clearly above zero.")
    if word == "predicted":
        return Verdict(True, f"The smaller space is a better one by the predictor that shrank it: {means}.")
    return Verdict(True, f"The smaller space is a better one: {means}.")


def supernet_verdict(data: RunData) -> Verdict | None:
    """Whether the supernet of the smaller space ranks networks better than that of the full one; None: there are not both."""
    difference = data.get("supernet_difference")
    taus = [data.get(f"supernets.{name}.kendall.value") for name in ("shrunk", "full")]
    if not difference or difference["value"] is None or None in taus:
        return None
    ours, theirs = map(coefficient, taus)
    scores = f"Kendall τ {ours} against {theirs} over {difference['n']} networks trained alone"
    low, high = coefficient(difference["low"]), coefficient(difference["high"])
    between = f"the difference is between {low} and {high} (95 %, paired)"
    if difference["low"] <= 0 <= difference["high"]:
        return Verdict(None, f"Neither supernet is shown to rank networks better than the other: {scores}; {between}.")
    if difference["value"] > 0:
        return Verdict(
            True, f"The supernet of the smaller space ranks networks better than that of the full one: {scores}; {between}."
        )
    return Verdict(
        False, f"The supernet of the smaller space ranks networks worse than that of the full one: {scores}; {between}."
    )


def _network(data: RunData) -> Verdict | None:
    ours, rival, paired = (data.get(f"final.{key}") for key in ("ours", "full_search", "paired.full_search"))
    if not ours or not rival or not paired:
        return None
    alone = f"{count(paired['ours'])} images that it alone gets right against {count(paired['theirs'])}"
    scores = f"{number(ours['test'])} against {number(rival['test'])} on the test set, {alone}"
    told = f"{scores} (McNemar's exact test, p = {probability(paired['p_value'])})"
    whom = "the best of a search on the full space at the same cost"
    if paired["p_value"] >= LEVEL:
        return Verdict(None, f"No clear difference between the final network and {whom}: {told}.")
    if data.better(ours["test"], rival["test"]):
        return Verdict(True, f"The final network beats {whom}: {told}.")
    return Verdict(False, f"No improvement: the final network does not beat {whom}: {told}.")
