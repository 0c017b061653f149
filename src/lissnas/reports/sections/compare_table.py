"""Every method at every size: what came out, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lissnas.reports.comparison import SCORES, TRUST, at_size, spread, trusted
from lissnas.reports.data import RunData
from lissnas.reports.formats import MISSING, count, number
from lissnas.reports.markup import Column, details, paragraphs, run_again, table
from lissnas.reports.section import Numbers, Section

_COLUMNS = (
    Column("method", "Method", "text"),
    Column("size", "Networks", "text"),
    Column("true_mean", "True mean", "text"),
    Column("true_best", "True best", "text"),
    Column("predicted_mean", "Predicted mean", "text"),
    Column("p_good", "Good ones", "text"),
    Column("shrink_index", "Shrink index", "text"),
    Column("diversity", "Mean edits apart", "text"),
)
_KINDS = {"p_good": "share", "shrink_index": "coefficient"}
_PAID = (Column("queries", "Queries", "text"), Column("evaluations", "True evaluations", "text"))
_TESTED = (
    Column("rank", "Mean rank"),
    Column("difference", "Less the control"),
    Column("p_holm", "p (t, Holm)", "probability"),
)


def numbers(data: RunData) -> Numbers | None:
    """One table for each size, its cells written, and the methods that do not apply."""
    found = data.get("compare")
    if not found:
        return None
    return {
        "tables": [_table(one, found, index) for index, one in enumerate(found["tables"])],
        "costs": found["costs"],
        "inapplicable": [
            {"method": row["method"], "reason": row["reason"]} for row in found["methods"] if row["reason"] is not None
        ],
        "predictors": trusted(data.get("predictors") or []),
        "control": found["control"],
        "seeds": found["seeds"],
        "metric": data.metric_label,
        "command": data.command,
    }


def _table(one: Mapping[str, Any], found: Mapping[str, Any], index: int) -> dict[str, Any]:
    tests = {test["method"]: test for test in one["tests"] or []}
    ranks = (one["ranking"] or {}).get("ranks", {})
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    reasons: dict[str, list[str]] = {}
    for line in one["rows"]:
        name = line["method"]
        cells = {column.key: spread(line.get(column.key), _KINDS.get(column.key, "number")) for column in _COLUMNS[2:]}
        coverage = {f"coverage_{cost}": spread(line.get(f"coverage_{cost}"), "share") for cost in found["costs"]}
        paid = {c.key: MISSING if line[c.key] is None else number(float(line[c.key])) for c in _PAID}
        size = MISSING if line["size"] is None else count(int(line["size"]))
        test = tests.get(name, {})
        rows.append(
            {
                "method": f"{name} (control)" if name == found["control"] else name,
                "size": size,
                **cells,
                **coverage,
                **paid,
                "rank": ranks.get(name),
                "difference": test.get("difference"),
                "p_holm": test.get("p_holm"),
            }
        )
        if line["left_out"]:
            notes.append(f"{name} is in no test: {line['left_out']}.")
        for key, value in line.items():
            if isinstance(value, dict) and value["mean"] is None:
                reasons.setdefault(f"{key.replace('_', ' ')}: {value['reason']}", []).append(name)
    notes += [f"No {reason} ({', '.join(names)})." for reason, names in reasons.items()]
    if one["why_no_tests"]:
        notes.append(f"No tests: {one['why_no_tests']}.")
    return {
        "title": at_size(one["asked"]),
        "score": one["score"],
        "rows": rows,
        "notes": notes,
        "source": f"compare.tables.{index}",
    }


def draw(numbers: Numbers) -> str:
    """The tables, with what the numbers mean before them."""
    intro = paragraphs(
        [
            f"{numbers['metric']}: mean over {numbers['seeds']} seeds ± standard deviation. With each seed the pairs, the "
            "predictor's fit and the method's own chance are drawn anew; all methods share the pairs and the fit. Good ones "
            "are those that reach the given space's 90th percentile. A tested difference is a paired t-test over seeds against "
            f"{numbers['control']}, corrected by Holm.",
            "At an equal size a method is asked for so many networks; where it gives fewer, for 2, 4 and 8 times as many, as "
            "long as that gives more; of more than were wanted the best by the predictor are kept.",
        ]
    )
    coverage = [Column(f"coverage_{cost}", f"Bins of {cost}", "text") for cost in numbers["costs"]]
    columns = [*_COLUMNS, *coverage, *_PAID, *_TESTED]
    shown = [
        table(
            columns, one["rows"], source=one["source"], caption=f"{one['title'].capitalize()}; tests by {SCORES[one['score']]}"
        )
        + (details(f"{len(one['notes'])} notes", paragraphs(one["notes"])) if one["notes"] else "")
        for one in numbers["tables"]
    ]
    left_out = ""
    if numbers["inapplicable"]:
        left_out = table(
            [Column("method", "Does not apply", "text"), Column("reason", "Why", "text")],
            numbers["inapplicable"],
            source="compare.methods",
        )
    learned = ""
    if numbers["predictors"]:
        columns = [Column("predictor", "Predictor", "text"), Column("labels", "Pairs", "text")]
        columns += [Column(key, TRUST[key][0], "text") for key in numbers["predictors"][0] if key in TRUST]
        caption = "The predictors, on networks that they did not learn from"
        learned = table(columns, numbers["predictors"], source="predictors", caption=caption)
    again = run_again(numbers["command"])
    return f"{intro}{''.join(shown)}{learned}{left_out}<p>{again} Seconds are in <code>timings.json</code>.</p>"


SECTION = Section("Methods side by side", numbers, draw)
