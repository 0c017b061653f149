"""A network as a graph in SVG: layers from left to right, long edges led around what stands between their ends."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lissnas.reports.drawing import allele_colors
from lissnas.reports.markup import text
from lissnas.spaces import Diagram

__all__ = ["draw_diagram"]

_CHARACTER, _HEIGHT, _PAD = 6.6, 24, 12  # of a node's text, on the safe side; of a node; inside it
_GAP, _ROW_GAP, _HEADING = 46, 14, 22  # between layers, between nodes of a layer, above a group
_PER_ROW = 5  # blocks of a chain in a row
_SWEEPS = 6  # of putting each layer in the order of what it is connected to


class _Picture(NamedTuple):
    """A piece of SVG and its size."""

    parts: list[str]
    width: float
    height: float


def draw_diagram(diagram: Diagram, *, says: str) -> str:
    """``diagram`` as a picture of its own: each group under its heading, a chain in rows, any other graph in layers.

    Args:
        says: the same in words.
    """
    colors = allele_colors(sorted({_kind(node) for node in diagram.nodes}))
    top, width = 0.0, 0.0
    parts: list[str] = []
    for heading, members in _groups(diagram):
        if heading:
            parts.append(f'<text x="4" y="{top + 15:g}" font-weight="bold">{text(heading)}</text>')
            top += _HEADING
            width = max(width, 4 + len(heading) * _CHARACTER * 1.1)  # bold
        nodes = [diagram.nodes[i] for i in members]
        place = {node: index for index, node in enumerate(members)}
        edges = [(place[a], place[b], label) for a, b, label in diagram.edges if a in place and b in place]
        picture = _chain(nodes, colors) if _is_chain(len(nodes), edges) else _layers(nodes, edges, colors)
        parts.append(f'<g transform="translate(0 {top:g})">{"".join(picture.parts)}</g>')
        top += picture.height + _ROW_GAP
        width = max(width, picture.width)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-6 -6 {width + 12:g} {top + 6:g}" width="{width + 12:g}" role="img" '
        f'aria-label="{text(says)}" font-family="system-ui, sans-serif" font-size="11" fill="#444c56">'
        '<defs><marker id="tip" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="6" markerHeight="6" orient="auto">'
        f'<path d="M0 0L6 3L0 6z" fill="#7d8590"/></marker></defs>{"".join(parts)}</svg>'
    )


def _groups(diagram: Diagram) -> list[tuple[str, list[int]]]:
    everyone = range(len(diagram.nodes))
    if not diagram.groups:
        return [("", list(everyone))]
    return [(heading, list(members)) for heading, members in itertools.groupby(everyone, lambda i: diagram.groups[i])]


def _is_chain(n: int, edges: Sequence[tuple[int, int, str]]) -> bool:
    return all(not label for _, _, label in edges) and sorted(e[:2] for e in edges) == list(itertools.pairwise(range(n)))


def _kind(node: str) -> str:
    """What a node is coloured by: its text without the gene's name in front."""
    return node.rpartition(": ")[2]


def _node(node: str, x: float, y: float, width: float, colors: Mapping[str, str]) -> str:
    middle = f'x="{x + width / 2:g}" y="{y + _HEIGHT / 2 + 4:g}" text-anchor="middle" fill="#1c2127"'
    box = f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{_HEIGHT}" rx="5" fill="{colors[_kind(node)]}"/>'
    return f"{box}<text {middle}>{text(node)}</text>"


def _edge(path: str) -> str:
    return f'<path d="{path}" fill="none" stroke="#7d8590" stroke-width="1.2" marker-end="url(#tip)"/>'


