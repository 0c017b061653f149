"""A run directory: one job's configuration, journal and files, and the steps that are done once."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import time
import warnings
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from lissnas import disk
from lissnas._version import __version__
from lissnas.errors import UserError
from lissnas.runs import encode
from lissnas.runs.header import CONFIG, RUN_FORMAT, Header
from lissnas.runs.journal import Journal
from lissnas.runs.lock import LOCK, Lock
from lissnas.runs.steps import DoneSteps, file_digest, files_of, remove_outputs
from lissnas.runs.stop import RunInterrupted, listen_for_sigterm

__all__ = ["RUN_FORMAT", "Run"]

JOURNAL, TIMINGS, CHECKPOINTS = "journal.jsonl", "timings.json", "checkpoints"


class Run:
    """An open run directory, locked until ``close`` or the end of its ``with`` block; made by ``create`` or ``open``.

    While it is open SIGTERM stops it as Ctrl-C does: by ``RunInterrupted``.

    Attributes:
        directory: where it is.
        kind: the job, a name in ``JOBS``.
        config: the resolved configuration, as read from ``config.yaml`` (so it is the same after a resume).
        seed: ``config["seed"]``.
    """

    def __init__(self, directory: Path, lock: Lock, resume_hint: str | None) -> None:
        header = Header.read(directory)  # first of all: a newer version's directory is left as it is
        self.directory = directory
        self.kind, self.config = header.kind, header.config
        self.seed: int = header.config["seed"]
        self._hint = resume_hint or f"lissnas resume {shlex.quote(str(directory))}"
        self._running: str | None = None
        with disk.disk_errors(directory):
            disk.sweep(directory)
        self._journal = Journal(directory / JOURNAL)
        try:
            self._begin(header)
        except BaseException:
            self._journal.close()
            raise
        self._lock = lock
        self._restore_signals = listen_for_sigterm()

    def _begin(self, header: Header) -> None:
        events = self._journal.events
        digest = file_digest(self.directory / CONFIG)
        if events and events[0].get("config_sha256") != digest:
            raise UserError(f"'{self.directory / CONFIG}' was changed after the run began: restore it, or start a new run")
        if header.version != __version__:
            warnings.warn(f"this run was begun by lissnas {header.version}, and goes on with {__version__}", stacklevel=4)
        if events:
            self.journal("opened", pid=os.getpid(), version=__version__)
        else:
            self.journal("created", pid=os.getpid(), version=__version__, seed=self.seed, config_sha256=digest)
        self._done = DoneSteps(events)
        for name in self._done.names():  # a process may have been killed between a step's record and its tidying up
            self._drop_checkpoint(name)
        if self._done.names():
            self._write_timings()

    @classmethod
    def create(cls, path: Path | str, kind: str, config: Mapping[str, Any], *, resume_hint: str | None = None) -> Run:
        """Begin a run in ``path``, which does not exist yet or is empty (or holds no more than a creation that was killed).

        Args:
            path: where; missing parents are made.
            kind: a name in ``JOBS``.
            config: everything the job needs, resolved, with a ``seed``; written to ``config.yaml`` and never changed.
            resume_hint: how an interrupted run is gone on with; ``lissnas resume PATH`` if not given.

        Raises:
            UserError: something is there already, or it cannot be written to (nothing is left of the attempt then).
        """
        directory = Path(path)
        header = Header.of(kind, config)
        _require_vacant(directory)
        made = [folder for folder in (directory, *directory.parents) if not folder.exists()]
        ours: list[Path] = []
        lock: Lock | None = None
        try:
            with disk.disk_errors(directory):
                directory.mkdir(parents=True, exist_ok=True)
            lock = Lock(directory)
            _require_vacant(directory)  # once more, for now nobody else can begin here
            ours = [directory / CONFIG, directory / JOURNAL]
            disk.write_bytes(directory / CONFIG, header.to_bytes())
            return cls(directory, lock, resume_hint)
        except BaseException:
            with contextlib.suppress(OSError):
                for file in [*ours, *([directory / LOCK] if made and lock else [])]:
                    file.unlink(missing_ok=True)
                for folder in made:
                    folder.rmdir()
            if lock:
                lock.release()
            raise

    @classmethod
    def open(cls, path: Path | str, *, resume_hint: str | None = None) -> Run:
        """Open the run in ``path`` to go on with it.

        Raises:
            UserError: not a run directory, of a newer version, in use by another process, changed by hand, or read-only.
        """
        directory = Path(path)
        Header.read(directory)  # no lock file is left in a folder that is no run
        lock = Lock(directory)
        try:
            return cls(directory, lock, resume_hint)
        except BaseException:
            lock.release()
            raise

    def close(self) -> None:
        """Let go of the directory; a second time does nothing."""
        self._restore_signals()
        self._restore_signals = lambda: None  # a handler that is set from now on is somebody else's
        self._journal.close()
        self._lock.release()

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if isinstance(error, KeyboardInterrupt):
                raise self._interrupted() from None
        finally:
            self.close()

    def step(
        self, name: str, function: Callable[[], object], outputs: Sequence[str], *, again: bool = False, leaf: bool = False
    ) -> bool:
        """Run ``function()`` unless this step is done and its outputs are there, unchanged.

        Args:
            name: unique in the job; lower-case letters, digits and hyphens.
            function: writes the outputs. It reads the configuration and the outputs of earlier steps only.
            outputs: names below the run directory; one that ends in ``/`` is a folder with everything in it.
            again: run it although it is done (a report that is drawn anew). If its outputs differ, later steps run again too.
            leaf: no step reads its outputs, so that none runs again where they differ.

        Returns:
            Whether the function was run.

        Raises:
            UserError: an output was changed by hand since, or the disk refuses.
            RunInterrupted: Ctrl-C or SIGTERM.
            ValueError: steps are nested, a name is not allowed, or the function did not write an output.
        """
        if self._running:
            raise ValueError(f"step '{name}' inside step '{self._running}': steps do not nest")
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
            raise ValueError(f"a step's name has lower-case letters, digits and hyphens, but got '{name}'")
        for output in outputs:
            self.path(output)
        if not again and self.holds(name, outputs):
            return False
        if name in self._done.names():
            self._note("redo", name)
        self._running = name
        self.journal("begun", step=name)
        began = time.perf_counter()
        try:
            with disk.disk_errors(self.directory):
                remove_outputs(self.directory, outputs)
                function()
                digests = {
                    file: file_digest(self.directory / file, lasting=True) for file in files_of(self.directory, name, outputs)
                }
        except BaseException as error:
            with contextlib.suppress(OSError):
                remove_outputs(self.directory, outputs)
            if isinstance(error, KeyboardInterrupt):
                raise self._interrupted() from None
            with contextlib.suppress(UserError):  # a full disk has no room for this line either
                self.journal("failed", step=name, error=str(error))
            raise
        finally:
            self._running = None
        if self._done.made_stale_by(name, digests):
            # Before the record, since afterwards nothing would tell that they were made from other files.
            shutil.rmtree(self.directory / CHECKPOINTS, ignore_errors=True)
        how = {"leaf": True} if leaf else {}
        self._note("done", name, outputs=digests, seconds=round(time.perf_counter() - began, 3), **how)
        self._drop_checkpoint(name)
        self._write_timings()
        return True

    def holds(self, step: str, outputs: Sequence[str]) -> bool:
        """Whether ``step`` is done and its outputs are there.

        Raises:
            UserError: an output was changed by hand since.
        """
        return self._done.holds(self.directory, step, outputs)

    def checkpoint(self, step: str) -> Path:
        """The folder for partial progress of the running ``step``: kept when the run is killed, removed when the step is done.

        What is put there is written by ``writing``, whole or not at all, and says by its name how far it got.

        Raises:
            ValueError: another step is running.
        """
        if step != self._running:
            raise ValueError(f"a checkpoint of step '{step}' belongs inside it, but the running step is {self._running!r}")
        folder = self.directory / CHECKPOINTS / step
        with disk.disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def path(self, name: str) -> Path:
        """Where the file called ``name`` is or will be.

        Raises:
            ValueError: it would not be inside the run directory.
        """
        relative = Path(name)
        if relative.is_absolute() or ".." in relative.parts or relative == Path("."):
            raise ValueError(f"a file of a run is named by its path inside the run directory, but got '{name}'")
        return self.directory / relative

    def seeds(self, name: str) -> np.random.SeedSequence:
        """The seed of what is called ``name`` (a step, usually): its own, whichever other steps run or are skipped."""
        return np.random.SeedSequence(self.seed, spawn_key=(zlib.crc32(name.encode()),))

    def rng(self, name: str) -> np.random.Generator:
        """A fresh generator from ``seeds(name)``."""
        return np.random.default_rng(self.seeds(name))

    def journal(self, event: str, **fields: Any) -> None:
        """Write ``event`` with its fields and the time to the journal."""
        self._journal.append(event, **fields)

    def timed(self, name: str, seconds: float) -> None:
        """Record what a part of a step took: in the journal and in ``timings.json``, where alone clock times are kept."""
        self.journal("timed", name=name, seconds=round(seconds, 3))

    def writing(self, name: str) -> contextlib.AbstractContextManager[Path]:
        """A temporary path for another library to write to; it becomes ``name`` on leaving (see ``writing`` of this room)."""
        return disk.writing(self.path(name))

    def write_bytes(self, name: str, data: bytes) -> Path:
        """Write a file, whole or not at all, and return its path. So do all the following."""
        disk.write_bytes(self.path(name), data)
        return self.path(name)

    def write_text(self, name: str, text: str) -> Path:
        """UTF-8, with the line ends as given."""
        return self.write_bytes(name, text.encode())

    def write_json(self, name: str, value: Any) -> Path:
        """JSON in the given order; NaN and infinities are ``null``."""
        return self.write_bytes(name, encode.json_bytes(value))

    def write_yaml(self, name: str, value: Any) -> Path:
        """YAML in the given order."""
        return self.write_bytes(name, encode.yaml_bytes(value))

    def write_parquet(self, name: str, columns: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> Path:
        """Parquet: column name -> array or list, all of one length, and text metadata in the header."""
        return self.write_bytes(name, encode.parquet_bytes(columns, metadata))

    def _note(self, event: str, step: str, **fields: Any) -> None:
        self.journal(event, step=step, **fields)
        self._done.add(self._journal.events[-1])

    def _interrupted(self) -> RunInterrupted:
        with contextlib.suppress(UserError):
            self.journal("interrupted", step=self._running)
        return RunInterrupted(f"stopped; go on with: {self._hint}")

    def _drop_checkpoint(self, step: str) -> None:
        shutil.rmtree(self.directory / CHECKPOINTS / step, ignore_errors=True)
        with contextlib.suppress(OSError):  # other steps have theirs in it, or there is none
            (self.directory / CHECKPOINTS).rmdir()

    def _write_timings(self) -> None:
        parts = {event["name"]: event["seconds"] for event in self._journal.events if event["event"] == "timed"}
        self.write_json(TIMINGS, {**self._done.seconds(), **({"parts": parts} if parts else {})})


def _require_vacant(directory: Path) -> None:
    if not directory.exists():
        return
    if not directory.is_dir():
        raise UserError(f"'{directory}' exists already and is not a directory: choose another --out")
    with disk.disk_errors(directory):
        names = {name for name in os.listdir(directory) if name != LOCK and not name.startswith(disk.TEMPORARY)}
    if CONFIG in names:
        resume = f"lissnas resume {shlex.quote(str(directory))}"
        raise UserError(f"'{directory}' exists already: resume it with `{resume}`, or choose another --out")
    if names:
        raise UserError(f"'{directory}' exists already, is not empty and is not a run: choose another --out")
