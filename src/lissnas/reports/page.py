"""The whole page: head, summary, contents, sections, and the one script that all charts share."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

from lissnas.errors import require
from lissnas.reports.markup import text

__all__ = ["Part", "Tile", "page"]


class Part(NamedTuple):
    """A section that has been drawn."""

    name: str
    title: str
    html: str


class Tile(NamedTuple):
    """One headline number: what it is, the number, and a line that puts it in its place."""

    label: str
    value: str
    note: str = ""


def page(title: str, lead: Sequence[str], tiles: Sequence[Tile], parts: Sequence[Part]) -> str:
    """The page as one string: the same for the same arguments and the same versions of the drawing packages.

    Raises:
        UserError: the extra ``report`` is not installed.
    """
    bundle, script = _bundle(), _resource("page.js")
    contents = "".join(f'<li><a href="#{text(p.name)}">{text(p.title)}</a></li>' for p in parts)
    sections = "".join(_section(part) for part in parts)
    summary = "".join(f"<p>{text(sentence)}</p>" for sentence in lead)
    numbers = "".join(_tile(tile) for tile in tiles)
    # Only these two scripts may run and nothing may be fetched: the browser itself holds the page to it, whatever a name in
    # the data tries. unsafe-eval is what Vega compiles its expressions with; tooltips and charts set styles.
    policy = (
        f"default-src 'none'; script-src '{_hash(bundle)}' '{_hash(script)}' 'unsafe-eval'; "
        "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{text(title)}</title>\n<style>{_resource('page.css')}</style>\n</head>\n<body>\n"
        f'<header><p class="kind">lissnas report</p><h1>{text(title)}</h1><div class="lead">{summary}</div>'
        f'<dl class="tiles">{numbers}</dl></header>\n'
        f'<nav aria-label="Contents"><ul>{contents}</ul></nav>\n'
        "<noscript><p>Without JavaScript the charts stay empty; the tables hold their numbers.</p></noscript>\n"
        f"<main>\n{sections}</main>\n"
        f"<script>{bundle}</script>\n<script>{script}</script>\n</body>\n</html>\n"
    )


def _section(part: Part) -> str:
    name = text(part.name)
    heading = f'<h2 id="h-{name}">{text(part.title)}</h2>'
    return f'<section id="{name}" aria-labelledby="h-{name}">{heading}{part.html}</section>\n'


def _tile(tile: Tile) -> str:
    value = f'<dd class="value">{text(tile.value)}</dd>'
    return f'<div class="tile"><dt>{text(tile.label)}</dt>{value}<dd class="note">{text(tile.note)}</dd></div>'


@cache
def _bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script.

    What looks like an address in it (names of XML namespaces, links of an editor that the page does not offer) is spelled
    with escaped slashes: the same strings to JavaScript, and nothing that a search for addresses would find.
    """
    script = str(require("vl_convert", "report").javascript_bundle()).replace("\r\n", "\n")
    script = re.sub(r"(https?|wss?)://", r"\1:\\x2f\\x2f", script)
    return re.sub(r"<(?=/script|script|!--)", r"\\x3c", script, flags=re.IGNORECASE)


def _resource(name: str) -> str:
    return resources.files("lissnas.reports").joinpath(name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
