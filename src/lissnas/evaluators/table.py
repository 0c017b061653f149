"""The evaluator of a benchmark that is a table."""

from __future__ import annotations

import math
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes, locate
from lissnas.errors import UserError
from lissnas.evaluators import store
from lissnas.evaluators.base import Evaluator
from lissnas.evaluators.benchmark import Benchmark, benchmark_space
from lissnas.evaluators.install import require_installed
from lissnas.spaces import ExplicitSpace, SearchSpace

__all__ = ["TableEvaluator"]

_DENSE = 1 << 24  # codes below this are looked up in a table of rows, int32, instead of by bisection


class TableEvaluator(Evaluator):
    """The scores of a benchmark's table.

    Args:
        benchmark: which.
        space: the benchmark's space, or a part of it; its own space if not given.
        task: which of its metrics; the first if not given.
        data: a file to read (or a folder that holds it), if it is not installed yet.

    Attributes:
        benchmark: which.
        task: the name of the metric among ``benchmark.metrics``.
        columns: every number of the table by name, float[n], in the order of ``genotypes``; NaN where one is missing.

    Raises:
        UserError: the data is not here; another space; a metric that the benchmark or the installed file lacks.
    """

    is_free = True

    def __init__(
        self,
        benchmark: Benchmark,
        space: SearchSpace | None = None,
        task: str | None = None,
        data: str | Path | None = None,
    ) -> None:
        name, metric = benchmark.metric(task)
        super().__init__(benchmark_space(benchmark, space), metric)
        self.benchmark = benchmark
        self.task = name
        self.installed = require_installed(benchmark, data)
        table = store.open_table(benchmark.name)
        self._codes, self.columns = table.codes, table.columns
        if name not in table.columns:
            held = [known for known in benchmark.metrics if known in table.columns]
            raise UserError(
                f"the installed file of '{benchmark.name}' ({self.installed.origin.source.name}) has no '{name}': "
                f"it has {', '.join(held)}; lissnas data add {benchmark.name} FILE takes another"
            )
        self._scores = np.asarray(table.columns[name], dtype=np.float64)

    @cached_property
    def genotypes(self) -> Genotypes:
        """uint8[n, L], the architectures of the table, in the order of their codes."""
        return self.space.root.decode(self._codes)

    @cached_property
    def known(self) -> ExplicitSpace | None:
        """The architectures that have a score; None where all of the space do."""
        finite = np.isfinite(self._scores)
        if np.count_nonzero(finite) == self.space.root.cardinality:
            return None
        held = self.genotypes[finite]
        if self.space is not self.space.root:
            held = held[self.space.is_valid(held)]
            if len(held) == self.space.cardinality:
                return None
        if not len(held):
            raise UserError(f"{self} has no {self.task} of any architecture of '{self.space.name}': give a larger part")
        return ExplicitSpace(self.space, self.space.encode(held))

    @cached_property
    def _row_of_code(self) -> NDArray[np.int32] | None:
        """The row of each code, or -1: for spaces whose codes are few."""
        codes = math.prod(self.space.root.code_layout.radices)
        if codes > _DENSE:
            return None
        rows = np.full(codes, -1, dtype=np.int32)
        rows[self._codes[:, 0]] = np.arange(len(self._codes), dtype=np.int32)
        return rows

    def rows(self, genotypes: Genotypes) -> NDArray[np.intp] | NDArray[np.int32]:
        """Where each of n architectures stands in ``columns``, -1 where it does not."""
        codes = self.space.root.code_layout.encode(genotypes)
        if self._row_of_code is not None:
            return self._row_of_code[codes[:, 0].view(np.int64)]
        return locate(self._codes, codes)

    def evaluate(self, genotypes: Genotypes) -> NDArray[np.float64]:
        """As every evaluator; what the table holds is an architecture of its space, so that is not checked again."""
        if self.space is not self.space.root or not len(self.space.check(genotypes)):
            return super().evaluate(genotypes)
        rows = self.rows(genotypes)
        if rows.min() < 0:
            return super().evaluate(genotypes)
        scores = self._scores[rows]
        if np.isnan(scores.sum()):
            return super().evaluate(genotypes)
        self.evaluations += len(genotypes)
        return scores

    def _evaluate(self, genotypes: Genotypes) -> NDArray[np.float64]:
        rows = self.rows(genotypes)
        scores = self._scores[rows]
        scores[rows < 0] = np.nan
        absent = np.flatnonzero(np.isnan(scores))
        if len(absent):
            raise UserError(
                f"{self} holds no {self.task} of {self._shown(genotypes, int(absent[0]))}"
                f"{f' and {len(absent) - 1} more' if len(absent) > 1 else ''}: it has that of "
                f"{np.count_nonzero(np.isfinite(self._scores)):,} architectures, which .known holds"
            )
        return scores

    def measured(self, genotypes: Genotypes) -> dict[str, NDArray[np.float64]]:
        """Every number of the table for each of n architectures, float64[n] by name; NaN where it has none."""
        rows = self.rows(self.space.require_valid(genotypes))
        return {name: np.where(rows >= 0, values[rows].astype(np.float64), np.nan) for name, values in self.columns.items()}

    def __str__(self) -> str:
        return f"the benchmark '{self.benchmark.name}'"
