"""The paper's tables and figures beside ours, with a verdict on every number: as a page, and as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

from lissnas.experiments.verdict import VERDICTS
from lissnas.reports import charts
from lissnas.reports.formats import MISSING, number
from lissnas.reports.markup import Column, details, paragraphs, table, text
from lissnas.reports.page import Part, Tile, page

__all__ = ["count_verdicts", "draw_reproduction", "published_value", "shown_cell", "shown_value", "write_reproduction"]

_MEANING = {
    "reproduced": "ours agrees, by the rule beside it",
    "differs": "ours is another number, or a statement that is not told apart from chance",
    "contradicts": "ours says the opposite, or the printed number cannot be",
    "needs DATA": "a file or a training is missing, and named",
    "lost in the paper": "the printed number did not come down to us",
}
_MOST_POINTS = 400
_LINE = 17  # the height of a line in a box

Result = Mapping[str, Any]


def count_verdicts(results: Sequence[Result]) -> dict[str, int]:
    """How many claims have which verdict."""
    counted = Counter(claim["verdict"] for result in results for claim in result["claims"])
    return {verdict: counted[verdict] for verdict in VERDICTS}


def shown_value(claim: Mapping[str, Any]) -> str:
    """Our number with its interval, as a reader sees it."""
    if claim["value"] is None:
        return MISSING
    value = number(claim["value"])
    if claim["low"] is None or claim["low"] == claim["high"]:
        return value
    return f"{value} [{number(claim['low'])}, {number(claim['high'])}]"


def published_value(claim: Mapping[str, Any]) -> str:
    """The printed number; a statement has none."""
    if claim["published"] is not None:
        return number(claim["published"])
    return "statement" if claim["statement"] else "lost"


def _how_made(result: Result) -> str:
    scale = result["scale"]
    return (
        f"Scale '{scale['name']}': {scale['seeds']} seeds from {result['seed']}, {scale['queries']:,} predictor queries, up to "
        f"{scale['pairs']:,} pairs, {scale['trees']} trees."
    )


# -- the page -----------------------------------------------------------------------------------------------------------


def draw_reproduction(results: Sequence[Result], command: str) -> str:
    """The whole page.

    Raises:
        UserError: the extra ``report`` is not installed.
    """
    counted = count_verdicts(results)
    tiles = [Tile(verdict, str(n), _MEANING[verdict]) for verdict, n in counted.items()]
    lead = [
        f"{sum(counted.values())} claims of the paper in {len(results)} tables, figures and sections, each with its published "
        "number, ours and a verdict.",
        "A statement is written as a difference that should be above 0. Numbers in brackets are 95% intervals.",
        *([_how_made(results[0])] if results else []),
        f"Made by: {command}",
    ]
    parts = [Part(result["name"], _heading(result), _section(result)) for result in results]
    return page("LISSNAS: the paper's numbers beside ours", lead, tiles, parts)


def _heading(result: Result) -> str:
    """Its title, for a table or a figure with its number."""
    name: str = result["name"]
    word = name.rstrip("0123456789")
    numbered = f"{word.capitalize()} {name[len(word) :]}: " if word in ("table", "figure") else ""
    return f"{numbered}{result['title']}"


def _section(result: Result) -> str:
    words = [f"{result['paper']}. {result['how']}", *(f"Not here: {missing}" for missing in result["missing"])]
    html = paragraphs(words) + (_claims(result) if result["claims"] else "")
    html += "".join(_flow(flow) for flow in result["flows"])
    html += "".join(_curve(curve) for curve in result["curves"])
    for shown in result["tables"]:
        html += _table(shown, f"results/{result['name']}.json")
    return html + paragraphs(result["notes"])


def _claims(result: Result) -> str:
    columns = [
        Column("says", "What the paper says", "text"),
        Column("published", "Published", "text"),
        Column("ours", "Ours", "text"),
        Column("verdict", "Verdict", "text"),
        Column("tolerance", "Judged by", "text"),
        Column("why", "Why, or how it was had", "text"),
    ]
    missing = _missing(result)
    rows = [
        {
            **claim,
            "says": claim["says"] + (f" ({claim['unit']})" if claim["unit"] else ""),
            "published": published_value(claim),
            "ours": shown_value(claim),
            "why": _why(claim, missing),
        }
        for claim in result["claims"]
    ]
    counted = ", ".join(f"{n} {verdict}" for verdict, n in count_verdicts([result]).items() if n)
    drawn = table(columns, rows, source=f"results/{result['name']}.json", caption=counted)
    drawn += paragraphs([f"({k}) Needs: {reason}." for reason, k in missing.items()])
    return drawn if len(rows) <= 24 else details(f"All {len(rows)} claims: {counted}", drawn)


def _missing(result: Result) -> dict[str, int]:
    """What the claims of an experiment still need, numbered."""
    reasons = dict.fromkeys(claim["why"] for claim in result["claims"] if claim["verdict"] == "needs DATA")
    return {reason: k for k, reason in enumerate(reasons, start=1)}


def _why(claim: Mapping[str, Any], missing: Mapping[str, int]) -> str:
    if claim["verdict"] == "needs DATA":
        note = claim["note"] if claim["note"] != claim["why"] else ""
        return f"({missing[claim['why']]}) {note}".strip()
    told = claim["why"] if claim["why"] != claim["tolerance"] else ""
    return "; ".join(dict.fromkeys(part for part in (told, claim["note"]) if part))


def _table(shown: Mapping[str, Any], source: str) -> str:
    columns = [Column(f"c{i}", title, "text") for i, title in enumerate(shown["columns"])]
    rows = [{f"c{i}": shown_cell(cell) for i, cell in enumerate(row)} for row in shown["rows"]]
    drawn = table(columns, rows, source=source, caption=shown["title"])
    return drawn if len(rows) <= 30 else details(shown["title"], drawn)


def shown_cell(cell: Any) -> str:
    """A cell of a further table."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int) and abs(cell) < 10**6:
        return f"{cell:,}"
    return number(cell) if isinstance(cell, (int, float)) else MISSING if cell is None else str(cell)


