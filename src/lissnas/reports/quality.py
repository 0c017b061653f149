"""The page of spaces side by side: the table, where their scores lie, score against cost, sizes of pockets."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from lissnas.reports import charts
from lissnas.reports.formats import coefficient, count, number, share, times, written
from lissnas.reports.markup import Column, details, figure, paragraphs, table
from lissnas.reports.page import Part, Tile, page
from lissnas.reports.quality_rows import Group, groups, reasons
from lissnas.reports.section import Numbers

__all__ = ["curves", "draw_quality", "pocket_sizes", "scatter"]

_POINTS = 500  # of each space in a scatter: more are only darker
_FILE = "the same command with --json"
_WORDS = {"true": "True scores", "predicted": "Predicted scores"}


def draw_quality(numbers: Mapping[str, Any], command: str) -> str:
    """The whole page, from what ``SideBySide.to_dict()`` gives.

    Raises:
        UserError: the extra ``report`` is not installed.
    """
    parts = [Part("table", "Side by side", _tables(numbers))]
    for source in numbers["scales"]:
        for name, title, shown in (
            ("edf", "where they lie", curves(numbers, source)),
            ("cost", "against cost", scatter(numbers, source)),
        ):
            if shown is not None:
                draw = _draw_curves if name == "edf" else _draw_scatter
                parts.append(Part(f"{name}-{source}", f"{_WORDS[source]} {title}", draw(shown, command)))
    if (shown := pocket_sizes(numbers)) is not None:
        parts.append(Part("pockets", "Sizes of pockets", _draw_pockets(shown, command)))
    parts.append(Part("entropy", "Entropy of each gene", _entropies(numbers)))
    rows = numbers["spaces"]
    lead = [
        f"{len(rows)} {'space' if len(rows) == 1 else 'spaces'}, compared with {numbers['reference']}. What stands in brackets "
        "is a 95 % interval; a number without comes from all networks of the space."
    ]
    return page("Spaces side by side", lead, _tiles(numbers), parts)


def curves(numbers: Mapping[str, Any], source: str) -> Numbers | None:
    """The steps of each space's EDF, and its quantiles."""
    rows = [row for row in numbers["spaces"] if row["curves"][source]]
    if not rows:
        return None
    keys = [key for key in rows[0]["scores"][source] if key.startswith("q")]
    return {
        "steps": [{"space": row["name"], "score": x, "share": y} for row in rows for x, y in row["curves"][source]],
        "rows": [
            {"space": row["name"], **{key: row["scores"][source][key]["value"] for key in ("mean", *keys, "best")}}
            for row in rows
        ],
        "keys": keys,
        **_shared(numbers, source),
    }


def scatter(numbers: Mapping[str, Any], source: str) -> Numbers | None:
    """Points of score against the first cost, and a row for each space."""
    rows = [row for row in numbers["spaces"] if row["curves"][source]]
    cost = next(iter(rows[0]["points"][source]), None) if rows else None
    if cost is None:
        return None
    best = max if numbers["scales"][source]["higher_is_better"] else min
    points = {row["name"]: charts.thinned(row["points"][source][cost], _POINTS) for row in rows}
    return {
        "cost": cost,
        "points": [{"space": name, "cost": c, "score": s} for name, some in points.items() for c, s in some],
        "rows": [
            {
                "space": name,
                "n": len(some),
                "lowest": min(c for c, _ in some),
                "mean": fmean(c for c, _ in some),
                "highest": max(c for c, _ in some),
                "mean_score": fmean(s for _, s in some),
                "best_score": best(s for _, s in some),
            }
            for name, some in points.items()
        ],
        **_shared(numbers, source),
    }


def pocket_sizes(numbers: Mapping[str, Any]) -> Numbers | None:
    """Sizes by rank of the largest pockets of each space that has more than one."""
    rows = [row for row in numbers["spaces"] if len(row["pocket_sizes"]) > 1]
    if not rows:
        return None
    return {
        "points": [
            {"space": row["name"], "rank": rank, "size": size}
            for row in rows
            for rank, size in enumerate(row["pocket_sizes"], start=1)
        ],
        "rows": [
            {
                "space": row["name"],
                "pockets": int(row["spread"]["pockets"]["value"]),
                "largest": row["pocket_sizes"][0],
                "median": row["spread"]["median_pocket"]["value"],
                "alone": row["spread"]["alone"]["value"],
                "sizes": ", ".join(count(size) for size in row["pocket_sizes"][:10]),
            }
            for row in rows
        ],
        "colors": _colors(numbers),
    }


def _shared(numbers: Mapping[str, Any], source: str) -> Numbers:
    scale = numbers["scales"][source]
    metric = f"{scale['metric']}{' (' + scale['unit'] + ')' if scale['unit'] else ''}"
    return {
        "source": source,
        "metric": metric,
        "higher_is_better": scale["higher_is_better"],
        "threshold": scale["threshold"],
        "interval": scale["interval"],
        "colors": _colors(numbers),
        "reference": numbers["reference"],
    }


