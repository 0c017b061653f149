"""A space of genes and alleles: most spaces are one."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.base import Costs, Neighbors, SearchSpace
from lissnas.spaces.conditional import ConditionalGenes
from lissnas.spaces.cost import Cost, FormulaCost, LearnedCost, TableCost, cost_from_definition, evaluate_costs
from lissnas.spaces.draw import walk_to_distance
from lissnas.spaces.expression import Expression
from lissnas.spaces.gene import Gene
from lissnas.spaces.layouts import Layout, layout_definition, layout_from_definition
from lissnas.spaces.movable import MovableGroup
from lissnas.spaces.parts import FreeGenes, Part
from lissnas.spaces.values import GeneValues

__all__ = ["Movable", "ProductSpace"]

MAX_LISTED = 1 << 24

# name=value or name="a value with spaces"
_FIELD = re.compile(r'(?P<name>[^\s=]+)=?(?P<value>"(?:[^"\\]|\\.)*"|\S*)')


@dataclass(frozen=True)
class Movable:
    """Genes, by name, among which the allele ``identity`` may move without changing the network."""

    identity: Any
    genes: tuple[str, ...]


class ProductSpace(SearchSpace):
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
        notation: how an architecture is written: ``named`` (``depth=3 op=k3``) or ``indices`` (``(2, 1, 0)``).
    """

    def __init__(
        self,
        name: str,
        genes: Sequence[Gene],
        *,
        movable: Sequence[Movable] = (),
        costs: Sequence[Cost] = (),
        layout: Layout | None = None,
        notation: Literal["named", "indices"] = "named",
        paper: str = "",
    ) -> None:
        self.name = name
        self.genes = tuple(genes)
        self.movable = tuple(movable)
        self.costs = tuple(costs)
        self.cost_names = tuple(cost.name for cost in costs)
        self.layout = layout
        self.notation = notation
        self.paper = paper
        if not self.genes:
            raise UserError(f"the space '{name}' needs at least one gene, but has none")
        _require_unique([g.name for g in self.genes], "gene", name)
        _require_unique([*(g.name for g in self.genes), *self.cost_names], "gene or cost", name)
        _check_costs(self.costs, self.genes, name)
        self.parts: tuple[Part, ...] = tuple(_split_in_parts(self.genes, self.movable))
        self.encodings = int(np.prod(np.array([len(g.alleles) for g in self.genes], dtype=object)))
        self.cardinality = int(np.prod(np.array([part.cardinality for part in self.parts], dtype=object)))
        self.max_edits = sum(part.max_edits for part in self.parts)
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

    # -- genotypes --------------------------------------------------------------------------------------------------

    def _sample(self, n: int, rng: np.random.Generator) -> Genotypes:
        return self._assemble(n, lambda part: part.sample(n, rng))

    def _canonicalize(self, genotypes: Genotypes) -> Genotypes:
        return self._assemble(len(genotypes), lambda part: part.canonicalize(genotypes[:, part.columns]))

    def _assemble(self, n: int, values: Callable[[Part], Genotypes]) -> Genotypes:
        if len(self.parts) == 1 and isinstance(self.parts[0], FreeGenes):
            return values(self.parts[0])
        x = np.empty((n, self.length), dtype=np.uint8)
        for part in self.parts:
            x[:, part.columns] = values(part)
        return x

    def _is_valid(self, genotypes: Genotypes) -> NDArray[np.bool_]:
        valid = np.ones(len(genotypes), dtype=bool)
        for part in self.parts:
            if not isinstance(part, FreeGenes):
                x = genotypes[:, part.columns]
                valid &= (part.canonicalize(x) == x).all(axis=1)
        return valid

    def enumerate(self, block: int = 1 << 16) -> Iterator[Genotypes]:
        if self.cardinality > MAX_LISTED:
            yield from super().enumerate(block)
        states = [part.states() for part in self.parts]
        for low in range(0, self.cardinality, block):
            index = np.arange(low, min(low + block, self.cardinality))
            x = np.empty((len(index), self.length), dtype=np.uint8)
            for part, values in zip(reversed(self.parts), reversed(states), strict=True):
                index, place = np.divmod(index, len(values))
                x[:, part.columns] = values[place]
            yield x

    # -- strings ----------------------------------------------------------------------------------------------------

    def format(self, genotypes: Genotypes) -> list[str]:
        self.check(genotypes)
        if self.notation == "indices":
            return [f"({', '.join(map(str, row))})" for row in genotypes.tolist()]
        texts = [[f"{g.name}={_quoted(g.label(a))}" for a in range(g.radix)] for g in self.genes]
        inactive = [len(g.alleles) for g in self.genes]
        return [" ".join(texts[g][a] for g, a in enumerate(row) if a < inactive[g]) for row in genotypes.tolist()]

    def parse(self, texts: Sequence[str]) -> Genotypes:
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise UserError(f"parse takes a list of architecture strings, but got {str(texts)[:60]!r}")
        read = self._parse_indices if self.notation == "indices" else self._parse_named
        x = np.empty((len(texts), self.length), dtype=np.uint8)
        for row, text in enumerate(texts):
            try:
                x[row] = read(text)
            except UserError as error:
                raise UserError(f"row {row}: {error}") from None
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

    def _parse_indices(self, text: str) -> list[int]:
        fields = text.strip().strip("()[]").replace(",", " ").split()
        if len(fields) != self.length or not all(f.isdecimal() for f in fields):
            raise UserError(
                f"'{text}' must hold {self.length} allele numbers like '({', '.join(['0'] * min(3, self.length))}, ...)'"
            )
        alleles = [int(f) for f in fields]
        for gene, allele in zip(self.genes, alleles, strict=True):
            if allele >= gene.radix:
                raise UserError(f"gene '{gene.name}' has alleles 0 to {gene.radix - 1}, but '{text}' holds {allele}")
        return alleles

    def _parse_named(self, text: str) -> list[int]:
        pairs = [(m["name"], _unquoted(m["value"])) for m in _FIELD.finditer(text)]
        fields = dict(pairs)
        if len(fields) < len(pairs):
            raise UserError(f"'{text}' names a gene twice: each gene once")
        unknown = fields.keys() - {g.name for g in self.genes}
        if unknown:
            raise UserError(
                f"'{self.name}' has no gene '{min(unknown)}': its genes are {', '.join(g.name for g in self.genes[:8])} ..."
            )
        row = []
        for gene in self.genes:
            if gene.name not in fields and gene.active is None:
                raise UserError(f"'{text}' names no allele for the gene '{gene.name}'")
            row.append(gene.index(fields.get(gene.name, "")))
        return row

    # -- edits ------------------------------------------------------------------------------------------------------

    def _neighbors(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        everyone = np.arange(len(genotypes))
        if edits > self.max_edits or not len(genotypes):
            return Neighbors(genotypes[:0], everyone[:0])
        if len(self.parts) == 1 and isinstance(self.parts[0], FreeGenes):
            part = self.parts[0]
            drawn = part.draw_neighbors(genotypes, rng) if edits == 1 else part.draw_at(genotypes, edits, rng)
            return Neighbors(drawn, everyone)
        if edits == 1:
            rows = np.flatnonzero(self.count_neighbors(genotypes) > 0)
            return Neighbors(self._draw_neighbors(genotypes[rows], rng), rows)
        return walk_to_distance(self, genotypes, edits, rng, self._draw_neighbors, self.count_neighbors)

    def count_neighbors(self, genotypes: Genotypes) -> NDArray[np.float64]:
        """float64[n]: how many architectures are one edit away from each row, without listing them."""
        count: NDArray[np.float64] = self._count_neighbors(self.check(genotypes)).sum(axis=1)
        return count

    def _count_neighbors(self, genotypes: Genotypes) -> NDArray[np.float64]:
        return np.stack([part.count_neighbors(genotypes[:, part.columns]) for part in self.parts], axis=1)

    def _draw_neighbors(self, genotypes: Genotypes, rng: np.random.Generator) -> Genotypes:
        """One uniform one-edit neighbor per row."""
        bounds = np.cumsum(self._count_neighbors(genotypes), axis=1)
        pick = rng.random(len(genotypes)) * bounds[:, -1]
        choice = np.minimum((bounds <= pick[:, None]).sum(axis=1), len(self.parts) - 1)
        drawn = genotypes.copy()
        for index, part in enumerate(self.parts):
            rows = np.flatnonzero(choice == index)
            if len(rows):
                drawn[np.ix_(rows, part.columns)] = part.draw_neighbors(genotypes[np.ix_(rows, part.columns)], rng)
        return drawn

    def _all_neighbors(self, genotypes: Genotypes) -> Neighbors:
        most = self.count_neighbors(genotypes).max(initial=0)
        if most > MAX_LISTED:
            raise UserError(
                f"an architecture of '{self.name}' has {most:,.0f} neighbors one edit away: too many to list, use .neighbors()"
            )
        blocks, parents = [], []
        for part in self.parts:
            found = part.all_neighbors(genotypes[:, part.columns])
            block = genotypes[found.parents]
            block[:, part.columns] = found.values
            blocks.append(block)
            parents.append(found.parents)
        if len(blocks) == 1:
            return Neighbors(blocks[0], parents[0])
        order = np.argsort(np.concatenate(parents), kind="stable")
        return Neighbors(np.concatenate(blocks)[order], np.concatenate(parents)[order])

    def _distance(self, a: Genotypes, b: Genotypes) -> NDArray[np.int64]:
        total = np.zeros(len(a), dtype=np.int64)
        for part in self.parts:
            total += part.distance(a[:, part.columns], b[:, part.columns])
        return total

    def _cost(self, genotypes: Genotypes) -> Costs:
        return Costs(evaluate_costs(self.costs, genotypes, GeneValues(self.genes, genotypes)))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if re.search(r"[\s\"]", text) else text


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    try:
        return str(json.loads(text))
    except ValueError:
        return text


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