def _chain(nodes: Sequence[str], colors: Mapping[str, str]) -> _Picture:
    """Blocks in reading order."""
    width = max(len(node) for node in nodes) * _CHARACTER + _PAD
    gap, line = 18, _HEIGHT + _ROW_GAP
    parts = []
    for index, node in enumerate(nodes):
        row, column = divmod(index, _PER_ROW)
        x, y = column * (width + gap), row * line
        parts.append(_node(node, x, y, width, colors))
        if index + 1 == len(nodes):
            continue
        if column + 1 < _PER_ROW:
            parts.append(_edge(f"M{x + width:g} {y + _HEIGHT / 2:g}h{gap - 2}"))
        else:  # down, back to the left, down
            turn = y + _HEIGHT + _ROW_GAP / 2
            parts.append(_edge(f"M{x + width / 2:g} {y + _HEIGHT:g}V{turn:g}H{width / 2:g}v{_ROW_GAP / 2 - 1:g}"))
    rows, columns = -(-len(nodes) // _PER_ROW), min(len(nodes), _PER_ROW)
    return _Picture(parts, columns * (width + gap) - gap, rows * line - _ROW_GAP)


def _layers(nodes: Sequence[str], edges: Sequence[tuple[int, int, str]], colors: Mapping[str, str]) -> _Picture:
    """Each node one layer behind the last that it hears from; a point in every layer that an edge passes."""
    layer = [0] * len(nodes)
    for a, b, _ in sorted(edges, key=lambda edge: edge[1]):
        layer[b] = max(layer[b], layer[a] + 1)
    layers: list[list[int]] = [[] for _ in range(max(layer) + 1)]
    for node, at in enumerate(layer):
        layers[at].append(node)
    routes = []
    count = len(nodes)
    for a, b, label in edges:
        points = list(range(count, count + layer[b] - layer[a] - 1))
        count += len(points)
        for offset, point in enumerate(points, start=layer[a] + 1):
            layers[offset].append(point)
        routes.append(([a, *points, b], label))
    _untangle(layers, [pair for route, _ in routes for pair in itertools.pairwise(route)])

    widths = [max((len(nodes[n]) * _CHARACTER + _PAD for n in column if n < len(nodes)), default=8.0) for column in layers]
    labelled = max((len(label) for _, _, label in edges), default=0) * _CHARACTER * 0.85
    gap = max(_GAP, labelled + 20)
    tallest = max(len(column) for column in layers)
    where: dict[int, tuple[float, float]] = {}  # left end, middle
    x = 0.0
    for column, width in zip(layers, widths, strict=True):
        for row, node in enumerate(column):
            where[node] = (x, (row + (tallest - len(column)) / 2) * (_HEIGHT + _ROW_GAP) + _HEIGHT / 2)
        x += width + gap
    column_of = {node: index for index, column in enumerate(layers) for node in column}
    parts = []
    for route, label in routes:
        parts.append(_edge(_curve([(where[n][0], where[n][0] + widths[column_of[n]], where[n][1]) for n in route])))
        if label:
            start, end = where[route[0]], where[route[1]]
            between = start[0] + widths[column_of[route[0]]] + gap / 2
            parts.append(
                f'<text x="{between:g}" y="{(start[1] + end[1]) / 2 - 3:g}" text-anchor="middle" font-size="9.5" stroke="#fff" '
                f'stroke-width="3" paint-order="stroke">{text(label)}</text>'
            )
    for index, text_of_node in enumerate(nodes):
        left, middle = where[index]
        parts.append(_node(text_of_node, left, middle - _HEIGHT / 2, widths[layer[index]], colors))
    return _Picture(parts, x - gap, tallest * (_HEIGHT + _ROW_GAP) - _ROW_GAP)


def _untangle(layers: list[list[int]], links: Sequence[tuple[int, int]]) -> None:
    """Order each layer by the mean place of its neighbors, forth and back (Sugiyama's barycenters)."""
    before: dict[int, list[int]] = {}
    after: dict[int, list[int]] = {}
    for a, b in links:
        before.setdefault(b, []).append(a)
        after.setdefault(a, []).append(b)
    for sweep in range(_SWEEPS):
        heard, order = (before, layers) if sweep % 2 == 0 else (after, layers[::-1])
        for fixed, column in itertools.pairwise(order):
            place = {node: (i - (len(fixed) - 1) / 2) for i, node in enumerate(fixed)}
            own = {node: (i - (len(column) - 1) / 2) for i, node in enumerate(column)}
            mean = {n: [place[m] for m in heard.get(n, ()) if m in place] for n in column}
            column.sort(key=lambda n: sum(mean[n]) / len(mean[n]) if mean[n] else own[n])


def _curve(points: Sequence[tuple[float, float, float]]) -> str:
    """Through points (left, right, height): level inside a layer, an S between two."""
    path = f"M{points[0][1]:.1f} {points[0][2]:.1f}"
    for (_, right, low), (left, through, high) in itertools.pairwise(points):
        middle = (right + left) / 2
        path += f"C{middle:.1f} {low:.1f} {middle:.1f} {high:.1f} {left:.1f} {high:.1f}"
        if (left, through, high) != points[-1]:
            path += f"H{through:.1f}"
    return path