def _colors(numbers: Mapping[str, Any]) -> dict[str, str]:
    others = (row["name"] for row in numbers["spaces"] if not row["is_reference"])
    colors = {numbers["reference"]: charts.COLORS["full"]}
    return colors | {name: charts.PALETTE[i % len(charts.PALETTE)] for i, name in enumerate(others)}


def _used(shown: Numbers) -> dict[str, str]:
    present = {row["space"] for row in shown["rows"]}
    return {name: color for name, color in shown["colors"].items() if name in present}


def _scores(shown: Numbers) -> Any:
    """The scale of scores: without the failures, which would leave no room for the rest."""
    if shown["interval"] is None:
        return charts.altair().Scale(zero=False)
    return charts.altair().Scale(zero=False, domain=sorted(shown["interval"]))


# -- drawing ------------------------------------------------------------------------------------------------------------


def _draw_curves(shown: Numbers, command: str) -> str:
    alt = charts.altair()
    colors = _used(shown)
    dashes = {name: [6, 3] if name == shown["reference"] else [1, 0] for name in colors}
    base = alt.Chart(charts.data(shown["steps"])).encode(
        x=alt.X("score:Q", title=shown["metric"], scale=_scores(shown)),
        y=alt.Y("share:Q", title="share of networks", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5)),
        color=charts.colored("space", colors),
    )
    drawing = base.mark_line(interpolate="step-after", strokeWidth=2, clip=True).encode(
        strokeDash=charts.colored("space", dashes, "StrokeDash")
    )
    if shown["threshold"] is not None:
        rule = alt.Chart(charts.data([{"score": shown["threshold"]}])).mark_rule(
            strokeDash=[2, 3], opacity=0.6, color="#8b929c"
        )
        drawing += rule.encode(x="score:Q")
    columns = [Column("space", "Space", "text"), Column("mean", "Mean")]
    columns += [Column(key, key[1:]) for key in shown["keys"]]
    columns.append(Column("best", "Best"))
    side = "right" if shown["higher_is_better"] else "left"
    medians = ", ".join(f"{row['space']} {number(row['q50%'])}" for row in shown["rows"])
    return figure(
        charts.legend(colors, {name: "dashed" if name == shown["reference"] else "line" for name in colors})
        + charts.chart(drawing, says=f"Share of networks at or below each score. Medians: {medians}.", height=300),
        f"The share of networks whose score is at most what the axis says: a curve further {side} is a better space. "
        + (f"The dotted line is the threshold of good networks, {number(shown['threshold'])}. " if shown["threshold"] else "")
        + "The axis spans the scores that the area is taken over.",
        table(
            columns, shown["rows"], source=f"spaces[].scores.{shown['source']}", caption=f"{shown['metric']}: mean, quantiles"
        ),
        source=f"spaces[].curves.{shown['source']}",
        command=command,
        file=_FILE,
    )


def _draw_scatter(shown: Numbers, command: str) -> str:
    alt = charts.altair()
    cost, metric, colors = shown["cost"], shown["metric"], _used(shown)
    drawing = (
        alt.Chart(charts.data(shown["points"]))
        .mark_circle(size=24, clip=True)
        .encode(
            x=alt.X("cost:Q", title=cost, scale=alt.Scale(zero=False), axis=alt.Axis(format="~s", tickCount=6)),
            y=alt.Y("score:Q", title=metric, scale=_scores(shown)),
            color=charts.colored("space", colors),
            opacity=alt.condition(alt.datum.space == shown["reference"], alt.value(0.35), alt.value(0.7)),
            tooltip=[alt.Tooltip("space:N"), alt.Tooltip("cost:Q", format=",.5~r"), alt.Tooltip("score:Q", format=",.5~r")],
        )
    )
    columns = [
        Column("space", "Space", "text"),
        Column("n", "Points", "count"),
        Column("lowest", f"{cost}: lowest"),
        Column("mean", "mean"),
        Column("highest", "highest"),
        Column("mean_score", f"{metric}: mean"),
        Column("best_score", "best"),
    ]
    return figure(
        charts.legend(colors)
        + charts.chart(drawing, says=f"{metric} against {cost}, some networks of each space.", height=340),
        f"Each point is a network: its {cost} and its {metric}. Up to {_POINTS} of each space are drawn; "
        "the worst, which the area under the EDF leaves out too, lie below the axis.",
        table(columns, shown["rows"], source=f"spaces[].points.{shown['source']}", caption="The points drawn"),
        source=f"spaces[].points.{shown['source']}",
        command=command,
        file=_FILE,
    )


