"""Appendix G: 1,000 networks stand for a space, and every edit counts the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lissnas.experiments.experiment import Experiment, Findings, Lab, Shown
from lissnas.experiments.localities import Measurement
from lissnas.experiments.stages import NASBENCH201_TASKS, TRANSNAS_TASKS
from lissnas.experiments.verdict import Claim, Measured, holds

__all__ = ["EXPERIMENT"]

STAGES = (
    "locality-nasbench101",
    *(f"locality-transnas-{kind}-{task.replace('_', '-')}" for kind in ("macro", "micro") for task in TRANSNAS_TASKS[:4]),
    *(f"locality-nasbench201-{short}" for short in NASBENCH201_TASKS),
)
ALLOWED = 0.05  # of samples that a fair test at 5% tells apart anyway


def _measure(lab: Lab) -> Findings:
    values: dict[str, Measured] = {}
    rows: list[list[str | float | int | None]] = []
    for stage in STAGES:
        stages: Sequence[Measurement] = lab.of(stage)
        if not stages:
            continue
        found = stages[0].found["sample_size"]
        if found is None or found["rejected"] is None:
            continue
        name = stage.removeprefix("locality-")
        # of so many repeats a share of 5% varies by this much by chance
        slack = 2 * (ALLOWED * (1 - ALLOWED) / found["repeats"]) ** 0.5
        values[name] = Measured(ALLOWED + slack - found["rejected"], exact=True, note=f"{found['rejected']:.1%} are told apart")
        cells = (found["deviation"], found["deviation_95"], found["rejected"], found["mean_error_95"], found["smallest"])
        rows.append([name, found["population"], found["samples"], found["repeats"], *cells])
    columns = (
        "space",
        "networks",
        "sample",
        "repeats",
        "mean deviation",
        "95%",
        "told apart",
        "error of the mean, 95%",
        "smallest sample",
    )
    notes = [
        "A sample is told apart where Kolmogorov-Smirnov at 5% says so, which happens to 1 fair sample in 20. The "
        "smallest sample "
        "is the least whose EDF lies within 0.05 of the space's, 95 times in 100.",
        "NAS-Bench-101 without the official file: the whole is the sample of 20,001 cells.",
    ]
    return Findings(values, [Shown("Samples against the whole", columns, rows)], notes=notes)


def _claims() -> Iterator[Claim]:
    for stage in STAGES:
        name = stage.removeprefix("locality-")
        says = f"{name}: samples have the distribution of the whole (told apart no more often than chance)"
        yield Claim(name, says, None, holds())


EXPERIMENT = Experiment(
    name="appendix-g",
    title="1,000 networks stand for a space (Appendix G)",
    paper="Appendix G (that every edit counts the same: Table 8)",
    how="Repeated samples of 1,000 networks (of the scale's starts, where it is smaller) against all that have a score.",
    claims=tuple(_claims()),
    measure=_measure,
    stages=STAGES,
    cost=200,
)
