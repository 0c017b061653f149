"""A space of genes and alleles: most spaces are one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.base import Costs
from lissnas.spaces.composed import ComposedSpace
from lissnas.spaces.conditional import ConditionalGenes
from lissnas.spaces.cost import Cost, FormulaCost, JointCost, LearnedCost, TableCost, cost_from_definition, evaluate_costs
from lissnas.spaces.diagram import Diagram
from lissnas.spaces.expression import Expression
from lissnas.spaces.gene import Gene
from lissnas.spaces.layouts import Layout, layout_definition, layout_from_definition
from lissnas.spaces.movable import MovableGroup
from lissnas.spaces.notation import check_notation, format_rows, parse_rows
from lissnas.spaces.parts import FreeGenes, Part
from lissnas.spaces.values import GeneValues

__all__ = ["Movable", "ProductSpace"]


@dataclass(frozen=True)
class Movable:
    """Genes, by name, among which the allele ``identity`` may move without changing the network."""

    identity: Any
    genes: tuple[str, ...]


class ProductSpace(ComposedSpace):
    """A product of independent parts: free genes, genes tied by conditions, groups with movable identities.

    One edit changes one gene (of a movable group: substitutes, inserts or removes one operation), and what that switches on
    may take any value. Distances are exact. ``neighbors`` is uniform over the distinct architectures at that distance where
    all genes are free, and at distance 1; elsewhere it walks, each step a uniform edit among those that lead one edit further
    away, so that architectures which more walks lead to come more often. In a space of more than 4,096 architectures a row
    whose walks all fell short is left out.

    Args:
        name: what the space is called.
        genes: in the order of the genotype's columns.
        movable: groups among which an identity may move.
        costs: in the order in which they may use one another.
        layout: the layers behind the genes, where torch can build the networks.
        paper: where the space was published.
        notation: how an architecture is written: ``named`` (``depth=3 op=k3``), ``indices`` (``(2, 1, 0)``), or a separator
            between the alleles (``:`` gives ``64:64:32``).
    """

    def __init__(
        self,
        name: str,
        genes: Sequence[Gene],
        *,
        movable: Sequence[Movable] = (),
        costs: Sequence[Cost] = (),
        layout: Layout | None = None,
        notation: str = "named",
        paper: str = "",
    ) -> None:
        self.name = name
        self.genes = tuple(genes)
        self.movable = tuple(movable)
        self.costs = tuple(costs)
        self.cost_names = tuple(cost.name for cost in costs)
        self.layout = layout
        self.paper = paper
        if not self.genes:
            raise UserError(f"the space '{name}' needs at least one gene, but has none")
        _require_unique([g.name for g in self.genes], "gene", name)
        _require_unique([*(g.name for g in self.genes), *self.cost_names], "gene or cost", name)
        _check_costs(self.costs, self.genes, name)
        self.notation = check_notation(notation, self.genes, name)
        self._compose(_split_in_parts(self.genes, self.movable))
        self.encodings = int(np.prod(np.array([len(g.alleles) for g in self.genes], dtype=object)))
        folds = []
        if any(isinstance(part, ConditionalGenes) for part in self.parts):
            folds.append("what an inactive gene would hold")
        if self.movable:
            folds.append("where an identity stands in its group")
        self.isomorphisms = f"folds {' and '.join(folds)}" if folds else "none: every encoding is a network of its own"

    def definition(self) -> dict[str, Any]:
        return {
            "kind": "product",
            "name": self.name,
            "genes": [
                {"name": g.name, "alleles": list(g.alleles), "ordered": g.ordered, "active": g.active} for g in self.genes
            ],
            "movable": [{"identity": m.identity, "genes": list(m.genes)} for m in self.movable],
            "costs": [cost.definition() for cost in self.costs],
            "layout": layout_definition(self.layout),
            "notation": self.notation,
            "paper": self.paper,
        }

    @classmethod
    def from_definition(cls, definition: Mapping[str, Any]) -> ProductSpace:
        """Build a space again from what :meth:`definition` wrote."""
        return cls(
            definition["name"],
            [Gene(g["name"], tuple(g["alleles"]), g["ordered"], g["active"]) for g in definition["genes"]],
            movable=[Movable(m["identity"], tuple(m["genes"])) for m in definition["movable"]],
            costs=[cost_from_definition(cost) for cost in definition["costs"]],
            layout=layout_from_definition(definition["layout"]),
            notation=definition["notation"],
            paper=definition["paper"],
        )

    def with_learned_costs(self, models: Mapping[str, Callable[[Genotypes], NDArray[np.float64]]]) -> ProductSpace:
        """The same space (and fingerprint), its learned costs answered by ``models``, by cost name."""
        costs = [
            LearnedCost(c.name, c.column, models[c.name]) if isinstance(c, LearnedCost) and c.name in models else c
            for c in self.costs
        ]
        return ProductSpace(
            self.name,
            self.genes,
            movable=self.movable,
            costs=costs,
            layout=self.layout,
            notation=self.notation,
            paper=self.paper,
        )

    def diagram(self, genotype: Genotypes) -> Diagram:
        draw = getattr(self.layout, "diagram", None)  # of the layouts only some draw themselves
        if draw is None:
            return super().diagram(genotype)
        row = self.require_valid(np.asarray(genotype, dtype=np.uint8)[None])[0]
        drawn: Diagram = draw([int(a) for a in row], [g.label(int(a)) for g, a in zip(self.genes, row, strict=True)])
        return drawn

    # -- strings ----------------------------------------------------------------------------------------------------

    def format(self, genotypes: Genotypes) -> list[str]:
        return format_rows(self.genes, self.check(genotypes), self.notation)

    def parse(self, texts: Sequence[str]) -> Genotypes:
        x = parse_rows(self.genes, texts, self.notation, self.name)
        canonical = self.canonicalize(x)
        if not all(isinstance(part, (FreeGenes, MovableGroup)) for part in self.parts):
            wrong = (canonical != x).any(axis=1) & self._marks_inactive(x, canonical)
            if wrong.any():
                row = int(np.flatnonzero(wrong)[0])
                raise UserError(f"row {row}: '{texts[row]}' leaves out a gene that is active in it, or names one that is not")
        return canonical

    def _marks_inactive(self, x: Genotypes, canonical: Genotypes) -> NDArray[np.bool_]:
        inactive = np.array([len(g.alleles) if g.active is not None else 255 for g in self.genes])
        differs: NDArray[np.bool_] = np.any((x == inactive) != (canonical == inactive), axis=1)
        return differs

    def _cost(self, genotypes: Genotypes) -> Costs:
        return Costs(evaluate_costs(self.costs, genotypes, GeneValues(self.genes, genotypes)))


def _check_costs(costs: Sequence[Cost], genes: Sequence[Gene], space: str) -> None:
    """A formula sees the genes and the costs named before it; a table has an entry for each allele."""
    known = {gene.name for gene in genes}
    widest = max(gene.radix for gene in genes)
    for cost in costs:
        if isinstance(cost, FormulaCost):
            unknown = sorted(cost.expression.names - known)
            if unknown:
                raise UserError(
                    f"the cost '{cost.name}' of '{space}' names '{unknown[0]}', which is no gene and no cost before it"
                )
        if isinstance(cost, TableCost) and (
            cost.table.ndim != 2 or len(cost.table) != len(genes) or cost.table.shape[1] < widest
        ):
            raise UserError(
                f"the table of the cost '{cost.name}' of '{space}' must be float64[{len(genes)}, {widest}], a row per gene, a "
                f"column per allele (and one for inactive), but got {list(cost.table.shape)}"
            )
        if isinstance(cost, JointCost):
            for columns, table in cost.terms:
                shape = [genes[column].radix if 0 <= column < len(genes) else 0 for column in columns]
                if list(table.shape) != shape:
                    raise UserError(
                        f"the cost '{cost.name}' of '{space}' must have a table of {shape} for the genes {list(columns)}, "
                        f"but got {list(table.shape)}"
                    )
        known.add(cost.name)


def _require_unique(names: Sequence[str], what: str, space: str) -> None:
    for name, group in itertools.groupby(sorted(names)):
        if len(list(group)) > 1:
            raise UserError(f"the space '{space}' names the {what} '{name}' twice: each name once")


def _split_in_parts(genes: Sequence[Gene], movable: Sequence[Movable]) -> Iterator[Part]:
    """Free genes in one part, each movable group in one, and genes that conditions tie together in one."""
    column = {gene.name: index for index, gene in enumerate(genes)}
    taken: set[int] = set()
    for group in movable:
        yield _movable_part(group, genes, column, taken)
    tied = _tied_genes(genes, column)
    for component in tied:
        clash = taken & set(component)
        if clash:
            raise UserError(f"gene '{genes[min(clash)].name}' cannot have a movable identity and take part in a condition")
        taken |= set(component)
        yield ConditionalGenes(component, [genes[i] for i in component])
    free = [index for index in range(len(genes)) if index not in taken]
    if free:
        yield FreeGenes(free, [len(genes[i].alleles) for i in free])


def _movable_part(group: Movable, genes: Sequence[Gene], column: Mapping[str, int], taken: set[int]) -> MovableGroup:
    unknown = [name for name in group.genes if name not in column]
    if not group.genes:
        raise UserError("a movable group needs at least one gene, but has none")
    if unknown:
        raise UserError(f"a movable group names '{unknown[0]}', which is no gene")
    columns = [column[name] for name in group.genes]
    first = genes[columns[0]]
    for index in columns:
        if genes[index].alleles != first.alleles:
            raise UserError(
                f"'{genes[index].name}' and '{first.name}' are in one movable group, so they must have the same alleles"
            )
        if index in taken:
            raise UserError(f"gene '{genes[index].name}' stands in two movable groups: one at most")
        taken.add(index)
    if group.identity not in first.alleles or len(first.alleles) < 2:
        raise UserError(f"the identity {group.identity!r} must be one of the alleles of '{first.name}', beside another one")
    return MovableGroup(columns, len(first.alleles), first.alleles.index(group.identity))


def _tied_genes(genes: Sequence[Gene], column: Mapping[str, int]) -> list[list[int]]:
    """The components of the graph that conditions draw between genes, each in the order of columns."""
    home = list(range(len(genes)))

    def find(i: int) -> int:
        while home[i] != i:
            i = home[i]
        return i

    for index, gene in enumerate(genes):
        if gene.active is None:
            continue
        names = Expression(gene.active).names
        for name in sorted(names):
            if name not in column:
                raise UserError(f"the condition '{gene.active}' of gene '{gene.name}' names '{name}', which is no gene")
            home[find(index)] = find(column[name])
        if not names:
            raise UserError(f"the condition '{gene.active}' of gene '{gene.name}' depends on no gene: leave it out")
    components: dict[int, list[int]] = {}
    for index in range(len(genes)):
        components.setdefault(find(index), []).append(index)
    return [c for c in components.values() if any(genes[i].active is not None for i in c)]
