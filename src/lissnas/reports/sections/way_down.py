"""The way down: size, mean and best of each iteration (the paper's Fig. 3 as it happened in this run)."""

from __future__ import annotations

from typing import Any

from lissnas.reports import charts
from lissnas.reports.data import RunData
from lissnas.reports.formats import count, number
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
    measured = data.get("shrink.shrunk.source") == "true"
    return {
        # a size is text in metrics.json: it can be past what JSON readers hold
        "iterations": [{**row, "size": int(row["size"])} for row in iterations],
        "source": "measured" if measured else "predicted",
        "metric": data.metric_label,
        "command": data.command,
    }


def draw(numbers: Numbers) -> str:
    """Size on a logarithmic scale, and mean and best, over the iterations."""
    rows, metric, source = numbers["iterations"], numbers["metric"], numbers["source"]
    first, last = rows[0], rows[-1]
    size = charts.chart(
        _size(rows),
        title="Networks left",
        says=f"Networks per iteration, from {count(first['size'])} to {count(last['size'])}.",
    )
    score = charts.chart(
        _score(rows, metric),
        title=f"{metric}, {source}",
        says=f"Mean per iteration, from {number(first['mean'])} to {number(last['mean'])}, and the best.",
    )
    return figure(
        charts.side_by_side(size, score + charts.legend(_COLORS, {"mean": "line", "best": "dashed"})),
        f"Iteration 0 is the given space; each one after it, what was kept. Mean and best are {source}.",
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
                axis=alt.Axis(format=_size_format(rows), tickCount=4, labelExpr="replace(datum.label, 'G', 'B')"),
            ),
            tooltip=[
                alt.Tooltip("index:Q", title="iteration"),
                alt.Tooltip("size:Q", title="networks", format=","),
                alt.Tooltip("queries:Q", title="queries so far", format=","),
            ],
        )
    )


def _size_format(rows: list[dict[str, Any]]) -> str:
    return "~s" if max(row["size"] for row in rows) < 10**15 else "~e"  # 10k, 1M, 1B, 1T; no one reads 1P


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
                alt.Tooltip("score:Q", title=metric, format=",.5~r"),
            ],
        )
    )


SECTION = Section("The way down", numbers, draw)
