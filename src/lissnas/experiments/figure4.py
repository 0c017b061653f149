"""Figure 4 and Appendix I: the error EDF of every method's space, its area, and Kolmogorov-Smirnov."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from lissnas.experiments import numbers
from lissnas.experiments.experiment import Curve, Experiment, Findings, Lab, Shown
from lissnas.experiments.outcomes import FULL, Outcome
from lissnas.experiments.stages import PROXY
from lissnas.experiments.verdict import Claim, Measured, holds
from lissnas.quality import ks

__all__ = ["EXPERIMENT"]

STAGES = ("nasbench101", "nasbench301", "nasbench201-cifar10", "transnas-macro-class-scene", "transnas-macro-jigsaw", PROXY)
OTHERS = (FULL, "abs", "nse", "padnas")
_POINTS = 120


def _ours(stage: str) -> str:
    return "lissnas-13k" if stage == "nasbench101" else "lissnas"


def _measure(lab: Lab) -> Findings:
    values: dict[str, Measured] = {}
    rows: list[list[str | float | int | None]] = []
    curves = []
    for stage in STAGES:
        outcomes: Sequence[Outcome] = lab.of(stage)
        if not outcomes:
            continue
        ours = _ours(stage)
        for other in OTHERS:
            values[f"{stage}/{other}/ks"] = numbers.ks_margin(outcomes, ours, other)
        values[f"{stage}/area"] = numbers.together(outcomes, ours, OTHERS, numbers.area)
        for key in (ours, "lissnas-ours", *OTHERS):
            area = numbers.each(outcomes, key, numbers.area, judged=True)
            if area.value is None:
                continue
            held = [o for o in outcomes if key != ours and _enough(o, ours) and _enough(o, key)]
            found = [ks(o.made[ours].scores, o.made[key].scores) for o in held]
            distance, p = [one.statistic for one in found], [one.better_p_value for one in found]
            label = next(o.made[key].label for o in outcomes if key in o.made)
            worst = max(p) if p else None
            rows.append(
                [stage, label, area.value, area.low, area.high, sum(distance) / len(distance) if distance else None, worst]
            )
        curves.append(_curve(stage, outcomes[0], ours))
    columns = ("space", "method", "area", "low", "high", "KS distance of LISSNAS", "p, LISSNAS better (largest)")
    notes = ["The area is taken from the full space's 5% quantile to its best score: larger is better."]
    return Findings(values, [Shown("Area under the error EDF, over seeds", columns, rows)], curves, notes=notes)


def _enough(outcome: Outcome, key: str) -> bool:
    return key in outcome.made and len(outcome.made[key].scores) > 1


def _curve(stage: str, outcome: Outcome, ours: str) -> Curve:
    low, high = float(np.quantile(outcome.full.scores, 0.02)), float(outcome.full.scores.max())
    at = np.linspace(low, high, _POINTS)
    lines = {}
    for key in (FULL, ours, "abs", "nse", "padnas", "lissnas-ours"):
        made = outcome.made.get(key)
        if made is not None and len(made.scores) >= numbers.FEWEST:
            share = np.searchsorted(np.sort(made.scores), at, side="right") / len(made.scores)
            lines[made.label] = [(round(float(x), 6), round(float(y), 6)) for x, y in zip(at, share, strict=True)]
    return Curve(
        f"{stage}: share of networks with at most this score (further right is better)", outcome.metric, "share", lines
    )


def _claims() -> Iterator[Claim]:
    names = {FULL: "the full space", "abs": "ABS", "nse": "NSE", "padnas": "PADNAS"}
    for stage in STAGES:
        for other in OTHERS:
            says = f"{stage}: LISSNAS significantly better than {names[other]} (KS)"
            yield Claim(f"{stage}/{other}/ks", says, None, holds(), ours=stage == PROXY)
        yield Claim(f"{stage}/area", f"{stage}: LISSNAS's EDF has the largest area", None, holds(), ours=stage == PROXY)


EXPERIMENT = Experiment(
    name="figure4",
    title="Error EDFs",
    paper="Figure 4 (the text says Table 4, F19), Section 5.2; Appendix I (areas and KS values are lost)",
    how="True scores of each space's judged networks; one-sided Kolmogorov-Smirnov at 5% in every seed.",
    claims=tuple(_claims()),
    measure=_measure,
    stages=STAGES,
    cost=150,
)
