"""Statistics of outcomes over their seeds: a number of each seed, and from them a value with its interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from lissnas.experiments.outcomes import FULL, Made, Outcome
from lissnas.experiments.stages import SCALES, Scale
from lissnas.experiments.verdict import Measured, over_seeds, over_seeds_as_ratio
from lissnas.quality import edf_area, good_threshold, ks, share_kept, shrink_index

__all__ = [
    "FEWEST",
    "area",
    "at_scale",
    "best",
    "coverage",
    "difference",
    "each",
    "index",
    "kept",
    "ks_margin",
    "mean",
    "quantile",
    "ratio",
    "size",
    "spread_of_seeds",
    "together",
]

FEWEST = 50  # judged networks below which a mean is no result

_MAXIMUM = (
    "all three trainings of every cell (nasbench_only108.tfrecord, lissnas data fetch nasbench101): a maximum cannot be judged "
    "from a sample"
)


def _held(outcomes: Sequence[Outcome], key: str) -> list[tuple[Outcome, Made]]:
    return [(outcome, outcome.made[key]) for outcome in outcomes if key in outcome.made]


def _absent(outcomes: Sequence[Outcome], key: str) -> Measured:
    why = next((outcome.refused[key] for outcome in outcomes if key in outcome.refused), "")
    return Measured(None, note=why) if outcomes else Measured(None)


def _too_few(pairs: Sequence[tuple[Outcome, Made]]) -> str:
    """Why the judged networks are too few for a statistic; empty where they are not."""
    counts = [len(made.scores) for _, made in pairs]
    if all(outcome.exact for outcome, _ in pairs) and min(counts) > 0:
        return ""
    if min(counts) >= FEWEST:
        return ""
    return f"{min(counts)} of the {pairs[0][1].size:,} networks have a true score: a result needs {FEWEST}"


def mean(outcomes: Sequence[Outcome], key: str = FULL) -> Measured:
    """The true mean of a space. Where single seeds judge too few networks, all seeds' networks together."""
    pairs = _held(outcomes, key)
    if not pairs:
        return _absent(outcomes, key)
    lacking = _too_few(pairs)
    if not lacking:
        return over_seeds([float(m.scores.mean()) for _, m in pairs], [_error(o, m) for o, m in pairs])
    scores = np.concatenate([made.scores for _, made in pairs])
    if len(scores) < FEWEST:
        return Measured(None, note=lacking)
    width = 1.96 * float(scores.std(ddof=1)) / math.sqrt(len(scores))
    value = float(scores.mean())
    return Measured(
        value, value - width, value + width, seeds=len(pairs), note=f"{len(scores)} judged networks of {len(pairs)} seeds"
    )


def _error(outcome: Outcome, made: Made) -> float:
    """The standard error that the choice of the judged networks gives the mean."""
    n = len(made.scores)
    if outcome.exact or n < 2:
        return 0.0
    return float(made.scores.std(ddof=1)) / math.sqrt(n) * math.sqrt(max(0.0, 1 - n / made.size))


def each(
    outcomes: Sequence[Outcome], key: str, statistic: Callable[[Outcome, Made], float | None], *, judged: bool = False
) -> Measured:
    """Any statistic of a space, over seeds; ``judged``: it is one of true scores, of which there must be enough."""
    pairs = _held(outcomes, key)
    if not pairs:
        return _absent(outcomes, key)
    if judged and (lacking := _too_few(pairs)):
        return Measured(None, note=lacking)
    values = [statistic(outcome, made) for outcome, made in pairs]
    known = [value for value in values if value is not None]
    return over_seeds(known) if len(known) == len(values) else Measured(None, note="the statistic has no value")


def together(
    outcomes: Sequence[Outcome],
    first: str,
    others: Sequence[str],
    statistic: Callable[[Outcome, Made], float | None],
    *,
    judged: bool = True,
) -> Measured:
    """How far ``first`` is above the best of ``others``, seed by seed.

    Args:
        judged: the statistic is one of true scores: spaces with too few judged networks do not count.
    """
    values = []
    met: set[str] = set()
    for outcome in outcomes:
        of = {
            key: statistic(outcome, made)
            for key in (first, *others)
            if (made := outcome.made.get(key)) is not None and (not judged or outcome.exact or len(made.scores) >= FEWEST)
        }
        rivals = {key: value for key, value in of.items() if key != first and value is not None}
        if of.get(first) is None or not rivals:
            continue
        met |= set(rivals)
        values.append(float(of[first]) - max(rivals.values()))  # type: ignore[arg-type]  # not None, as just seen
    if not values:
        return Measured(None, note=f"too few judged networks of '{first}' or of all others")
    return over_seeds(values, note=f"beside {', '.join(sorted(met))}")


def difference(outcomes: Sequence[Outcome], first: str, second: str) -> Measured:
    """The true mean of one space minus that of another, seed by seed."""
    pairs = [(o, o.made[first], o.made[second]) for o in outcomes if first in o.made and second in o.made]
    if not pairs:
        return Measured(None, note=_absent(outcomes, first).note or _absent(outcomes, second).note)
    lacking = _too_few(_held(outcomes, first)) or _too_few(_held(outcomes, second))
    if lacking:
        return _difference_of_all(outcomes, first, second, lacking)
    values = [float(a.scores.mean() - b.scores.mean()) for _, a, b in pairs]
    return over_seeds(values, [math.hypot(_error(o, a), _error(o, b)) for o, a, b in pairs])


def _difference_of_all(outcomes: Sequence[Outcome], first: str, second: str, lacking: str) -> Measured:
    """The same where single seeds judge too few networks: all seeds' networks together."""
    a, b = mean(outcomes, first), mean(outcomes, second)
    if None in (a.value, b.value, a.low, b.low):
        return Measured(None, note=lacking)
    value = a.value - b.value  # type: ignore[operator]  # neither is None
    off = math.hypot(a.value - a.low, b.value - b.low)  # type: ignore[operator]
    return Measured(value, value - off, value + off, seeds=a.seeds, note="the judged networks of all seeds together")


