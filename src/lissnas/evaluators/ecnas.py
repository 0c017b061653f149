"""EC-NAS: accuracy, energy and emissions of training each cell of up to five vertices for 4 epochs (Bakhtiarifard et al. 2024).

The files are TFRecords as those of NAS-Bench-101, with a longer message
(``saintslab/EC-NAS-Bench``, ``nasbench/lib/model_metrics_energy.proto``). Energy was measured with Carbontracker.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError
from lissnas.evaluators.base import Metric
from lissnas.evaluators.benchmark import Benchmark, Columns, Source
from lissnas.evaluators.nasbench101_cells import CellTable, Identities, cells_of, root_cells
from lissnas.evaluators.readers.nasbench101_records import read_cell_records
from lissnas.evaluators.store import Say
from lissnas.spaces import SearchSpace

__all__ = ["ECNAS", "ecnas", "read_ecnas"]

EPOCHS = 4
END = 2

# Metric -> the field of the last evaluation that it is, and by what it is multiplied.
EVALUATION = {
    "val_4": ("validation_accuracy", 100.0),
    "test_4": ("test_accuracy", 100.0),
    "train_4": ("train_accuracy", 100.0),
    "energy_kwh": ("energy", 1.0),
    "co2_g": ("co2eq", 1.0),
    "seconds_4": ("training_time", 1.0),
}
# The same for the whole training, evaluations between included.
TOTALS = {"total_energy_kwh": "total_energy", "total_co2_g": "total_co2eq", "total_seconds": "total_time"}

ECNAS = Benchmark(
    name="ecnas",
    space="ecnas",
    about="accuracy and energy of 4 epochs of training of all 2,532 cells of up to 5 vertices",
    paper="Bakhtiarifard et al., EC-NAS: Energy Consumption Aware Tabular Benchmarks for NAS (ICASSP 2024)",
    license="MIT",
    metrics={
        "val_4": Metric("val accuracy, 4 epochs", "%"),
        "test_4": Metric("test accuracy, 4 epochs", "%"),
        "train_4": Metric("train accuracy, 4 epochs", "%"),
        "energy_kwh": Metric("energy of training for 4 epochs", "kWh", higher_is_better=False),
        "co2_g": Metric("CO2 equivalents of training for 4 epochs", "g", higher_is_better=False),
        "seconds_4": Metric("training time of 4 epochs", "s", higher_is_better=False),
        "total_energy_kwh": Metric("energy of training and evaluating", "kWh", higher_is_better=False),
        "total_co2_g": Metric("CO2 equivalents of training and evaluating", "g", higher_is_better=False),
        "total_seconds": Metric("time of training and evaluating", "s", higher_is_better=False),
    },
    sources=(
        Source("https://github.com/saintslab/EC-NAS-Bench", note="energy_5V9E.tfrecord, kept with Git LFS", fetchable=False),
    ),
    convert="lissnas.evaluators.ecnas:read_ecnas",
    files=("energy_5V9E.tfrecord",),
)


def ecnas(space: SearchSpace | None = None, task: str | None = None, data: str | Path | None = None) -> CellTable:
    """EC-NAS as an evaluator; ``task`` is one of ``ECNAS.metrics``, ``val_4`` if not given."""
    return CellTable(ECNAS, space, task, data)


def read_ecnas(path: Path, space: SearchSpace, say: Say) -> Columns:
    """The columns of ``energy_5V9E.tfrecord``.

    Raises:
        UserError: a broken file (with the byte); another file of this format; a record that is no cell of up to five vertices.
    """
    cells = root_cells(space)
    identities = Identities(cells, path)
    columns: dict[str, NDArray[np.float64]] = {}
    seen = np.zeros(cells.cardinality, dtype=bool)
    for block in read_cell_records(path):
        ids = cells_of(cells, block, path)
        identities.add(block, ids)
        values = {name: factor * block.at(END, field) for name, (field, factor) in EVALUATION.items()}
        values |= {name: block.total(field) for name, field in TOTALS.items()}
        _check(path, block.first, block.epochs, values)
        if seen[ids].any() or len(np.unique(ids)) < len(ids):
            raise UserError(f"'{path}' holds a cell twice among its first {block.first + len(ids):,} records: is it 5V9E?")
        seen[ids] = True
        for name, found in values.items():
            columns.setdefault(name, np.full(cells.cardinality, np.nan))[ids] = found
    held = identities.finish()
    genotypes = cells.genotypes_of(held)
    outside = np.flatnonzero(~space.is_valid(genotypes))
    if len(outside):
        raise UserError(
            f"'{path}' holds {cells.format(genotypes[outside[:1]])[0]}, which has more than 5 vertices: is it 5V9E?"
        )
    if len(held) < space.cardinality:
        say(f"{space.cardinality - len(held):,} of {space.cardinality:,} cells are not in the file")
    say(f"{len(held):,} cells; {identities.checked:,} hashes computed again and found equal")
    params = identities.parameters[held].astype(np.float64)
    return {"genotypes": genotypes, **{name: values[held] for name, values in columns.items()}, "official_params": params}


def _check(path: Path, first: int, epochs: NDArray[np.int64], values: dict[str, NDArray[np.float64]]) -> None:
    for name, found in values.items():
        bad = np.flatnonzero(~np.isfinite(found))
        if len(bad):
            raise UserError(
                f"record {first + bad[0]} of '{path}' holds no {name}: it is no file of EC-NAS; for NAS-Bench-101's own: "
                "lissnas data add nasbench101 FILE"
            )
    other = np.flatnonzero(epochs != EPOCHS)
    if len(other):
        raise UserError(
            f"record {first + other[0]} of '{path}' was trained for {epochs[other[0]]} epochs, but {EPOCHS} are read: "
            "give energy_5V9E.tfrecord"
        )
