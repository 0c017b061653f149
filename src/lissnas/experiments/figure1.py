"""Figure 1: operation pruning throws good networks away, where a list of pockets keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from lissnas.experiments import numbers
from lissnas.experiments.experiment import Experiment, Findings, Lab, Shown
from lissnas.experiments.outcomes import Made, Outcome
from lissnas.experiments.stages import NASBENCH201_TASKS
from lissnas.experiments.verdict import Claim, Measured, holds, over_seeds

__all__ = ["EXPERIMENT"]

STAGES = (
    "nasbench101",
    *(f"nasbench201-{short}" for short in NASBENCH201_TASKS),
    "transnas-macro-class-scene",
    "transnas-micro-class-scene",
)
PRUNING = ("abs", "padnas")
TOP = 0.01
REGIONS = ("cheapest quarter", "second", "third", "dearest quarter")


def _dropped(outcome: Outcome, made: Made) -> float | None:
    share = numbers.kept(outcome, made, TOP)
    return None if share is None else 1 - share


def _by_region(outcome: Outcome, made: Made) -> list[float | None]:
    """The share of the true top that is dropped, by quarter of the full space's multiply-adds."""
    scores, flops = outcome.full.scores, outcome.full.costs["flops"]
    best = scores >= np.quantile(scores, 1 - TOP)
    member = np.zeros(len(scores), dtype=bool)
    member[made.rows] = True
    region = np.searchsorted(np.quantile(flops, (0.25, 0.5, 0.75)), flops, side="right")
    return [float(1 - member[best & (region == r)].mean()) if (best & (region == r)).any() else None for r in range(4)]


def _per_network(outcome: Outcome, made: Made) -> float | None:
    """How many times as likely a network of the true top is to be kept as any network: the size of a space drops out."""
    share = numbers.kept(outcome, made, TOP)
    if share is None or made.rows is None or not len(made.rows):
        return None
    return share / (len(made.rows) / len(outcome.full.scores))


def _measure(lab: Lab) -> Findings:
    values: dict[str, Measured] = {}
    rows: list[list[str | float | int | None]] = []
    for stage in STAGES:
        outcomes: Sequence[Outcome] = lab.of(stage)
        if not outcomes:
            continue
        for key in PRUNING:
            values[f"{stage}/{key}"] = numbers.each(outcomes, key, _dropped)
        ours = "lissnas-13k" if stage == "nasbench101" else "lissnas"
        gains = []
        for outcome in outcomes:
            mine = _per_network(outcome, outcome.made[ours]) if ours in outcome.made else None
            theirs = [v for k in PRUNING if k in outcome.made and (v := _per_network(outcome, outcome.made[k])) is not None]
            if mine is not None and theirs:
                gains.append(mine - max(theirs))
        values[f"{stage}/denser"] = over_seeds(gains)
        for key in (ours, "lissnas-ours", *PRUNING, "nse", "top-5"):
            held = [(o, o.made[key]) for o in outcomes if key in o.made and o.made[key].rows is not None]
            if not held:
                continue
            found = [_by_region(o, m) for o, m in held]
            regions = [[row[r] for row in found if row[r] is not None] for r in range(4)]
            rows.append(
                [
                    stage,
                    held[0][1].label,
                    sum(m.size for _, m in held) / len(held),
                    numbers.each(outcomes, key, _dropped).value,
                    *(sum(part) / len(part) if part else None for part in regions),  # type: ignore[arg-type]
                    numbers.each(outcomes, key, _per_network).value,
                ]
            )
    columns = ("space", "method", "networks", "top 1% dropped", *REGIONS, "top 1% kept / share kept")
    notes = [
        "A dash: no network of the top 1% lies in that quarter of the multiply-adds.",
        "A smaller space drops more of the top, so shares are comparable at like sizes only; the last column divides "
        "by the size.",
    ]
    return Findings(values, [Shown("Share of the true top 1% that is dropped, mean over seeds", columns, rows)], notes=notes)


def _claims() -> Iterator[Claim]:
    for stage in STAGES:
        for key, name in zip(PRUNING, ("ABS", "PADNAS"), strict=True):
            says = f"{stage}: {name} drops operations that networks of the true top 1% hold (share of them)"
            yield Claim(f"{stage}/{key}", says, None, holds())
        yield Claim(
            f"{stage}/denser", f"{stage}: for its size, LISSNAS keeps more of the top 1% than operation pruning", None, holds()
        )


EXPERIMENT = Experiment(
    name="figure1",
    title="Operation pruning drops good networks",
    paper="Figure 1, Section 1",
    how=(
        "Of the networks with a true score, the best 1%; which of them hold an operation that pruning has dropped, in "
        "all and by "
        "quarter of the multiply-adds."
    ),
    claims=tuple(_claims()),
    measure=_measure,
    stages=STAGES,
    cost=120,
)
