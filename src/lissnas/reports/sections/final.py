"""The networks at the end, all trained alone: ours, a random one, the best of a search on the full space at equal cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lissnas.reports import charts
from lissnas.reports.data import RunData
from lissnas.reports.formats import count, number
from lissnas.reports.markup import Column, details, figure, paragraphs, table
from lissnas.reports.section import Numbers, Section

_NAMES = {"ours": "Ours: search on the shrunk space", "full_search": "Search on the full space", "random": "A random network"}
_COLORS = {"validation": charts.COLORS["full"], "test": charts.COLORS["shrunk"]}
_SHORT = {"ours": "ours", "full_search": "full space", "random": "random"}


def numbers(data: RunData) -> Numbers | None:
    """One row per network with its validation and test score and its costs; and what the two searches saw."""
    final = data.get("final")
    rows = []
    for name, entry in (final or {}).items():
        if isinstance(entry, Mapping) and "test" in entry:
            label = entry.get("label") or _NAMES.get(name, name.replace("_", " "))
            costs = {f"cost:{cost}": value for cost, value in (entry.get("costs") or {}).items()}
            short = "best" if entry.get("label") else _SHORT.get(name, name.replace("_", " "))
            rows.append({**entry, **costs, "name": label, "short": short})
    if not rows:
        return None
    rows.sort(key=lambda row: list(_NAMES.values()).index(row["name"]) if row["name"] in _NAMES.values() else len(_NAMES))
    search = data.get("search") or {}
    return {
        "rows": rows,
        "costs": list(dict.fromkeys(key for row in rows for key in row if key.startswith("cost:"))),
        "search": [
            {"name": _NAMES["ours" if name == "shrunk" else "full_search"], **search[name]}
            for name in ("shrunk", "full")
            if search.get(name)
        ],
        "alone": data.get("final.lists.ours") if data.get("final.ours.label") else None,
        "sentences": _sentences(final or {}),
        "metric": data.metric_label,
        "command": data.command,
    }


def draw(numbers: Numbers) -> str:
    """Dots for validation and test, with whiskers where intervals are known; the tables."""
    rows, metric = numbers["rows"], numbers["metric"]
    says = "; ".join(f"{r['name']}: {number(r['test'])} on the test set" for r in rows)
    columns = [
        Column("name", "Network", "text"),
        Column("validation", f"Validation {metric}"),
        Column("test", f"Test {metric}"),
        Column("test_low", "95 % from"),
        Column("test_high", "to"),
        *(Column(cost, cost.removeprefix("cost:")) for cost in numbers["costs"]),
        Column("architecture", "Architecture", "text"),
    ]
    tables = table([c for c in columns if any(r.get(c.key) is not None for r in rows)], rows, source="final")
    if numbers["search"]:
        columns = [
            Column("name", "Search", "text"),
            Column("evaluations", "Networks evaluated", "count"),
            Column("best", f"Best {metric}, inherited weights"),
            Column("architecture", "Architecture", "text"),
        ]
        shown = [c for c in columns if any(r.get(c.key) is not None for r in numbers["search"])]
        tables += table(
            shown,
            numbers["search"],
            source="search",
            caption="What the searches saw, with weights inherited from their supernets",
        )
    if len(numbers["alone"] or ()) > 1:
        columns = [Column("architecture", "Architecture", "text"), Column("validation", f"Validation {metric}")]
        every = table(columns, numbers["alone"], source="final.lists.ours")
        tables += details(f"All {count(len(numbers['alone']))} that were trained alone, as they were given", every)
    return paragraphs(numbers["sentences"]) + figure(
        charts.legend(_COLORS, {"validation": "diamond"})
        + charts.chart(_chart(numbers), says=says, height=60 + 50 * len(rows)),
        "Networks trained alone from scratch. The choice was made on validation; the test images were looked at once, for this "
        "figure. Whiskers are 95 % intervals.",
        tables,
        source="final",
        command=numbers["command"],
    )


def _sentences(final: Mapping[str, Any]) -> list[str]:
    sentences = []
    if final.get("retrained"):
        sentences.append(
            f"The best {count(final['retrained'])} networks of each search were trained alone, "
            "and the best of them on validation was kept."
        )
    if final.get("equal_cost"):
        sentences.append(str(final["equal_cost"]))
    return sentences


def _chart(numbers: Numbers) -> Any:
    alt = charts.altair()
    points = [
        {"name": row["short"], "what": what, "score": row[what], "low": row.get(f"{what}_low"), "high": row.get(f"{what}_high")}
        for row in numbers["rows"]
        for what in ("validation", "test")
        if row.get(what) is not None
    ]
    score = alt.Scale(zero=False, padding=16)
    base = alt.Chart(charts.data(points)).encode(
        y=alt.Y("name:N", title=None, sort=None, axis=alt.Axis(ticks=False, domain=False)),
        yOffset=alt.YOffset("what:N", sort=list(_COLORS)),
        color=charts.colored("what", _COLORS),
        tooltip=[
            alt.Tooltip("name:N", title="network"),
            alt.Tooltip("what:N", title="images"),
            alt.Tooltip("score:Q", title=numbers["metric"], format=",.5~r"),
        ],
    )
    whiskers = (
        base.transform_filter("isValid(datum.low)")
        .mark_rule(strokeWidth=2)
        .encode(x=alt.X("low:Q", title=numbers["metric"], scale=score), x2="high:Q")
    )
    dots = base.mark_point(size=110, filled=True, opacity=1).encode(
        x=alt.X("score:Q", title=numbers["metric"], scale=score),
        shape=charts.colored("what", {"validation": "diamond", "test": "circle"}, "Shape"),
    )
    return whiskers + dots if any(p["low"] is not None for p in points) else dots


SECTION = Section("The final networks", numbers, draw)
