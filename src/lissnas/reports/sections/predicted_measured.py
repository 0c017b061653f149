"""How far the predictor can be trusted: what it said of networks it had not seen, against what was measured."""

from __future__ import annotations

from statistics import fmean
from typing import Any

from lissnas.reports import charts
from lissnas.reports.data import RunData
from lissnas.reports.formats import coefficient, count
from lissnas.reports.markup import Column, details, figure, table
from lissnas.reports.section import Numbers, Section

_DRAWN, _LISTED = 1500, 1000


def numbers(data: RunData) -> Numbers | None:
    """The pairs (best measured first), the mean absolute error, and the predictor's own held-out figures."""
    pairs = data.get("predicted_measured")
    if not pairs:
        return None
    ordered = sorted(([p, m] for p, m in pairs), key=lambda pair: pair[1], reverse=data.higher_is_better)
    predictor = data.get("predictor") or {}
    return {
        "pairs": [{"predicted": p, "measured": m} for p, m in ordered],
        "row": {
            "n": len(ordered),
            "kendall": predictor.get("kendall"),
            "spearman": predictor.get("spearman"),
            "r2": predictor.get("r2"),
            "error": fmean(abs(p - m) for p, m in ordered),
        },
        "metric": data.metric_label,
        "command": data.command,
    }


def draw(numbers: Numbers) -> str:
    """The scatter with the line of a perfect predictor; the figures; every pair behind a line."""
    row, metric = numbers["row"], numbers["metric"]
    tau = f" Kendall's τ is {coefficient(row['kendall'])}." if row["kendall"] is not None else ""
    drawing = charts.chart(
        _chart(numbers), says=f"Predicted against measured {metric} of {row['n']:,} held-out networks.{tau}", height=340
    )
    figures = table(
        [
            Column("n", "Held-out networks", "count"),
            Column("kendall", "Kendall τ", "coefficient"),
            Column("spearman", "Spearman", "coefficient"),
            Column("r2", "R²", "coefficient"),
            Column("error", "Mean absolute error"),
        ],
        [row],
        source="predictor",
    )
    listed = charts.thinned(numbers["pairs"], _LISTED)
    some = "" if len(listed) == row["n"] else f", {count(len(listed))} of them"
    pairs = table([Column("measured", "Measured"), Column("predicted", "Predicted")], listed, source="predicted_measured")
    return figure(
        drawing,
        f"Each point is a network that the predictor had not seen; on the line, predicted equals measured.{tau}",
        figures + details(f"All {count(row['n'])} pairs{some}, best measured first", pairs, printed=False),
        source="predicted_measured",
        command=numbers["command"],
    )


def _chart(numbers: Numbers) -> Any:
    alt = charts.altair()
    pairs, metric = numbers["pairs"], numbers["metric"]
    values = [value for pair in pairs for value in pair.values()]
    ends = [min(values), max(values)]
    scale = alt.Scale(domain=ends, nice=True, zero=False)
    line = (
        alt.Chart(charts.data([{"predicted": v, "measured": v} for v in ends]))
        .mark_line(color=charts.COLORS["full"], strokeDash=[5, 4])
        .encode(x=alt.X("predicted:Q", scale=scale), y=alt.Y("measured:Q", scale=scale))
    )
    points = (
        alt.Chart(charts.data(charts.thinned(pairs, _DRAWN)))
        .mark_circle(size=28, opacity=0.6, color=charts.COLORS["shrunk"])
        .encode(
            x=alt.X("predicted:Q", title=f"predicted {metric}", scale=scale),
            y=alt.Y("measured:Q", title=f"measured {metric}", scale=scale),
            tooltip=[alt.Tooltip("predicted:Q", format=",.5~r"), alt.Tooltip("measured:Q", format=",.5~r")],
        )
    )
    return line + points


SECTION = Section("Predicted against measured", numbers, draw)
