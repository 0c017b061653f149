"""A name, and the thing it stands for, loaded when it is first asked for."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from typing import Any

from lissnas.errors import UserError

__all__ = ["Registry"]


class Registry:
    """Names of one kind of thing (spaces, shrinkers, report sections) and where each is defined.

    Args:
        kind: what the names stand for, in the singular, for messages: ``"space"``.
        entries: name -> ``"package.module:attribute"``. Nothing is imported until the name is asked for.
    """

    def __init__(self, kind: str, entries: Mapping[str, str]) -> None:
        self.kind = kind
        self._entries = dict(entries)

    def names(self) -> list[str]:
        """All names, in the order of registration."""
        return list(self._entries)

    def add(self, name: str, target: str) -> None:
        """Register ``name`` for ``"package.module:attribute"``.

        Raises:
            UserError: the name is taken.
        """
        if name in self._entries:
            raise UserError(f"a {self.kind} named '{name}' exists already ({self._entries[name]}): choose another name")
        self._entries[name] = target

    def get(self, name: str) -> Any:
        """The thing called ``name``.

        Raises:
            UserError: no such name; the nearest ones are named.
        """
        if name not in self._entries:
            raise UserError(self.unknown(name))
        module, _, attribute = self._entries[name].partition(":")
        return getattr(importlib.import_module(module), attribute)

    def unknown(self, name: str) -> str:
        """The line that answers an unknown ``name``."""
        near = difflib.get_close_matches(name.lower(), self._entries, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(self._entries)}"
        return f"unknown {self.kind} '{name}': {hint}"

    def __contains__(self, name: object) -> bool:
        return name in self._entries
