"""Figure 3: the pipeline, with the numbers of a real run."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from lissnas.experiments.experiment import Curve, Experiment, Findings, Flow, Lab, Shown
from lissnas.experiments.outcomes import Outcome
from lissnas.experiments.verdict import Claim, Measured, holds

__all__ = ["EXPERIMENT"]

STAGES = ("nasbench101", "nasbench301")
_WHAT = {
    "size": ("the space becomes smaller with each iteration", -1),
    "mean": ("its predicted mean rises with each iteration", 1),
    "shrink_index": ("its shrink index (predicted) rises, or stays within .001 of where it was", 1),
}


def _least_step(outcomes: Sequence[Outcome], what: str, sign: int) -> Measured:
    """The least step between two iterations of any seed: above 0 means it moves one way throughout."""
    steps = [
        sign * (float(b[what]) - float(a[what]))
        for outcome in outcomes
        if "lissnas" in outcome.made
        for a, b in zip(
            outcome.made["lissnas"].about["iterations"], outcome.made["lissnas"].about["iterations"][1:], strict=False
        )
    ]
    if not steps:
        return Measured(None, note="no run")
    # an index that has reached its largest value can only tremble there
    slack = 0.001 if what == "shrink_index" else 0.0
    return Measured(min(steps) + slack, exact=True, note=f"the least of {len(steps)} steps of {len(outcomes)} seeds")


def _measure(lab: Lab) -> Findings:
    values: dict[str, Measured] = {}
    tables, curves, flows = [], [], []
    for stage in STAGES:
        outcomes: Sequence[Outcome] = lab.of(stage)
        if not outcomes or "lissnas" not in outcomes[0].made:
            continue
        for what, (_, sign) in _WHAT.items():
            values[f"{stage}/{what}"] = _least_step(outcomes, what, sign)
        made = outcomes[0].made["lissnas"]
        rows: list[list[str | float | int | None]] = []
        for i, step in enumerate(made.about["iterations"]):
            phase = "sample the space" if i == 0 else "seeds, neighbors, query"
            numbers = (step["mean"], step["best"], step["shrink_index"], step["diversity"], int(step["queries"]))
            rows.append([i, phase, float(step["size"]), *numbers])
        rows.append([len(rows), made.about["stopped"], *[None] * 6])
        columns = ("iteration", "step", "networks", "mean", "best", "shrink index", "mean edit distance", "queries")
        tables.append(Shown(f"{stage}, first seed: LISSNAS as written, predicted scores", columns, rows))
        flows.append(_flow(stage, outcomes[0]))
        lines = {
            f"seed {outcome.seed}": [(float(i["index"]), float(i["mean"])) for i in outcome.made["lissnas"].about["iterations"]]
            for outcome in outcomes
            if "lissnas" in outcome.made
        }
        curves.append(Curve(f"{stage}: predicted mean by iteration", "iteration", "predicted mean", lines))
    return Findings(values, tables, curves, flows)


def _flow(stage: str, outcome: Outcome) -> Flow:
    """The pipeline of one run: sample, then seeds and neighbors until the mean no longer rises."""
    made = outcome.made["lissnas"]
    first, *further = made.about["iterations"]
    steps = [
        ("Given space", [f"{outcome.full.size:.4g} networks", f"predictor of {outcome.predictor['pairs']:,} pairs"]),
        ("Sample", [f"{first['queries']:,} queried", f"mean {first['mean']:.2f}", "the best 2% are seeds"]),
    ]
    for step in further:
        mean, queries = f"mean {step['mean']:.2f}", f"{step['queries']:,} queries so far"
        told = ["seeds and their neighbors:", f"{int(step['size']):,} networks", mean, queries]
        steps.append((f"Iteration {step['index']}", told))
    end = [f"{made.size:,} networks", f"{len(made.scores):,} judged", *_broken(made.about["stopped"])]
    return Flow(f"{stage}, first seed: the pipeline with its numbers (predicted scores)", [*steps, ("Shrunk space", end)])


def _broken(sentence: str, width: int = 24) -> list[str]:
    return textwrap.wrap(sentence, width)


def _claims() -> Iterator[Claim]:
    for stage in STAGES:
        for what, (says, _) in _WHAT.items():
            yield Claim(f"{stage}/{what}", f"{stage}: {says}", None, holds())


EXPERIMENT = Experiment(
    name="figure3",
    title="The pipeline, with a real run's numbers",
    paper="Figure 3, Sections 4.3 and 4.4 (the figure has no numbers)",
    how="Each iteration of LISSNAS as written. Scores on the way are predicted: that is what the algorithm sees.",
    claims=tuple(_claims()),
    measure=_measure,
    stages=STAGES,
    cost=90,
)
