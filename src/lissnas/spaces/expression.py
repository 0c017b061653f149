"""Formulas in a space file: conditions, costs, limits. A small grammar, parsed here and never run as Python.

``embed * layers``, ``index < layers``, ``latency_ms <= 150 and not bias``, ``op_3 == 'k3'``: numbers, quoted strings, names,
``+ - * /``, comparisons, ``and`` ``or`` ``not``, parentheses.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError

__all__ = ["Expression"]

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
_MAX_LENGTH = 2000
_LARGEST = 1e100
_MAX_DEPTH = 400  # each level of the formula is a level of Python's stack


@dataclass(frozen=True)
class Expression:
    """A formula over names.

    Args:
        text: the formula.

    Raises:
        UserError: it does not parse, or uses something outside the grammar.
    """

    text: str

    def __post_init__(self) -> None:
        _check(self._tree, self._source)

    @cached_property
    def _tree(self) -> ast.expr:
        if not isinstance(self.text, str) or not self.text.strip() or len(self.text) > _MAX_LENGTH:
            raise UserError(f"a formula must be a text of 1 to {_MAX_LENGTH} characters, but got {str(self.text)[:40]!r}")
        try:
            return ast.parse(self._source, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise UserError(
                f"cannot read the formula '{self._source}': write it like 'index < layers' or 'flops <= 330e6'"
            ) from None

    @property
    def _source(self) -> str:
        """The text in one line: YAML may break it."""
        return re.sub(r"[\r\n]+", " ", self.text.strip())

    @property
    def is_condition(self) -> bool:
        """Whether its value is true or false, not a number or a text."""
        tree = self._tree
        return isinstance(tree, (ast.Compare, ast.BoolOp)) or (isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not))

    @cached_property
    def names(self) -> frozenset[str]:
        """The names it depends on."""
        found = {node.id for node in ast.walk(self._tree) if isinstance(node, ast.Name)}
        return frozenset(found - {"true", "false", "True", "False"})

    def evaluate(self, values: Mapping[str, Any]) -> NDArray[Any]:
        """The value for each row, given an array (or a scalar) for each name.

        Raises:
            UserError: a name without a value.
        """
        unknown = sorted(self.names - set(values))
        if unknown:
            known = ", ".join(values) or "none"
            raise UserError(f"unknown name '{unknown[0]}' in '{self.text}': the names are {known}")
        try:
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.asarray(_evaluate(self._tree, values))
        except (TypeError, np.exceptions.DTypePromotionError):
            raise UserError(f"the formula '{self.text}' mixes text and numbers: compare text with == or != only") from None


def _check(node: ast.expr, text: str, depth: int = 0) -> None:
    """Walk the whole tree and refuse whatever is not in the grammar."""
    if depth > _MAX_DEPTH:
        raise UserError(f"a formula may nest {_MAX_DEPTH} levels deep at most, but '{text[:40]}...' nests deeper: split it")
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not abs(node.value) < _LARGEST:
        raise UserError(f"a number in a formula must be smaller than {_LARGEST:g}, but '{text[:80]}' holds a larger one")
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        children: list[ast.expr] = [node.left, node.right]
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd, ast.Not)):
        children = [node.operand]
    elif isinstance(node, ast.BoolOp):
        children = node.values
    elif isinstance(node, ast.Compare) and all(type(op) in _COMPARE for op in node.ops):
        children = [node.left, *node.comparators]
    elif isinstance(node, ast.Name) or (isinstance(node, ast.Constant) and isinstance(node.value, (int, float, str))):
        children = []
    else:
        part = ast.get_source_segment(text, node) or text
        raise UserError(
            f"'{part}' is not allowed in the formula '{text}': use numbers, names, + - * /, comparisons, and, or, not"
        )
    for child in children:
        _check(child, text, depth + 1)


def _number(value: Any) -> Any:
    """A truth value in a sum counts 1 or 0: NumPy would read ``+`` as ``or`` and refuse ``-``."""
    value = np.asarray(value)
    return value.astype(np.float64) if value.dtype == bool else value


def _evaluate(node: ast.expr, values: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value):
            return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
        case ast.Name(id=name):
            if name.lower() in ("true", "false") and name not in values:
                return name.lower() == "true"
            return values[name]
        case ast.BinOp(left=left, op=operator, right=right):
            return _BINARY[type(operator)](_number(_evaluate(left, values)), _number(_evaluate(right, values)))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return np.logical_not(_evaluate(operand, values))
        case ast.UnaryOp(op=sign, operand=operand):
            value = _number(_evaluate(operand, values))
            return -value if isinstance(sign, ast.USub) else value
        case ast.BoolOp(op=operator, values=operands):
            join = np.logical_and if isinstance(operator, ast.And) else np.logical_or
            result = _evaluate(operands[0], values)
            for operand in operands[1:]:
                result = join(result, _evaluate(operand, values))
            return result
        case ast.Compare(left=left, ops=operators, comparators=comparators):
            terms = [_evaluate(left, values), *(_evaluate(c, values) for c in comparators)]
            result = _COMPARE[type(operators[0])](terms[0], terms[1])
            for comparison, a, b in zip(operators[1:], terms[1:-1], terms[2:], strict=True):
                result = np.logical_and(result, _COMPARE[type(comparison)](a, b))
            return result
        case _:  # unreachable after _check
            raise AssertionError(ast.dump(node))
