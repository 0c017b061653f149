"""NAS-Bench-101: 423,624 cells, each trained three times on CIFAR-10 for 4, 12, 36 and 108 epochs (Ying et al. 2019).

Four readings of the accuracy after each budget, in %: the mean or the highest of the repeats, on the validation or the test set
(``test_max_108``). The LISSNAS paper says "maximum reported validation accuracy", but its tables show what the highest *test*
accuracy gives (reconstruction F1): that reading is the default.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError
from lissnas.evaluators.base import Metric
from lissnas.evaluators.benchmark import Benchmark, Columns, Source
from lissnas.evaluators.nasbench101_cells import CellTable, Identities, cells_of, root_cells
from lissnas.evaluators.readers.nasbench101_records import CellRecords, read_cell_records
from lissnas.evaluators.store import Say
from lissnas.spaces import SearchSpace
from lissnas.spaces.nasbench101.space import NASBench101

__all__ = ["EPOCHS", "NASBENCH101", "nasbench101", "read_nasbench101"]

EPOCHS = (108, 36, 12, 4)
REPEATS = 3
HALFWAY, END = 1, 2
SETS = {"test": "test_accuracy", "val": "validation_accuracy"}


def _metrics() -> Iterator[tuple[str, Metric]]:
    for epochs in EPOCHS:
        for part in SETS:
            for over in ("max", "mean"):
                yield f"{part}_{over}_{epochs}", Metric(f"{part} accuracy, {over} of repeats, {epochs} epochs", "%")
    for epochs in EPOCHS:
        yield f"train_mean_{epochs}", Metric(f"train accuracy, mean of repeats, {epochs} epochs", "%")
        yield f"seconds_{epochs}", Metric(f"training time of {epochs} epochs, mean of repeats", "s", higher_is_better=False)
        for part in SETS:
            yield f"{part}_mean_{epochs}_halfway", Metric(f"{part} accuracy, mean of repeats, halfway of {epochs} epochs", "%")


NASBENCH101 = Benchmark(
    name="nasbench101",
    space="nasbench101",
    about="accuracy and training time of all 423,624 cells on CIFAR-10, three trainings per budget",
    paper="Ying et al., NAS-Bench-101: Towards Reproducible Neural Architecture Search (ICML 2019)",
    license="Apache-2.0",
    metrics=dict(_metrics()),
    sources=(
        Source(
            "https://storage.googleapis.com/nasbench/nasbench_only108.tfrecord",
            sha256="4c39c3936e36a85269881d659e44e61a245babcb72cb374eacacf75d0e5f4fd1",
            size=522_767_376,
            note="trainings of 108 epochs",
        ),
        Source(
            "https://storage.googleapis.com/nasbench/nasbench_full.tfrecord",
            sha256="3d64db8180fb1b0207212f9032205064312b6907a3bbc81eabea10db2f5c7e9c",
            note="trainings of 4, 12, 36 and 108 epochs, 1.95 GB",
        ),
    ),
    convert="lissnas.evaluators.nasbench101:read_nasbench101",
    files=("nasbench_full.tfrecord", "nasbench_only108.tfrecord"),
)


def nasbench101(space: SearchSpace | None = None, task: str | None = None, data: str | Path | None = None) -> CellTable:
    """NAS-Bench-101 as an evaluator; ``task`` is one of ``NASBENCH101.metrics``, ``test_max_108`` if not given."""
    return CellTable(NASBENCH101, space, task, data)


def read_nasbench101(path: Path, space: SearchSpace, say: Say) -> Columns:
    """The columns of an official TFRecord file, with 108 epochs only or all four budgets.

    A file that holds only some of the cells is taken, and said: the evaluator then knows those.

    Raises:
        UserError: a broken file (with the byte); another benchmark's; a record that is no cell; a cell under two hashes.
    """
    cells = root_cells(space)
    totals = {epochs: _Totals(cells.cardinality) for epochs in EPOCHS}
    identities = Identities(cells, path)
    records = 0
    for block in read_cell_records(path):
        _check(block, path)
        ids = cells_of(cells, block, path)
        identities.add(block, ids)
        for epochs, total in totals.items():
            rows = np.flatnonzero(block.epochs == epochs)
            if len(rows):
                total.add(block, rows, ids[rows])
        records += len(ids)
    held = identities.finish()
    if not len(held):
        raise UserError(f"'{path}' holds no records: download it again")
    columns: dict[str, NDArray[np.float64]] = {}
    for epochs, total in totals.items():
        if total.repeats.any():
            _say_what_is_missing(cells, epochs, total.repeats, say)
            columns |= total.columns(epochs, held)
    say(f"{records:,} trainings of {len(held):,} cells; {identities.checked:,} hashes computed again and found equal")
    return {"genotypes": cells.genotypes_of(held), **columns, "official_params": identities.parameters[held].astype(np.float64)}


def _check(block: CellRecords, path: Path) -> None:
    if np.isfinite(block.at(END, "energy")).any():
        raise UserError(f"'{path}' holds energies, as EC-NAS does and NAS-Bench-101 does not: lissnas data add ecnas '{path}'")
    for name in ("training_time", "train_accuracy", *SETS.values()):
        for moment in (HALFWAY, END):
            bad = np.flatnonzero(~np.isfinite(block.at(moment, name)))
            if len(bad):
                raise UserError(f"record {block.first + bad[0]} of '{path}' ({block.hash_text(int(bad[0]))}) holds no {name}")
    strange = np.flatnonzero(~np.isin(block.epochs, EPOCHS))
    if len(strange):
        raise UserError(
            f"record {block.first + strange[0]} of '{path}' was trained for {block.epochs[strange[0]]} epochs, but "
            f"NAS-Bench-101 has trainings of {', '.join(map(str, sorted(EPOCHS)))}: is it the right file?"
        )


class _Totals:
    """Sums and maxima over the repeats of each cell after one budget."""

    SUMS = (
        *((moment, name) for moment in (END, HALFWAY) for name in SETS.values()),
        (END, "train_accuracy"),
        (END, "training_time"),
    )

    def __init__(self, cells: int) -> None:
        self.repeats = np.zeros(cells, dtype=np.int64)
        self._sums: dict[tuple[int, str], NDArray[np.float64]] = {}
        self._maxima: dict[str, NDArray[np.float64]] = {}

    def add(self, block: CellRecords, rows: NDArray[np.intp], ids: NDArray[np.int64]) -> None:
        np.add.at(self.repeats, ids, 1)
        for moment, name in self.SUMS:
            total = self._sums.setdefault((moment, name), np.zeros(len(self.repeats)))
            np.add.at(total, ids, block.at(moment, name)[rows])
        for name in SETS.values():
            highest = self._maxima.setdefault(name, np.full(len(self.repeats), -np.inf))
            np.maximum.at(highest, ids, block.at(END, name)[rows])

    def columns(self, epochs: int, held: NDArray[np.intp]) -> dict[str, NDArray[np.float64]]:
        """A column for each metric of this budget, for the cells ``held``; NaN for those it has no training of."""
        repeats = np.where(self.repeats[held] > 0, self.repeats[held], np.nan)

        def mean(moment: int, name: str) -> NDArray[np.float64]:
            return self._sums[moment, name][held] / repeats

        columns = {f"train_mean_{epochs}": 100 * mean(END, "train_accuracy"), f"seconds_{epochs}": mean(END, "training_time")}
        for part, name in SETS.items():
            columns[f"{part}_max_{epochs}"] = np.where(np.isnan(repeats), np.nan, 100 * self._maxima[name][held])
            columns[f"{part}_mean_{epochs}"] = 100 * mean(END, name)
            columns[f"{part}_mean_{epochs}_halfway"] = 100 * mean(HALFWAY, name)
        return columns


def _say_what_is_missing(cells: NASBench101, epochs: int, repeats: NDArray[np.int64], say: Say) -> None:
    missing = np.flatnonzero(repeats == 0)
    if len(missing):
        names = cells.official_hash(cells.genotypes_of(missing[:3]))
        say(
            f"{len(missing):,} of {cells.cardinality:,} cells have no training of {epochs} epochs in the file: "
            f"{', '.join(names)}{' and others' if len(missing) > 3 else ''}"
        )
    other = np.count_nonzero((repeats > 0) & (repeats != REPEATS))
    if other:
        say(f"{other:,} cells were trained for {epochs} epochs another number of times than {REPEATS}")
