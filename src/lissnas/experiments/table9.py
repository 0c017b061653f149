"""Table 9: naive random shrinkage, the best x% of a random sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lissnas.experiments import numbers
from lissnas.experiments.experiment import Experiment, Findings, Lab, Shown
from lissnas.experiments.outcomes import FULL, Outcome
from lissnas.experiments.table4 import statistics_of
from lissnas.experiments.verdict import Claim, Measured, holds, over_seeds, within

__all__ = ["EXPERIMENT"]

# row -> (key of our space, mean, best) as printed
PUBLISHED: Mapping[str, tuple[str, float, float]] = {
    "full": (FULL, 90.4, 94.6),
    "top-30": ("top-30", 90.8, 93.2),
    "top-20": ("top-20", 91.0, 93.5),
    "top-10": ("top-10", 91.4, 94.1),
    "top-5": ("top-5", 91.9, 93.9),
    "lissnas": ("lissnas-13k", 92.1, 94.6),
}


def _claims() -> Iterator[Claim]:
    for row, (_, mean, best) in PUBLISHED.items():
        yield Claim(f"{row}/mean", f"{row}: mean", mean, within(0.5), "%")
        yield Claim(f"{row}/best", f"{row}: best", best, within(0.2), "%")
        if row != "full":
            # an offset between two readings of the accuracy drops out of a difference
            yield Claim(f"{row}/gain", f"{row}: mean above the full space's", round(mean - 90.4, 1), within(0.4), "points")
    for row in ("top-30", "top-5"):
        says = f"{row}: the published gain can be had from a predictor of 20 pairs or more (published less ours)"
        yield Claim(f"{row}/weak-enough", says, None, holds(), "points")
    yield Claim("lissnas-above-top-5", "LISSNAS's mean is above naive Top-5's", None, holds(), "points")
    yield Claim("lissnas-above-same-size", "LISSNAS's mean is above that of as many naive networks", None, holds(), "points")
    yield Claim("lissnas-as-written-above", "LISSNAS at its plateau: mean above naive Top-1's", None, holds(), "points")


def _measure(lab: Lab) -> Findings:
    outcomes: Sequence[Outcome] = lab.of("nasbench101")
    values: dict[str, Measured] = {}
    for row, (key, _, _) in PUBLISHED.items():
        values[f"{row}/mean"] = numbers.mean(outcomes, key)
        values[f"{row}/best"] = numbers.best(outcomes, key)
        if row != "full":
            values[f"{row}/gain"] = numbers.difference(outcomes, key, FULL)
    values["lissnas-above-top-5"] = numbers.difference(outcomes, "lissnas-13k", "top-5")
    values["lissnas-above-same-size"] = numbers.difference(outcomes, "lissnas-13k", "naive-13k")
    values["lissnas-as-written-above"] = numbers.difference(outcomes, "lissnas", "top-1")
    for row, name, gain in (("top-30", "top30", 0.4), ("top-5", "top5", 1.5)):
        weakest = [gain - (float(o.weaker[0][name]) - float(o.full.scores.mean())) for o in outcomes if o.weaker]
        values[f"{row}/weak-enough"] = over_seeds(weakest, note="by 20 pairs, the weakest predictor tried")
    tables = [statistics_of("nasbench101", outcomes), _weaker(outcomes)] if outcomes else []
    notes = [
        "How weak must a predictor be for the published means? The second table answers: the true mean of the best x% by "
        "predictors of fewer pairs. The published gains over the full space are +0.4, +0.6, +1.0 and +1.5.",
    ]
    return Findings(values, tables, notes=notes)


def _weaker(outcomes: Sequence[Outcome]) -> Shown:
    rows = []
    for k, first in enumerate(outcomes[0].weaker):
        at = [outcome.weaker[k] for outcome in outcomes]
        names = ("spearman", "top30", "top20", "top10", "top5")
        rows.append([int(first["pairs"]), *(sum(w[name] for w in at) / len(at) for name in names)])
    columns = ("pairs", "Spearman", "Top-30", "Top-20", "Top-10", "Top-5")
    return Shown("True mean of the best x% of the judged networks, by predictors of fewer pairs", columns, rows)


EXPERIMENT = Experiment(
    name="table9",
    title="Naive random shrinkage",
    paper="Table 9, Appendix H.1",
    how=(
        "A uniform sample of as many networks as LISSNAS may query, of which the best 30, 20, 10, 5 and 1% by the same "
        "predictor "
        "are kept; judged as Table 4."
    ),
    claims=tuple(_claims()),
    measure=_measure,
    stages=("nasbench101",),
    cost=40,
)
