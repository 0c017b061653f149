"""A chain of blocks as SVG: as wide as a phone, so that it is read there without zooming, and scaled up elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from lissnas.reports.formats import anything
from lissnas.reports.markup import text

__all__ = ["Block", "Cell", "allele_colors", "chain"]

_WIDTH, _GAP, _ROW_GAP = 350, 14, 26
_HEAD, _CELL = 16, 22
_CHARACTER = 6.4  # width of a character at the cells' font size, on the safe side
# Pale, so that dark text reads on each of them, in light and in dark surroundings.
_NAMED = ("#a6cbe8", "#f5c38b", "#b5d99c", "#e6b0be", "#c8b8e6", "#e8dc8a", "#a5dcd2", "#d4c0a8", "#c9ced6", "#f0b4e0")
_HUES = (210, 30, 140, 330, 265, 55)


class Cell(NamedTuple):
    """One decision in a block: its full and its short text, and its colour (None: switched off)."""

    label: str
    short: str
    color: str | None


class Block(NamedTuple):
    """One position of the chain."""

    title: str
    cells: tuple[Cell, ...]


def allele_colors(alleles: Sequence[Any], group: int = 0) -> dict[str, str]:
    """Allele (as text) -> colour, in a legend's order: shades of one hue for numbers, hues for names."""
    distinct = list(dict.fromkeys(alleles))
    if all(isinstance(a, (int, float)) for a in distinct):
        distinct.sort()
        steps = max(len(distinct) - 1, 1)
        hue = _HUES[group % len(_HUES)]
        return {str(a): f"hsl({hue},65%,{90 - 25 * i / steps:.0f}%)" for i, a in enumerate(distinct)}
    ordered = sorted(distinct, key=anything)
    # a second group starts elsewhere in the list, so that its colours differ
    return {str(a): _NAMED[(i + 3 * group) % len(_NAMED)] for i, a in enumerate(ordered)}


def chain(blocks: Sequence[Block], *, says: str) -> str:
    """The blocks in reading order, with arrows from one to the next.

    Args:
        says: the same in words.
    """
    longest = max((len(c.label) for b in blocks for c in b.cells), default=1)
    per_row = 5 if longest * _CHARACTER <= _box(5) - 8 else 4
    box, height = _box(per_row), _HEAD + _CELL * max(len(b.cells) for b in blocks)
    rows = -(-len(blocks) // per_row)
    total = 16 + rows * height + (rows - 1) * _ROW_GAP + 20
    parts = [
        f'<svg class="network" viewBox="0 0 {_WIDTH} {total}" role="img" aria-label="{text(says)}" '
        'font-size="11" fill="currentColor">',
        '<defs><marker id="tip" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="6" markerHeight="6" orient="auto">'
        '<path d="M0 0L6 3L0 6z"/></marker></defs>',
        '<text x="0" y="10" opacity=".65">input</text>',
    ]
    arrows = []
    for index, block in enumerate(blocks):
        row, column = divmod(index, per_row)
        x, y = column * (box + _GAP), 16 + row * (height + _ROW_GAP)
        parts.append(_block(block, x, y, box))
        middle = y + _HEAD + (height - _HEAD) / 2
        if index + 1 == len(blocks):
            continue
        if column + 1 < per_row:
            arrows.append(f"M{x + box + 1:g} {middle:g}h{_GAP - 3}")
        else:  # on to the next row: down, back to the left, down
            turn = y + height + _ROW_GAP / 2 - 3
            arrows.append(f"M{x + box / 2:g} {y + height + 1:g}V{turn:g}H{box / 2:g}V{y + height + _ROW_GAP - 1:g}")
    arrow = 'fill="none" stroke="currentColor" opacity=".55" marker-end="url(#tip)"'
    parts.extend(f'<path d="{path}" {arrow}/>' for path in arrows)
    last = (len(blocks) - 1) % per_row
    parts.append(f'<text x="{last * (box + _GAP):g}" y="{total - 6}" opacity=".65">output</text></svg>')
    return "".join(parts)


def _box(per_row: int) -> float:
    return (_WIDTH - (per_row - 1) * _GAP - 2) / per_row


def _block(block: Block, x: float, y: float, width: float) -> str:
    words = f"block {block.title}: " + ", ".join(c.label or "off" for c in block.cells)
    parts = [
        f'<g><title>{text(words)}</title><text x="{x:g}" y="{y + 12:g}" font-size="9" opacity=".65">{text(block.title)}</text>'
    ]
    off = 'fill="none" stroke="currentColor" stroke-opacity=".4" stroke-dasharray="3 2"'
    for i, cell in enumerate(block.cells):
        top, middle = y + _HEAD + i * _CELL, x + width / 2
        look = off if cell.color is None else f'fill="{cell.color}"'
        parts.append(f'<rect x="{x:g}" y="{top:g}" width="{width:g}" height="{_CELL - 2}" rx="4" {look}/>')
        label = text(_fitted(cell, width))
        parts.append(f'<text x="{middle:g}" y="{top + 14:g}" text-anchor="middle" fill="#1c2127">{label}</text>')
    return "".join(parts) + "</g>"


def _fitted(cell: Cell, width: float) -> str:
    room = int((width - 6) / _CHARACTER)
    for label in (cell.label, cell.short):
        if len(label) <= room:
            return label
    return cell.short[: room - 1] + "…"
