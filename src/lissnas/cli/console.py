"""What the command line shows: progress on a terminal, plain lines elsewhere, always on stderr."""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from lissnas import runs

__all__ = ["ConsoleProgress", "stderr"]

stderr = Console(stderr=True, highlight=False, soft_wrap=True)

_PLAIN_EVERY = 10.0  # seconds between plain progress lines


class ConsoleProgress(runs.Progress):
    """Bars on a terminal; elsewhere a line when a task ends, and one every ten seconds."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._details: dict[str, str] = {}
        self._last = time.monotonic()

    def say(self, line: str) -> None:
        if not self._quiet:
            (self._bars.console if self._bars else stderr).print(line, markup=False)

    def advance(self, task: str, done: int, total: int) -> None:
        if self._quiet:
            return
        if sys.stderr.isatty():
            self._advance_bar(task, done, total)
        elif done >= total or time.monotonic() - self._last > _PLAIN_EVERY:
            self._last = time.monotonic()
            stderr.print(f"  {task}: {done:,} of {total:,}{self._more(task)}", markup=False)

    def detail(self, task: str, line: str) -> None:
        self._details[task] = line

    def _more(self, task: str) -> str:
        return f", {self._details[task]}" if task in self._details else ""

    def _advance_bar(self, task: str, done: int, total: int) -> None:
        if self._bars is None:
            columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bars = Progress(*columns, console=stderr, transient=True)
            self._bars.start()
        if task not in self._tasks:
            self._tasks[task] = self._bars.add_task(task, total=total)
        self._bars.update(self._tasks[task], completed=done, total=total, description=f"{task}{self._more(task)}")
        if done >= total:
            self._bars.remove_task(self._tasks.pop(task))

    def close(self) -> None:
        """Take the bars off the screen."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
            self._tasks.clear()
