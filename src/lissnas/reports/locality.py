"""The drawing of a space's locality: correlation and difference of scores by number of edits (the paper's Fig. 2)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from lissnas.errors import UserError, require
from lissnas.reports import charts
from lissnas.reports.formats import number
from lissnas.reports.markup import Column, details, table, text
from lissnas.reports.page import Part, Tile, page
from lissnas.reports.section import Numbers

__all__ = ["curves", "draw_locality"]

# title -> statistic -> (label, by, population), in the order of the legend
_CURVES = {
    "Correlation of the scores": (
        "correlation",
        (
            ("exact distance", "distance", "uniform"),
            ("random edits", "random edits", "uniform"),
            ("one long walk", "walk", "uniform"),
        ),
    ),
    "Mean absolute difference (AAD)": (
        "difference",
        (("uniform", "distance", "uniform"), ("good", "distance", "good"), ("seeds", "distance", "seeds")),
    ),
    "Neighbor yield": ("yield", (("good", "distance", "good"), ("seeds", "distance", "seeds"))),
}
_SIZE = {"width": 300, "height": 240}
_INK = "#1f2328"  # of a drawing that stands alone, on white


def curves(numbers: Mapping[str, Any]) -> list[Numbers]:
    """Of each figure the ``title``, the curves ``present``, and ``points``: curve, edits, value, low, high, pairs.

    Args:
        numbers: what ``Locality.to_dict()`` gives.
    """
    figures = []
    for title, (statistic, lines) in _CURVES.items():
        points = [
            {"curve": label, **{key: row[key] for key in ("edits", "value", "low", "high", "pairs")}}
            for label, by, population in lines
            for row in numbers["rows"]
            if (row["statistic"], row["by"], row["population"]) == (statistic, by, population)
            and (row["kind"], row["source"]) == ("any", "true")
            and row["value"] is not None
        ]
        if points:
            present = [label for label, *_ in lines if any(point["curve"] == label for point in points)]
            figures.append({"title": title, "points": points, "present": present})
    return figures


def draw_locality(numbers: Mapping[str, Any], suffix: str) -> str:
    """The figures as a drawing (``.svg``) or as a page with their tables (``.html``).

    Raises:
        UserError: another suffix, nothing to draw, or the extra ``report`` is not installed.
    """
    figures = curves(numbers)
    if not figures:
        raise UserError("there is nothing to draw: no statistic has a value; score more networks")
    if suffix == ".svg":
        return _svg(figures)
    if suffix == ".html":
        return _page(numbers, figures)
    raise UserError(f"a plot is written as .svg or .html, but got '{suffix}'")


def _colors(shown: Numbers) -> dict[str, str]:
    return dict(zip(shown["present"], charts.PALETTE, strict=False))


def _chart(shown: Numbers, *, legend: bool) -> Any:
    alt = charts.altair()
    colors = _colors(shown)
    color = charts.colored("curve", colors)
    if legend:
        scale = alt.Scale(domain=list(colors), range=list(colors.values()))
        color = alt.Color("curve:N", scale=scale, legend=alt.Legend(title=None, orient="bottom", symbolOpacity=1))
    last = max(point["edits"] for point in shown["points"])
    ticks = [edits for edits in range(1, last + 1) if last <= 12 or edits % -(-last // 10) == 0]
    base = alt.Chart(charts.data(shown["points"])).encode(
        x=alt.X("edits:Q", title="edits", axis=alt.Axis(values=ticks, format="d"), scale=alt.Scale(domain=[1, max(last, 2)])),
        color=color,
    )
    y = alt.Y("value:Q", title=None)
    band = base.mark_area(opacity=0.18).encode(y=alt.Y("low:Q", title=None), y2="high:Q")
    tooltip = [alt.Tooltip("curve:N"), alt.Tooltip("edits:Q"), alt.Tooltip("value:Q", format=".3f"), alt.Tooltip("pairs:Q")]
    return band + base.mark_line(strokeWidth=2).encode(y=y) + base.mark_point(size=34, filled=True).encode(y=y, tooltip=tooltip)


def _svg(figures: list[Numbers]) -> str:
    alt = charts.altair()
    drawings = [_chart(shown, legend=True).properties(title=shown["title"], **_SIZE) for shown in figures]
    whole = alt.hconcat(*drawings).resolve_scale(color="independent").configure(background="white", font="sans-serif")
    spec = copy.deepcopy(whole.to_dict())
    spec["config"]["title"] = {"color": _INK, "anchor": "start"}
    return str(require("vl_convert", "report").vegalite_to_svg(spec))


def _page(numbers: Mapping[str, Any], figures: list[Numbers]) -> str:
    columns = [
        Column("edits", "Edits", "count"),
        Column("curve", "Curve", "text"),
        Column("value", "Value"),
        Column("low", "From"),
        Column("high", "To"),
        Column("pairs", "Pairs", "count"),
    ]
    parts = []
    for index, shown in enumerate(figures):
        first = ", ".join(f"{p['curve']} {number(p['value'])}" for p in shown["points"] if p["edits"] == 1)
        drawing = charts.chart(_chart(shown, legend=False), says=f"{shown['title']} by edits. At one edit: {first}.")
        caption = f"{shown['title']} by number of edits; the band is the 95% interval (none where all pairs were compared)."
        rows = table(columns, shown["points"], source="rows", caption=shown["title"])
        key = charts.legend(_colors(shown), dict.fromkeys(shown["present"], "line"))
        html = f"<figure>{key}{drawing}<figcaption>{text(caption)}</figcaption>{details('The numbers', rows)}</figure>"
        parts.append(Part(f"locality-{index}", shown["title"], html))
    verdict = numbers["verdict"]
    tiles = [
        Tile("Will it work?", str(verdict["answer"]), "by the stated rule"),
        Tile("Rank correlation", number(verdict["correlation"]["value"]), f"of scores {verdict['edits']} edit(s) apart"),
        Tile("Good neighbors", number(verdict["gain"]["value"]), "times as likely as in the whole space"),
    ]
    return page(f"Locality of {numbers['space']} under {numbers['metric']}", [verdict["sentence"]], tiles, parts)
