"""Figure 2: correlation and accuracy difference by edit distance. Its values are lost; its shape is measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lissnas.experiments.experiment import Curve, Experiment, Findings, Lab, Shown
from lissnas.experiments.localities import Measurement
from lissnas.experiments.stages import NASBENCH201_TASKS, PROXY, TRANSNAS_TASKS
from lissnas.experiments.verdict import Claim, Measured, holds

__all__ = ["EXPERIMENT"]

THEIRS = (
    "locality-nasbench101",
    *(f"locality-transnas-macro-{task.replace('_', '-')}" for task in TRANSNAS_TASKS[:4]),
)
FURTHER = (
    "locality-nasbench301",
    *(f"locality-transnas-micro-{task.replace('_', '-')}" for task in TRANSNAS_TASKS[:4]),
    *(f"locality-nasbench201-{short}" for short in NASBENCH201_TASKS),
    f"locality-{PROXY}",
)
SHUFFLENET = "accuracies of ShuffleNetV2's networks on ImageNet"


def _trend(found: Measurement, statistic: str, sign: float) -> Measured:
    """From one edit to the paper's threshold (to two edits at least), turned so that the claim is above 0."""
    last = max(2, found.found["max_edits"] // 3)
    at = {row["edits"]: row for row in found.points(statistic) if row["edits"] <= last}
    if 1 not in at or last not in at:
        return Measured(None, note=f"too few pairs one edit or {last} edits apart")
    near, far = at[1], at[last]
    value = sign * (far["value"] - near["value"])
    rises = [sign * (at[d + 1]["value"] - at[d]["value"]) > 0 for d in range(1, last) if d in at and d + 1 in at]
    note = f"from 1 to {last} edits, {'with each edit' if all(rises) else 'not with each edit'}"
    if near["exact"] and far["exact"]:
        return Measured(value, exact=True, note=note)
    off = ((near["high"] - near["low"]) ** 2 + (far["high"] - far["low"]) ** 2) ** 0.5 / 2
    return Measured(value, value - off, value + off, note=note)


def _measure(lab: Lab) -> Findings:
    values: dict[str, Measured] = {}
    rows: list[list[str | float | int | None]] = []
    lines: dict[str, dict[str, list[tuple[float, float]]]] = {"correlation": {}, "difference": {}}
    for stage in (*THEIRS, *FURTHER):
        stages: Sequence[Measurement] = lab.of(stage)
        if not stages:
            continue
        (found,) = stages
        name = stage.removeprefix("locality-")
        values[f"{name}/rwa"] = _trend(found, "correlation", -1.0)
        values[f"{name}/aad"] = _trend(found, "difference", 1.0)
        for statistic, drawn in lines.items():
            drawn[name] = [(row["edits"], row["value"]) for row in found.points(statistic)]
        walk = [row["value"] for row in found.points("correlation", by="random edits")][:3]
        exact = [row["value"] for row in found.points("correlation")][:3]
        seeds = next(t for t in found.found["thresholds"] if t["population"] == "seeds" and t["source"] == "true")
        cells = [*exact, *[None] * (3 - len(exact)), *walk, *[None] * (3 - len(walk))]
        rows.append([name, *cells, seeds["paper"], seeds["measured"], found.found["verdict"]["answer"]])
    columns = (
        "space",
        *(f"r at {d}" for d in (1, 2, 3)),
        *(f"r after {d} random" for d in (1, 2, 3)),
        "a third of the edits",
        "largest passing distance",
        "works?",
    )
    curves = [
        Curve("Correlation of the scores of networks so many edits apart", "edits", "correlation", lines["correlation"]),
        Curve("Mean absolute difference of the scores", "edits", "difference", lines["difference"]),
    ]
    notes = [
        "'Largest passing distance': at which the median neighbor of the best 2% is still one of the best 2%; 0: not "
        "even at one.",
    ]
    table = Shown("Correlation at exact distances and after random edits, and the threshold rule", columns, rows)
    return Findings(values, [table], [curve for curve in curves if any(curve.lines.values())], notes=notes)


def _claims() -> Iterator[Claim]:
    for stage in (*THEIRS, *FURTHER):
        name = stage.removeprefix("locality-")
        extra = "" if stage in THEIRS else " (a proxy)" if PROXY in stage else " (not in the paper)"
        for statistic, says in (("rwa", "correlation falls"), ("aad", "difference rises")):
            words = f"{name}: {says} with more edits, up to the threshold{extra}"
            yield Claim(f"{name}/{statistic}", words, None, holds(), ours=PROXY in stage)
    for statistic, says in (("rwa", "correlation falls"), ("aad", "difference rises")):
        yield Claim(f"shufflenetv2/{statistic}", f"shufflenetv2: {says} with each edit", None, holds(), needs=SHUFFLENET)


EXPERIMENT = Experiment(
    name="figure2",
    title="Locality of the spaces",
    paper="Figure 2, Section 4.2 (its values are lost)",
    how="Random walks and exact distances from 1,000 networks (all pairs of a small space); lissnas locality says more.",
    claims=tuple(_claims()),
    measure=_measure,
    stages=(*THEIRS, *FURTHER),
    cost=240,
)
