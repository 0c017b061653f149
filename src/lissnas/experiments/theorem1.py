"""Theorem 1 and what follows from it: the table of reconstruction A.7, and whether the published index can be reached."""

from __future__ import annotations

from lissnas.experiments.experiment import Experiment, Findings, Lab
from lissnas.experiments.verdict import Claim, Measured, exactly, holds, within
from lissnas.quality import probability_of_good, shrink_index

__all__ = ["EXPERIMENT"]

SHARES = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50, 0.60)
# (n, k) -> P at each share, three decimals
EXPECTED = {
    (10, 2): (0.086, 0.264, 0.456, 0.624, 0.756, 0.851, 0.954, 0.989, 0.998),
    (10, 5): (0.000, 0.002, 0.010, 0.033, 0.078, 0.150, 0.367, 0.623, 0.834),
}
_STEP = 0.0005000001  # three decimals


def _measure(lab: Lab) -> Findings:  # noqa: ARG001 - arithmetic needs no data
    values = {f"{n}-{k}-{p:g}": Measured(float(probability_of_good(p, n, k)), exact=True) for n, k in EXPECTED for p in SHARES}
    values["greedynas"] = Measured(float(probability_of_good(0.6, 10, 5)), exact=True)
    largest = shrink_index(1.0, 0.2)
    values["largest-with-20"] = Measured(largest - 0.4, exact=True, note=f"the largest index is {largest:.3f}")
    values["largest-with-10"] = Measured(
        shrink_index(1.0, 0.1) - 0.4, exact=True, note=f"the largest index is {shrink_index(1.0, 0.1):.3f}"
    )
    values["example-a"] = Measured(0.7 - 0.2, exact=True)
    values["example-b"] = Measured(0.9 - 0.7, exact=True)
    notes = [
        "The paper leaves n open; with n = 10 and its rule of 20% good ones, k is 2. The running example of Section "
        "4.4 takes raw "
        "shares, not the theorem's probabilities: by Theorem 1 the same shares give "
        f"{shrink_index(0.7, 0.2):.3f} and {shrink_index(0.9, 0.7):.3f}.",
    ]
    return Findings(values, notes=notes)


EXPERIMENT = Experiment(
    name="theorem1",
    title="Theorem 1 and the shrink index",
    paper="Section 4.4, Theorem 1 and Eq. 2 (formulas lost; after GreedyNAS's theorem)",
    how="Arithmetic: the probability of at least k good networks in n draws, where a share p is good.",
    claims=(
        *(
            Claim(f"{n}-{k}-{p:g}", f"P(n = {n}, k = {k}) at p = {p:g}", value, within(_STEP))
            for (n, k), row in EXPECTED.items()
            for p, value in zip(SHARES, row, strict=True)
        ),
        Claim("greedynas", "GreedyNAS's own example: n = 10, k = 5, p = 0.6", 0.8338, within(0.00005)),
        Claim("largest-with-20", "an index of 0.4 can be reached where the best 20% are good (n = 10, k = 2)", None, holds()),
        Claim("largest-with-10", "an index of 0.4 can be reached where the best 10% are good (n = 10, k = 2)", None, holds()),
        Claim("example-a", "the running example: from 20% to 70%", 0.5, exactly(1e-9)),
        Claim("example-b", "the running example: from 70% to 90%", 0.2, exactly(1e-9)),
    ),
    measure=_measure,
)
