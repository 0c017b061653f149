"""An extra, not in the paper: its main claims on NAS-Bench-201, where every network has a true score."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lissnas.experiments import numbers
from lissnas.experiments.experiment import Experiment, Findings, Lab
from lissnas.experiments.outcomes import FULL, Outcome
from lissnas.experiments.stages import NASBENCH201_TASKS, TRANSNAS_TASKS
from lissnas.experiments.table4 import statistics_of
from lissnas.experiments.verdict import Claim, Measured, holds, within

__all__ = ["EXPERIMENT"]

STAGES = (
    *(f"nasbench201-{short}" for short in NASBENCH201_TASKS),
    *(f"transnas-{kind}-{task.replace('_', '-')}" for kind in ("macro", "micro") for task in TRANSNAS_TASKS),
    "nasbench301",
)
RIVALS = ("abs", "nse", "padnas")
OURS = "lissnas"


def _measure(lab: Lab) -> Findings:
    values: dict[str, Measured] = {}
    tables = []
    for stage in STAGES:
        outcomes: Sequence[Outcome] = lab.of(stage)
        if not outcomes:
            continue
        values[f"{stage}/above-full"] = numbers.difference(outcomes, OURS, FULL)
        values[f"{stage}/above-rivals"] = numbers.together(outcomes, OURS, RIVALS, lambda _, made: float(made.scores.mean()))
        values[f"{stage}/keeps-best"] = _keeps_best(outcomes)
        tables.append(statistics_of(stage, outcomes))
    return Findings(values, tables)


def _keeps_best(outcomes: Sequence[Outcome]) -> Measured:
    """The share of seeds whose space holds the best network of all. Complete tables only."""
    if not all(outcome.exact for outcome in outcomes):
        return Measured(None, needs="every network's true score: a maximum cannot be judged from a sample")
    lost = [float(o.full.scores.max() - o.made[OURS].scores.max()) for o in outcomes if OURS in o.made]
    if not lost:
        return Measured(None)
    there = sum(x <= 0 for x in lost)
    return Measured(there / len(lost), seeds=len(lost), note=f"at most {max(lost):.3g} below the best of all")


def _claims() -> Iterator[Claim]:
    for stage in STAGES:
        yield Claim(f"{stage}/above-full", f"{stage}: LISSNAS's mean is above the full space's", None, holds())
        yield Claim(f"{stage}/above-rivals", f"{stage}: and above that of ABS, NSE and PADNAS", None, holds())
        yield Claim(
            f"{stage}/keeps-best", f"{stage}: the best network stays in LISSNAS's space (share of seeds)", 1.0, within(0.0)
        )


EXPERIMENT = Experiment(
    name="nasbench201",
    title="The same claims where every score is known",
    paper="not in the paper: NAS-Bench-201, all tasks of TransNASBench, NAS-Bench-301",
    how="As Table 4, each method at its own size, each space judged by all its networks (NAS-Bench-301: by a uniform sample).",
    claims=tuple(_claims()),
    measure=_measure,
    stages=STAGES,
    cost=180,
)
