"""A network as a graph: every node and label is in the picture, nothing overlaps, nothing in a label can leave it."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree

import pytest

from lissnas.reports.graph import draw_diagram
from lissnas.spaces import Diagram

CELL = Diagram(
    ("input", "conv3x3", "conv1x1", "maxpool3x3", "conv3x3", "output"),
    ((0, 1, ""), (0, 2, ""), (0, 5, "skip"), (1, 3, ""), (2, 3, ""), (3, 5, ""), (1, 4, ""), (4, 5, "")),
)
CHAIN = Diagram(tuple(f"block_{i}: k{i % 3}" for i in range(12)), tuple((i, i + 1, "") for i in range(11)))


def boxes(svg: str) -> list[tuple[float, float, float, float]]:
    found = re.findall(r'<rect x="(\S+?)" y="(\S+?)" width="(\S+?)" height="(\S+?)"', svg)
    return [(float(x), float(y), float(x) + float(w), float(y) + float(h)) for x, y, w, h in found]


@pytest.mark.parametrize("diagram", [CELL, CHAIN], ids=["cell", "chain"])
def test_every_node_is_drawn_and_none_over_another(diagram: Diagram) -> None:
    svg = draw_diagram(diagram, says="a network")
    ElementTree.fromstring(svg)
    assert all(f">{node}</text>" in svg for node in diagram.nodes)
    assert svg.count("marker-end") == len(diagram.edges)
    placed = boxes(svg)
    assert len(placed) == len(diagram.nodes)
    for a, b in itertools.combinations(placed, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_edges_lead_to_the_right() -> None:
    svg = draw_diagram(CELL, says="a network")
    place = dict(zip(CELL.nodes, boxes(svg), strict=False))
    assert place["input"][2] < place["conv1x1"][0] < place["maxpool3x3"][0] < place["output"][0]


def test_groups_stand_under_their_headings() -> None:
    nodes = CELL.nodes + CELL.nodes
    edges = CELL.edges + tuple((a + 6, b + 6, label) for a, b, label in CELL.edges)
    svg = draw_diagram(Diagram(nodes, edges, ("normal",) * 6 + ("reduce",) * 6), says="two cells")
    assert svg.index(">normal</text>") < svg.index(">reduce</text>")
    assert svg.count("<rect") == 12


def test_a_label_cannot_leave_its_place() -> None:
    svg = draw_diagram(Diagram(("<script>", 'a"b'), ((0, 1, "</svg>"),)), says='"><script>')
    assert "<script>" not in svg
    assert ElementTree.fromstring(svg) is not None


def test_the_same_network_gives_the_same_bytes() -> None:
    assert draw_diagram(CELL, says="a network") == draw_diagram(CELL, says="a network")
