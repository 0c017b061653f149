"""Table 1: the shrink index of five methods on ShuffleNetV2, and the claim that other spaces follow the trend."""

from __future__ import annotations

from dataclasses import replace

from lissnas.experiments import numbers
from lissnas.experiments.experiment import Experiment, Findings, Lab, Shown
from lissnas.experiments.stages import NASBENCH201_TASKS, PROXY, TRANSNAS_TASKS
from lissnas.experiments.table4 import IMAGENET
from lissnas.experiments.verdict import Claim, Measured, holds, within

__all__ = ["EXPERIMENT", "OTHERS"]

PUBLISHED = {"greedynas": 0.3, "abs": 0.1, "nse": 0.2, "padnas": 0.1, "lissnas": 0.4}
RIVALS = ("greedynas", "abs", "nse", "padnas")
OTHERS = (
    "nasbench101",
    "nasbench301",
    *(f"transnas-macro-{task.replace('_', '-')}" for task in TRANSNAS_TASKS[:4]),
    *(f"nasbench201-{short}" for short in NASBENCH201_TASKS),
)


def _measure(lab: Lab) -> Findings:
    values: dict[str, Measured] = {}
    for row in PUBLISHED:
        values[row] = replace(numbers.index(lab.of("shufflenetv2"), row), needs=IMAGENET)
    rows = []
    for stage in (*OTHERS, PROXY):
        outcomes = lab.of(stage)
        key = "lissnas-13k" if stage == "nasbench101" else "lissnas"
        values[f"{stage}/highest"] = numbers.together(outcomes, key, RIVALS, numbers.shrink_index_of)
        if outcomes:
            rows.append([stage, *(numbers.index(outcomes, k).value for k in (key, *RIVALS, "lissnas-ours"))])
    columns = ("space", "LISSNAS", "GreedyNAS", "ABS", "NSE", "PADNAS", "LISSNAS, our defaults")
    notes = [
        "Good is the best tenth of the full space, n = 10, k = 2 (the paper states neither), so no index can exceed .736. "
        "Each method is at its own size; a small space has a high index easily.",
    ]
    return Findings(values, [Shown("Shrink index by true scores, mean over seeds", columns, rows)], notes=notes)


EXPERIMENT = Experiment(
    name="table1",
    title="The shrink index of five methods",
    paper="Table 1, Section 4.4",
    how=(
        "ShuffleNetV2's accuracies come from an ImageNet supernet that is not here: a stand-in score takes its place. "
        "The trend is judged on the spaces that have true scores, and on shufflenetv2-digits, where a small supernet's "
        "evaluations are a proxy (--proxy digits; at any scale 2,000 pairs and 500 networks of each space at most)."
    ),
    claims=(
        *(Claim(row, f"shufflenetv2, {row}: shrink index", value, within(0.05)) for row, value in PUBLISHED.items()),
        *(
            Claim(f"{stage}/highest", f"{stage}: LISSNAS has the highest index", None, holds(), ours=stage == PROXY)
            for stage in (*OTHERS, PROXY)
        ),
    ),
    measure=_measure,
    stages=("shufflenetv2", *OTHERS, PROXY),
    cost=180,
)
