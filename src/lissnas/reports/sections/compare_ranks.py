"""Which methods can be told apart over seeds: mean ranks with Nemenyi's critical difference (Demsar 2006)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lissnas.reports import charts
from lissnas.reports.comparison import SCORES, at_size
from lissnas.reports.data import RunData
from lissnas.reports.formats import number, written
from lissnas.reports.markup import Column, figure, table
from lissnas.reports.section import Numbers, Section

_ROW, _EDGE = 24, 60  # pixels: a method's row, and the axis below


def numbers(data: RunData) -> Numbers | None:
    """For each size the mean ranks, best first, and an interval that is half a critical difference to each side."""
    found = data.get("compare")
    if not found:
        return None
    figures = [_ranks(one) for one in found["tables"] if one["ranking"]]
    return {"figures": figures, "command": data.command, "seeds": found["seeds"]} if figures else None


def _ranks(one: Mapping[str, Any]) -> dict[str, Any]:
    ranking = one["ranking"]
    half = ranking["critical_difference"] / 2
    ordered = sorted(ranking["ranks"].items(), key=lambda pair: (pair[1], pair[0]))
    groups = [set(group) for group in ranking["groups"]]
    best = next((group for group in groups if ordered[0][0] in group), {ordered[0][0]})
    rows = [
        {"method": name, "rank": rank, "low": rank - half, "high": rank + half, "near": "yes" if name in best else "no"}
        for name, rank in ordered
    ]
    return {
        "title": at_size(one["asked"]),
        "score": SCORES[one["score"]],
        "rows": rows,
        "p": ranking["p"],
        "critical_difference": ranking["critical_difference"],
    }


def draw(numbers: Numbers) -> str:
    """A row per method, its mean rank and interval."""
    drawings, tables = [], []
    colors = {"yes": charts.COLORS["shrunk"], "no": charts.COLORS["full"]}
    for one in numbers["figures"]:
        first = one["rows"][0]
        drawings.append(
            charts.chart(
                _chart(one["rows"], colors),
                title=f"{one['title'].capitalize()}, by {one['score']}",
                says=f"Mean ranks {one['title']}: {first['method']} is first with {number(first['rank'])}. "
                f"Ranks closer than {number(one['critical_difference'])} cannot be told apart.",
                height=_EDGE + _ROW * len(one["rows"]),
            )
        )
        p, distance = written(one["p"], "probability"), number(one["critical_difference"])
        tables.append(
            table(
                [
                    Column("method", "Method", "text"),
                    Column("rank", "Mean rank"),
                    Column("near", "Not told apart from the first", "text"),
                ],
                one["rows"],
                source="compare.tables",
                caption=f"{one['title'].capitalize()}: Friedman p {p}, critical difference {distance}",
            )
        )
    legend = charts.legend({"not told apart from the first": colors["yes"], "worse than the first": colors["no"]})
    return figure(
        legend + "".join(drawings),
        f"Mean rank over {numbers['seeds']} seeds, 1 is the best; a line reaches half of Nemenyi's critical difference "
        "(level .05) to each side. Two methods whose lines do not overlap differ by more than chance.",
        "".join(tables),
        source="compare.tables",
        command=numbers["command"],
    )


def _chart(rows: list[dict[str, Any]], colors: Mapping[str, str]) -> Any:
    alt = charts.altair()
    order = [row["method"] for row in rows]
    ticks = alt.Axis(values=list(range(1, len(rows) + 1)), format="d")  # there are no ranks beyond these, lines or not
    base = alt.Chart(charts.data(rows)).encode(
        y=alt.Y("method:N", title=None, sort=order, axis=alt.Axis(grid=False, labelLimit=220)),
        color=charts.colored("near", colors),
    )
    lines = base.mark_rule(strokeWidth=3, opacity=0.55).encode(
        x=alt.X("low:Q", title="mean rank (1 is the best)", axis=ticks, scale=alt.Scale(zero=False)), x2="high:Q"
    )
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        x="rank:Q",
        tooltip=[alt.Tooltip("method:N", title="method"), alt.Tooltip("rank:Q", title="mean rank", format=".2f")],
    )
    return lines + points


SECTION = Section("Which can be told apart", numbers, draw)
