"""Whether the supernet of the shrunk space ranks networks better than that of the full one (paper Sec. 5.5)."""

from __future__ import annotations

from typing import Any

from lissnas.reports import charts
from lissnas.reports.data import RunData
from lissnas.reports.formats import coefficient, count, interval
from lissnas.reports.markup import Column, details, figure, paragraphs, table
from lissnas.reports.section import Numbers, Section
from lissnas.reports.verdict import supernet_verdict

_NAMES = {"full": "full space", "shrunk": "shrunk space"}
_COLORS = {"full space": charts.COLORS["full"], "shrunk space": charts.COLORS["shrunk"]}
_STATISTICS = {"kendall": "Kendall τ", "pearson": "Pearson r"}


def numbers(data: RunData) -> Numbers | None:
    """One row per supernet and correlation, with its interval; and the stand-alone networks that it was taken from."""
    supernets = data.get("supernets")
    if not supernets:
        return None
    rows = [
        {"supernet": label, "statistic": title, "networks": part, "n": found["n"], **found[statistic]}
        for statistic, title in _STATISTICS.items()
        for name, label in _NAMES.items()
        if name in supernets
        for part, found in {"all": supernets[name], **supernets[name].get("parts", {})}.items()
    ]
    if not rows:
        return None
    return {
        "rows": rows,
        "verdict": [] if (found := supernet_verdict(data)) is None else [found.sentence],
        "stand_alone": [dict(row) for row in data.get("stand_alone") or []],
        "metric": data.metric_label,
        "command": data.command,
    }


def draw(numbers: Numbers) -> str:
    """A dot with its whisker per correlation; the table; the networks behind a line."""
    every = numbers["rows"]
    rows = [row for row in every if row["networks"] == "all"]
    says = "; ".join(
        f"{r['statistic']}, {r['supernet']}: {interval(*(coefficient(r[k]) for k in ('value', 'low', 'high')))}" for r in rows
    )
    columns = [
        Column("statistic", "Correlation", "text"),
        Column("supernet", "Supernet of the", "text"),
        Column("value", "Value", "coefficient"),
        Column("low", "95 % from", "coefficient"),
        Column("high", "to", "coefficient"),
        Column("networks", "Over", "text"),
        Column("n", "Networks", "count"),
    ]
    tables = table(columns, every, source="supernets")
    networks = numbers["stand_alone"]
    if networks:
        metric = numbers["metric"]
        listed = [
            Column("architecture", "Network", "text"),
            Column("measured", f"Stand-alone {metric}"),
            Column("full", "Inherited, full supernet"),
            Column("shrunk", "Inherited, shrunk supernet"),
        ]
        shown = [c for c in listed if any(n.get(c.key) is not None for n in networks)]
        tables += details(f"The {count(len(networks))} stand-alone networks", table(shown, networks, source="stand_alone"))
    return paragraphs(numbers["verdict"]) + figure(
        charts.legend(_COLORS) + charts.chart(_chart(rows), says=says, height=170),
        "How well the scores of networks with weights inherited from each supernet agree with the scores of the same "
        f"networks trained alone, over {count(rows[0]['n'])} networks. Whiskers are 95 % bootstrap intervals.",
        tables,
        source="supernets",
        command=numbers["command"],
    )


def _chart(rows: list[dict[str, Any]]) -> Any:
    alt = charts.altair()
    lowest = min(0.0, *(row["low"] for row in rows if row["low"] is not None))
    base = alt.Chart(charts.data(rows)).encode(
        y=alt.Y("statistic:N", title=None, sort=list(_STATISTICS.values()), axis=alt.Axis(ticks=False, domain=False)),
        yOffset=alt.YOffset("supernet:N", sort=list(_COLORS)),
        color=charts.colored("supernet", _COLORS),
        tooltip=[
            alt.Tooltip("statistic:N", title="correlation"),
            alt.Tooltip("supernet:N", title="supernet"),
            alt.Tooltip("value:Q", title="value", format=".3f"),
            alt.Tooltip("low:Q", title="from", format=".3f"),
            alt.Tooltip("high:Q", title="to", format=".3f"),
        ],
    )
    x = alt.X("low:Q", title="correlation with stand-alone training", scale=alt.Scale(domain=[lowest, 1.0]))
    return base.mark_rule(strokeWidth=2.5).encode(x=x, x2="high:Q") + base.mark_circle(size=130, opacity=1).encode(x="value:Q")


SECTION = Section("Supernets against stand-alone training", numbers, draw)
