"""What an architecture costs, without building it: sums of tables, formulas, and what was learned from a column."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.expression import Expression

__all__ = ["Cost", "FormulaCost", "JointCost", "JointTerm", "LearnedCost", "TableCost", "cost_from_definition"]

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


class JointTerm(NamedTuple):
    """What some genes cost together.

    Attributes:
        genes: their columns in the genotype.
        table: float64[K, ...], one axis per gene, as long as its radix (inactive included).
    """

    genes: tuple[int, ...]
    table: NDArray[np.float64]


class JointCost(Cost):
    """``base`` plus a sum of terms, each read from a table over the alleles of a few genes together: exact wherever each
    layer's cost depends on a few genes (a kernel and an expansion; the channels on both sides)."""

    def __init__(self, name: str, base: float, terms: Iterable[JointTerm]) -> None:
        self.name = name
        self.base = float(base)
        self.terms = tuple(JointTerm(tuple(genes), np.asarray(table, dtype=np.float64)) for genes, table in terms)
        for genes, table in self.terms:
            if len(set(genes)) != len(genes) or table.ndim != len(genes):
                raise UserError(f"the cost '{name}' has a term over the genes {list(genes)}, but a table of {table.ndim} axes")

    def evaluate(self, genotypes: Genotypes, values: Mapping[str, Any]) -> NDArray[np.float64]:  # noqa: ARG002 - tables need none
        total = np.empty(len(genotypes))
        flat = [table.ravel() for _, table in self.terms]
        for low in range(0, len(genotypes), _BLOCK):
            columns = np.ascontiguousarray(genotypes[low : low + _BLOCK].T).astype(np.intp)
            part = np.full(columns.shape[1], self.base)
            for (genes, table), entries in zip(self.terms, flat, strict=True):
                index = columns[genes[0]]
                for gene, radix in zip(genes[1:], table.shape[1:], strict=True):
                    index = index * radix + columns[gene]
                part += entries[index]
            total[low : low + _BLOCK] = part
        return total

    def definition(self) -> dict[str, Any]:
        terms = [{"genes": list(genes), "table": table.tolist()} for genes, table in self.terms]
        return {"kind": "joint", "name": self.name, "base": self.base, "terms": terms}


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
        case "joint":
            terms = [JointTerm(tuple(term["genes"]), np.array(term["table"])) for term in definition["terms"]]
            return JointCost(definition["name"], definition["base"], terms)
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
