"""Score against cost: a sample of the full space, and the shrunk one coloured by pocket (paper Fig. 5)."""

from __future__ import annotations

from statistics import fmean
from typing import Any

from lissnas.reports import charts
from lissnas.reports.data import RunData
from lissnas.reports.formats import count
from lissnas.reports.markup import Column, figure, table
from lissnas.reports.section import Numbers, Section

_POCKETS = len(charts.PALETTE) - 1  # that get a colour of their own
_DRAWN = 1500  # points of a kind: more are only darker
_FULL, _SHRUNK, _OTHERS = "full space", "shrunk space", "other pockets"


def numbers(data: RunData) -> Numbers | None:
    """Points ``{group, cost, score}``, the full space first, then the largest pockets; and one row of figures per group."""
    scatter = data.get("cost_scatter")
    if not scatter or not scatter.get("shrunk"):
        return None
    # pockets are not counted in a very large space: its points are of one kind then
    pocketed = scatter.get("pockets") is not None
    labels = [f"pocket {point[2]}" if pocketed else _SHRUNK for point in scatter["shrunk"]]
    # pockets are numbered by size, the largest first
    ranked = [f"pocket {p}" for p in sorted({point[2] for point in scatter["shrunk"]})] if pocketed else [_SHRUNK]
    named = ranked[:_POCKETS]
    points: dict[str, list[tuple[float, float]]] = {_FULL: [(c, s) for c, s in scatter.get("full") or []]}
    points |= {name: [] for name in (named if len(ranked) <= _POCKETS else [*named, _OTHERS])}
    for label, point in zip(labels, scatter["shrunk"], strict=True):
        points[label if label in named else _OTHERS].append((point[0], point[1]))
    if not points[_FULL]:
        del points[_FULL]
    best = max if data.higher_is_better else min
    return {
        "cost": str(scatter.get("cost", "cost")),
        "points": [{"group": g, "cost": c, "score": s} for g, some in points.items() for c, s in charts.thinned(some, _DRAWN)],
        "rows": [
            {
                "group": group,
                "n": len(some),
                "lowest_cost": min(c for c, _ in some),
                "mean_cost": fmean(c for c, _ in some),
                "highest_cost": max(c for c, _ in some),
                "mean_score": fmean(s for _, s in some),
                "best_score": best(s for _, s in some),
            }
            for group, some in points.items()
        ],
        "pockets": scatter.get("pockets"),
        "metric": data.drawn_label,
        "command": data.command,
    }


def draw(numbers: Numbers) -> str:
    """The scatter; under it one row per group of points."""
    cost, metric = numbers["cost"], numbers["metric"]
    drawing = charts.chart(
        _chart(numbers),
        says=f"{metric} against {cost} for a sample of the full space and for the shrunk space by pocket.",
        height=340,
    )
    rows = table(
        [
            Column("group", "Networks", "text"),
            Column("n", "How many", "count"),
            Column("lowest_cost", f"{cost}: lowest"),
            Column("mean_cost", "mean"),
            Column("highest_cost", "highest"),
            Column("mean_score", f"{metric}: mean"),
            Column("best_score", "best"),
        ],
        numbers["rows"],
        source="cost_scatter",
    )
    pockets = numbers["pockets"]
    words = ""
    if pockets:
        falls = "is one pocket" if pockets == 1 else f"falls into {count(pockets)} pockets"
        words = f" The shrunk space {falls}, whose members are linked by single edits."
    return figure(
        charts.legend(_colors(numbers)) + drawing,
        f"Each point is a network: its {cost} and its {metric}.{words}",
        rows,
        source="cost_scatter",
        command=numbers["command"],
    )


def _colors(numbers: Numbers) -> dict[str, str]:
    tones = iter(charts.PALETTE)
    groups = [row["group"] for row in numbers["rows"]]
    return {group: charts.COLORS["full"] if group == _FULL else next(tones) for group in groups}


def _chart(numbers: Numbers) -> Any:
    alt = charts.altair()
    return (
        alt.Chart(charts.data(numbers["points"]))
        .mark_circle(size=26)
        .encode(
            x=alt.X("cost:Q", title=numbers["cost"], scale=alt.Scale(zero=False), axis=alt.Axis(format="~s", tickCount=6)),
            y=alt.Y("score:Q", title=numbers["metric"], scale=alt.Scale(zero=False)),
            color=charts.colored("group", _colors(numbers)),
            opacity=alt.condition(alt.datum.group == _FULL, alt.value(0.35), alt.value(0.75)),
            tooltip=[
                alt.Tooltip("group:N", title="networks"),
                alt.Tooltip("cost:Q", title=numbers["cost"], format=",.5~r"),
                alt.Tooltip("score:Q", title=numbers["metric"], format=",.5~r"),
            ],
        )
    )


SECTION = Section("Score against cost", numbers, draw)
