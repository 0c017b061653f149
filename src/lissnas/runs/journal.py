"""What was done and when: an append-only file of one JSON object a line."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lissnas.disk import disk_errors, sync_folder
from lissnas.errors import UserError
from lissnas.runs.encode import plain

__all__ = ["Journal", "read_journal"]

Event = dict[str, Any]


class Journal:
    """The journal at ``path``, open for appending; the caller holds the run's lock.

    A last line that a killed process left unfinished is cut off.

    Raises:
        UserError: a line before the last is not what this class writes, or the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events, length = read_journal(path)
        with disk_errors(path):
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            if os.fstat(self._file).st_size > length:
                os.ftruncate(self._file, length)
            sync_folder(path.parent)

    def append(self, event: str, **fields: Any) -> None:
        """Write one line, and return when it is on the disk.

        Raises:
            UserError: the disk refuses; the journal is as it was.
        """
        line = {"event": event, "time": datetime.now(UTC).isoformat(timespec="milliseconds"), **plain(fields)}
        data = (json.dumps(line, ensure_ascii=False) + "\n").encode()
        with disk_errors(self.path):
            before = os.fstat(self._file).st_size
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(self._file, view) :]
                os.fsync(self._file)
            except BaseException:
                os.ftruncate(self._file, before)
                raise
        self.events.append(line)

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def read_journal(path: Path) -> tuple[list[Event], int]:
    """The events of a journal (none if it does not exist), and the length in bytes of its whole lines; changes nothing.

    Raises:
        UserError: a line before the last is not a JSON object with an ``event``, or the file cannot be read.
    """
    try:
        with disk_errors(path):
            data = path.read_bytes()
    except FileNotFoundError:
        return [], 0
    lines = data.split(b"\n")
    lines.pop()  # what follows the last line's end: nothing, or a line that was never finished
    events: list[Event] = []
    length = 0
    for number, line in enumerate(lines, start=1):
        try:
            event = json.loads(line)
            if not isinstance(event, dict) or not isinstance(event.get("event"), str):
                raise ValueError("not an event")
        except ValueError:
            if number == len(lines):  # after a power cut a line may have its length but not its text
                break
            raise UserError(
                f"'{path}' line {number} is not a line of a journal: restore the file, or start a new run"
            ) from None
        events.append(event)
        length += len(line) + 1
    return events, length
