"""Table 3: one-shot correlation and accuracy. It takes a supernet, on ImageNet or on CIFAR-10."""

from __future__ import annotations

from collections.abc import Iterator

from lissnas.experiments.experiment import Experiment, Findings, Lab
from lissnas.experiments.verdict import Claim, holds, within

__all__ = ["EXPERIMENT"]

# space -> row -> (Pearson, top-1 in %)
PUBLISHED = {
    "nasbench101": {
        "full": (0.467, 91.0),
        "abs": (0.58, 93.0),
        "nse": (0.56, 92.1),
        "padnas": (0.59, 92.4),
        "lissnas": (0.659, 93.4),
    },
    "shufflenetv2": {
        "full": (0.334, 70.0),
        "abs": (0.397, 72.8),
        "nse": (0.406, 73.0),
        "padnas": (0.355, 69.9),
        "lissnas": (0.429, 74.6),
    },
}
NEEDS = {
    "nasbench101": (
        "a supernet of NAS-Bench-101 trained on CIFAR-10 on the full and on each shrunk space (nasbench_only108.tfrecord and a "
        "GPU); the same comparison on digits: lissnas run"
    ),
    "shufflenetv2": "ImageNet-1k, and a supernet trained on it for the full and each shrunk space",
}


def _claims() -> Iterator[Claim]:
    for space, rows in PUBLISHED.items():
        for row, (pearson, top1) in rows.items():
            yield Claim(f"{space}/{row}/pearson", f"{space}, {row}: Pearson", pearson, within(0.05), needs=NEEDS[space])
            yield Claim(f"{space}/{row}/top-1", f"{space}, {row}: top-1", top1, within(0.3), "%", needs=NEEDS[space])
    yield Claim(
        "kendall", "best-in-class Kendall tau (abstract; no number is printed)", None, holds(), needs=NEEDS["nasbench101"]
    )


def _measure(lab: Lab) -> Findings:  # noqa: ARG001 - no supernet is trained here
    return Findings(
        notes=["The paper claims a Kendall tau in its abstract and prints none: only Pearson is in its tables (F7)."]
    )


EXPERIMENT = Experiment(
    name="table3",
    title="One-shot correlation and accuracy on two spaces",
    paper="Table 3, Section 5.1",
    how="Not measured here: it takes supernets of both spaces, one on ImageNet.",
    claims=tuple(_claims()),
    measure=_measure,
)
