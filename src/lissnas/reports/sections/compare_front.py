"""Quality against diversity: which methods no other beats in both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lissnas.reports import charts
from lissnas.reports.comparison import SCORES, at_size
from lissnas.reports.data import RunData
from lissnas.reports.markup import Column, figure, table
from lissnas.reports.section import Numbers, Section

_NAMES = {"on": "on the front", "off": "behind it"}
_COLORS = {_NAMES["on"]: charts.COLORS["shrunk"], _NAMES["off"]: charts.COLORS["full"]}


def numbers(data: RunData) -> Numbers | None:
    """A point per method for each size: mean diversity and mean score, and whether it is on the front."""
    found = data.get("compare")
    if not found:
        return None
    figures = [
        {"title": at_size(one["asked"]), "score": SCORES[one["score"]], "points": _points(one)} for one in found["tables"]
    ]
    figures = [one for one in figures if len(one["points"]) > 1]
    return {"figures": figures, "metric": data.metric_label, "command": data.command} if figures else None


def _points(one: Mapping[str, Any]) -> list[dict[str, Any]]:
    points = [
        {
            "method": row["method"],
            "diversity": row["diversity"]["mean"],
            "score": row[one["score"]]["mean"],
            "front": _NAMES["on" if row["on_front"] else "off"],
        }
        for row in one["rows"]
        if row["on_front"] is not None
    ]
    return sorted(points, key=lambda point: (-point["diversity"], point["method"]))


def draw(numbers: Numbers) -> str:
    """A scatter for each size, each point with its name."""
    drawings, tables = [], []
    for one in numbers["figures"]:
        front = ", ".join(point["method"] for point in one["points"] if point["front"] == _NAMES["on"])
        drawings.append(
            charts.chart(
                _chart(one["points"], f"{numbers['metric']}, {one['score']}"),
                title=one["title"].capitalize(),
                says=f"Score against mean edits apart {one['title']}; on the front: {front}.",
                height=320,
            )
        )
        tables.append(
            table(
                [
                    Column("method", "Method", "text"),
                    Column("diversity", "Mean edits apart"),
                    Column("score", one["score"].capitalize()),
                    Column("front", "Where", "text"),
                ],
                one["points"],
                source="compare.tables",
                caption=one["title"].capitalize(),
            )
        )
    return figure(
        charts.legend(_COLORS) + "".join(drawings),
        "Each point is a method, the mean over seeds. No other is as good and as diverse as one on the front.",
        "".join(tables),
        source="compare.tables",
        command=numbers["command"],
    )


def _chart(points: list[dict[str, Any]], label: str) -> Any:
    alt = charts.altair()
    base = alt.Chart(charts.data(points)).encode(
        x=alt.X("diversity:Q", title="mean edits apart", scale=alt.Scale(zero=False, padding=40)),
        y=alt.Y("score:Q", title=label, scale=alt.Scale(zero=False, padding=14)),
        color=charts.colored("front", _COLORS),
    )
    dots = base.mark_point(filled=True, size=70, opacity=1).encode(
        tooltip=[
            alt.Tooltip("method:N", title="method"),
            alt.Tooltip("diversity:Q", title="mean edits apart", format=".3~r"),
            alt.Tooltip("score:Q", title=label, format=",.5~r"),
        ]
    )
    front = [point for point in points if point["front"] == _NAMES["on"]]
    line = (
        alt.Chart(charts.data(front))
        .mark_line(color=_COLORS[_NAMES["on"]], strokeWidth=1.5, opacity=0.6)
        .encode(x="diversity:Q", y="score:Q", order="diversity:Q")
    )
    # names on the right grow to the left, or the page's edge cuts them
    edges = [point["diversity"] for point in points]
    middle = (min(edges) + max(edges)) / 2
    left = base.transform_filter(f"datum.diversity <= {middle}").mark_text(align="left", dx=7, dy=-5, fontSize=11)
    right = base.transform_filter(f"datum.diversity > {middle}").mark_text(align="right", dx=-7, dy=-5, fontSize=11)
    return line + dots + left.encode(text="method:N") + right.encode(text="method:N")


SECTION = Section("Quality against diversity", numbers, draw)
