"""The best network, drawn: its decisions as a chain of blocks, coloured by allele."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lissnas.reports.data import RunData
from lissnas.reports.drawing import Block, Cell, allele_colors, chain
from lissnas.reports.formats import anything
from lissnas.reports.markup import Column, details, figure, table, text
from lissnas.reports.section import Numbers, Section

_SCORES = {"predicted": "predicted", "inherited": "with inherited weights", "measured": "measured"}
_REPEATED = re.compile(r"(.+?)_?(\d+)")


def numbers(data: RunData) -> Numbers | None:
    """The network's genes, once as they are and once in blocks.

    Genes named ``stem_0``, ``stem_1``, ... are a chain: block ``i`` holds the alleles of all stems at position
    ``i``. The others (width, depth) say something of the whole network and stand above it.
    """
    best = data.get("best")
    if not best or not best.get("genes"):
        return None
    genes: dict[str, Any] = best["genes"]
    groups = _repeated(genes)
    positions = sorted({i for group in groups.values() for i in group})
    return {
        "architecture": str(best.get("architecture", "")),
        "genes": [{"gene": gene, "allele": allele} for gene, allele in genes.items()],
        "whole": {
            g: a for g, a in genes.items() if not any(g == name for group in groups.values() for name, _ in group.values())
        },
        "blocks": [
            {"position": i, "alleles": {stem: group[i][1] for stem, group in groups.items() if i in group}} for i in positions
        ],
        "scores": [{"what": words, "value": best[what]} for what, words in _SCORES.items() if best.get(what) is not None],
        "costs": [{"what": name, "value": value} for name, value in (best.get("costs") or {}).items()],
        "metric": data.metric_label,
        "command": data.command,
    }


def draw(numbers: Numbers) -> str:
    """The drawing with its legend, and the tables of scores, costs and genes."""
    blocks, whole = numbers["blocks"], numbers["whole"]
    stems = list(dict.fromkeys(stem for block in blocks for stem in block["alleles"]))
    colors = {
        stem: allele_colors([b["alleles"][stem] for b in blocks if stem in b["alleles"]], i) for i, stem in enumerate(stems)
    }
    picture = ""
    if blocks:
        drawn = [
            Block(
                str(block["position"]),
                tuple(
                    Cell(f"{stem} {anything(a)}" if len(stems) > 1 else anything(a), anything(a), colors[stem][str(a)])
                    if (a := block["alleles"].get(stem)) is not None
                    else Cell("", "", None)
                    for stem in stems
                ),
            )
            for block in blocks
        ]
        picture = chain(drawn, says=f"The network as a chain of {len(blocks)} blocks: {numbers['architecture']}") + _legend(
            colors
        )
    settings = "".join(f"<li>{text(g)} <strong>{text(anything(a))}</strong></li>" for g, a in whole.items())
    above = f'<ul class="legend" aria-label="Decisions about the whole network">{settings}</ul>' if settings else ""
    facts = [
        *({**row, "what": f"{numbers['metric']}, {row['what']}"} for row in numbers["scores"]),
        *numbers["costs"],
    ]
    tables = table([Column("what", "What", "text"), Column("value", "Value")], facts, source="best") if facts else ""
    tables += details(
        f"All {len(numbers['genes'])} genes",
        table([Column("gene", "Gene", "text"), Column("allele", "Allele", "setting")], numbers["genes"], source="best.genes"),
    )
    return figure(
        above + picture,
        f"The network, as the space writes it: {numbers['architecture']}",
        tables,
        source="best",
        command=numbers["command"],
    )


def _repeated(genes: Mapping[str, Any]) -> dict[str, dict[int, tuple[str, Any]]]:
    """Stem -> position -> (gene, allele), for stems that occur at least twice."""
    groups: dict[str, dict[int, tuple[str, Any]]] = {}
    for gene, allele in genes.items():
        match = _REPEATED.fullmatch(gene)
        if match:
            groups.setdefault(match[1], {})[int(match[2])] = (gene, allele)
    return {stem: group for stem, group in groups.items() if len(group) > 1}


def _legend(colors: Mapping[str, Mapping[str, str]]) -> str:
    items = "".join(
        f'<li><span class="swatch" style="background:{color}"></span>{text(stem)} <strong>{text(allele)}</strong></li>'
        for stem, alleles in colors.items()
        for allele, color in alleles.items()
    )
    return f'<ul class="legend" aria-label="Colours">{items}</ul>'


SECTION = Section("The best network", numbers, draw)