def _draw_pockets(shown: Numbers, command: str) -> str:
    alt = charts.altair()
    colors = _used(shown)
    base = alt.Chart(charts.data(shown["points"])).encode(
        x=alt.X("rank:Q", title="pocket, the largest first", axis=alt.Axis(format="d", tickMinStep=1)),
        y=alt.Y(
            "size:Q", title="networks in it", scale=alt.Scale(type="log", nice=False), axis=alt.Axis(format="~s", tickCount=5)
        ),
        color=charts.colored("space", colors),
    )
    drawing = base.mark_line(interpolate="step", strokeWidth=2) + base.mark_point(size=30, filled=True).encode(
        tooltip=[alt.Tooltip("space:N"), alt.Tooltip("rank:Q"), alt.Tooltip("size:Q", format=",")]
    )
    columns = [
        Column("space", "Space", "text"),
        Column("pockets", "Pockets", "count"),
        Column("largest", "Largest", "count"),
        Column("median", "Median size"),
        Column("alone", "Networks alone", "share"),
        Column("sizes", "Ten largest", "text"),
    ]
    return figure(
        charts.legend(colors, dict.fromkeys(colors, "line"))
        + charts.chart(drawing, says="Sizes of pockets by rank.", height=260),
        "A pocket is a part of a space in which single edits lead from any network to any other.",
        table(columns, shown["rows"], source="spaces[].pocket_sizes", caption="Pockets"),
        source="spaces[].pocket_sizes",
        command=command,
        file=_FILE,
    )


# -- tables -------------------------------------------------------------------------------------------------------------


def _tables(numbers: Mapping[str, Any]) -> str:
    found = groups(numbers)
    numbered = reasons(found)
    spaces = numbers["spaces"]
    columns = [Column("label", "", "text"), *(Column(f"space{i}", row["name"], "text") for i, row in enumerate(spaces))]
    sizes = {f"space{i}": _size(row) for i, row in enumerate(spaces)}
    parts = []
    for group in found:
        rows = [{"label": "networks", **sizes}] if group is found[0] else []
        rows += _plain(group, numbered)
        parts.append(
            table(columns, rows, source="spaces", caption=group.title) + paragraphs([group.note] if group.note else [])
        )
    return "".join(parts) + paragraphs([f"({n}) {reason}." for reason, n in numbered.items()])


def _plain(group: Group, numbered: Mapping[str, int]) -> list[dict[str, str]]:
    return [
        {"label": row.label, **{f"space{i}": _cell(cell, row.kind, numbered) for i, cell in enumerate(row.cells)}}
        for row in group.rows
    ]


def _cell(cell: Mapping[str, Any], kind: str, numbered: Mapping[str, int]) -> str:
    value, low, high = cell["value"], cell["low"], cell["high"]
    if value is None:
        return f"– ({numbered[cell['reason']]})"
    shown = _shown(value, kind)
    if cell["exact"] or (low is None and high is None):
        return shown
    if value == low and high is None:
        return f"≥ {shown}"
    if value == high and low is None:
        return f"≤ {shown}"
    ends = ["?" if end is None else _shown(end, kind) for end in (low, high)]  # beyond what the sample holds
    return f"{shown} [{', '.join(ends)}]"


def _shown(value: float, kind: str) -> str:
    if kind == "factor":
        return times(value)
    if kind == "whole":
        return count(int(value))
    return written(value, "number" if kind == "size" else kind)


def _size(row: Mapping[str, Any]) -> str:
    return f"{'' if row['cardinality_is_exact'] else 'about '}{count(int(row['cardinality']))}"


def _entropies(numbers: Mapping[str, Any]) -> str:
    spaces = numbers["spaces"]
    columns = [Column("gene", "Gene", "text"), *(Column(f"space{i}", row["name"]) for i, row in enumerate(spaces))]
    rows = [
        {"gene": gene, **{f"space{i}": row["entropy"][gene] for i, row in enumerate(spaces)}} for gene in spaces[0]["entropy"]
    ]
    words = paragraphs(["Bits: how evenly the alleles of each gene are used, 0 where all networks hold the same one."])
    return words + details("Every gene", table(columns, rows, source="spaces[].entropy"), printed=len(rows) <= 40)


def _tiles(numbers: Mapping[str, Any]) -> list[Tile]:
    """Of each smaller space the shrink index, by true scores where there are some."""
    tiles = []
    for row in [r for r in numbers["spaces"] if not r["is_reference"]][:4]:
        source = next(
            (s for s in ("true", "predicted") if row["scores"].get(s, {}).get("mean", {}).get("value") is not None), None
        )
        if source is None:
            tiles.append(Tile(row["name"], _size(row), f"networks, {times(row['size']['reduction']['value'])} times fewer"))
            continue
        index, good = row["scores"][source]["shrink_index"]["value"], row["scores"][source]["p_good"]["value"]
        mean = number(row["scores"][source]["mean"]["value"])
        note = f"shrink index by {source} scores; mean {mean}" + ("" if good is None else f", {share(good)} good")
        tiles.append(Tile(row["name"], coefficient(index), note))
    return tiles
