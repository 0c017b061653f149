"""Install a file again and again, killed at each of its steps on the disk; print what a reader finds after each.

    python kill_install.py FIRST SECOND

FIRST is installed before. A kill while SECOND is installed must leave the one or the other, whole.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from lissnas.disk import data_dir
from lissnas.evaluators import store
from lissnas.evaluators.benchmark import find_benchmark, own_space
from lissnas.evaluators.install import install

NAME = "transnasbench101-micro"
STEPS = ("fsync", "replace", "unlink")


def install_until(step: int, source: Path) -> None:
    """Install, and die as if by a power cut at the ``step``-th call to the disk."""
    count = 0

    def counted(call):
        def wrapper(*arguments, **options):
            nonlocal count
            count += 1
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **options)

        return wrapper

    for name in STEPS:
        setattr(os, name, counted(getattr(os, name)))
    install(find_benchmark(NAME), source)
    os._exit(0)


def main(first: Path, second: Path) -> None:
    """Print a line per step: step, "killed" or "done", and the source that is installed ("none")."""
    import pyarrow  # noqa: F401 - once, for all children

    own_space(NAME)
    for before in (None, first):
        for step in range(1, 50):
            store.remove(NAME)
            if before is not None:
                install(find_benchmark(NAME), before)
            child = os.fork()
            if child == 0:
                install_until(step, second)
            _, status = os.waitpid(child, 0)
            present = store.installed(NAME)
            if present is not None:
                store.verify(NAME)
                store.open_table(NAME)
            print(step, "killed" if os.WIFSIGNALED(status) else "done", present.origin.source.name if present else "none")
            if not os.WIFSIGNALED(status):
                left = sorted(path.name for path in (data_dir() / NAME).iterdir())
                print("left", len(left))
                break


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
