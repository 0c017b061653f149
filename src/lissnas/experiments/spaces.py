"""Sizes and costs of the spaces (Section 3.2, Appendix C; reconstruction B)."""

from __future__ import annotations

import numpy as np

from lissnas.experiments.experiment import Experiment, Findings, Lab, Shown
from lissnas.experiments.verdict import Claim, Measured, exactly
from lissnas.spaces import SPACES

__all__ = ["EXPERIMENT"]

# space -> (encodings as the field counts them, printed by the paper or derived from the space's own code)
SIZES = {
    "nasbench101": ("networks (isomorphs once)", 423_624.0, 0.0),
    "darts": ("encodings", 1.0767e18, 1e-4),
    "shufflenetv2": ("encodings", 4.0**20, 0.0),
    "transnasbench101-macro": ("networks", 3256.0, 0.0),
    "transnasbench101-micro": ("networks", 4096.0, 0.0),
    "fairnas": ("encodings", 6.09e14, 1e-3),
    "mobilenet": ("encodings", 2.215e17, 1e-3),
    "anynetx": ("encodings", 1.85e18, 2e-3),
}
# Szegedy's Inception-like cell, the example of NAS-Bench-101's own notebook
EDGES = ((0, 1), (0, 2), (0, 3), (0, 4), (1, 6), (2, 6), (3, 6), (4, 5), (5, 6))
OPERATIONS = (0, 1, 2, 0, 0)
SPOS = (2, 1, 0, 1, 2, 0, 2, 0, 2, 0, 2, 3, 0, 0, 0, 0, 3, 2, 3, 3)
# what -> (space, the allele of every gene or all genes, cost, published, rounding)
COSTS = {
    "SPOS's network": ("shufflenetv2", SPOS, (("flops", 322.92e6), ("params", 3.529e6))),
    "ShuffleNetV2, all 3x3": ("shufflenetv2", 0, (("flops", 295.84e6), ("params", 3.132e6))),
    "ShuffleNetV2, all Xception": ("shufflenetv2", 3, (("flops", 358.83e6), ("params", 3.830e6))),
    "FairNAS, all k3e3": ("fairnas", 0, (("flops", 247.13e6), ("params", 3.189e6))),
    "FairNAS, all k7e6": ("fairnas", 5, (("flops", 557.41e6), ("params", 5.090e6))),
}
_ROUNDED = 2e-4  # four digits


def _measure(lab: Lab) -> Findings:  # noqa: ARG001 - counted
    values: dict[str, Measured] = {}
    rows: list[list[str | float | int | None]] = []
    for name, (what, _, _) in SIZES.items():
        space = SPACES.get(name)()
        counted = space.cardinality if "networks" in what else space.encodings
        values[f"size/{name}"] = Measured(float(counted), exact=True)
        rows.append([name, float(space.encodings), float(space.cardinality), space.length, space.max_edits])
    union = SPACES.get("transnasbench101-macro")().cardinality + SPACES.get("transnasbench101-micro")().cardinality
    values["size/transnas"] = Measured(float(union), exact=True)
    for what, (name, alleles, wanted) in COSTS.items():
        space = SPACES.get(name)()
        genotype = np.broadcast_to(np.array(alleles, dtype=np.uint8), (1, space.length)).copy()
        cost = space.cost(genotype)
        for kind, _ in wanted:
            values[f"cost/{what}/{kind}"] = Measured(float(cost[kind][0]), exact=True)
    cells = SPACES.get("nasbench101")()
    matrix = np.zeros((1, 7, 7), dtype=np.uint8)
    for a, b in EDGES:
        matrix[0, a, b] = 1
    cell = cells.from_matrix(matrix, np.array([OPERATIONS], dtype=np.uint8))
    values["cost/inception/params"] = Measured(float(cells.cost(cell)["params"][0]), exact=True)
    columns = ("space", "encodings", "networks (isomorphs once)", "genes", "most edits")
    return Findings(values, [Shown("The spaces as they are here", columns, rows)])


EXPERIMENT = Experiment(
    name="spaces",
    title="Sizes and costs of the spaces",
    paper="Section 3.2, Appendix C (several numbers are lost; those of the spaces' own papers and code stand in)",
    how="Counted, and computed layer by layer; nothing is estimated.",
    claims=(
        *(Claim(f"size/{name}", f"{name}: {what}", size, exactly(off)) for name, (what, size, off) in SIZES.items()),
        Claim("size/transnas", "TransNASBench: macro and micro together", 7352.0, exactly()),
        *(
            Claim(
                f"cost/{what}/{kind}",
                f"{what}: {'multiply-adds' if kind == 'flops' else 'parameters'}",
                value,
                exactly(_ROUNDED),
            )
            for what, (_, _, wanted) in COSTS.items()
            for kind, value in wanted
        ),
        Claim("cost/inception/params", "NAS-Bench-101's Inception-like cell: parameters", 2_694_282.0, exactly()),
    ),
    measure=_measure,
    cost=5,
)
