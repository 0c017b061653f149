"""Which steps of a run are done, and whether their files are still what they were."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lissnas.disk import sync_folder
from lissnas.errors import UserError

__all__ = ["DoneSteps", "file_digest", "files_of", "remove_outputs"]


class DoneSteps:
    """The steps that a journal's events call done, in the order in which they were first done.

    Three events matter: ``done`` (with the sha256 of each output), ``redo`` (the outputs are missing, the step runs again, and
    until it is done its files prove nothing), and a ``done`` with other bytes than before, after which every later step has
    read something else and is not done any more, unless the ``done`` says that it is a ``leaf``, which no step reads.
    """

    def __init__(self, events: Iterable[dict[str, Any]]) -> None:
        self._records: dict[str, dict[str, Any]] = {}
        self._again: set[str] = set()
        for event in events:
            if event["event"] in ("done", "redo"):
                self.add(event)

    def add(self, event: dict[str, Any]) -> None:
        """Take a new ``done`` or ``redo`` event into account."""
        name = event["step"]
        if event["event"] == "redo":
            self._again.add(name)
            return
        for later in self.made_stale_by(name, event["outputs"]):
            del self._records[later]
            self._again.discard(later)
        self._records[name] = event
        self._again.discard(name)

    def made_stale_by(self, name: str, outputs: dict[str, str]) -> list[str]:
        """The done steps that have to run again if step ``name`` has now made ``outputs`` (file -> sha256)."""
        if name not in self._records or self._records[name]["outputs"] == outputs or self._records[name].get("leaf"):
            return []
        names = list(self._records)
        return names[names.index(name) + 1 :]

    def names(self) -> list[str]:
        """The steps that are done."""
        return [name for name in self._records if name not in self._again]

    def seconds(self) -> dict[str, float]:
        """What each done step took, in seconds; a step that was stopped and resumed counts from its last start."""
        return {name: self._records[name]["seconds"] for name in self.names()}

    def holds(self, root: Path, name: str, outputs: Sequence[str]) -> bool:
        """Whether step ``name`` is done and all its files are there.

        Raises:
            UserError: a file is there, but is not the one that the step wrote.
        """
        if name not in self.names():
            return False
        recorded: dict[str, str] = self._records[name]["outputs"]
        complete = all(any(file == output or file.startswith(_folder(output)) for file in recorded) for output in outputs)
        for file, digest in recorded.items():
            if not (root / file).is_file():
                complete = False
            elif file_digest(root / file) != digest:
                raise UserError(f"'{root / file}' was changed after step '{name}' wrote it: restore it, or start a new run")
        return complete


def files_of(root: Path, name: str, outputs: Sequence[str]) -> list[str]:
    """The files that ``outputs`` stand for, below ``root``: an output that ends in ``/`` is every file in that folder.

    Raises:
        ValueError: step ``name`` did not write one of them.
    """
    files: list[str] = []
    for output in outputs:
        path = root / output
        found = sorted(file for file in path.rglob("*") if file.is_file()) if output.endswith("/") else [path]
        if not found or not all(file.is_file() for file in found):
            raise ValueError(f"step '{name}' did not write its output '{output}'")
        files += [file.relative_to(root).as_posix() for file in found]
    return files


def remove_outputs(root: Path, outputs: Sequence[str]) -> None:
    """Remove what an earlier attempt left of ``outputs``."""
    for output in outputs:
        path = root / output
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def file_digest(path: Path, *, lasting: bool = False) -> str:
    """The sha256 of a file; ``lasting`` also sees to it that the file is on the disk, whoever wrote it."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        if lasting:
            os.fsync(file.fileno())
    if lasting:
        sync_folder(path.parent)
    return digest


def _folder(output: str) -> str:
    # No file name starts with a NUL: an output that is a file has nothing below it.
    return output if output.endswith("/") else "\0"
