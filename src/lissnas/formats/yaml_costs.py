"""The ``costs`` and ``constraints`` of a space file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lissnas.formats.hints import nearest
from lissnas.formats.yaml_conditions import check_texts, unknown_name
from lissnas.formats.yaml_genes import Declared, check_name
from lissnas.formats.yaml_nodes import Node
from lissnas.spaces import Cost, Expression, FormulaCost, Gene, GeneValues, LearnedCost, ProductSpace, TableCost
from lissnas.spaces.cost import evaluate_costs
from lissnas.spaces.gene import allele_text

__all__ = ["read_costs", "read_limits", "try_costs"]

TRIED = 64  # architectures on which formulas are tried when the file is read

_FORMS = "a formula like 'embed * layers', or {table: {gene: {allele: number}}, base: number}, or {learn: column}"


def read_costs(node: Node, genes: Sequence[Gene], declared: Declared, counted: Sequence[str] = ()) -> list[Cost]:
    """All costs of the file, in its order: each may use those above it.

    Args:
        counted: costs that are there already, counted from the layers of the network.
    """
    costs: list[Cost] = []
    known = {gene.name: gene for gene in genes}
    for name, entry in node.mapping("costs must be a mapping from names to formulas, tables or columns").items():
        check_name(name, "cost", entry)
        if name in known or name in declared.positions:
            raise entry.error(
                f"the name '{name}' is taken by a gene (line {declared_line(name, declared)}): rename one", at_key=True
            )
        if name in counted:
            raise entry.error(f"the cost '{name}' is counted from the network: leave it out, or rename it", at_key=True)
        match entry.value:
            case bool() | None | list():
                raise entry.error(f"cost '{name}' must be {_FORMS}, but got {entry.shown()}", at_key=entry.value is None)
            case str() | int() | float():
                costs.append(_formula(name, entry, known, [*counted, *(cost.name for cost in costs)], declared, node))
            case dict():
                costs.append(_read_mapping(name, entry, genes, declared))
    return costs


def declared_line(name: str, declared: Declared) -> int:
    """Where a gene, or a repeated gene, is declared."""
    return declared.home[declared.positions.get(name, [name])[0]].key_line


def _formula(
    name: str, entry: Node, genes: Mapping[str, Gene], before: Sequence[str], declared: Declared, costs: Node
) -> FormulaCost:
    with entry.located():
        cost = FormulaCost(name, " ".join(str(entry.value).split()))
    for other in sorted(cost.expression.names):
        if other in genes or other in before:
            continue
        if isinstance(costs.value, dict) and other in costs.value:
            raise entry.error(f"cost '{name}' uses the cost '{other}', which does not stand above it: move '{other}' up")
        raise entry.error(f"the formula of cost '{name}' {unknown_name(other, declared, [*before, *genes])}")
    check_texts(cost.expression, genes, entry)
    return cost


def _read_mapping(name: str, entry: Node, genes: Sequence[Gene], declared: Declared) -> Cost:
    entry.require_keys(f"cost '{name}'", ("table", "base", "learn"))
    keys = entry.mapping("")
    if ("table" in keys) == ("learn" in keys):
        got = "both" if "table" in keys else "neither"
        raise entry.error(f"cost '{name}' must hold either 'table' or 'learn', but holds {got}", at_key=True)
    if "learn" in keys:
        if "base" in keys:
            raise keys["base"].error(f"'base' belongs to a table, but cost '{name}' is learned: leave it out", at_key=True)
        return LearnedCost(name, keys["learn"].text("'learn' must name a column of the scores file").strip())
    base = keys["base"].number("'base' must be a number") if "base" in keys else 0.0
    return TableCost(name, base, _table(name, keys["table"], genes, declared))


def _table(
    name: str, node: Node, genes: Sequence[Gene], declared: Declared
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """float64[L, K]: what each allele of each gene adds; what the table leaves out and what is inactive adds nothing."""
    column = {gene.name: index for index, gene in enumerate(genes)}
    table = np.zeros((len(genes), max(gene.radix for gene in genes)))
    names = declared.tables
    entries = node.mapping(f"the table of cost '{name}' must be a mapping from genes to their alleles' costs")
    # a repeated gene's entry is for all positions; one position's own entry then takes its place
    for gene_name, entry in sorted(entries.items(), key=lambda item: item[0] not in declared.positions):
        if gene_name not in names:
            raise entry.error(
                f"the table of cost '{name}' names '{gene_name[:40]}', which is no gene: {nearest(gene_name, names)}",
                at_key=True,
            )
        alleles = entry.mapping(f"the table of cost '{name}' must give a number for each allele of '{gene_name}'")
        members = [genes[column[member]] for member in names[gene_name]]
        for text, value in alleles.items():
            if not any(_find(member, text) is not None for member in members):
                known = ", ".join(map(allele_text, members[0].alleles))
                raise value.error(f"gene '{gene_name}' has no allele '{text[:40]}': it has {known}", at_key=True)
        for member in members:
            table[column[member.name]] = _row(name, gene_name, member, alleles, entry, table.shape[1])
    return table


def _row(
    name: str, gene_name: str, gene: Gene, alleles: Mapping[str, Node], entry: Node, width: int
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    row = np.zeros(width)
    given: dict[int, str] = {}
    for text, value in alleles.items():
        allele = _find(gene, text)
        if allele is None:
            continue  # a position where the identity may not stand
        if allele in given:
            raise value.error(
                f"the allele '{text}' of '{gene_name}' is given twice, also as '{given[allele]}': keep one", at_key=True
            )
        given[allele] = text
        row[allele] = value.number(f"the cost of allele '{text}' of '{gene_name}' must be a number")
    if len(given) < len(gene.alleles):
        missing = next(allele_text(a) for index, a in enumerate(gene.alleles) if index not in given)
        raise entry.error(
            f"the table of cost '{name}' gives no number for allele '{missing}' of '{gene_name}': add it", at_key=True
        )
    return row


def _find(gene: Gene, text: str) -> int | None:
    """The allele that ``text`` names, if the gene has it."""
    labels = [text] if text else []
    for label in labels:
        try:
            return gene.index(label)
        except ValueError:
            return None
    return None


def try_costs(space: ProductSpace, node: Node) -> None:
    """Compute the formulas on a few architectures, so that a text or a division by zero is found when the file is read.

    Raises:
        UserError: with the line of the formula.
    """
    entries = node.mapping("")
    x = space.sample(TRIED, np.random.default_rng(0))
    learned = _learned_names(space.costs)
    for place, cost in enumerate(space.costs):
        if not isinstance(cost, FormulaCost):
            continue
        entry = entries[cost.name]
        with entry.located():
            values = evaluate_costs(space.costs[: place + 1], x, GeneValues(space.genes, x))[cost.name]
        wrong = np.flatnonzero(~np.isfinite(values))
        if len(wrong) and cost.name not in learned:
            row = wrong[0]
            raise entry.error(
                f"cost '{cost.name}' is {values[row]} for {space.format(x[row : row + 1])[0]}: it must be a number for all"
            )


def _learned_names(costs: Sequence[Cost]) -> set[str]:
    """The costs that are learned from measurements, or use one that is."""
    learned: set[str] = set()
    for cost in costs:
        if isinstance(cost, LearnedCost) or (isinstance(cost, FormulaCost) and cost.expression.names & learned):
            learned.add(cost.name)
    return learned


def read_limits(node: Node, space: ProductSpace, declared: Declared) -> list[str]:
    """The constraints of the file, each a readable comparison of costs and genes with numbers."""
    genes = {gene.name: gene for gene in space.genes}
    learned = _learned_names(space.costs)
    limits = []
    for item in node.entries("constraints must be a list of limits, like ['params <= 5e6']"):
        text = " ".join(item.text("a constraint must be a text like 'params <= 5e6'").split())
        with item.located():
            expression = Expression(text)
        if not expression.is_condition:
            raise item.error(f"a constraint must compare, like 'params <= 5e6', but got '{text}'")
        for name in sorted(expression.names):
            if name in learned:
                raise item.error(
                    f"the constraint '{text}' needs the cost '{name}', which is learned from measurements: "
                    f"give it with the scores instead, --limit '{text}'"
                )
            if name not in genes and name not in space.cost_names:
                raise item.error(f"the constraint '{text}' {unknown_name(name, declared, [*space.cost_names, *genes])}")
        if not expression.names:
            raise item.error(f"the constraint '{text}' names no cost and no gene: leave it out")
        check_texts(expression, genes, item)
        with item.located():
            x = space.sample(TRIED, np.random.default_rng(0))
            expression.evaluate({**GeneValues(space.genes, x), **space.cost(x)})
        limits.append(text)
    return limits
