"""The cells of EC-NAS: those of NAS-Bench-101 with at most five vertices."""

from __future__ import annotations

from typing import Any

import numpy as np

from lissnas.spaces.explicit import ExplicitSpace
from lissnas.spaces.nasbench101 import nasbench101
from lissnas.spaces.nasbench101.drawings import INACTIVE, INTERIOR

__all__ = ["VERTICES", "ECNASSpace", "ecnas"]

VERTICES = 5  # at most, input and output among them


class ECNASSpace(ExplicitSpace):
    """The 2,532 cells of NAS-Bench-101 with 2 to 5 vertices (1, 6, 84 and 2,441 of them); edits and costs are its.

    No edit of the rule ``graph`` changes the number of vertices, so each cell has the neighbors that it has among all.
    """

    paper = "Bakhtiarifard et al., EC-NAS: Energy Consumption Aware Tabular Benchmarks for NAS, ICASSP 2024 (arXiv 2210.06015)"

    def __init__(self) -> None:
        parent = nasbench101()
        every = np.concatenate(list(parent.enumerate()))
        vertices = 2 + (every[:, -INTERIOR:] != INACTIVE).sum(axis=1)
        super().__init__(parent, parent.encode(every[vertices <= VERTICES]), "ecnas")

    def definition(self) -> dict[str, Any]:
        return {"kind": "published", "name": self.name, "options": {}}


def ecnas() -> ECNASSpace:
    """The cells of up to five vertices."""
    return ECNASSpace()
