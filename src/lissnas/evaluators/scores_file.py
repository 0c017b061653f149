"""Measured networks as an evaluator: it knows what was measured, and nothing else."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes, locate, unique_index
from lissnas.errors import UserError
from lissnas.evaluators.base import Evaluator, Metric
from lissnas.spaces import ExplicitSpace, SearchSpace

__all__ = ["ScoresFile"]


class ScoresFile(Evaluator):
    """The scores in a CSV or Parquet file.

    Args:
        path: the file: a column per gene, or one of architecture strings, and a column of scores.
        space: the space of its architectures.
        score: the column of the scores; it can be left out where there is only one that it could be.
        unit, higher_is_better: what the score is.

    Attributes:
        genotypes: uint8[n, L], the measured networks, each once, in the order of the file.
        scores: float64[n].
        columns: the other columns of numbers by name, costs among them, float64[n], NaN where a cell is empty.
        rows: int64[n], where each stands in the file.
        merged: how many rows repeated an architecture with the same score.

    Raises:
        UserError: a mistake in the file, see :func:`~lissnas.formats.read_scores`.
    """

    def __init__(
        self, path: str | Path, space: SearchSpace, score: str | None = None, higher_is_better: bool = True, unit: str = ""
    ) -> None:
        from lissnas.formats import read_scores  # loads pyarrow

        measured = read_scores(path, space, score)
        super().__init__(space, Metric(measured.score_name, unit, higher_is_better))
        self.path = Path(path)
        self.genotypes = measured.genotypes
        self.scores = measured.scores
        self.columns = measured.columns
        self.rows = measured.rows
        self.merged = measured.merged
        self._codes, self._row = unique_index(space.encode(measured.genotypes))

    @cached_property
    def known(self) -> ExplicitSpace:
        """The measured networks."""
        return ExplicitSpace(self.space, self._codes)

    def _evaluate(self, genotypes: Genotypes) -> NDArray[np.float64]:
        place = locate(self._codes, self.space.encode(genotypes))
        absent = np.flatnonzero(place < 0)
        if len(absent):
            raise UserError(
                f"{self.path} holds no score for {self._shown(genotypes, int(absent[0]))}"
                f"{f' and {len(absent) - 1} more' if len(absent) > 1 else ''}: it holds {len(self.scores):,} architectures; "
                "ask for those, or give a function that can score any"
            )
        return self.scores[self._row[place]]

    def __str__(self) -> str:
        return f"{self.path}"
