"""Table 8: the accuracy difference by edit distance and kind of edit on NAS-Bench-101."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lissnas.experiments.experiment import Experiment, Findings, Lab, Shown
from lissnas.experiments.localities import Measurement
from lissnas.experiments.verdict import Claim, Measured, holds, within

__all__ = ["EXPERIMENT"]

# kind -> difference in points at 1, 2, 3 edits
PUBLISHED = {"any": (0.83, 1.75, 2.40), "operation": (0.85, 1.80, 2.42), "edge": (0.80, 1.74, 2.39)}
NAMES = {"any": "both", "operation": "operation", "edge": "edge"}
POPULATIONS = {"uniform": "all networks", "good": "networks above 90%", "seeds": "the best 2%"}


def _step(found: Measurement, edits: int, population: str) -> Measured:
    near = found.get("difference", edits, population=population)
    far = found.get("difference", edits + 1, population=population)
    if near is None or far is None or near.value is None or far.value is None:
        return Measured(None, note="too few pairs at this distance")
    value = far.value - near.value
    if None in (near.low, near.high, far.low, far.high):
        return Measured(value, exact=near.exact and far.exact)
    off = ((far.high - far.low) ** 2 + (near.high - near.low) ** 2) ** 0.5 / 2  # type: ignore[operator]
    return Measured(value, value - off, value + off)


def _measure(lab: Lab) -> Findings:
    stage: Sequence[Measurement] = lab.of("locality-nasbench101")
    if not stage:
        return Findings()
    (found,) = stage
    values: dict[str, Measured] = {}
    rows: list[list[str | float | int | None]] = []
    for kind in PUBLISHED:
        for edits in (1, 2, 3):
            for population, name in POPULATIONS.items():
                measured = found.get("difference", edits, population=population, kind=kind)
                if measured is not None:
                    values[f"{population}/{kind}/{edits}"] = measured
                    rows.append([edits, NAMES[kind], name, measured.value, measured.low, measured.high, measured.note])
    for edits in (1, 2):
        values[f"rises-{edits}"] = _step(found, edits, "good")
    operation, edge = (found.get("difference", 1, population="good", kind=kind) for kind in ("operation", "edge"))
    if operation and edge and operation.value and edge.value:
        values["kinds-alike"] = Measured(operation.value / edge.value, note="networks above 90%, one edit")
    columns = ("edits", "kind", "from", "difference", "low", "high", "pairs")
    notes = [
        "The paper does not say which networks it starts from. Beside all networks stand those above 90%, since the "
        "differences "
        "that NAS-Bench-101's own paper gives for single operations are larger than what is printed here (F4).",
    ]
    if found.benchmark == "nasbench101-sample":
        notes.append(
            "Scores are of one training each, whose noise makes small differences larger; pairs are those whose two cells "
            "are in "
            "the sample, at their exact distance."
        )
    return Findings(values, [Shown(f"Mean absolute difference in points, by {found.benchmark}", columns, rows)], notes=notes)


def _claims() -> Iterator[Claim]:
    for population, name in (("good", "from networks above 90%"), ("uniform", "from all networks")):
        for kind, published in PUBLISHED.items():
            for edits, value in enumerate(published, start=1):
                yield Claim(
                    f"{population}/{kind}/{edits}", f"{edits} edits, {NAMES[kind]}, {name}", value, within(0.25), "points"
                )
    for kind in PUBLISHED:
        for edits in (1, 2, 3):
            yield Claim(
                f"seeds/{kind}/{edits}",
                f"{edits} edits, {NAMES[kind]}, from the best 2%",
                PUBLISHED[kind][edits - 1],
                within(0.25),
            )
    for edits in (1, 2):
        yield Claim(f"rises-{edits}", f"the difference rises from {edits} to {edits + 1} edits", None, holds(), "points")
    yield Claim("kinds-alike", "operation over edge at one edit: kinds count about the same", 1.06, within(0.15))


EXPERIMENT = Experiment(
    name="table8",
    title="Accuracy difference by edit distance",
    paper="Table 8, Appendix E",
    how="Pairs of cells at exactly 1, 2 and 3 edits on the graph, of one kind of edit or of any.",
    claims=tuple(_claims()),
    measure=_measure,
    stages=("locality-nasbench101",),
    cost=60,
)
