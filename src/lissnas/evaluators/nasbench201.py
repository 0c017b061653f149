"""NAS-Bench-201: 15,625 cells trained on CIFAR-10, CIFAR-100 and ImageNet16-120 (Dong & Yang 2020)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from lissnas.arrays import Genotypes, locate, unique_index
from lissnas.errors import UserError
from lissnas.evaluators.base import Metric
from lissnas.evaluators.benchmark import Benchmark, Columns, Source
from lissnas.evaluators.csv_columns import ARCHITECTURE, is_csv, read_architectures, read_numbers
from lissnas.evaluators.store import Say
from lissnas.evaluators.table import TableEvaluator
from lissnas.spaces import SearchSpace
from lissnas.spaces.edge_cell import EDGES
from lissnas.spaces.nasbench201 import OPERATIONS

__all__ = ["NASBENCH201", "nasbench201", "read_nasbench201"]

# The accuracies, each after all 200 epochs of its training, and with "-12" after a training of 12.
SETS = ("cifar10-valid", "cifar100-valid", "imagenet16-valid", "cifar10-test", "cifar100-test", "imagenet16-test")

NASBENCH201 = Benchmark(
    name="nasbench201",
    space="nasbench201",
    about="accuracy of 15,625 cells after 200 epochs on CIFAR-10, CIFAR-100 and ImageNet16-120",
    paper="Dong & Yang, NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search (ICLR 2020)",
    license="MIT (the official files)",
    metrics={f"{name}{epochs}": Metric(f"{name}{epochs}", "%") for epochs in ("", "-12") for name in SETS},
    sources=(
        Source(
            "https://github.com/D-X-Y/NAS-Bench-201",
            note="NAS-Bench-201-v1_1-096897.pth, on Google Drive",
            fetchable=False,
        ),
        Source(
            "https://github.com/D-X-Y/NATS-Bench", note="NATS-tss-v1_0-3ffb9 (full or simple), on Google Drive", fetchable=False
        ),
    ),
    convert="lissnas.evaluators.nasbench201:read_nasbench201",
    files=("accuracy.csv", "NAS-Bench-201-v1_1-096897.pth", "NAS-Bench-201-v1_0-e61699.pth", "NATS-tss-v1_0-3ffb9.pickle.pbz2"),
    beside=("zero_cost.csv",),
    folders=("meta.pickle.pbz2",),
)

# The columns of the CSV file, and the metrics they are.
CSV_COLUMNS = {
    "c10_val": "cifar10-valid",
    "c100_val": "cifar100-valid",
    "in16_val": "imagenet16-valid",
    "c10_test3": "cifar10-test",
}
# Its six digits: the edges in the order of their starts, and the operations in NASLib's order, neither of which is official.
CSV_EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
CSV_OPERATIONS = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")


def nasbench201(space: SearchSpace | None = None, task: str | None = None, data: str | Path | None = None) -> TableEvaluator:
    """NAS-Bench-201 as an evaluator; see :class:`TableEvaluator`. Cells that are one network have a score each."""
    return TableEvaluator(NASBENCH201, space, task, data)


def read_nasbench201(path: Path, space: SearchSpace, say: Say) -> Columns:
    """The columns of a CSV file (digits or official strings, with the zero-cost proxies beside it) or an official file.

    Raises:
        UserError: a mistake in the file, with its line.
    """
    if not is_csv(path):
        from lissnas.evaluators.readers.nasbench201_official import read_nasbench201_official

        texts, columns = read_nasbench201_official(path, say)
        return {"genotypes": space.parse(texts), **columns}

    def parse(texts: Sequence[str]) -> Genotypes:
        return space.parse(texts) if texts and texts[0].startswith("|") else _from_digits(texts)

    table, genotypes = read_architectures(path, parse)
    known = {column: metric for column, metric in CSV_COLUMNS.items() if column in table.columns}
    if not known:
        raise UserError(f"{path} has none of the columns {', '.join(CSV_COLUMNS)}: is it a file of NAS-Bench-201?")
    numbers = read_numbers(table, known)
    columns = {metric: numbers[column] for column, metric in known.items()}
    for name in NASBENCH201.beside:
        if path.with_name(name).is_file():
            columns |= _beside(path.with_name(name), space, parse, genotypes)
    return {"genotypes": genotypes, **columns}


def _from_digits(texts: Sequence[str]) -> Genotypes:
    choices = len(CSV_OPERATIONS)
    for row, text in enumerate(texts):
        if len(text) != len(CSV_EDGES) or any(digit not in "01234"[:choices] for digit in text):
            raise UserError(
                f"row {row}: an architecture is six digits from 0 to {choices - 1}, or an official string, not '{text}'"
            )
    digits = np.frombuffer("".join(texts).encode(), dtype=np.uint8).reshape(-1, len(CSV_EDGES)) - ord("0")
    operation = np.array([OPERATIONS.index(name) for name in CSV_OPERATIONS], dtype=np.uint8)
    column = [CSV_EDGES.index(edge) for edge in EDGES]
    return operation[digits][:, column]


def _beside(path: Path, space: SearchSpace, parse: Callable[[Sequence[str]], Genotypes], genotypes: Genotypes) -> Columns:
    """The proxies in ``path``, each ``zc_<name>``, for ``genotypes``; NaN for those that it does not have."""
    table, rows = read_architectures(path, parse)
    codes, first = unique_index(space.encode(rows))
    place = locate(codes, space.encode(genotypes))
    numbers = read_numbers(table, (name for name in table.columns if name != ARCHITECTURE))
    return {f"zc_{name}": np.where(place >= 0, values[first[place]], np.nan) for name, values in numbers.items()}
