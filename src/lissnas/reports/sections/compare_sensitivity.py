"""What each setting does to a method, one setting changed at a time (the paper's Tables 9 and 10, and what it leaves open)."""

from __future__ import annotations

from typing import Any

from lissnas.reports import charts
from lissnas.reports.comparison import spread
from lissnas.reports.data import RunData
from lissnas.reports.formats import MISSING, anything, count, number
from lissnas.reports.markup import Column, figure, table
from lissnas.reports.section import Numbers, Section

_COLUMNS = (
    Column("method", "Method", "text"),
    Column("shown", "Value", "text"),
    Column("size", "Networks", "text"),
    Column("true_mean", "True mean", "text"),
    Column("true_best", "True best", "text"),
    Column("predicted_mean", "Predicted mean", "text"),
    Column("diversity", "Mean edits apart", "text"),
    Column("queries", "Queries", "text"),
)


def numbers(data: RunData) -> Numbers | None:
    """For each setting its values, in order, with the usual one marked."""
    rows = data.get("compare.sensitivity")
    if not rows:
        return None
    score = "true_mean" if all(row["true_mean"]["mean"] is not None for row in rows) else "predicted_mean"
    settings = list(dict.fromkeys(row["setting"] for row in rows))
    return {
        "settings": {name: [_row(row, score) for row in rows if row["setting"] == name] for name in settings},
        "label": f"{data.metric_label}, {'true' if score == 'true_mean' else 'predicted'} mean",
        "command": data.command,
    }


def _row(row: dict[str, Any], score: str) -> dict[str, Any]:
    mean, around = row[score]["mean"], row[score]["spread"] or 0.0
    return {
        "method": row["method"],
        "value": anything(row["value"]),
        "shown": f"{anything(row['value'])}{' (as it is)' if row['default'] else ''}",
        "size": MISSING if row["size"] is None else count(int(row["size"])),
        **{key: spread(row.get(key)) for key in ("true_mean", "true_best", "predicted_mean", "diversity")},
        "queries": MISSING if row["queries"] is None else number(float(row["queries"])),
        "score": mean,
        "low": None if mean is None else mean - around,
        "high": None if mean is None else mean + around,
        "edits": row.get("diversity", {}).get("mean"),
    }


def draw(numbers: Numbers) -> str:
    """For each setting the score and the diversity by value, and the table."""
    parts = []
    for name, rows in numbers["settings"].items():
        methods = list(dict.fromkeys(row["method"] for row in rows))
        colors = {m: charts.PALETTE[i % len(charts.PALETTE)] for i, m in enumerate(methods)}
        drawing = charts.side_by_side(
            charts.chart(
                _chart(rows, name, "score", numbers["label"], colors),
                title=name,
                says=f"The score for each value of {name}; the table has the numbers.",
            ),
            charts.chart(
                _chart(rows, name, "edits", "mean edits apart", colors),
                title=f"{name}: diversity",
                says=f"The diversity for each value of {name}; the table has the numbers.",
            ),
        )
        legend = charts.legend(colors) if len(methods) > 1 else ""
        shown = table(_COLUMNS, rows, source="compare.sensitivity", caption=f"{name}, each at its own size")
        caption = f"One row per value of {name}; everything else is as it was. Lines reach one standard deviation over seeds."
        parts.append(figure(legend + drawing, caption, shown, source="compare.sensitivity", command=numbers["command"]))
    return "".join(parts)


def _chart(rows: list[dict[str, Any]], name: str, what: str, label: str, colors: dict[str, str]) -> Any:
    alt = charts.altair()
    known = [row for row in rows if row[what] is not None]
    order = list(dict.fromkeys(row["value"] for row in rows))
    base = alt.Chart(charts.data(known)).encode(
        x=alt.X("value:N", title=name, sort=order, scale=alt.Scale(domain=order), axis=alt.Axis(labelAngle=0)),
        color=charts.colored("method", colors),
    )
    y = alt.Y(f"{what}:Q", title=label, scale=alt.Scale(zero=False, padding=12))
    points = base.mark_line(point=alt.OverlayMarkDef(size=60, filled=True)).encode(
        y=y,
        tooltip=[
            alt.Tooltip("method:N", title="method"),
            alt.Tooltip("value:N", title=name),
            alt.Tooltip(f"{what}:Q", title=label, format=",.5~r"),
        ],
    )
    if what != "score":
        return points
    return base.mark_rule(strokeWidth=2, opacity=0.5).encode(y=alt.Y("low:Q", title=label), y2="high:Q") + points


SECTION = Section("What each setting does", numbers, draw)
