"""YAML as a tree that remembers its lines, so that a mistake can be answered where it stands.

Plain scalars are read as YAML 1.2 and JSON read them: ``no`` and ``on`` are texts, ``010`` is ten, ``1e3`` is a number, dates
are texts. Aliases and tags are refused: a space file needs none, and both are how a small file becomes a large surprise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import yaml

from lissnas.errors import UserError
from lissnas.formats.hints import nearest

__all__ = ["MAX_BYTES", "Node", "Scalar", "compose"]

Scalar = str | int | float | bool | None

MAX_BYTES = 1 << 18  # a space is described in a few kB; the parser reads about 100 kB a second
LARGEST = 1e100

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|nan)", re.IGNORECASE)
_WHAT = {"genes": "gene", "costs": "cost"}


@dataclass(frozen=True)
class Node:
    """A value of the file.

    Attributes:
        source: the name of the file, for messages.
        line: where the value starts, counted from 1.
        key_line: where its name stands, if it has one.
        value: a scalar, a list, or a mapping.
    """

    source: str
    line: int
    key_line: int
    value: Scalar | list[Node] | dict[str, Node]

    def error(self, message: str, *, at_key: bool = False) -> UserError:
        """``message`` in one line, behind the file and the line of the value (or of its name)."""
        line = self.key_line if at_key else self.line
        return UserError(f"{self.source}:{line}: {' '.join(message.split())}")

    @contextmanager
    def located(self, *, at_key: bool = False) -> Iterator[None]:
        """Put the place in front of what the spaces themselves say about a mistake."""
        try:
            yield
        except UserError as error:
            raise self.error(str(error), at_key=at_key) from None

    def shown(self) -> str:
        """The value as a message shows it."""
        match self.value:
            case None:
                return "nothing"
            case dict():
                return "a mapping"
            case list():
                return "a list"
            case bool():
                return str(self.value).lower()
            case _:
                text = repr(self.value)
                return text if len(text) <= 60 else f"{text[:57]}..."

    def mapping(self, rule: str) -> dict[str, Node]:
        """The value as a mapping that is not empty; ``rule`` says what it must be."""
        if not isinstance(self.value, dict) or not self.value:
            raise self.error(f"{rule}, but got {self.shown()}", at_key=self.value is None)
        return self.value

    def entries(self, rule: str) -> list[Node]:
        """The value as a list that is not empty; ``rule`` says what it must be."""
        if not isinstance(self.value, list) or not self.value:
            shown = "an empty list" if self.value == [] else self.shown()
            raise self.error(f"{rule}, but got {shown}", at_key=self.value is None)
        return self.value

    def text(self, rule: str) -> str:
        """The value as a text that is not empty; ``rule`` says what it must be."""
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.error(f"{rule}, but got {self.shown()}", at_key=self.value is None)
        return self.value

    def number(self, rule: str) -> float:
        """The value as a number."""
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)):
            raise self.error(f"{rule}, but got {self.shown()}", at_key=self.value is None)
        return float(self.value)

    def whole(self, rule: str, low: int, high: int) -> int:
        """The value as a whole number from ``low`` to ``high``."""
        if isinstance(self.value, bool) or not isinstance(self.value, int) or not low <= self.value <= high:
            raise self.error(f"{rule}, but got {self.shown()}", at_key=self.value is None)
        return self.value

    def require_keys(self, what: str, allowed: Iterable[str]) -> None:
        """Refuse a key that is not ``allowed``, and name the nearest one that is."""
        allowed = tuple(allowed)
        for key, node in self.mapping(f"{what} must be a mapping").items():
            if key not in allowed:
                raise node.error(f"{what} has no key '{key[:40]}': {nearest(key, allowed)}", at_key=True)


class _Loader(yaml.BaseLoader):
    """PyYAML's parser; scalars stay text, and aliases are refused before they are followed."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event: Any = self.peek_event()  # type: ignore[no-untyped-call] # its stub has no types
            raise yaml.composer.ComposerError(
                None, None, f"an alias (*{event.anchor}) is not part of a space file: write the value out", event.start_mark
            )
        return super().compose_node(parent, index)


def compose(text: str, source: str) -> Node:
    """The tree of a YAML ``text``; ``source`` is the name of the file, for messages.

    Raises:
        UserError: not YAML, empty, too large, nested too deep, a name twice, an alias, a tag.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise UserError(f"{source}:1: a space file may have at most {MAX_BYTES:,} bytes, but this one is larger: shorten it")
    try:
        root = yaml.compose(text, Loader=_Loader)
        if root is None:
            raise UserError(f"{source}:1: the file is empty: a space needs a name and genes")
        return _convert(root, source, None, None)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        problem = " ".join((error.problem or error.context or "cannot be read").split())
        if isinstance(error, yaml.composer.ComposerError) and problem.startswith("an alias"):
            raise UserError(f"{source}:{line}: {problem}") from None
        raise UserError(
            f"{source}:{line}: this is not YAML ({problem}): check indentation, brackets and quotes there"
        ) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise UserError(f"{source}:{line}: this is not a YAML text ({error.reason}): save it as plain UTF-8") from None
    except RecursionError:
        raise UserError(
            f"{source}:1: the file nests too deep for a space: lists of alleles and mappings of names suffice"
        ) from None


def _convert(node: yaml.Node, source: str, key_line: int | None, key: str | None) -> Node:
    line = node.start_mark.line + 1
    here = Node(source, line, key_line or line, None)
    kind = "map" if isinstance(node, yaml.MappingNode) else "seq" if isinstance(node, yaml.SequenceNode) else "str"
    if node.tag != f"tag:yaml.org,2002:{kind}":
        tag = node.tag.replace("tag:yaml.org,2002:", "!!")
        raise here.error(f"a tag ({tag}) is not part of a space file: leave it out")
    value: Scalar | list[Node] | dict[str, Node]
    if isinstance(node, yaml.MappingNode):
        value = _convert_mapping(node, source, key)
    elif isinstance(node, yaml.SequenceNode):
        value = [_convert(child, source, None, key) for child in node.value]
    else:
        plain = isinstance(node, yaml.ScalarNode) and node.style is None
        value = _resolve(node.value, here) if plain else node.value
    return Node(source, line, key_line or line, value)


def _convert_mapping(node: yaml.MappingNode, source: str, parent: str | None) -> dict[str, Node]:
    values: dict[str, Node] = {}
    for key, child in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise UserError(f"{source}:{line}: a name must be a text, but this one is a list or a mapping")
        name = key.value
        if name in values:
            what = _WHAT.get(parent or "", "name")
            first = values[name].key_line
            raise UserError(f"{source}:{line}: the {what} '{name[:40]}' stands twice, first in line {first}: keep one")
        values[name] = _convert(child, source, line, name)
    return values


def _resolve(text: str, here: Node) -> Scalar:
    """What a plain scalar means, as YAML 1.2's core schema has it."""
    if text in ("", "~") or text.lower() == "null":
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if _NOT_FINITE.fullmatch(text):
        raise here.error(f"a number must be finite, but got {text}: write a number, or a text in quotes")
    if not _FLOAT.fullmatch(text):
        return text
    if not abs(float(text)) < LARGEST:
        raise here.error(f"a number must be smaller than {LARGEST:g}, but got {text[:40]}")
    return int(text) if _INTEGER.fullmatch(text) else float(text)
