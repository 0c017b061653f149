"""Table 7 and Appendix J: how far apart the networks of each method's space lie, by cosine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lissnas.experiments import numbers
from lissnas.experiments.experiment import Experiment, Findings, Lab, Shown
from lissnas.experiments.outcomes import FULL, Made, Outcome
from lissnas.experiments.stages import PROXY, TRANSNAS_TASKS
from lissnas.experiments.table4 import IMAGENET
from lissnas.experiments.verdict import Claim, Measured, exactly, holds, within

__all__ = ["EXPERIMENT"]

PUBLISHED = {
    "nasbench101": {"padnas": 135.2, "abs": 167.3, "nse": 201.5, "lissnas": 255.6, "full": 260.0},
    "shufflenetv2": {"padnas": 17.9, "abs": 21.2, "nse": 21.6, "lissnas": 28.0, "full": 30.0},
    "transnas": {"padnas": 5.3, "abs": 4.2, "nse": 5.7, "lissnas": 8.9, "full": 10.0},
    "nasbench301": {"padnas": 673.2, "abs": 612.7, "nse": 619.9, "lissnas": 845.1, "full": 947.0},
}
STAGES = {
    "nasbench101": ("nasbench101",),
    "shufflenetv2": ("shufflenetv2",),
    "transnas": tuple(f"transnas-macro-{task.replace('_', '-')}" for task in TRANSNAS_TASKS[:4]),
    "nasbench301": ("nasbench301",),
}
RIVALS = ("padnas", "abs", "nse")


def _ratio(outcome: Outcome, made: Made) -> float | None:
    ours, full = made.about["d1000"], outcome.full.about["d1000"]
    return None if ours is None or not full else float(ours / full)


def _key(space: str, row: str) -> str:
    return "lissnas-13k" if row == "lissnas" and space == "nasbench101" else row


def _distances(space: str, outcomes: Sequence[Outcome]) -> list[list[str | float | int | None]]:
    """A row for each space that a method made."""
    rows: list[list[str | float | int | None]] = []
    for key in (FULL, "lissnas", "lissnas-13k", "lissnas-ours", *RIVALS):
        held = [outcome.made[key] for outcome in outcomes if key in outcome.made]
        if held:
            names = ("d1000", "cosine_mean", "cosine_max")
            means = [sum(float(m.about[name] or 0.0) for m in held) / len(held) for name in names]
            size = sum(m.size for m in held) / len(held)
            rows.append([space, held[0].label, size, *means, numbers.each(outcomes, key, _ratio).value])
    return rows


def _measure(lab: Lab) -> Findings:
    values: dict[str, Measured] = {}
    rows: list[list[str | float | int | None]] = []
    for space, stages in STAGES.items():
        outcomes: Sequence[Outcome] = [outcome for stage in stages for outcome in lab.of(stage)]
        for row in PUBLISHED[space]:
            if row != FULL:
                found = numbers.each(outcomes, _key(space, row), _ratio)
                values[f"{space}/{row}"] = replace(found, needs=IMAGENET) if space == "shufflenetv2" else found
        highest = numbers.together(outcomes, _key(space, "lissnas"), RIVALS, _ratio, judged=False)
        values[f"{space}/highest"] = replace(highest, needs=IMAGENET) if space == "shufflenetv2" else highest
        written = numbers.together(outcomes, "lissnas", RIVALS, _ratio, judged=False)
        values[f"{space}/plateau-highest"] = replace(written, needs=IMAGENET) if space == "shufflenetv2" else written
        rows += _distances(space, outcomes)
    proxy: Sequence[Outcome] = lab.of(PROXY)
    values[f"{PROXY}/highest"] = numbers.together(proxy, "lissnas", RIVALS, _ratio, judged=False)
    rows += _distances("shufflenetv2, digits (a proxy)", proxy)
    nasbench = lab.of("nasbench101")
    if nasbench:
        values["largest-possible"] = Measured(float(nasbench[0].full.about["cosine_max"]), exact=True)
    columns = ("space", "method", "networks", "D1000", "mean cosine", "largest cosine", "D1000 / full")
    notes = [
        "With the codes of Appendix D, none of which is negative, no cosine distance exceeds 1, so the printed numbers are no "
        "'maximum cosine distance'. Compared are ratios to the full space, of D1000: the sum over 1,000 networks of the "
        "distance to the farthest one.",
        "TransNASBench: its macro space, four tasks.",
    ]
    return Findings(values, [Shown("Cosine distances, mean over seeds", columns, rows)], notes=notes)


def _claims() -> Iterator[Claim]:
    for space, rows in PUBLISHED.items():
        for row, value in rows.items():
            if row != FULL:
                ratio = round(value / rows[FULL], 3)
                yield Claim(f"{space}/{row}", f"{space}, {row}: ratio to the full space", ratio, within(0.05))
        yield Claim(f"{space}/highest", f"{space}: LISSNAS is the most diverse of the methods", None, holds())
        yield Claim(f"{space}/plateau-highest", f"{space}: and so it is at its plateau", None, holds())
    yield Claim(f"{PROXY}/highest", f"{PROXY} (a proxy): LISSNAS is the most diverse of the methods", None, holds(), ours=True)
    yield Claim("largest-possible", "nasbench101: the largest cosine distance of the original space", 260.0, exactly(0.01))


EXPERIMENT = Experiment(
    name="table7",
    title="Cosine distance",
    paper="Table 7, Section 5.4; Appendix J",
    how="D1000 of the embeddings of Appendix D (reconstruction E), as a ratio to the full space's.",
    claims=tuple(_claims()),
    measure=_measure,
    stages=(*(stage for stages in STAGES.values() for stage in stages), PROXY),
    cost=150,
)
