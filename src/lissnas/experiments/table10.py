"""Table 10: no neighbors, random refill, neighbors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from lissnas.experiments import numbers
from lissnas.experiments.experiment import Experiment, Findings, Lab, Shown
from lissnas.experiments.outcomes import Outcome
from lissnas.experiments.verdict import Claim, Measured, holds, over_seeds, times, within

__all__ = ["EXPERIMENT"]

# key of our space -> (queries, best) as printed
PUBLISHED = {"no-neighbor": (50_000, 93.9), "random-refill": (196_000, 93.2), "lissnas": (100_000, 94.6)}
NAMES = {"no-neighbor": "no neighbors", "random-refill": "random refill", "lissnas": "with locality"}
STAGES = ("nasbench101", "nasbench301")


def _queries(outcomes: Sequence[Outcome], key: str) -> Measured:
    return numbers.ratio(outcomes, key, lambda _, made: float(made.about["queries"]))


def _top(outcomes: Sequence[Outcome], key: str) -> Measured:
    """Beside the maximum, which a sample cannot give: the mean of all."""
    return numbers.mean(outcomes, key)


def _steps(outcomes: Sequence[Outcome], key: str) -> list[int]:
    return [len(outcome.made[key].about["iterations"]) - 1 for outcome in outcomes if key in outcome.made]


def _measure(lab: Lab) -> Findings:
    values: dict[str, Measured] = {}
    rows: list[list[str | float | int | None]] = []
    for stage in STAGES:
        outcomes: Sequence[Outcome] = lab.of(stage)
        if not outcomes:
            continue
        for key, name in NAMES.items():
            if stage == "nasbench101":
                values[f"{key}/queries"] = numbers.at_scale(_queries(outcomes, key), lab.scale)
                values[f"{key}/best"] = numbers.best(outcomes, key)
            steps = _steps(outcomes, key)
            cells = (numbers.size(outcomes, key), _queries(outcomes, key), _top(outcomes, key), numbers.best(outcomes, key))
            rows.append([stage, name, ", ".join(map(str, steps)), *(cell.value for cell in cells)])
        values[f"{stage}/better"] = numbers.difference(outcomes, "lissnas", "random-refill")
        values[f"{stage}/better-than-none"] = numbers.difference(outcomes, "lissnas", "no-neighbor")
        saved = [
            float(o.made["random-refill"].about["queries"] - o.made["lissnas"].about["queries"])
            for o in outcomes
            if "random-refill" in o.made and "lissnas" in o.made
        ]
        values[f"{stage}/faster"] = over_seeds(saved, note="predictor queries saved")
        predicted = {
            key: [float(o.made[key].about["iterations"][-1]["mean"]) for o in outcomes if key in o.made]
            for key in ("random-refill", "lissnas")
        }
        values[f"{stage}/variance"] = numbers.spread_of_seeds(predicted["random-refill"], predicted["lissnas"])
        values[f"{stage}/unsteady"] = numbers.spread_of_seeds(
            *([float(np.log(o.made[key].size)) for o in outcomes if key in o.made] for key in ("random-refill", "lissnas"))
        )
    notes = [
        "Random refill has four times the budget, since the paper lets it run to 196,000 queries; it stops by the same rule.",
        "Variance: ln of the ratio of standard deviations over seeds, of the predicted mean of the result and of ln of "
        "its size; "
        "with so few seeds only large ratios can be told from none.",
    ]
    columns = ("space", "refill", "iterations of each seed", "networks", "queries", "true mean", "highest seen")
    return Findings(values, [Shown("What each leaves, mean over seeds", columns, rows)], notes=notes)


def _claims() -> Iterator[Claim]:
    for key, (queries, best) in PUBLISHED.items():
        yield Claim(f"{key}/queries", f"nasbench101, {NAMES[key]}: queries", queries, times(1.5))
        yield Claim(f"{key}/best", f"nasbench101, {NAMES[key]}: best", best, within(0.2), "%")
    for stage in STAGES:
        yield Claim(f"{stage}/better", f"{stage}: neighbors give a higher mean than random refill", None, holds(), "points")
        yield Claim(f"{stage}/better-than-none", f"{stage}: and than no neighbors", None, holds(), "points")
        yield Claim(f"{stage}/faster", f"{stage}: neighbors take fewer queries than random refill", None, holds(), "queries")
        yield Claim(f"{stage}/variance", f"{stage}: random refill has more variance (mean of the result)", None, holds())
        yield Claim(f"{stage}/unsteady", f"{stage}: random refill has more variance (size of the result)", None, holds())


EXPERIMENT = Experiment(
    name="table10",
    title="Ways to generate neighbors",
    paper="Table 10, Appendix H.2",
    how=(
        "LISSNAS as written; the same without neighbors (half the budget in one sample, the best 2% kept), and with "
        "uniform draws "
        "in the neighbors' place."
    ),
    claims=tuple(_claims()),
    measure=_measure,
    stages=STAGES,
    cost=90,
)
