"""The conditions (``active``) of a space file: ``index`` filled in, names checked, circles found, the needless dropped."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from lissnas.formats.hints import nearest
from lissnas.formats.yaml_genes import Declared
from lissnas.formats.yaml_nodes import Node
from lissnas.spaces import Expression, Gene, GeneValues
from lissnas.spaces.gene import allele_text

__all__ = ["check_texts", "resolve_conditions", "unknown_name"]

MAX_JOINT = 4096  # joint values of the genes a condition reads that are tried out


def resolve_conditions(declared: Declared) -> list[Gene]:
    """The genes with their conditions as the space takes them.

    A condition that holds whatever the other genes are is dropped (``index < layers`` at position 0): the gene is then as free
    as it looks. One that never holds is a mistake.

    Raises:
        UserError: with the line: a formula that cannot be read, an unknown name, a circle, a gene that is never active.
    """
    genes = {gene.name: gene for gene in declared.genes}
    moving = {name for group in declared.movable for name in group.genes}
    for name, node in declared.conditions.items():
        condition = _with_index(declared, name, node)
        genes[name] = replace(genes[name], active=condition)
        reads = Expression(condition).names
        for other in sorted(reads):
            if other not in genes:
                raise node.error(f"the condition '{condition}' of gene '{name}' {unknown_name(other, declared, genes)}")
            if other in moving:
                raise node.error(
                    f"the condition of gene '{name}' reads '{other}', which holds a movable identity: read another gene"
                )
        if not reads:
            raise node.error(f"the condition '{condition}' of gene '{name}' depends on no gene: leave it out")
        check_texts(Expression(condition), genes, node)
    for name in _in_order_of_need(genes, declared.conditions):
        genes[name] = _simplify(genes, name, declared)
    return list(genes.values())


def unknown_name(name: str, declared: Declared, known: Iterable[str]) -> str:
    """The rest of a line that answers an unknown name in a formula."""
    if name in declared.positions:
        positions = declared.positions[name]
        return f"names '{name}', which is repeated: name one of its positions, {positions[0]} to {positions[-1]}"
    if name == "index":
        return "names 'index', which has a meaning only in the condition of a repeated gene"
    return f"names '{name}', which is unknown here: {nearest(name, known)}"


def check_texts(expression: Expression, genes: Mapping[str, Gene], node: Node) -> None:
    """Refuse ``op_3 == 'k9'`` where ``k9`` is no allele: it would hold nowhere, without a word."""
    for part in ast.walk(ast.parse(" ".join(expression.text.split()), mode="eval")):
        if not isinstance(part, ast.Compare):
            continue
        terms = [part.left, *part.comparators]
        names = [term.id for term in terms if isinstance(term, ast.Name) and term.id in genes]
        texts = [term.value for term in terms if isinstance(term, ast.Constant) and isinstance(term.value, str)]
        for name in names:
            alleles = [allele_text(a) for a in genes[name].alleles]
            for text in texts:
                if text not in alleles and text:
                    raise node.error(
                        f"'{expression.text}' compares '{name}' with '{text}', but its alleles are {', '.join(alleles)}"
                    )


def _with_index(declared: Declared, name: str, node: Node) -> str:
    """The condition of a gene, with its position in place of ``index``."""
    text = " ".join(node.text("'active' must be a condition").split())
    with node.located():
        expression = Expression(text)
    if not expression.is_condition:
        raise node.error(f"'active' must compare, like 'index < layers', but gene '{name}' has '{text}'")
    if "index" not in expression.names:
        return text
    if name not in declared.index:
        raise node.error(f"'index' is the position in a repeated gene, but gene '{name}' has no 'repeat': name a gene instead")
    try:
        tree = _FillIndex(declared.index[name]).visit(ast.parse(text, mode="eval"))
        return ast.unparse(tree)
    except RecursionError:
        raise node.error(f"the condition of gene '{name}' nests too deep: split it") from None


class _FillIndex(ast.NodeTransformer):
    def __init__(self, index: int) -> None:
        self.index = index

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(self.index) if node.id == "index" else node


def _in_order_of_need(genes: Mapping[str, Gene], conditions: Mapping[str, Node]) -> list[str]:
    """Names of the genes that have conditions, each after those its condition reads."""
    order: list[str] = []
    for start in conditions:
        path: list[str] = []  # the genes whose conditions are being followed, each read by the one before
        todo = [(start, False)]
        while todo:
            name, left = todo.pop()
            if left:
                order.append(path.pop())
            elif name in path:
                circle = [*path[path.index(name) :], name]
                raise conditions[name].error(f"conditions depend on one another in a circle ({' -> '.join(circle)}): break it")
            elif name not in order:
                path.append(name)
                todo.append((name, True))
                reads = Expression(genes[name].active or "").names
                todo.extend((other, False) for other in sorted(reads) if other in conditions)
    return order


def _simplify(genes: Mapping[str, Gene], name: str, declared: Declared) -> Gene:
    gene, node = genes[name], declared.conditions[name]
    expression = Expression(gene.active or "")
    read = [genes[other] for other in sorted(expression.names)]
    # an inactive gene's reading is tried too: more values than can occur together, never fewer
    many = math.prod(other.radix for other in read) > MAX_JOINT
    shape = [1 if many else other.radix for other in read]
    grid = np.indices(shape, dtype=np.uint8).reshape(len(read), -1).T
    with node.located():
        holds = np.broadcast_to(expression.evaluate(GeneValues(read, grid)).astype(bool), len(grid))
    if many:
        return gene
    if not holds.any():
        remedy = "repeat it less often" if name in declared.index else "mend the condition"
        raise node.error(f"gene '{name}' is never active, since '{gene.active}' never holds: {remedy}")
    return replace(gene, active=None) if holds.all() else gene
