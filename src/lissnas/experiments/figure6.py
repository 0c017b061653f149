"""Figure 6: two edits of a NAS-Bench-101 cell, and the neighborhoods that edits make."""

from __future__ import annotations

import numpy as np

from lissnas.experiments.experiment import Experiment, Findings, Lab, Shown
from lissnas.experiments.verdict import Claim, Measured, exactly
from lissnas.locality import with_edits
from lissnas.spaces import SPACES

__all__ = ["EXPERIMENT"]

# A small cell with edges to spare: a 3x3 and a 1x1 convolution, a pooling behind both, and a way around all.
EDGES = ((0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (0, 4))
OPERATIONS = (0, 1, 2)
_SAMPLE = 2000


def _measure(lab: Lab) -> Findings:  # noqa: ARG001 - counted on the space itself
    space = SPACES.get("nasbench101")()
    matrix = np.zeros((1, 5, 5), dtype=np.uint8)
    for a, b in EDGES:
        matrix[0, a, b] = 1
    cell = space.from_matrix(matrix, np.array([OPERATIONS], dtype=np.uint8))
    own = space.format(cell)[0]
    pair = np.concatenate([with_edits(space, kind).all_neighbors(cell).genotypes[:1] for kind in ("operation", "edge")])
    operation, edge = space.format(pair)
    far = space.distance(np.repeat(cell, 2, axis=0), pair)
    near = space.all_neighbors(cell).genotypes
    drawn = space.sample(_SAMPLE, np.random.default_rng(0))
    degree = len(space.all_neighbors(drawn).genotypes) / len(drawn)
    values = {
        "operation": Measured(float(far[0]), exact=True, note=operation),
        "edge": Measured(float(far[1]), exact=True, note=edge),
        "isomorphs": Measured(float(space.distance(cell, cell)[0]), exact=True),
    }
    rows: list[list[str | float | int | None]] = [
        ["the cell", own, 0],
        ["one operation changed", operation, int(far[0])],
        ["one edge changed", edge, int(far[1])],
    ]
    notes = [
        f"The cell has {len(near)} neighbors at one edit; {_SAMPLE:,} uniform cells have {degree:.2f} in the mean "
        "(15.09 over all 423,624). The paper's own two examples are lost with the figure.",
    ]
    return Findings(values, [Shown("Examples of one edit", ("what", "cell", "edits"), rows)], notes=notes)


EXPERIMENT = Experiment(
    name="figure6",
    title="Examples of edits",
    paper="Figure 6, Appendix D",
    how="A cell, one neighbor with another operation and one with another edge; distances by the space's own rule.",
    claims=(
        Claim("operation", "a changed operation is an edit distance of 1", 1.0, exactly()),
        Claim("edge", "a changed edge is an edit distance of 1", 1.0, exactly()),
        Claim("isomorphs", "isomorphs have an edit distance of 0", 0.0, exactly()),
    ),
    measure=_measure,
    cost=3,
)
