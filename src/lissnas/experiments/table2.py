"""Table 2: ImageNet under mobile constraints. Accuracies need ImageNet; what can be counted is counted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lissnas.experiments.experiment import Experiment, Findings, Lab
from lissnas.experiments.verdict import Claim, Measured, exactly, holds, within
from lissnas.spaces import SPACES

__all__ = ["EXPERIMENT"]

TRAINING = "ImageNet-1k, and training a supernet and the best ten networks on it"

# model -> (multiply-adds in M, parameters in M, top-1 in %)
PUBLISHED: dict[str, tuple[float | None, float | None, float]] = {
    "MobileNetV3": (219, 5.4, 74.0),
    "NASNet-A": (564, 5.3, 74.0),
    "ShuffleNetV2": (299, 3.5, 72.6),
    "SPOS": (319, 3.3, 74.3),
    "OFA": (230, None, 76.9),
    "FBNet-C": (375, 5.5, 74.9),
    "FairNAS-C": (325, 5.6, 76.7),
    "K-shot-NAS-B": (332, 6.2, 77.2),
    "GreedyNASv2-S": (324, 5.7, 77.5),
    "DDS": (400, 4.3, 74.1),
    "ABS": (472, None, 75.9),
    "NSENet": (330, 4.6, 75.5),
    "PAD-NAS-S-B": (315, 4.1, 74.9),
    "LISSNAS": (329, 6.1, 77.6),
}


def _claims() -> Iterator[Claim]:
    for model, (_, _, top1) in PUBLISHED.items():
        needs = TRAINING if model == "LISSNAS" else f"{TRAINING} (quoted from another paper)"
        yield Claim(f"{model}/top-1", f"{model}: top-1 accuracy", top1, within(0.2), "%", needs=needs)
    yield Claim("fairnas-size", "networks of the FairNAS space, 6^19", 6.0936e14, exactly(1e-4))
    yield Claim("plain-holds-params", "plain FairNAS can hold a network of 6.1M parameters", None, holds(), "M parameters")
    yield Claim("se-holds-params", "FairNAS with SE can hold a network of 6.1M parameters", None, holds(), "M parameters")
    yield Claim(
        "se-holds-both", "FairNAS with SE holds networks of 329M and 6.1M (each within 1%)", None, holds(), "of a sample"
    )


def _measure(lab: Lab) -> Findings:  # noqa: ARG001 - nothing here depends on data
    plain, squeezed = SPACES.get("fairnas")(), SPACES.get("fairnas-se")()
    dearest = np.array([[gene.radix - 1 for gene in plain.genes]], dtype=np.uint8)
    largest = {name: float(space.cost(dearest)["params"][0]) / 1e6 for name, space in (("plain", plain), ("se", squeezed))}
    drawn = squeezed.cost(squeezed.sample(200_000, np.random.default_rng(0)))
    both = (np.abs(drawn["flops"] / 329e6 - 1) < 0.01) & (np.abs(drawn["params"] / 6.1e6 - 1) < 0.01)
    values = {
        "fairnas-size": Measured(float(plain.encodings), exact=True),
        "plain-holds-params": Measured(
            largest["plain"] - 6.1, exact=True, note=f"its largest network has {largest['plain']:.3f}M"
        ),
        "se-holds-params": Measured(largest["se"] - 6.1, exact=True, note=f"its largest network has {largest['se']:.3f}M"),
        "se-holds-both": Measured(float(both.mean()), exact=True, note=f"{int(both.sum()):,} of 200,000 uniform networks"),
    }
    return Findings(values)


EXPERIMENT = Experiment(
    name="table2",
    title="ImageNet under mobile constraints",
    paper="Table 2, Section 5.1",
    how="No accuracy of it can be had without ImageNet. Sizes and parameter counts are computed from the spaces.",
    claims=tuple(_claims()),
    measure=_measure,
    cost=2,
)
