"""What a space answers with: neighbors, balls and costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError

__all__ = ["Ball", "Costs", "Neighbors"]


class Neighbors(NamedTuple):
    """Neighbors of a batch: ``genotypes`` uint8[m, L], and ``parents`` intp[m], the row each is a neighbor of."""

    genotypes: Genotypes
    parents: NDArray[np.intp]


class Ball(NamedTuple):
    """All within a radius of each row of a batch: ``genotypes`` uint8[m, L], ``parents`` intp[m] and ``edits`` int64[m]."""

    genotypes: Genotypes
    parents: NDArray[np.intp]
    edits: NDArray[np.int64]

    def take(self, rows: NDArray[np.intp]) -> Ball:
        """Some of its rows."""
        return Ball(self.genotypes[rows], self.parents[rows], self.edits[rows])

    def join(self, other: Ball) -> Ball:
        """The rows of both."""
        return Ball(
            np.concatenate([self.genotypes, other.genotypes]),
            np.concatenate([self.parents, other.parents]),
            np.concatenate([self.edits, other.edits]),
        )


class _UnknownCostError(UserError, KeyError, AttributeError):
    """A mistake for the user; a missing key and attribute for ``in``, ``get`` and ``hasattr``."""

    def __str__(self) -> str:
        return str(self.args[0])


class Costs(Mapping[str, NDArray[np.float64]]):
    """Costs of a batch by name, each float64[n]; also as attributes: ``space.cost(x).flops``."""

    def __init__(self, values: Mapping[str, NDArray[np.float64]]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        try:
            return self._values[name]
        except KeyError:
            known = ", ".join(self._values) or "none"
            raise _UnknownCostError(f"this space has no cost '{name}': it has {known}") from None

    def __getattr__(self, name: str) -> NDArray[np.float64]:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Costs({', '.join(f'{name}={values}' for name, values in self._values.items())})"
