"""Figure 5: multiply-adds before and after shrinking."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from lissnas.experiments import numbers
from lissnas.experiments.experiment import Curve, Experiment, Findings, Lab, Shown
from lissnas.experiments.outcomes import FULL, Outcome
from lissnas.experiments.stages import PROXY
from lissnas.experiments.verdict import Claim, Measured, holds, within

__all__ = ["EXPERIMENT"]

STAGES = ("nasbench101", "nasbench301", "nasbench201-cifar10", "transnas-macro-class-scene", PROXY)
RIVALS = ("abs", "nse", "padnas")
LOWEST = 5  # of 20 bins, each a twentieth of the full space: its cheapest quarter
_BARS = 20


def _ours(stage: str) -> str:
    return "lissnas-13k" if stage == "nasbench101" else "lissnas"


def _measure(lab: Lab) -> Findings:
    values: dict[str, Measured] = {}
    rows: list[list[str | float | int | None]] = []
    curves = []
    cheap = partial(numbers.coverage, lowest=LOWEST)
    for stage in STAGES:
        outcomes: Sequence[Outcome] = lab.of(stage)
        if not outcomes:
            continue
        ours = _ours(stage)
        values[f"{stage}/all"] = numbers.each(outcomes, ours, numbers.coverage, judged=True)
        values[f"{stage}/cheap"] = numbers.together(outcomes, ours, RIVALS, cheap)
        for key in (FULL, ours, "lissnas-ours", *RIVALS):
            if not any(key in outcome.made for outcome in outcomes):
                continue
            label = next(o.made[key].label for o in outcomes if key in o.made)
            statistics = (numbers.coverage, cheap, partial(numbers.coverage, cost="params"))
            cells = [numbers.each(outcomes, key, statistic).value for statistic in statistics]
            judged = sum(len(o.made[key].scores) for o in outcomes if key in o.made) / len(outcomes)
            rows.append([stage, label, judged, *cells])
        curves.append(_curve(stage, outcomes[0], ours))
    columns = ("space", "method", "judged", "bins of multiply-adds", "of the cheapest quarter", "bins of parameters")
    notes = [
        "20 bins, each a twentieth of the full space; the share of them that a space still reaches with its judged "
        "networks, so "
        "a space with few of those seems to reach less than it does.",
    ]
    return Findings(values, [Shown("Coverage of costs, mean over seeds", columns, rows)], curves, notes=notes)


def _curve(stage: str, outcome: Outcome, ours: str) -> Curve:
    base = outcome.full.costs["flops"]
    edges = np.linspace(float(base.min()), float(base.max()), _BARS + 1)
    lines = {}
    for key in (FULL, ours, *RIVALS):
        made = outcome.made.get(key)
        if made is not None and len(made.scores) >= numbers.FEWEST:
            share = np.histogram(made.costs["flops"], edges)[0] / len(made.costs["flops"])
            middle = (edges[1:] + edges[:-1]) / 2e6
            lines[made.label] = [(round(float(x), 4), round(float(y), 6)) for x, y in zip(middle, share, strict=True)]
    return Curve(f"{stage}: share of networks by multiply-adds", "multiply-adds, M", "share", lines)


def _claims() -> Iterator[Claim]:
    for stage in STAGES:
        ours = stage == PROXY
        says = f"{stage}: LISSNAS covers the full range (share of 20 bins)"
        yield Claim(f"{stage}/all", says, 1.0, within(0.05), ours=ours)
        says = f"{stage}: it keeps more of the cheapest quarter's bins than any rival"
        yield Claim(f"{stage}/cheap", says, None, holds(), ours=ours)


EXPERIMENT = Experiment(
    name="figure5",
    title="Multiply-adds before and after",
    paper="Figure 5, Section 5.4 (its values are lost)",
    how="Multiply-adds are computed for the judged networks of each space.",
    claims=tuple(_claims()),
    measure=_measure,
    stages=STAGES,
    cost=120,
)
