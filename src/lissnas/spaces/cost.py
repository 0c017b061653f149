"""What an architecture costs, without building it: sums of per-allele tables, formulas, and what was learned from a column."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.expression import Expression

__all__ = ["Cost", "FormulaCost", "LearnedCost", "TableCost", "cost_from_definition"]

_BLOCK = 1 << 14


class Cost(ABC):
    """One named cost of a space's architectures."""

    name: str

    @abstractmethod
    def evaluate(self, genotypes: Genotypes, values: Mapping[str, Any]) -> NDArray[np.float64]:
        """float64[n], given the genotypes and, by name, each gene's values and the costs named before this one."""

    @abstractmethod
    def definition(self) -> dict[str, Any]:
        """All that is needed to build it again, as plain JSON data."""


class TableCost(Cost):
    """``base`` plus one table entry per gene: exact wherever the layers' costs do not depend on one another.

    Args:
        table: float64[L, K], the cost of each gene's alleles (columns past a gene's alleles, inactive included, are 0).
    """

    def __init__(self, name: str, base: float, table: NDArray[np.float64]) -> None:
        self.name = name
        self.base = float(base)
        self.table = np.asarray(table, dtype=np.float64)

    def evaluate(self, genotypes: Genotypes, values: Mapping[str, Any]) -> NDArray[np.float64]:  # noqa: ARG002 - tables need none
        total = np.empty(len(genotypes))
        for low in range(0, len(genotypes), _BLOCK):
            columns = np.ascontiguousarray(genotypes[low : low + _BLOCK].T)
            part = np.full(columns.shape[1], self.base)
            for gene, column in enumerate(columns):
                part += self.table[gene][column]
            total[low : low + _BLOCK] = part
        return total

    def definition(self) -> dict[str, Any]:
        return {"kind": "table", "name": self.name, "base": self.base, "table": self.table.tolist()}


class FormulaCost(Cost):
    """A formula over genes and the costs named before it. An inactive gene counts as 0."""

    def __init__(self, name: str, formula: str) -> None:
        self.name = name
        self.expression = Expression(formula)

    def evaluate(self, genotypes: Genotypes, values: Mapping[str, Any]) -> NDArray[np.float64]:
        result = self.expression.evaluate(values)
        try:
            return np.broadcast_to(result.astype(np.float64), len(genotypes)).copy()
        except ValueError:
            raise UserError(f"the cost '{self.name}' must be a number, but '{self.expression.text}' gives text") from None

    def definition(self) -> dict[str, Any]:
        return {"kind": "formula", "name": self.name, "formula": self.expression.text}


class LearnedCost(Cost):
    """A cost learned from a column of measured networks.

    Args:
        column: the column it is learned from.
        model: genotypes uint8[n, L] -> float64[n]; None until something was learned.
    """

    def __init__(self, name: str, column: str, model: Callable[[Genotypes], NDArray[np.float64]] | None = None) -> None:
        self.name = name
        self.column = column
        self.model = model

    def evaluate(self, genotypes: Genotypes, values: Mapping[str, Any]) -> NDArray[np.float64]:  # noqa: ARG002 - models need none
        if self.model is None:
            return np.full(len(genotypes), np.nan)
        return np.asarray(self.model(genotypes), dtype=np.float64)

    def definition(self) -> dict[str, Any]:
        return {"kind": "learned", "name": self.name, "column": self.column}


def cost_from_definition(definition: Mapping[str, Any]) -> Cost:
    """Build a cost again from what :meth:`Cost.definition` wrote."""
    match definition["kind"]:
        case "table":
            return TableCost(definition["name"], definition["base"], np.array(definition["table"]))
        case "formula":
            return FormulaCost(definition["name"], definition["formula"])
        case "learned":
            return LearnedCost(definition["name"], definition["column"])
        case kind:
            raise UserError(f"unknown kind of cost '{kind}': this file was written by a newer version")


def evaluate_costs(costs: Sequence[Cost], genotypes: Genotypes, genes: Mapping[str, Any]) -> dict[str, NDArray[np.float64]]:
    """All ``costs`` of a batch, in order; each can use the ones before it."""
    values: dict[str, Any] = _Layered(genes)
    results: dict[str, NDArray[np.float64]] = {}
    for cost in costs:
        results[cost.name] = values[cost.name] = cost.evaluate(genotypes, values)
    return results


class _Layered(dict[str, Any]):
    """Costs over genes: a dict that falls back on a lazy mapping."""

    def __init__(self, below: Mapping[str, Any]) -> None:
        super().__init__()
        self._below = below

    def __missing__(self, name: str) -> Any:
        return self._below[name]

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in self._below

    def __iter__(self) -> Any:
        yield from super().__iter__()
        yield from self._below