def quantile(outcomes: Sequence[Outcome], key: str, q: float) -> Measured:
    """A quantile of a space's true scores."""
    return each(outcomes, key, lambda _, made: float(np.quantile(made.scores, q)), judged=True)


def best(outcomes: Sequence[Outcome], key: str) -> Measured:
    """The highest true score; where not every network has one, the highest seen, which is not judged."""
    pairs = _held(outcomes, key)
    if not pairs:
        return _absent(outcomes, key)
    values = [float(made.scores.max()) for _, made in pairs if len(made.scores)]
    if not values:
        return Measured(None, needs=_MAXIMUM)
    if all(outcome.exact for outcome, _ in pairs):
        return over_seeds(values)
    high = [float(np.quantile(made.scores, 0.99)) for _, made in pairs if len(made.scores) >= FEWEST]
    note = f"the highest seen, of {sum(len(made.scores) for _, made in pairs):,} judged in all seeds"
    note += f"; 99% quantile {math.fsum(high) / len(high):.2f}" if high else ""
    return Measured(math.fsum(values) / len(values), note=note, seeds=len(values), needs=_MAXIMUM)


def size(outcomes: Sequence[Outcome], key: str = FULL) -> Measured:
    """How many networks a space has."""
    if key == FULL and outcomes:
        return Measured(float(outcomes[0].full.size), exact=True)
    return ratio(outcomes, key, lambda _, made: float(made.size))


def ratio(outcomes: Sequence[Outcome], key: str, statistic: Callable[[Outcome, Made], float]) -> Measured:
    """A size or a factor, as a geometric mean over seeds."""
    pairs = _held(outcomes, key)
    if not pairs:
        return _absent(outcomes, key)
    return over_seeds_as_ratio([statistic(outcome, made) for outcome, made in pairs])


def at_scale(measured: Measured, scale: Scale) -> Measured:
    """A number that the budget sets, which is judged at the paper's budget only."""
    if scale.queries == SCALES["paper"].queries or measured.value is None or measured.exact:
        return measured
    return replace(measured, needs="the paper's budget: --scale paper")


def index(outcomes: Sequence[Outcome], key: str) -> Measured:
    """The shrink index by true scores: good is the best tenth of the full space, n = 10, k = 2."""
    return each(outcomes, key, shrink_index_of, judged=True)


def shrink_index_of(outcome: Outcome, made: Made) -> float:
    """The shrink index of one seed."""
    threshold = good_threshold(outcome.full.scores)
    return shrink_index(float((made.scores >= threshold).mean()), float((outcome.full.scores >= threshold).mean()))


def area(outcome: Outcome, made: Made) -> float:
    """The area under the error EDF, from the full space's 5% quantile to its best score."""
    low, high = float(np.quantile(outcome.full.scores, 0.05)), float(outcome.full.scores.max())
    return edf_area(-made.scores, -high, -low)


def kept(outcome: Outcome, made: Made, top: float = 0.01) -> float | None:
    """The share of the full space's best networks that a space still has; None where it is not listed."""
    if made.rows is None:
        return None
    member = np.zeros(len(outcome.full.scores), dtype=bool)
    member[made.rows] = True
    return share_kept(outcome.full.scores, member, top)


def coverage(outcome: Outcome, made: Made, cost: str = "flops", lowest: int | None = None, bins: int = 20) -> float | None:
    """The share of the full space's cost quantile bins that a space still reaches; ``lowest``: of so many cheapest ones."""
    if cost not in made.costs or not len(made.costs[cost]):
        return None
    base = outcome.full.costs[cost]
    edges = np.quantile(base, np.linspace(0, 1, bins + 1)[1:-1])
    there = set(np.searchsorted(edges, base, side="right").tolist())
    ours = set(np.searchsorted(edges, made.costs[cost], side="right").tolist())
    counted = {b for b in there if lowest is None or b < lowest}
    return len(ours & counted) / len(counted) if counted else None


def ks_margin(outcomes: Sequence[Outcome], first: str, second: str) -> Measured:
    """0.05 minus the p-value of "the first is better" (Kolmogorov-Smirnov, one-sided), over seeds: the least and the most."""
    margins = []
    for outcome in outcomes:
        a, b = outcome.made.get(first), outcome.made.get(second)
        if a is None or b is None or min(len(a.scores), len(b.scores)) < (2 if outcome.exact else FEWEST):
            continue
        margins.append(0.05 - ks(a.scores, b.scores).better_p_value)
    if not margins:
        return Measured(None, note=f"too few judged networks of '{first}' or '{second}'")
    return Measured(float(np.median(margins)), min(margins), max(margins), seeds=len(margins), note="0.05 less the p-value")


def spread_of_seeds(first: Sequence[float], second: Sequence[float]) -> Measured:
    """ln(standard deviation of ``first`` / that of ``second``), with the interval that Fisher's F gives it."""
    n, m = len(first), len(second)
    if min(n, m) < 2:
        return Measured(None, note="a spread needs at least 2 seeds")
    a, b = float(np.std(first, ddof=1)), float(np.std(second, ddof=1))
    if a == 0 or b == 0:
        return Measured(None, note="all seeds agree: there is no spread to compare")
    from scipy.special import fdtri

    value = math.log(a / b)
    low, high = (math.log(float(fdtri(n - 1, m - 1, p))) / 2 for p in (0.025, 0.975))
    return Measured(value, value - high, value - low, seeds=min(n, m), note=f"standard deviations {a:.3g} and {b:.3g}")
