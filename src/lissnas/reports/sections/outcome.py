"""What came out: the spaces side by side, and the predictor behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lissnas.reports.data import RunData
from lissnas.reports.formats import count, times
from lissnas.reports.markup import Column, paragraphs, run_again, table, text
from lissnas.reports.section import Numbers, Section
from lissnas.reports.verdict import verdicts

_SPACES = {"full": "Full space", "naive": "Naive sample", "shrunk": "Shrunk space"}
_COLUMNS = (
    Column("cardinality", "Networks", "count"),
    Column("mean", "Mean"),
    Column("median", "Median"),
    Column("best", "Best"),
    Column("q10", "10th percentile"),
    Column("q90", "90th percentile"),
    Column("diversity", "Mean edits apart", "edits"),
    Column("scored", "Networks scored", "count"),
)
_PREDICTOR = (
    Column("n", "Scored networks", "count"),
    Column("folds", "Folds", "plain"),
    Column("kendall", "Kendall τ", "coefficient"),
    Column("kendall_low", "at least (95%)", "coefficient"),
    Column("kendall_high", "at most (95%)", "coefficient"),
    Column("spearman", "Spearman", "coefficient"),
    Column("r2", "R²", "coefficient"),
    Column("top_overlap", "Top 10% kept", "share"),
    Column("top_5", "Top 5% kept", "share"),
    Column("top_1", "Top 1% kept", "share"),
    Column("uncertainty_kendall", "τ of uncertainty and error", "coefficient"),
    Column("within_two", "Within two uncertainties", "share"),
)


def numbers(data: RunData) -> Numbers | None:
    """The rows of evidence of each space, predicted and, where the truth is known, true; the verdict; the predictor."""
    shrink = data.get("shrink")
    found = verdicts(data)
    if not shrink or not shrink.get("full") or not shrink.get("shrunk") or not found:
        return None
    rows = [_row(name, shrink[name]) for name in _SPACES if shrink.get(name)]
    within = int(shrink["full"]["cardinality"])
    truth = shrink.get("truth") or {}
    before, after = int(data.metrics["space"]["cardinality"]), int(shrink["shrunk"]["cardinality"])
    return {
        "verdicts": [{"improved": v.improved, "sentence": v.sentence} for v in found],
        "before": before,
        "after": after,
        "within_limits": within if within != int(data.metrics["space"]["cardinality"]) else None,
        "factor": before / after,
        "stopped": shrink.get("stopped", ""),
        "queries": shrink.get("queries"),
        "evaluations": shrink.get("evaluations"),
        "source": "measured" if shrink["shrunk"].get("source") == "true" else "predicted",
        "rows": rows,
        "true_rows": [_row(name, truth[name]) for name in _SPACES if truth.get(name)],
        "predictor": data.get("predictor"),
        "metric": data.metric_label,
        "command": data.command,
    }


def draw(numbers: Numbers) -> str:
    """The verdict, the spaces side by side, the predictor."""
    tones = {True: " good", False: " bad", None: ""}
    words = "".join(f'<p class="verdict{tones[v["improved"]]}">{text(v["sentence"])}</p>' for v in numbers["verdicts"])
    facts = [
        f"{count(numbers['before'])} networks became {count(numbers['after'])}: {times(numbers['factor'])} times fewer.",
    ]
    if numbers["within_limits"] is not None:
        facts.append(f"Within the limits there were {count(numbers['within_limits'])}, and those are the full space below.")
    if numbers["queries"] is not None:
        spent = f"Spent on shrinking: {count(numbers['queries'])} predictor queries"
        facts.append(
            f"{spent} and {count(numbers['evaluations'])} true evaluations." if numbers["evaluations"] else f"{spent}."
        )
    if numbers["stopped"]:
        facts.append(f"Why it stopped: {numbers['stopped']}")
    html = words + paragraphs(facts)
    html += _table(numbers["rows"], f"Scores of the spaces: {numbers['metric']}, {numbers['source']}", "shrink")
    if numbers["true_rows"]:
        html += _table(numbers["true_rows"], f"Scores of the spaces: {numbers['metric']}, measured", "shrink.truth")
    if numbers["predictor"]:
        kind = numbers["predictor"].get("kind") or "predictor"
        html += table(
            [Column("kind", "Predictor", "text"), *(c for c in _PREDICTOR if numbers["predictor"].get(c.key) is not None)],
            [{**numbers["predictor"], "kind": kind}],
            source="predictor",
            caption="The predictor on networks held out from its training",
        )
    again = run_again(numbers["command"])
    fields = "<code>shrink</code> and <code>predictor</code>"
    return f'{html}<p class="again">Numbers: <code>metrics.json</code>, {fields}. {again}</p>'


def _row(name: str, evidence: Mapping[str, Any]) -> dict[str, Any]:
    return {**evidence, "space": _SPACES[name], "cardinality": int(evidence["cardinality"])}


def _table(rows: list[dict[str, Any]], caption: str, source: str) -> str:
    shown = [c for c in _COLUMNS if any(row.get(c.key) is not None for row in rows)]
    return table([Column("space", "Space", "text"), *shown], rows, source=source, caption=caption)


SECTION = Section("What came out", numbers, draw)
