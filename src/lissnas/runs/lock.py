"""One process at a time in a run directory."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from lissnas.disk import disk_errors
from lissnas.errors import UserError
from lissnas.runs.journal import read_journal

__all__ = ["LOCK", "Lock"]

LOCK = ".lock"  # always empty, and never removed: a lock on a file that is being replaced holds nothing


class Lock:
    """The lock of ``directory``, held until ``release`` or the end of the process, however it ends.

    Raises:
        UserError: another process holds it, or the directory cannot be written to.
    """

    def __init__(self, directory: Path) -> None:
        with disk_errors(directory):
            self._file = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.release()
            if not isinstance(error, BlockingIOError):
                raise UserError(f"'{directory}' is on a disk without locks ({error.strerror}): choose another --out") from None
            holder = _holder(directory)
            whom = f" (pid {holder})" if holder else ""
            raise UserError(f"'{directory}' is in use by another process{whom}: wait until it ends, or stop it") from None

    def release(self) -> None:
        """Let go; a second time does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _holder(directory: Path) -> int | None:
    """Who opened the directory last, as far as its journal can be read."""
    try:
        events, _ = read_journal(directory / "journal.jsonl")
    except (UserError, OSError):
        return None
    pids = [event["pid"] for event in events if isinstance(event.get("pid"), int)]
    return pids[-1] if pids else None
