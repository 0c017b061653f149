"""Appendix H.3: how long it would take to query every network."""

from __future__ import annotations

from lissnas.experiments.experiment import Experiment, Findings, Lab
from lissnas.experiments.verdict import Claim, Measured, exactly
from lissnas.spaces import SPACES

__all__ = ["EXPERIMENT"]

YEAR = 365.25 * 24 * 3600


def _measure(lab: Lab) -> Findings:  # noqa: ARG001 - arithmetic
    size = SPACES.get("fairnas")().cardinality
    values = {"years": Measured(size * 1e-3 / YEAR, exact=True, note=f"{size:,} networks, 1 ms each")}
    notes = [
        "27 million years would take 8.5e17 networks: another space, or a slip (F8).",
        f"At the 2.6 ns a network and tree that this package takes, 800 trees: {size * 800 * 2.6e-9 / YEAR:,.0f} years "
        f"on one core.",
    ]
    return Findings(values, notes=notes)


EXPERIMENT = Experiment(
    name="appendix-h3",
    title="Querying all networks of FairNAS (Appendix H.3)",
    paper="Appendix H.3",
    how="Arithmetic: 6^19 networks at a millisecond each.",
    claims=(Claim("years", "querying all of FairNAS at 1 ms takes", 27e6, exactly(0.05), "years"),),
    measure=_measure,
)
