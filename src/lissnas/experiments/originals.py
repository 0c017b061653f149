"""The rivals in the form their authors run, on supernets, beside the same methods with the predictor (Section 4.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lissnas.experiments.experiment import Experiment, Findings, Lab, Shown
from lissnas.experiments.original_runs import METHODS, ORIGINAL_STAGES, Originals
from lissnas.experiments.paired import spread
from lissnas.experiments.verdict import Claim, Measured, holds, over_seeds

__all__ = ["EXPERIMENT"]

SPACES = {stage.space: stage for stage in ORIGINAL_STAGES}


def _means(seeds: Sequence[Originals], method: str, form: str) -> list[float]:
    rows = [one.made.get(f"{method}/{form}") for one in seeds]
    return [row["mean"] for row in rows if row is not None and row["mean"] is not None]


def _measure(lab: Lab) -> Findings:
    values: dict[str, Measured] = {}
    tables: list[Shown] = []
    notes: list[str] = []
    for space, stage in SPACES.items():
        seeds: Sequence[Originals] = lab.of(stage.name)
        if not seeds:
            continue
        rows: list[list[str | float | int | None]] = []
        for key in dict.fromkeys(key for one in seeds for key in one.made):
            held = [one.made[key] for one in seeds if key in one.made]
            means = [row["mean"] for row in held if row["mean"] is not None]
            size = sum(int(row["size"]) for row in held) / len(held)
            kept = ", ".join(str(row["kept"]) for row in held if row["kept"] is not None)
            rows.append([*key.split("/"), size, spread(means, 2) if means else None, kept or None, held[0]["spent"]])
        columns = ("method", "form", "networks", "mean true score", "of the 20 best, by seed", "spent (first seed)")
        tables.append(Shown(f"{space}: {seeds[0].about['truth']}", columns, rows))
        notes += [f"{space}: {seeds[0].about['how']}"]
        notes += [f"{space}: {key} was refused: {why}" for one in seeds for key, why in one.refused.items()]
        for method in METHODS:
            ours, theirs = _means(seeds, method, "predictor"), _means(seeds, method, "original")
            same = len(ours) == len(theirs) == len(seeds)
            values[f"{space}/{method}"] = over_seeds([a - b for a, b in zip(ours, theirs, strict=True)] if same else [])
    return Findings(values, tables, notes=notes)


def _claims() -> Iterator[Claim]:
    for space in SPACES:
        for method in METHODS:
            says = f"{space}, {method}: with the predictor it is at least as good as its original (mean true score)"
            yield Claim(f"{space}/{method}", says, None, holds(), ours=True)


EXPERIMENT = Experiment(
    name="originals",
    title="The rivals in their original, supernet-based form",
    paper="Section 4.5 compares every method with one predictor; reconstruction C has the originals",
    how=(
        "ABS by the angle of weights, NSE with a supernet for each round, PAD-NAS with one for each stage, GreedyNAS's "
        "candidate pool; beside each the same method with a predictor. Made only where it is asked for: --space."
    ),
    claims=tuple(_claims()),
    measure=_measure,
    stages=tuple(stage.name for stage in ORIGINAL_STAGES),
)
