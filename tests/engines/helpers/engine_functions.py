"""Functions that worker processes import; they stand in a module because a lambda cannot be sent to a process."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np

from lissnas.errors import UserError


def draw(chunk, rng):
    return chunk * rng.standard_normal(len(chunk))


def slow_first(chunk):
    time.sleep(0.3 if chunk == 0 else 0)
    return chunk, os.getpid()


def environment(_chunk):
    return {name: os.environ.get(name) for name in ("OMP_WAIT_POLICY", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}


def fails_late_and_early(chunk):
    if chunk == 2:
        time.sleep(0.3)
        raise UserError("rule, value, remedy")
    if chunk == 3:
        raise KeyError("later in order, earlier in time")
    return chunk


class Picky(Exception):
    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


def fails_unpicklable(_chunk):
    raise Picky("this", "that")


def returns_lock(_chunk):
    return threading.Lock()


def dies(chunk):
    if chunk == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return chunk


def leaves(chunk):
    os._exit(3)


def touch_and_sleep(chunk):
    folder, index = chunk
    (Path(folder) / f"{index}-{os.getpid()}").touch()
    time.sleep(0.05 if index == 0 else 60)
    return index


def product(chunk):
    return np.asarray(chunk) * 2


def main_that_waits():
    """A program of its own: two workers, far too much work, and Ctrl-C is awaited."""
    from lissnas.engines import get_engine, map_chunks

    get_engine()  # loads what is loaded late: an import that is interrupted may swallow the interrupt

    try:
        print("ready", flush=True)
        for _ in map_chunks(touch_and_sleep, [(sys.argv[1], index) for index in range(8)], workers=2):
            print("first", flush=True)
    except KeyboardInterrupt:
        print("stopped", flush=True)
        sys.exit(130)


if __name__ == "__main__":
    main_that_waits()
