"""Pieces of HTML: escaping, tables, and the figure with its table under it and how to run it again.

Whatever comes from a run (gene names, file names, commands) is hostile until escaped: ``text`` for what a reader sees and
for attributes, ``json_block`` for data that scripts read.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lissnas.reports.formats import written

__all__ = ["Column", "details", "figure", "json_block", "paragraphs", "run_again", "table", "text"]


@dataclass(frozen=True)
class Column:
    """One column of a table: the key in its rows, its heading, and how its values are written (a key of ``FORMATS``)."""

    key: str
    title: str
    kind: str = "number"


def text(value: Any) -> str:
    """``value`` as text of a page, safe in content and in attributes."""
    return html.escape(str(value), quote=True)


def json_block(value: Any) -> str:
    """``value`` as the content of a ``<script type="application/json">``.

    No ``<`` is left in it: ``</script>`` in a name would end the block, and ``<!--`` would swallow the one that ends it.
    ``\\u003c`` is the same character to whoever parses the JSON.
    """
    plain = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def paragraphs(sentences: Sequence[str]) -> str:
    """Each text, escaped, as a paragraph."""
    return "".join(f"<p>{text(s)}</p>" for s in sentences)


def table(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], *, source: str, caption: str = "") -> str:
    """A table of numbers.

    A cell shows a rounded number and holds the whole one in ``data-value``, so that nothing is lost between
    ``metrics.json`` and the page.

    Args:
        source: where in ``metrics.json`` the numbers are, kept in ``data-source``.
    """
    head = "".join(
        f'<th scope="col" data-key="{text(c.key)}"{_align(c, first=i == 0)}>{text(c.title)}</th>' for i, c in enumerate(columns)
    )
    body = "".join(f"<tr>{''.join(_cell(row.get(c.key), c, first=i == 0) for i, c in enumerate(columns))}</tr>" for row in rows)
    title = f"<caption>{text(caption)}</caption>" if caption else ""
    region = f'<div class="scroll" tabindex="0" role="region" aria-label="{text(caption or "Table")}">'
    return (
        f'{region}<table data-source="{text(source)}">{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def details(summary: str, content: str, *, printed: bool = True) -> str:
    """``content`` (HTML) behind a line that opens it; opened for printing unless it is too long for paper."""
    kind = "" if printed else ' class="long"'
    return f"<details{kind}><summary>{text(summary)}</summary>{content}</details>"


def figure(drawing: str, caption: str, tables: str, *, source: str, command: str, file: str = "metrics.json") -> str:
    """A drawing, what it shows, its table under it, and how to run it again.

    Args:
        drawing: HTML of one or more charts, or an SVG.
        caption: what to see in it, plain text.
        tables: HTML of the table or tables with its numbers.
        source: the field of ``file`` that holds the numbers.
        command: the command that made the run.
        file: where the numbers are.
    """
    return (
        f"<figure>{drawing}<figcaption>{text(caption)}</figcaption>{tables}"
        f'<p class="again">Numbers: <code>{text(file)}</code>, <code>{text(source)}</code>. {run_again(command)}</p></figure>'
    )


def run_again(command: str) -> str:
    """How to make the same numbers again, as HTML."""
    return f"Run it again: <code>{text(command)}</code>." if command else "The command is in <code>config.yaml</code>."


def _align(column: Column, *, first: bool = False) -> str:
    if column.kind in ("text", "setting"):
        return ""
    return ' class="k"' if first else ' class="n"'  # numbers to the right, but not those that name their row


def _cell(value: Any, column: Column, *, first: bool) -> str:
    shown = text(written(value, column.kind))
    numeric = column.kind not in ("text", "setting") and value is not None
    exact = f' data-value="{text(json.dumps(value))}"' if numeric else ""
    if numeric and column.kind == "count" and abs(value) >= 10**6:
        exact += f' title="{value:,}"'
    align = _align(column, first=first)
    return f'<th scope="row"{align}{exact}>{shown}</th>' if first else f"<td{align}{exact}>{shown}</td>"
