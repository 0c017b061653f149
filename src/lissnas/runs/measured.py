"""Architectures with their scores, as a run keeps them: ``evaluations.parquet``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.runs.directory import Run
from lissnas.spaces import SearchSpace

__all__ = ["Evaluations", "read_evaluations", "write_evaluations"]

SCORE = "score"


@dataclass(frozen=True)
class Evaluations:
    """Evaluated architectures.

    Attributes:
        genotypes: uint8[n, L].
        scores: float64[n].
        columns: what else was measured, name -> float64[n].
    """

    genotypes: Genotypes
    scores: NDArray[np.float64]
    columns: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)


def write_evaluations(run: Run, name: str, space: SearchSpace, evaluations: Evaluations) -> None:
    """Write ``name``: codes, the architecture in words, its score, whatever else was measured."""
    codes = space.encode(evaluations.genotypes)
    columns: dict[str, object] = {f"code_{word}": codes[:, word] for word in range(codes.shape[1])}
    columns["architecture"] = space.format(evaluations.genotypes)
    columns[SCORE] = evaluations.scores
    columns.update({f"measured_{key}": values for key, values in evaluations.columns.items()})
    run.write_parquet(name, columns)


def read_evaluations(run: Run, name: str, space: SearchSpace) -> Evaluations:
    """Read what :func:`write_evaluations` wrote."""
    import pyarrow.parquet as pq

    table = pq.read_table(run.path(name))
    words = len(space.code_layout.words)
    codes = np.stack([table[f"code_{word}"].to_numpy() for word in range(words)], axis=1)
    extra = [c for c in table.column_names if c.startswith("measured_")]
    columns = {c.removeprefix("measured_"): table[c].to_numpy() for c in extra}
    return Evaluations(space.decode(codes), table[SCORE].to_numpy(), columns)
