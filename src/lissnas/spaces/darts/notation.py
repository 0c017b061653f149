"""How DARTS cells are written: genotypes as text, and the names of NAS-Bench-301's ConfigSpace.

Both write a drawing down: which of its drawings a network is read from does not matter, and what is written is the canonical
one. Cells are lists of nodes, and a node is its two edges ``(operation, source)``.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from lissnas.errors import UserError
from lissnas.spaces.darts.cells import INPUTS

__all__ = ["Cell", "config_of", "genotype_of", "read_config", "read_genotype"]

Cell = list[list[tuple[str, int]]]

KINDS = ("normal", "reduce")
PREFIX = "NetworkSelectorDatasetInfo:darts:"
EXAMPLE = "Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=range(2, 6), reduce=[...], reduce_concat=range(2, 6))"


def genotype_of(cells: Sequence[Cell]) -> str:
    """The named tuple that DARTS prints [quark0/darts cnn/genotypes.py]."""
    parts = []
    for kind, nodes in zip(KINDS, cells, strict=True):
        edges = ", ".join(f"('{operation}', {source})" for node in nodes for operation, source in node)
        parts.append(f"{kind}=[{edges}], {kind}_concat=range({INPUTS}, {INPUTS + len(nodes)})")
    return f"Genotype({', '.join(parts)})"


def read_genotype(text: str, nodes: int) -> list[Cell]:
    """The two cells in the text of a genotype; ``concat`` may be a range or a list of all nodes. Nothing is evaluated.

    Raises:
        UserError: no genotype of cells with that many nodes.
    """
    try:
        call = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        call = None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id != "Genotype" or call.args:
        raise UserError(f"a DARTS genotype is written {EXAMPLE}, but got '{_short(text)}'")
    fields = {word.arg: word.value for word in call.keywords}
    expected = [f"{kind}{end}" for kind in KINDS for end in ("", "_concat")]
    if sorted(map(str, fields)) != sorted(expected) or len(call.keywords) != len(expected):
        raise UserError(f"a DARTS genotype has {', '.join(expected)}, each once, but '{_short(text)}' has other fields")
    for kind in KINDS:
        together = sorted(_numbers(fields[f"{kind}_concat"]))
        if together != list(range(INPUTS, INPUTS + nodes)):
            shown = _short(ast.unparse(fields[f"{kind}_concat"]))
            raise UserError(f"{kind}_concat must be all nodes, range({INPUTS}, {INPUTS + nodes}), but is {shown}")
    return [_edges(fields[kind], kind, nodes) for kind in KINDS]


def _numbers(node: ast.expr) -> list[int]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range" and not node.keywords:
        limits = [_literal(argument) for argument in node.args]
        if 1 <= len(limits) <= 2 and all(type(limit) is int and 0 <= limit < 100 for limit in limits):
            return list(range(*limits))
        return []
    value = _literal(node)
    return list(value) if isinstance(value, (list, tuple)) and all(type(number) is int for number in value) else []


def _edges(node: ast.expr, kind: str, nodes: int) -> Cell:
    value = _literal(node)
    right = isinstance(value, (list, tuple)) and all(
        isinstance(edge, (list, tuple)) and len(edge) == 2 and isinstance(edge[0], str) and type(edge[1]) is int
        for edge in value
    )
    if not right or len(value) != 2 * nodes:
        raise UserError(f"{kind} must be a list of {2 * nodes} pairs like ('sep_conv_3x3', 0), two for each node")
    return [[(str(o), int(s)) for o, s in value[2 * n : 2 * n + 2]] for n in range(nodes)]


def _literal(node: ast.expr) -> Any:
    """The constant that ``node`` writes, or None. Numbers, texts, lists and tuples only: nothing in it can be called."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None


def config_of(cells: Sequence[Cell]) -> dict[str, str]:
    """The names and values of NAS-Bench-301's ConfigSpace [automl/nasbench301 nasbench301/representations.py]."""
    config = {}
    for kind, nodes in zip(KINDS, cells, strict=True):
        first = 0
        for node, edges in enumerate(nodes):
            for operation, source in edges:
                config[f"{PREFIX}edge_{kind}_{first + source}"] = operation
            if node:
                config[f"{PREFIX}inputs_node_{kind}_{INPUTS + node}"] = "_".join(str(source) for _, source in edges)
            first += INPUTS + node
    return config


def read_config(config: Mapping[str, Any], nodes: int) -> list[Cell]:
    """The two cells of a configuration; names that are not of the cells (training settings) are left alone.

    Raises:
        UserError: a name that is missing, or an edge that the nodes' inputs do not have.
    """
    if not isinstance(config, Mapping):
        raise UserError(f"a configuration of NAS-Bench-301 is names and values, but got {type(config).__name__}")
    cells, used = [], set()
    for kind in KINDS:
        cell: Cell = []
        first = 0
        for node in range(nodes):
            name = f"{PREFIX}inputs_node_{kind}_{INPUTS + node}"
            inputs = str(_value(config, name)) if node else "0_1"
            sources = [int(number) for number in inputs.split("_") if number.isdecimal()]
            if len(sources) != 2 or inputs != f"{sources[0]}_{sources[1]}" or max(sources) >= INPUTS + node:
                raise UserError(f"'{name}' must name two nodes before it like 0_1, but is '{inputs}'")
            names = [f"{PREFIX}edge_{kind}_{first + source}" for source in sources]
            cell.append([(str(_value(config, edge)), source) for edge, source in zip(names, sources, strict=True)])
            used.update([name, *names])
            first += INPUTS + node
        cells.append(cell)
    for name, value in config.items():
        if name.startswith((f"{PREFIX}edge_", f"{PREFIX}inputs_node_")) and name not in used and value is not None:
            raise UserError(f"'{name}' is '{value}', but no node takes that input: leave it out")
    return cells


def _value(config: Mapping[str, Any], name: str) -> Any:
    if config.get(name) is None:
        raise UserError(f"a configuration of NAS-Bench-301 needs '{name}', but this one has none")
    return config[name]


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
