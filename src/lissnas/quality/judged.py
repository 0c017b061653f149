"""What the scores of a space say about it, beside those of the space that it is compared with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.quality.distribution import cliffs_delta, edf_area, ks, ks_distance
from lissnas.quality.population import Population
from lissnas.quality.s3 import expected_top_error
from lissnas.quality.shrink_index import good_threshold, is_good, probability_of_good, shrink_index
from lissnas.quality.statistic import Statistic, as_far_as_seen, estimate, mean_of, quantile_of, share_interval, share_of
from lissnas.quality.top import hypervolume, kept_of_top

__all__ = ["QUANTILES", "TOPS", "Scale", "judge", "make_scale", "thinned"]

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
TOPS = (0.001, 0.01, 0.05)
TESTED = 1000  # scores of each space that a p-value comes from, as in the paper (App. G; reconstruction E)
RESAMPLED = 2000
_BEST_SEEN = 10  # of the best in a sample, below which the share kept of them is no result
_POOR = 0.05  # quantile of the reference's scores that the EDF's area counts from: below are its failures
_PLAIN = 0.25  # the same of hypervolume: a point that every cheap network beats lets all fronts cover nearly all

Floats = NDArray[np.float64]
_IS_REFERENCE = "it is the space that the others are compared with"


@dataclass(frozen=True)
class Scale:
    """What is fixed once for all spaces that are compared by one kind of score.

    Attributes:
        source: ``true`` or ``predicted``.
        metric, unit, higher_is_better: what the score is.
        quantile: the share of the reference below (or above) the threshold, where it was set so.
        threshold: the score from which on an architecture is good; None where there is none, ``reason`` says why.
        draws, good: n and k of the shrink index.
        interval: the scores (worse, better) that the EDF's area is taken over; None where they do not differ.
        points: cost name -> (score, cost, best score, lowest cost): hypervolume is the area that a front covers of the box
            between the reference point (the first two) and the ideal one (the others).
    """

    source: str
    metric: str
    unit: str
    higher_is_better: bool
    quantile: float | None
    threshold: float | None
    draws: int
    good: int
    interval: tuple[float, float] | None
    points: dict[str, tuple[float, float, float, float]]
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        names = ("score", "cost", "best_score", "lowest_cost")
        points = {cost: dict(zip(names, point, strict=True)) for cost, point in self.points.items()}
        return {**self.__dict__, "interval": None if self.interval is None else list(self.interval), "points": points}


def make_scale(
    source: str,
    metric: tuple[str, str, bool],
    reference: Population,
    costs: Mapping[str, Floats],
    best: float | None,
    *,
    quantile: float,
    threshold: float | None,
    draws: int,
    good: int,
    interval: tuple[float, float] | None,
) -> Scale:
    """Fix the scale by the scores of the reference.

    Args:
        metric: name, unit, whether higher is better.
        costs: the costs of the reference's scored architectures, by name.
        best: the best score of any space compared.
        threshold, interval: taken as given where they are given.
    """
    name, unit, higher = metric
    scores = reference.scores
    by_quantile = threshold is None
    points: dict[str, tuple[float, float, float, float]] = {}
    if interval is not None:
        interval = (min(interval), max(interval)) if higher else (max(interval), min(interval))
    if scores is not None and len(scores) and best is not None:
        if threshold is None:
            threshold = good_threshold(scores, higher_is_better=higher, quantile=quantile)
        poor, plain = (float(np.quantile(scores, q if higher else 1 - q)) for q in (_POOR, _PLAIN))
        if interval is None and poor != best:
            interval = (poor, best)
        for cost, values in costs.items():
            if plain != best and np.ptp(values) > 0:
                points[cost] = (plain, float(values.max()), best, float(values.min()))
    return Scale(
        source,
        name,
        unit,
        higher,
        quantile if by_quantile else None,
        threshold,
        draws,
        good,
        interval,
        points,
        reference.reason,
    )


def judge(
    ours: Population,
    theirs: Population,
    member: NDArray[np.bool_] | None,
    costs: Mapping[str, Floats],
    scale: Scale,
    rng: np.random.Generator,
    largest_share: float,
) -> dict[str, Statistic]:
    """Every statistic of one space's scores by name.

    Args:
        ours, theirs: scored architectures of the space, and of the reference.
        member: bool[n], which of theirs are in the space; None for the reference itself.
        costs: of ours, by name.
        largest_share: the space's share of the reference.
    """
    scores, others = ours.scores, theirs.scores
    assert scores is not None
    assert others is not None
    if not len(scores):
        return dict.fromkeys(_names(costs), Statistic.missing(ours.reason))
    ordered, base = np.sort(scores), np.sort(others)
    higher = scale.higher_is_better
    found = {
        "mean": mean_of(scores, ours.exact),
        "best": as_far_as_seen(float(ordered[-1 if higher else 0]), ours.exact, len(scores), upwards=higher),
        **{_named("q", q): quantile_of(ordered, q, ours.exact) for q in QUANTILES},
        **_top_tier(scores, ours.exact, higher),
    }
    found |= _shares(ordered, ours.exact, base, theirs.exact, member is None, scale, rng)
    found["edf_area"] = _area(scores, ours.exact, scale)
    found |= _against(ours, theirs, ordered, base, member is None, scale, rng)
    for top in TOPS:
        found[_named("kept_top", top)] = (
            Statistic.missing(_IS_REFERENCE) if member is None else _kept(theirs, member, top, higher, largest_share)
        )
    for cost in costs:
        found[f"hypervolume_{cost}"] = _covered(scores, costs[cost], ours.exact, scale, cost)
    return found


def thinned(scores: Floats, most: int = 200) -> list[list[float]]:
    """The EDF as at most ``most`` steps [score, share of architectures at or below it]."""
    ordered = np.sort(scores)
    at = np.unique(np.linspace(0, len(ordered) - 1, min(most, len(ordered))).round().astype(np.int64))
    return [[float(ordered[i]), float((i + 1) / len(ordered))] for i in at]


def _named(what: str, share: float) -> str:
    return f"{what}{100 * share:g}%"


def _names(costs: Iterable[str]) -> list[str]:
    """All that :func:`judge` finds, in its order."""
    names = ["mean", "best", *(_named("q", q) for q in QUANTILES), "top_tier", "expected_top"]
    names += ["p_good", "p_draws", "shrink_index", "edf_area"]
    names += ["ks", "ks_p", "ks_better", "ks_better_p", "mean_difference", "cliffs_delta"]
    return [*names, *(_named("kept_top", top) for top in TOPS), *(f"hypervolume_{cost}" for cost in costs)]


def _top_tier(scores: Floats, exact: bool, higher: bool) -> dict[str, Statistic]:
    """S3's two halves, on the scores' own scale: the mean of the best 50, and the mean of that and of all."""
    sign = -1.0 if higher else 1.0
    found = expected_top_error(sign * scores)
    if found.top is None or found.value is None:
        reason = f"the top tier is the best {found.n_top}, but there are {len(scores)} scores"
        return dict.fromkeys(("top_tier", "expected_top"), Statistic.missing(reason, len(scores)))
    value, n = sign * found.value, len(scores)
    return {
        "top_tier": as_far_as_seen(sign * found.top, exact, n, upwards=higher),
        "expected_top": Statistic.certain(value, n) if exact else Statistic(value, n=n),
    }


def _shares(
    ours: Floats, exact: bool, theirs: Floats, theirs_exact: bool, is_reference: bool, scale: Scale, rng: np.random.Generator
) -> dict[str, Statistic]:
    """The share of good ones, Theorem 1 of it, and the shrink index (paper Sec. 4.4; reconstruction A.7)."""
    if scale.threshold is None:
        none = Statistic.missing(f"no threshold: {scale.reason}")
        return dict.fromkeys(("p_good", "p_draws", "shrink_index"), none)
    hits = [int(np.count_nonzero(is_good(s, scale.threshold, higher_is_better=scale.higher_is_better))) for s in (ours, theirs)]
    share = share_of(hits[0], len(ours), exact)
    n, k = scale.draws, scale.good
    drawn = _mapped(share, n, k)
    index: Statistic
    if is_reference:
        index = Statistic.missing(_IS_REFERENCE)
    elif share.value is None:
        index = share
    elif (reference := share_of(hits[1], len(theirs), theirs_exact)).value is None:
        index = Statistic.missing(f"the reference: {reference.reason}")
    elif hits[1] == len(theirs):
        index = Statistic.missing(f"every architecture of the reference reaches the threshold {scale.threshold:g}")
    elif hits[0] == hits[1] == 0:
        index = Statistic.missing(f"no architecture of either space reaches the threshold {scale.threshold:g}")
    else:
        value = shrink_index(share.value, reference.value, n, k)
        if exact and theirs_exact:
            index = Statistic.certain(value, len(ours))
        else:
            after = _resampled(hits[0], len(ours), exact, rng)
            before = _resampled(hits[1], len(theirs), theirs_exact, rng)
            low, high = np.quantile(probability_of_good(after, n, k) - probability_of_good(before, n, k), [0.025, 0.975])
            index = Statistic(value, float(min(low, value)), float(max(high, value)), False, len(ours))
    return {"p_good": share, "p_draws": drawn, "shrink_index": index}


def _mapped(share: Statistic, n: int, k: int) -> Statistic:
    """Theorem 1 of a share: it only rises, so an interval's ends are those of the share."""
    if share.value is None or share.low is None or share.high is None:
        return share
    value, low, high = (float(probability_of_good(p, n, k)) for p in (share.value, share.low, share.high))
    return Statistic(value, low, high, share.exact, share.n)


