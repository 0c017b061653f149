"""Table 6: larger spaces shrink more. Its numbers are lost; the claim is measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from lissnas.experiments import numbers
from lissnas.experiments.experiment import Experiment, Findings, Lab, Shown
from lissnas.experiments.outcomes import Outcome
from lissnas.experiments.stages import PROXY
from lissnas.experiments.table4 import IMAGENET
from lissnas.experiments.verdict import Claim, Measured, exactly, holds, over_seeds, times

__all__ = ["EXPERIMENT"]

# our stage, its name in the table; in the order of their sizes
ROWS = (
    ("transnas-macro-class-scene", "TransNASBench (macro)"),
    ("nasbench101", "NASBench101"),
    ("shufflenetv2", "ShuffleNetV2"),
    ("nasbench301", "NASBench301"),
)
# derived from Table 4: the full size over LISSNAS's
DERIVED = {"nasbench101": 33.0, "shufflenetv2": 1.1e6}
SIZES = {
    "transnas-macro-class-scene": 3256.0,
    "nasbench101": 423_624.0,
    "shufflenetv2": 4.0**20,
    "nasbench301": 1.46021935e17,
}


def _log_reduction(outcome: Outcome, key: str) -> float:
    return math.log10(outcome.full.size / outcome.made[key].size)


def _reduction(outcomes: Sequence[Outcome], key: str, name: str) -> list[str | float | int | None]:
    found = numbers.ratio(outcomes, key, lambda outcome, made: outcome.full.size / made.size)
    size = numbers.size(outcomes, key).value
    return [name, outcomes[0].made[key].label, float(outcomes[0].full.size), size, found.value]


def _measure(lab: Lab) -> Findings:
    values: dict[str, Measured] = {}
    rows: list[list[str | float | int | None]] = []
    for stage, name in (*ROWS, (PROXY, "ShuffleNetV2's blocks on digits (a proxy)")):
        outcomes: Sequence[Outcome] = lab.of(stage)
        if not outcomes:
            continue
        if stage == PROXY:
            rows += [_reduction(outcomes, key, name) for key in ("lissnas", "lissnas-13k")]
            continue
        values[f"{stage}/full"] = numbers.size(outcomes)
        for key in ("lissnas", "lissnas-13k"):
            found = numbers.ratio(outcomes, key, lambda outcome, made: outcome.full.size / made.size)
            values[f"{stage}/{key}"] = (
                replace(found, needs=IMAGENET) if stage == "shufflenetv2" else numbers.at_scale(found, lab.scale)
            )
            rows.append(_reduction(outcomes, key, name))
    for key in ("lissnas", "lissnas-13k"):
        for (smaller, _), (larger, _) in pairwise(ROWS):
            a, b = lab.of(smaller), lab.of(larger)
            steps = [_log_reduction(y, key) - _log_reduction(x, key) for x, y in zip(a, b, strict=False)]
            found = over_seeds(steps, note="powers of ten")
            stand_in = "shufflenetv2" in (smaller, larger)
            values[f"{key}/{larger}-more"] = replace(found, needs=IMAGENET) if stand_in else found
        a, b = lab.of("nasbench101"), lab.of("nasbench301")
        steps = [_log_reduction(y, key) - _log_reduction(x, key) for x, y in zip(a, b, strict=False)]
        values[f"{key}/nasbench301-more-than-101"] = over_seeds(steps, note="powers of ten")
    notes = [
        "A list of queried networks is never longer than the budget, so with one budget for all spaces a larger space must be "
        "reduced by a larger factor, whatever its networks are worth: the claim holds, and says nothing of the spaces.",
    ]
    columns = ("space", "form", "full size", "our size", "reduction")
    return Findings(values, [Shown("Reduction by LISSNAS, mean over seeds", columns, rows)], notes=notes)


def _claims() -> list[Claim]:
    claims = []
    for stage, name in ROWS:
        claims.append(Claim(f"{stage}/full", f"{name}: networks, isomorphs once", SIZES[stage], exactly(1e-6)))
        lost = stage not in DERIVED
        for key, form in (("lissnas", "at its plateau"), ("lissnas-13k", "one iteration")):
            derived = "" if lost else " (derived from Table 4)"
            claims.append(
                Claim(f"{stage}/{key}", f"{name}: reduction, {form}{derived}", DERIVED.get(stage), times(2), lost=lost)
            )
    for key, form in (("lissnas", "at its plateau"), ("lissnas-13k", "one iteration")):
        for (_, smaller), (stage, larger) in pairwise(ROWS):
            claims.append(Claim(f"{key}/{stage}-more", f"{larger} shrinks more than {smaller}, {form}", None, holds()))
        claims.append(
            Claim(f"{key}/nasbench301-more-than-101", f"NASBench301 shrinks more than NASBench101, {form}", None, holds())
        )
    return claims


EXPERIMENT = Experiment(
    name="table6",
    title="Larger spaces shrink more",
    paper="Table 6, Section 5.3 (its numbers are lost)",
    how="LISSNAS on each space with one budget; the claim is judged between neighbors in the order of size.",
    claims=tuple(_claims()),
    measure=_measure,
    stages=(*(stage for stage, _ in ROWS), PROXY),
    cost=120,
)