def _flow(flow: Mapping[str, Any]) -> str:
    """Boxes with arrows between them, four in a row."""
    wide, high, gap, in_row = 190, 34 + _LINE * max(len(lines) for _, lines in flow["steps"]), 30, 4
    drawn, small = [], 'font-size="13" fill="currentColor"'
    for i, (name, lines) in enumerate(flow["steps"]):
        x, y = (i % in_row) * (wide + gap), (i // in_row) * (high + gap)
        drawn.append(f'<rect x="{x + 1}" y="{y + 1}" width="{wide}" height="{high}" rx="8" fill="none" stroke="currentColor"/>')
        drawn.append(f'<text x="{x + 12}" y="{y + 22}" font-weight="bold" {small}>{text(name)}</text>')
        drawn += [
            f'<text x="{x + 12}" y="{y + 24 + _LINE * k}" {small}>{text(line)}</text>' for k, line in enumerate(lines, start=1)
        ]
        if i and i % in_row:
            drawn.append(f'<text x="{x - gap + 7}" y="{y + high / 2 + 6}" font-size="18" fill="currentColor">\u2192</text>')
        elif i:
            drawn.append(f'<text x="{x + 12}" y="{y - 9}" font-size="18" fill="currentColor">\u21b3</text>')
    rows = -(-len(flow["steps"]) // in_row)
    size = f"0 0 {in_row * (wide + gap) - gap + 2} {rows * (high + gap) - gap + 2}"
    picture = f'<svg viewBox="{size}" role="img" aria-label="{text(flow["title"])}">{"".join(drawn)}</svg>'
    return f"<figure>{picture}<figcaption>{text(flow['title'])}</figcaption></figure>"


def _curve(curve: Mapping[str, Any]) -> str:
    alt = charts.altair()
    colors = dict(zip(curve["lines"], cycle(charts.PALETTE), strict=False))
    # past the palette's end the colours come again, with dashes
    dashes = {name: [1, 0] if i < len(charts.PALETTE) else [4, 3] for i, name in enumerate(curve["lines"])}
    points = [
        {"line": name, "x": x, "y": y} for name, line in curve["lines"].items() for x, y in charts.thinned(line, _MOST_POINTS)
    ]
    drawing = (
        alt.Chart(charts.data(points))
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("x:Q", title=curve["x"], scale=alt.Scale(zero=False)),
            y=alt.Y("y:Q", title=curve["y"], scale=alt.Scale(zero=False)),
            color=charts.colored("line", colors),
            strokeDash=charts.colored("line", dashes, "StrokeDash"),
            tooltip=[alt.Tooltip("line:N"), alt.Tooltip("x:Q", format=".5~r"), alt.Tooltip("y:Q", format=".4~r")],
        )
    )
    marks = {name: "line" if i < len(charts.PALETTE) else "dashed" for i, name in enumerate(curve["lines"])}
    drawn = charts.chart(drawing, says=curve["title"])
    return f"<figure>{charts.legend(colors, marks)}{drawn}<figcaption>{text(curve['title'])}</figcaption></figure>"


# -- Markdown -----------------------------------------------------------------------------------------------------------


def write_reproduction(results: Sequence[Result], command: str) -> str:
    """The same as Markdown, for the documentation: every claim, and the tables beside them."""
    counted = count_verdicts(results)
    lines = ["# The paper's numbers beside ours", "", f"Made by `{command}`; changes here are lost.", ""]
    if results:
        lines += [_how_made(results[0]) + " Same command, same bytes.", ""]
    lines += [
        "A statement is written as a difference that should be above 0; numbers in brackets are 95% intervals. "
        "Each row names the rule that it was judged by.",
        "",
    ]
    lines += ["| verdict | claims | meaning |", "|---|---:|---|"]
    lines += [f"| {verdict} | {n} | {_MEANING[verdict]} |" for verdict, n in counted.items()]
    lines += ["", "| | reproduced | differs | contradicts | needs DATA | lost |", "|---|---:|---:|---:|---:|---:|"]
    for result in results:
        numbers = " | ".join(str(n or "") for n in count_verdicts([result]).values())
        lines.append(f"| [{_heading(result)}](#{result['name']}) | {numbers} |")
    for result in results:
        lines += ["", f'## <a id="{result["name"]}"></a>{_heading(result)}', ""]
        lines += [f"{result['paper']}. {result['how']}", ""]
        lines += [f"Not here: {missing}" for missing in result["missing"]] + ([""] if result["missing"] else [])
        if result["claims"]:
            lines += ["| the paper says | published | ours | verdict | judged by | |", "|---|---:|---:|---|---|---|"]
        missing = _missing(result)
        for claim in result["claims"]:
            unit = f" ({claim['unit']})" if claim["unit"] else ""
            cells = (
                claim["says"] + unit,
                published_value(claim),
                shown_value(claim),
                claim["verdict"],
                claim["tolerance"],
                _why(claim, missing),
            )
            lines.append(f"| {' | '.join(_plain(cell) for cell in cells)} |")
        lines += [line for reason, k in missing.items() for line in ("", f"({k}) Needs: {reason}.")]
        for flow in result["flows"]:
            steps = " → ".join(f"{name} ({', '.join(told)})" for name, told in flow["steps"])
            lines += ["", f"**{flow['title']}**", "", _plain(steps)]
        for shown in result["tables"]:
            lines += ["", f"**{shown['title']}**", "", f"| {' | '.join(map(_plain, shown['columns']))} |"]
            lines.append("|" + "---|" * len(shown["columns"]))
            lines += [f"| {' | '.join(_plain(shown_cell(cell)) for cell in row)} |" for row in shown["rows"]]
        for note in result["notes"]:
            lines += ["", note]
    return "\n".join(lines) + "\n"


def _plain(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")