def _resampled(hits: int, n: int, exact: bool, rng: np.random.Generator) -> Floats:
    """Shares that are as likely as the one seen (Jeffreys); resampling would say that none seen means none there."""
    return np.full(RESAMPLED, hits / n) if exact else rng.beta(hits + 0.5, n - hits + 0.5, RESAMPLED)


def _area(scores: Floats, exact: bool, scale: Scale) -> Statistic:
    if scale.interval is None:
        return Statistic.missing("all scores are equal: there is no interval to take the area over")
    worse, better = scale.interval
    sign = -1.0 if scale.higher_is_better else 1.0  # the EDF is of errors
    low, high = sign * better, sign * worse
    area = edf_area(sign * scores, low, high)
    each = (high - np.clip(sign * scores, low, high)) / (high - low)
    found = mean_of(each, exact)
    return found if found.value is None else Statistic(area, found.low, found.high, exact, len(scores))


def _against(
    ours: Population,
    theirs: Population,
    ordered: Floats,
    base: Floats,
    is_reference: bool,
    scale: Scale,
    rng: np.random.Generator,
) -> dict[str, Statistic]:
    """Kolmogorov-Smirnov with its effect sizes (paper Sec. 5.2), difference of means, Cliff's delta."""
    names = ("ks", "ks_p", "ks_better", "ks_better_p", "mean_difference", "cliffs_delta")
    if is_reference:
        return dict.fromkeys(names, Statistic.missing(_IS_REFERENCE))
    means = mean_of(ordered, ours.exact), mean_of(base, theirs.exact)
    for which, mean in zip(("", "the reference: "), means, strict=True):
        if mean.value is None:
            return dict.fromkeys(names, Statistic.missing(f"{which}{mean.reason}", len(ordered)))
    higher, exact, n = scale.higher_is_better, ours.exact and theirs.exact, len(ordered)
    both, better = ks_distance(ordered, base, higher_is_better=higher)
    drawn = [s if len(s) <= TESTED else rng.choice(s, TESTED, replace=False) for s in (ordered, base)]
    p_values = [Statistic.missing("a test needs at least 2 scores of each space", n)] * 2
    if min(map(len, drawn)) > 1:
        tests = ks(drawn[0], drawn[1], higher_is_better=higher)
        p_values = [Statistic(p, n=len(drawn[0])) for p in (tests.p_value, tests.better_p_value)]
    delta, of_ours, of_theirs = cliffs_delta(ordered, base, higher_is_better=higher)
    error = ((0.0 if ours.exact else of_ours) + (0.0 if theirs.exact else of_theirs)) ** 0.5
    mean_error = sum(0.0 if p.exact else float(s.var(ddof=1)) / len(s) for p, s in ((ours, ordered), (theirs, base))) ** 0.5
    return {
        "ks": _distance(both, exact, ours, theirs),
        "ks_p": p_values[0],
        "ks_better": _distance(better, exact, ours, theirs),
        "ks_better_p": p_values[1],
        "mean_difference": estimate(float(ordered.mean() - base.mean()), mean_error, exact, n),
        "cliffs_delta": estimate(delta, error, exact, n),
    }


