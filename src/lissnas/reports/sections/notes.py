"""What the numbers of this page are and are not."""

from __future__ import annotations

from lissnas.reports.data import RunData
from lissnas.reports.formats import coefficient, count
from lissnas.reports.markup import text
from lissnas.reports.section import Numbers, Section


def numbers(data: RunData) -> Numbers:
    """Sentences that follow from what this run measured and what it only predicted."""
    notes: list[str] = []
    predictor, shrunk, best = data.get("predictor"), data.get("shrink.shrunk"), data.get("best")
    if shrunk and shrunk.get("source", "predicted") == "predicted":
        trust = f" Its Kendall τ on held-out networks is {coefficient(predictor['kendall'])}." if predictor else ""
        notes.append(
            "Means, bests and shares of good networks are predictions, not measurements. The predictor that chose the networks "
            f"also scores them, so its scores of the shrunk space lean to the good side.{trust}"
        )
    for name, row in (("full", data.get("shrink.full")), ("shrunk", shrunk)):
        if row and row.get("exact") is False:
            notes.append(
                f"The figures of the {name} space come from a uniform sample of {count(row['scored'])} networks; "
                "its best is the best of those."
            )
    naive = data.get("shrink.naive")
    if naive:
        what = naive.get("what") or "the best of as many random networks"
        notes.append(f"Naive means {what}, chosen by the same predictor, as many as the shrunk space holds, and no neighbours.")
    for cost, learned in (data.get("learned_costs") or {}).items():
        notes.append(
            f"The cost {cost} is learned from measured networks, not measured (held-out R² {coefficient(learned['r2'])})."
        )
    if shrunk and shrunk.get("shrink_index"):
        notes.append(
            "The interval of the shrink index is about which networks were sampled; it does not hold the predictor's own error."
        )
    if best and best.get("inherited") is not None:
        notes.append("The best network's score is that of inherited weights. Train it alone before you rely on it.")
    elif best and best.get("measured") is None:
        notes.append("The best network's score is predicted. Measure it before you rely on it.")
    supernets = data.get("supernets") or {}
    few = min((row["n"] for row in supernets.values()), default=None)
    if few is not None:
        notes.append(
            f"Rank correlations come from {count(few)} stand-alone networks"
            + (", which is few: read the intervals, not the values." if few < 50 else ".")
        )
    if data.get("final"):
        notes.append(
            "One run with one seed. Differences as small as those between two seeds of the same training mean nothing."
        )
    return {"notes": [*notes, *data.metrics.get("notes", [])], "made": _made(data)}


def draw(numbers: Numbers) -> str:
    """A list."""
    items = "".join(f"<li>{text(note)}</li>" for note in numbers["notes"])
    files = (
        "<p>Everything on this page comes from the run's own files, which need no lissnas to be read: <code>config.yaml</code> "
        f"(what was asked), <code>metrics.json</code> (every number here), {numbers['made']}"
        "<code>journal.jsonl</code> (what was done).</p>"
    )
    return (f"<ul>{items}</ul>" if items else "") + files


def _made(data: RunData) -> str:
    """What the job made beside its numbers."""
    if data.get("compare"):
        return "<code>rows.json</code> (each method with each seed), "
    return "<code>shrunk.parquet</code> (the smaller space), " if data.get("shrink") else ""


SECTION = Section("How to read this", numbers, draw)
