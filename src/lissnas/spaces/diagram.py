"""An architecture as nodes and edges: what is drawn of it. How it is drawn is the affair of a higher room."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Diagram"]


class Diagram(NamedTuple):
    """A directed graph without cycles, nodes in topological order.

    Attributes:
        nodes: one label per node.
        edges: (from, to, label), the label empty where the edge is only a connection.
        groups: one heading per node ("normal cell", "stage 2"), nodes of a group beside one another; empty: no groups.
    """

    nodes: tuple[str, ...]
    edges: tuple[tuple[int, int, str], ...]
    groups: tuple[str, ...] = ()