def _distance(value: float, exact: bool, ours: Population, theirs: Population) -> Statistic:
    """A Kolmogorov-Smirnov distance; each sample's own EDF may be off by what Massart's inequality allows at 95%."""
    if exact:
        return Statistic.certain(value, len(ours))
    samples = [population for population in (ours, theirs) if not population.exact]
    level = 0.05 / len(samples)
    off = float(sum(np.sqrt(np.log(2 / level) / (2 * len(p))) for p in samples))
    return Statistic(value, max(value - off, 0.0), min(value + off, 1.0), False, len(ours))


def _kept(theirs: Population, member: NDArray[np.bool_], top: float, higher: bool, largest_share: float) -> Statistic:
    scores = theirs.scores
    assert scores is not None
    if not len(scores):
        return Statistic.missing(f"the reference: {theirs.reason}")
    if np.ptp(scores) == 0:
        return Statistic.missing("all scores of the reference are equal: none is among the best", len(scores))
    kept, best = kept_of_top(scores, member, top, higher_is_better=higher)
    if best == 0 or (not theirs.exact and top * len(scores) < _BEST_SEEN):
        return Statistic.missing(
            f"the best {100 * top:g}% of {len(scores):,} scores are too few: {1 if theirs.exact else _BEST_SEEN} needed",
            len(scores),
        )
    if theirs.exact:
        return Statistic.certain(kept / best, best)
    low, high = share_interval(kept, best)
    # a small space cannot hold more of the best than it has architectures
    return Statistic(kept / best, low, max(kept / best, min(high, largest_share / top)), False, best)


def _covered(scores: Floats, costs: Floats, exact: bool, scale: Scale, cost: str) -> Statistic:
    """The share of the box of ``Scale.points`` that the front covers."""
    if cost not in scale.points:
        return Statistic.missing("all scores, or all costs, of the reference are equal: a front has no area")
    worst, dearest, best, cheapest = scale.points[cost]
    area = hypervolume(scores, costs, (worst, dearest), higher_is_better=scale.higher_is_better)
    return as_far_as_seen(area / (abs(best - worst) * (dearest - cheapest)), exact, len(scores))
