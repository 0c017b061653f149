"""A uniform sample of NAS-Bench-101: 20,001 cells, 4.7% of all, with one training per budget.

The cells of the lowest official hashes; a hash is as good as random, so among the members of any set of cells those that are
here are a fair sample of it. What is estimated from them is unbiased, and says how far it can be off. It stands in for nothing
by itself: ``nasbench101`` needs the official file.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes, locate, unique
from lissnas.errors import UserError
from lissnas.evaluators.base import Metric
from lissnas.evaluators.benchmark import Benchmark, Columns, Source
from lissnas.evaluators.csv_columns import read_numbers
from lissnas.evaluators.nasbench101_cells import CellTable, root_cells
from lissnas.evaluators.readers.nasbench101_payload import VERTICES
from lissnas.evaluators.store import Say
from lissnas.formats import Table, read_table
from lissnas.spaces import SearchSpace
from lissnas.spaces.nasbench101.drawings import OPERATIONS
from lissnas.spaces.nasbench101.space import NASBench101

__all__ = ["ENOUGH", "NASBENCH101_SAMPLE", "Estimate", "NASBench101Sample", "nasbench101_sample", "read_nasbench101_sample"]

ENOUGH = 50  # labelled members; a mean of fewer is no result
EPOCHS = (108, 36, 12, 4)

NASBENCH101_SAMPLE = Benchmark(
    name="nasbench101-sample",
    space="nasbench101",
    about="validation accuracy of one training of 20,001 cells, a uniform 4.7% of NAS-Bench-101",
    paper="Ying et al., NAS-Bench-101: Towards Reproducible Neural Architecture Search (ICML 2019)",
    license="ISC (tiga1231/nasbench-vis), of data under Apache-2.0",
    metrics={f"val_{epochs}": Metric(f"val accuracy of one training of {epochs} epochs", "%") for epochs in EPOCHS}
    | {"seconds_108": Metric("training time of 108 epochs", "s", higher_is_better=False)},
    sources=(Source("https://github.com/tiga1231/nasbench-vis", note="accuracies by hash; matrices added", fetchable=False),),
    convert="lissnas.evaluators.nasbench101_sample:read_nasbench101_sample",
    files=("sample20k.csv",),
)


@dataclass(frozen=True)
class Estimate:
    """The mean score of a set of cells, from those of them that are labelled.

    Attributes:
        mean: the estimate; None from fewer than 50 labelled cells.
        low, high: the ends of its confidence interval; None likewise.
        labelled: how many of the set have a label.
        size: how many cells the set holds.
        confidence: of the interval.
    """

    mean: float | None
    low: float | None
    high: float | None
    labelled: int
    size: int
    confidence: float

    def __str__(self) -> str:
        if self.mean is None:
            return f"no result: {self.labelled} of {self.size:,} cells are labelled, and fewer than {ENOUGH} say nothing"
        return f"{self.mean:.2f} ({self.low:.2f} to {self.high:.2f}), from {self.labelled:,} of {self.size:,} cells"


class NASBench101Sample(CellTable):
    """The sample as an evaluator: it scores the cells that it knows, and estimates the mean of any set of cells."""

    @cached_property
    def _labelled(self) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = np.isfinite(self._scores)
        return found

    def knows(self, genotypes: Genotypes) -> NDArray[np.bool_]:
        """bool[n]: whether each cell has a score."""
        rows = self.rows(self.space.root.require_valid(genotypes))
        return (rows >= 0) & self._labelled[rows]

    def estimate(self, cells: Genotypes | SearchSpace, confidence: float = 0.95) -> Estimate:
        """The mean score of a set of cells: a space, or genotypes of which each counts once.

        Student's interval with the correction for finite sets (Cochran, Sampling Techniques, sec. 2.6): where all cells are
        labelled it has no width. What is estimated is the mean of *one* training per cell.

        Raises:
            UserError: no cells, or of another space; a confidence that is no share.
        """
        if not 0 < confidence < 1:
            raise UserError(f"a confidence is between 0 and 1, but got {confidence}")
        scores, size = self._scores_within(cells)
        n = len(scores)
        if n < ENOUGH:
            return Estimate(None, None, None, n, size, confidence)
        from scipy.special import stdtrit

        error = float(scores.std(ddof=1)) / math.sqrt(n) * math.sqrt(max(0.0, 1 - n / size))
        width = float(stdtrit(n - 1, (1 + confidence) / 2)) * error
        mean = float(scores.mean())
        return Estimate(mean, mean - width, mean + width, n, size, confidence)

    def _scores_within(self, cells: Genotypes | SearchSpace) -> tuple[NDArray[np.float64], int]:
        if isinstance(cells, SearchSpace):
            root_cells(cells)
            inside = self._labelled & cells.is_valid(self.genotypes)
            return self._scores[inside].astype(np.float64), cells.cardinality
        codes = unique(self.space.root.encode(cells))
        if not len(codes):
            raise UserError("the mean of no cells is nothing: give at least one")
        place = locate(codes, self._codes)
        return self._scores[self._labelled & (place >= 0)].astype(np.float64), len(codes)


def nasbench101_sample(
    space: SearchSpace | None = None, task: str | None = None, data: str | Path | None = None
) -> NASBench101Sample:
    """The sample as an evaluator; ``task`` is one of its metrics, ``val_108`` if not given."""
    return NASBench101Sample(NASBENCH101_SAMPLE, space, task, data)


def read_nasbench101_sample(path: Path, space: SearchSpace, say: Say) -> Columns:
    """The columns of ``sample20k.csv``: ``hash``, ``adj`` (row by row), ``ops`` (interior) and numbers; fractions become %.

    Raises:
        UserError: a mistake in the file, with its line; a hash that is not the cell's.
    """
    table, cells = read_table(path), root_cells(space)
    names = [name for name in NASBENCH101_SAMPLE.metrics if name in table.columns]
    for name in ("hash", "adj", "ops", *(names or ["val_108"])):
        if name not in table.columns:
            raise UserError(f"{path} has no column '{name}': it has {', '.join(table.columns)}")
    genotypes = _read_cells(table, cells)
    hashes, place = table.distinct("hash")
    for row, official in enumerate(_hash_some(cells, genotypes)):
        if hashes[place[row]] != official:
            raise UserError(f"{table.place(row)}: the hash of this cell is {official}, but the file says {hashes[place[row]]}")
    columns = read_numbers(table, names)
    say(f"{len(genotypes):,} cells, {len(genotypes) / cells.cardinality:.1%} of all")
    return {
        "genotypes": genotypes,
        **{name: 100 * values if name.startswith("val") else values for name, values in columns.items()},
    }


def _read_cells(table: Table, cells: NASBench101) -> Genotypes:
    """uint8[n, L], from the columns ``adj`` and ``ops``, all drawings of one size at once."""
    matrices, matrix_of = table.distinct("adj")
    operations, operations_of = table.distinct("ops")
    texts = [str(matrices[index]) for index in matrix_of]
    known = [_labels(str(names)) for names in operations]
    labels = [known[index] for index in operations_of]
    sizes: dict[int, list[int]] = defaultdict(list)
    for row, text in enumerate(texts):
        vertices = math.isqrt(len(text))
        if vertices**2 != len(text) or set(text) - {"0", "1"} or len(labels[row]) != vertices - 2:
            raise UserError(
                f"{table.place(row)}: 'adj' must be a square matrix of 0 and 1 row by row, and 'ops' its operations"
            )
        sizes[vertices].append(row)
    genotypes = np.empty((len(texts), len(cells.genes)), dtype=np.uint8)
    for vertices, rows in sizes.items():
        bits = np.frombuffer("".join(texts[row] for row in rows).encode(), dtype=np.uint8) - ord("0")
        codes = np.array([labels[row] for row in rows], dtype=np.uint8).reshape(len(rows), vertices - 2)
        try:
            genotypes[rows] = cells.from_matrix(bits.reshape(-1, vertices, vertices), codes)
        except UserError as error:
            raise UserError(f"{table.path}, cells of {vertices} vertices: {error}") from None
    return genotypes


def _labels(text: str) -> list[int]:
    """The labels of the operations in ``text``; as many as no cell has where one is unknown."""
    names = text.split(",") if text else []
    return [OPERATIONS.index(name) for name in names] if all(name in OPERATIONS for name in names) else [0] * VERTICES


def _hash_some(cells: NASBench101, genotypes: Genotypes, block: int = 4096) -> Iterator[str]:
    """The official hashes, without the table of all of them that the space would make for many."""
    for low in range(0, len(genotypes), block):
        yield from cells.official_hash(genotypes[low : low + block])
