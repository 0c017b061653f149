"""The shrink index with the raw shares that it comes from (paper Sec. 4.4, Theorem 1)."""

from __future__ import annotations

from typing import Any

from lissnas.quality import probability_of_good
from lissnas.reports import charts
from lissnas.reports.data import RunData
from lissnas.reports.formats import coefficient, interval, number
from lissnas.reports.markup import Column, figure, paragraphs, table
from lissnas.reports.section import Numbers, Section
from lissnas.reports.sections.way_down import iteration_axis

_RAW = (
    Column("space", "Space", "text"),
    Column("threshold", "Good from"),
    Column("p_full", "Good in the full space, p₀", "share"),
    Column("p_shrunk", "Good in the shrunk space, p*", "share"),
    Column("value", "Shrink index", "coefficient"),
    Column("low", "95 % from", "coefficient"),
    Column("high", "to", "coefficient"),
)
_ITERATIONS = (
    Column("index", "Iteration", "plain"),
    Column("p_good", "Good ones, p", "share"),
    Column("shrink_index", "Shrink index", "coefficient"),
    Column("shrink_index_low", "95 % from", "coefficient"),
    Column("shrink_index_high", "to", "coefficient"),
)


def numbers(data: RunData) -> Numbers | None:
    """The index of the final space with p0, p* and the threshold, and the index of every iteration."""
    final = data.get("shrink.shrunk.shrink_index")
    if not final:
        return None
    rows = [{"space": "Shrunk space", **final}]
    naive = data.get("shrink.naive.shrink_index")
    if naive:
        rows.insert(0, {"space": "Naive", **naive})
    return {
        "final": dict(final),
        "most": 1.0 - float(probability_of_good(final["p_full"])),
        "rows": rows,
        "iterations": list(data.get("shrink.iterations") or []),
        "metric": data.metric_label,
        "higher_is_better": data.higher_is_better,
        "command": data.command,
    }


def draw(numbers: Numbers) -> str:
    """What the index means, its value, and its way over the iterations."""
    final = numbers["final"]
    direction = "at least" if numbers["higher_is_better"] else "at most"
    value = interval(*(coefficient(final[key]) for key in ("value", "low", "high")))
    words = paragraphs(
        [
            f"A network counts as good when its {numbers['metric']} is {direction} {number(final['threshold'])}, a threshold "
            "fixed on the full space. The shrink index says how much likelier ten random draws hold at least two good networks "
            f"after shrinking than before: {value}, where at most {coefficient(numbers['most'])} was possible. It saturates "
            "once a third of a space is good, so the raw shares stand beside it."
        ]
    )
    raw = table(_RAW, numbers["rows"], source="shrink.shrunk.shrink_index")
    rows = [row for row in numbers["iterations"] if row.get("shrink_index") is not None]
    if not rows:
        return words + raw
    first, last = coefficient(rows[0]["shrink_index"]), coefficient(rows[-1]["shrink_index"])
    says = f"Shrink index per iteration with its interval, from {first} to {last}."
    drawing = charts.chart(_chart(rows), says=says, height=220)
    return words + figure(
        drawing,
        "Shrink index of each iteration; the band is its 95 % bootstrap interval.",
        raw + table(_ITERATIONS, rows, source="shrink.iterations"),
        source="shrink.iterations",
        command=numbers["command"],
    )


def _chart(rows: list[dict[str, Any]]) -> Any:
    alt = charts.altair()
    keys = ("index", "shrink_index", "shrink_index_low", "shrink_index_high", "p_good")
    base = alt.Chart(charts.data([{k: row.get(k) for k in keys} for row in rows]))
    color = charts.COLORS["shrunk"]
    band = base.mark_area(opacity=0.18, color=color).encode(
        x=iteration_axis(rows), y=alt.Y("shrink_index_low:Q", title="shrink index"), y2="shrink_index_high:Q"
    )
    line = base.mark_line(color=color, point=alt.OverlayMarkDef(size=60, filled=True, color=color)).encode(
        x=iteration_axis(rows),
        y="shrink_index:Q",
        tooltip=[
            alt.Tooltip("index:Q", title="iteration"),
            alt.Tooltip("shrink_index:Q", title="shrink index", format=".3f"),
            alt.Tooltip("shrink_index_low:Q", title="from", format=".3f"),
            alt.Tooltip("shrink_index_high:Q", title="to", format=".3f"),
            alt.Tooltip("p_good:Q", title="good ones", format=".1%"),
        ],
    )
    return band + line


SECTION = Section("Shrink index", numbers, draw)
