"""An Altair chart as a piece of the page: its data inside, its look from one place, no address in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from lissnas.errors import require
from lissnas.reports.markup import json_block, text

__all__ = ["COLORS", "PALETTE", "altair", "chart", "colored", "data", "legend", "side_by_side", "thinned"]

# Middle tones, readable on white and on black; grey, orange and blue stay apart for colour-blind readers.
COLORS = {"full": "#8b929c", "naive": "#d98a1f", "shrunk": "#3b82c4", "best": "#2f9e6e"}
PALETTE = ("#3b82c4", "#d98a1f", "#2f9e6e", "#c2569b", "#8467c7", "#b5a01f", "#2ba3a3", "#b8604a")

# currentColor: the page's own text colour, which follows light and dark.
_CONFIG: dict[str, Any] = {
    "aria": False,  # the element around the chart says in words what it shows, and the table under it holds the numbers
    "background": None,
    "font": "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "currentColor",
        "titleColor": "currentColor",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "gridColor": "currentColor",
        "gridOpacity": 0.12,
        "domainColor": "currentColor",
        "domainOpacity": 0.4,
        "tickColor": "currentColor",
        "tickOpacity": 0.4,
        "titlePadding": 8,
        "labelFlush": False,
        "labelOverlap": "parity",
    },
    "axisQuantitative": {"tickCount": 6},
    "title": {"color": "currentColor", "fontSize": 13, "fontWeight": "bold", "anchor": "start", "offset": 10},
    "text": {"color": "currentColor"},
}


def altair() -> ModuleType:
    """The drawing package.

    Raises:
        UserError: it is not installed; the line names the extra.
    """
    return require("altair", "report")


def data(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Rows as a chart's data, kept in the chart itself."""
    return altair().Data(values=[dict(row) for row in rows])


def chart(drawing: Any, *, says: str, title: str = "", height: int = 260) -> str:
    """An Altair chart (single or layered) as HTML: as wide as the page lets it be.

    Args:
        says: what the chart shows, for those who cannot see it.
    """
    spec = drawing.properties(width="container", height=height).to_dict()
    del spec["$schema"]  # an address, and the page says itself which grammar its charts are in
    spec["config"] = _CONFIG
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    if title:
        spec["title"] = title
    return (
        f'<div class="plot"><div class="chart" role="img" aria-label="{text(says)}" style="min-height:{height}px"></div>'
        f'<script type="application/json">{json_block(spec)}</script></div>'
    )


def colored(field: str, colors: Mapping[str, Any], shape: str = "Color") -> Any:
    """A channel that gives each value of ``field`` its colour (or its dash, or shape); the page's own legend explains it."""
    alt = altair()
    return getattr(alt, shape)(f"{field}:N", legend=None, scale=alt.Scale(domain=list(colors), range=list(colors.values())))


def legend(colors: Mapping[str, str], marks: Mapping[str, str] | None = None) -> str:
    """What the colours mean, as HTML: unlike a chart's own legend it wraps on a phone.

    Args:
        marks: label -> ``dot`` (where none is given), ``diamond``, ``line``, ``dashed`` or ``dotted``.
    """
    items = "".join(
        f'<li><span class="key {(marks or {}).get(label, "dot")}" style="color:{color}"></span>{text(label)}</li>'
        for label, color in colors.items()
    )
    return f'<ul class="legend" aria-label="Legend">{items}</ul>'


def side_by_side(*charts: str) -> str:
    """Charts beside one another on a wide page, under one another on a phone."""
    cells = "".join(f"<div>{one}</div>" for one in charts)
    return f'<div class="pair">{cells}</div>'


def thinned(items: Sequence[Any], most: int) -> list[Any]:
    """At most ``most`` of ``items``, evenly spaced, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(i * (len(items) - 1) / (most - 1))] for i in range(most)]
