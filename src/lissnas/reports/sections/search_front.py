"""What a search found: the networks that no other beats in score and cost at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lissnas.reports import charts
from lissnas.reports.data import RunData
from lissnas.reports.formats import count
from lissnas.reports.markup import Column, details, figure, table
from lissnas.reports.section import Numbers, Section

_NAMES = {"full": "full space", "shrunk": "shrunk space"}
_COLORS = {"full space": charts.COLORS["full"], "shrunk space": charts.COLORS["shrunk"]}
_HOW = {"evolve": "evolution", "nsga2": "NSGA-II", "random": "random search"}


def numbers(data: RunData) -> Numbers | None:
    """One row per search, and the networks of each front with their score and costs."""
    found = {name: one for name, one in (data.get("search") or {}).items() if one.get("front")}
    if not found:
        return None
    costs = next(iter(found.values())).get("costs") or []
    return {
        "searches": [_row(name, one) for name, one in found.items()],
        "front": [{"space": _NAMES[name], **network} for name, one in found.items() for network in one["front"]],
        "costs": costs,
        "limits": data.get("asked.limits") or [],
        "metric": data.metric_label,
        "command": data.command,
    }


def _row(name: str, one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "space": _NAMES[name],
        "how": _HOW.get(one["method"], one["method"]),
        "evaluations": one["evaluations"],
        "best": one["best"],
        "front": len(one["front"]),
    }


def draw(numbers: Numbers) -> str:
    """The fronts as steps over the first cost; under them the searches, and every network of a front behind a line."""
    costs, metric = numbers["costs"], numbers["metric"]
    searches = table(
        [
            Column("space", "Space", "text"),
            Column("how", "Search", "text"),
            Column("evaluations", "Networks scored", "count"),
            Column("best", f"Best {metric}"),
            Column("front", "On the front", "count"),
        ],
        numbers["searches"],
        source="search",
    )
    networks = [Column("space", "Space", "text"), Column("score", metric), *(Column(c, c) for c in costs)]
    networks.append(Column("architecture", "Architecture", "text"))
    listed = details(
        f"The {count(len(numbers['front']))} networks on the fronts", table(networks, numbers["front"], source="search")
    )
    words = "Scores are those of subnets with inherited weights, on validation images: they were searched for, so they lean up."
    if not costs:
        return figure("", words, searches + listed, source="search", command=numbers["command"])
    under = f" Nothing was scored that breaks {' or '.join(numbers['limits'])}." if numbers["limits"] else ""
    shown = {name: color for name, color in _COLORS.items() if any(row["space"] == name for row in numbers["front"])}
    says = f"{metric} against {costs[0]} of the {count(len(numbers['front']))} networks that no other scored one beats in both."
    drawing = charts.legend(shown) + charts.chart(_chart(numbers["front"], costs[0], metric, shown), says=says, height=300)
    caption = (
        f"Each point is a network that no other scored one beats in {metric} and {' and '.join(costs)} at once. {words}{under}"
    )
    return figure(drawing, caption, searches + listed, source="search", command=numbers["command"])


def _chart(front: list[dict[str, Any]], cost: str, metric: str, colors: Mapping[str, str]) -> Any:
    alt = charts.altair()
    base = alt.Chart(charts.data(front)).encode(
        x=alt.X(f"{cost}:Q", title=cost, scale=alt.Scale(zero=False, padding=16), axis=alt.Axis(format="~s", tickCount=6)),
        y=alt.Y("score:Q", title=metric, scale=alt.Scale(zero=False, padding=14)),
        color=charts.colored("space", colors),
    )
    dots = base.mark_point(filled=True, size=70, opacity=1).encode(
        tooltip=[
            alt.Tooltip("space:N", title="space"),
            alt.Tooltip(f"{cost}:Q", title=cost, format=",.5~r"),
            alt.Tooltip("score:Q", title=metric, format=",.5~r"),
            alt.Tooltip("architecture:N", title="network"),
        ]
    )
    return base.mark_line(interpolate="step-after", strokeWidth=1.5, opacity=0.5).encode(order=f"{cost}:Q") + dots


SECTION = Section("What the search found", numbers, draw)
