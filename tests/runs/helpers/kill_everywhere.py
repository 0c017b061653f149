"""Kill the job at each of its file operations, in turn, resume it, and compare: ``python kill_everywhere.py FOLDER STRIDE``.

An audit hook sees every opening, renaming, removal and making of a folder below the run directory, and ``os.fsync`` and
``os.write`` are watched too; a job is killed just before operation 1, 1 + STRIDE, ... until it gets through. Each attempt is a
fork of this process, which has imported everything.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import directory_job
import pyarrow.parquet  # noqa: F401  # once, for all forks

OPERATIONS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree"}


def watched(directory: Path, fatal: int) -> None:
    """From now on the ``fatal``-th file operation in ``directory`` kills this process."""
    count = 0

    def tick() -> None:
        nonlocal count
        count += 1
        if count == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in OPERATIONS and any(str(directory) in str(argument) for argument in arguments[:2]):
            tick()

    def before(function):
        def call(*arguments):
            tick()
            return function(*arguments)

        return call

    sys.addaudithook(hook)
    os.fsync, os.write, os.ftruncate = before(os.fsync), before(os.write), before(os.ftruncate)


def attempt(verb: str, directory: Path, fatal: int = 0) -> int:
    """The job in a fork: its exit code, or -9 if it was killed."""
    child = os.fork()
    if not child:
        if fatal:
            watched(directory, fatal)
        os._exit(directory_job.main(verb, str(directory)))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(folder: Path, stride: int) -> None:
    if attempt("start", folder / "whole"):
        raise SystemExit("the undisturbed job failed")
    expected = directory_job.tree(folder / "whole")
    fatal = 1 - stride
    while True:
        fatal += stride
        directory = folder / f"killed-{fatal}"
        if attempt("start", directory, fatal) == 0:
            break
        # The first resume is killed too, somewhere else each time; a run that had not begun is begun again.
        verb = "resume" if (directory / "config.yaml").exists() else "start"
        attempt(verb, directory, 1 + fatal * 7 % 45)
        verb = "resume" if (directory / "config.yaml").exists() else "start"
        code = attempt(verb, directory)
        if code or directory_job.tree(directory) != expected:
            raise SystemExit(f"killed before operation {fatal}, resumed with exit code {code}: the directory differs")
    print(f"{(fatal - 1) // stride} kills")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
