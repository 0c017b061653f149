"""The way down: size, mean and best of each iteration (the paper's Fig. 1 as it happened in this run)."""

from __future__ import annotations

from typing import Any

from lissnas.reports import charts
from lissnas.reports.data import RunData
from lissnas.reports.formats import number
from lissnas.reports.markup import Column, figure, table
from lissnas.reports.section import Numbers, Section

_COLORS = {"mean": charts.COLORS["shrunk"], "best": charts.COLORS["best"]}
_COLUMNS = (
    Column("index", "Iteration", "plain"),
    Column("size", "Networks", "count"),
    Column("mean", "Mean"),
    Column("best", "Best"),
    Column("queries", "Queries so far", "count"),
    Column("p_good", "Good ones", "share"),
    Column("diversity", "Mean edits apart", "edits"),
)


def numbers(data: RunData) -> Numbers | None:
    """The iterations as the run recorded them."""
    iterations = data.get("shrink.iterations")
    if not iterations:
        return None
    return {"iterations": list(iterations), "metric": data.metric_label, "command": data.command}


def draw(numbers: Numbers) -> str:
    """Size on a logarithmic scale, and mean and best, over the iterations."""
    rows, metric = numbers["iterations"], numbers["metric"]
    first, last = rows[0], rows[-1]
    size = charts.chart(
        _size(rows),
        title="Networks left",
        says=f"Networks per iteration, from {first['size']:,} to {last['size']:,}.",
    )
    score = charts.chart(
        _score(rows, metric),
        title=f"Predicted {metric}",
        says=f"Predicted mean per iteration, from {number(first['mean'])} to {number(last['mean'])}, and the best.",
    )
    return figure(
        charts.side_by_side(size, score + charts.legend(_COLORS, {"mean": "line", "best": "dashed"})),
        "Each iteration keeps the best networks and their neighbours. Mean and best are the predictor's.",
        table(_COLUMNS, rows, source="shrink.iterations"),
        source="shrink.iterations",
        command=numbers["command"],
    )


def iteration_axis(rows: list[dict[str, Any]]) -> Any:
    """The x axis that all drawings over iterations share: whole numbers only."""
    alt = charts.altair()
    ticks = charts.thinned([row["index"] for row in rows], 12)
    return alt.X(
        "index:Q",
        title="iteration",
        axis=alt.Axis(values=ticks, tickCount=len(ticks), format="d", grid=False),
        scale=alt.Scale(nice=False, padding=12),
    )


def _size(rows: list[dict[str, Any]]) -> Any:
    alt = charts.altair()
    return (
        alt.Chart(charts.data([{k: row[k] for k in ("index", "size", "queries")} for row in rows]))
        .mark_line(color=charts.COLORS["shrunk"], point=alt.OverlayMarkDef(size=60, filled=True, color=charts.COLORS["shrunk"]))
        .encode(
            x=iteration_axis(rows),
            y=alt.Y(
                "size:Q",
                title="networks (log)",
                scale=alt.Scale(type="log", nice=False, padding=12),
                axis=alt.Axis(format="~s", tickCount=4),
            ),
            tooltip=[
                alt.Tooltip("index:Q", title="iteration"),
                alt.Tooltip("size:Q", title="networks", format=","),
                alt.Tooltip("queries:Q", title="queries so far", format=","),
            ],
        )
    )


def _score(rows: list[dict[str, Any]], metric: str) -> Any:
    alt = charts.altair()
    long = [{"index": row["index"], "what": what, "score": row[what]} for row in rows for what in ("mean", "best")]
    return (
        alt.Chart(charts.data(long))
        .mark_line(point=alt.OverlayMarkDef(size=60, filled=True))
        .encode(
            x=iteration_axis(rows),
            y=alt.Y("score:Q", title=metric, scale=alt.Scale(zero=False)),
            color=charts.colored("what", _COLORS),
            strokeDash=charts.colored("what", {"mean": [1, 0], "best": [5, 3]}, "StrokeDash"),
            tooltip=[
                alt.Tooltip("index:Q", title="iteration"),
                alt.Tooltip("what:N", title="which"),
                alt.Tooltip("score:Q", title=metric, format=".5~g"),
            ],
        )
    )


SECTION = Section("The way down", numbers, draw)
