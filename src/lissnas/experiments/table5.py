"""Table 5: cardinality beside ABS on MobileNet and DDS on AnyNetX. All its numbers are lost; what can be derived is."""

from __future__ import annotations

from dataclasses import replace

from lissnas.experiments import numbers
from lissnas.experiments.experiment import Experiment, Findings, Lab, Shown
from lissnas.experiments.stand_in import STAND_IN
from lissnas.experiments.verdict import Claim, Measured, exactly, holds, times
from lissnas.spaces import SPACES

__all__ = ["EXPERIMENT"]

_ACCURACY = {
    "mobilenet": f"accuracies of MobileNet's space on ImageNet; shown is what comes out of {STAND_IN}",
    "anynetx": f"accuracies of AnyNetX's networks on ImageNet; shown is what comes out of {STAND_IN}",
}


def _measure(lab: Lab) -> Findings:
    mobilenet, anynetx, regnet = (SPACES.get(name)() for name in ("mobilenet", "anynetx", "regnet"))
    values = {
        "mobilenet/original": Measured(float(mobilenet.encodings), exact=True),
        "anynetx/original": Measured(float(anynetx.encodings), exact=True),
        "anynetx/dds": Measured(float(regnet.encodings), exact=True, note="RegNet's parameters"),
        "anynetx/dds-factor": Measured(anynetx.encodings / regnet.encodings, exact=True),
    }
    rows = []
    for space, rival in (("mobilenet", "abs"), ("anynetx", "dds")):
        outcomes = lab.of(space)
        full = float(outcomes[0].full.size) if outcomes else 1.0
        for key in ("lissnas", rival):
            size = numbers.size(outcomes, key)
            values[f"{space}/{key}-run"] = replace(size, needs=_ACCURACY[space])
            values[f"{space}/{key}-run-factor"] = replace(
                numbers.ratio(outcomes, key, lambda _, made, full=full: full / made.size),  # type: ignore[misc]
                needs=_ACCURACY[space],
            )
        if outcomes:
            made = outcomes[0].made
            rows += [[space, m.label, float(m.size), numbers.mean(outcomes, k).value] for k, m in made.items()]
    found = numbers.size(lab.of("anynetx"), "lissnas")
    if found.value is not None:
        ratio = Measured(3.0e8 / found.value, note="RegNet's size as a multiple of LISSNAS's", needs=_ACCURACY["anynetx"])
        values["anynetx/close"] = ratio
    return Findings(
        values, [Shown("Sizes and stand-in means of the first seed", ("space", "method", "networks", "mean"), rows)]
    )


def _run(space: str, key: str, name: str) -> tuple[Claim, Claim]:
    return (
        Claim(f"{space}/{key}-run", f"{space}, {name}: networks", None, times(2), lost=True, needs=_ACCURACY[space]),
        Claim(f"{space}/{key}-run-factor", f"{space}, {name}: reduction", None, times(2), lost=True, needs=_ACCURACY[space]),
    )


EXPERIMENT = Experiment(
    name="table5",
    title="Cardinality beside ABS and DDS",
    paper="Table 5, Section 5.3 (its numbers are lost; the derivable ones are from ABS's and DDS's code)",
    how="Sizes of the original spaces are counted. The methods run with a stand-in score in place of ImageNet accuracies.",
    claims=(
        Claim("mobilenet/original", "mobilenet: encodings, 7^15 x 6^6 (derived)", 2.215e17, exactly(1e-3)),
        Claim("anynetx/original", "anynetx: encodings, (16 x 128 x 3 x 6)^4 (derived)", 1.847e18, exactly(1e-3)),
        Claim("anynetx/dds", "anynetx, DDS: RegNet, 64^4 x 6 x 3 (derived)", 3.0e8, exactly(0.01)),
        Claim("anynetx/dds-factor", "anynetx, DDS: reduction (derived)", 6.1e9, exactly(0.02)),
        *_run("mobilenet", "lissnas", "LISSNAS"),
        *_run("mobilenet", "abs", "ABS"),
        *_run("anynetx", "lissnas", "LISSNAS"),
        *_run("anynetx", "dds", "DDS, automated"),
        Claim(
            "anynetx/close",
            "anynetx: LISSNAS's size is close to that of DDS",
            None,
            holds(),
            needs=_ACCURACY["anynetx"],
        ),
    ),
    measure=_measure,
    stages=("mobilenet", "anynetx"),
    cost=40,
)
