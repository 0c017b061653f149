"""How a job tells what it is doing. The command line listens; a script need not."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress"]


class Progress:
    """What a job says while it works. This one is silent; whoever shows it overrides these methods."""

    def say(self, line: str) -> None:
        """A line worth reading: a stage begins, an iteration ended."""

    def advance(self, task: str, done: int, total: int) -> None:
        """``done`` of ``total`` units of ``task`` are through."""

    def detail(self, task: str, line: str) -> None:
        """How ``task`` goes, beside how far it is: its loss, its pace. Said before the ``advance`` that it belongs to."""

    def of(self, task: str) -> Callable[[int, int], None]:
        """``advance`` for one task."""
        return lambda done, total: self.advance(task, done, total)
