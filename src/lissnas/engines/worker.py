"""What a worker process does: take a chunk, compute it, send the result, until its parent hangs up."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import traceback
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import ForkingPickler
from typing import Any

from lissnas.engines.base import call
from lissnas.errors import UserError

__all__ = ["ENVIRONMENT", "die_with_parent", "work"]

# One thread for each worker, and OpenMP threads that sleep while they wait: spinning ones collapse on shared cores.
ENVIRONMENT = {
    "OMP_WAIT_POLICY": "passive",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}


def work(connection: Connection, payload: bytes) -> None:
    """The life of a worker: load the function, say so, and answer each ``(chunk, seed)`` by ``(success, value)``."""
    # Ctrl-C reaches every process of a terminal: the parent decides what it means, and ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=die_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError, OSError):  # the parent hung up
        try:
            function = ForkingPickler.loads(payload)
        except Exception as error:
            connection.send((False, UserError(f"a worker process cannot load the function ({error}): use one worker")))
            return
        connection.send((True, None))
        while True:
            chunk, seed = connection.recv()
            connection.send_bytes(_answer(function, chunk, seed))


def _answer(function: Any, chunk: Any, seed: Any) -> bytes:
    try:
        answer = (True, call(function, chunk, seed))
    except BaseException as error:
        return bytes(ForkingPickler.dumps((False, _portable(error))))
    try:
        return bytes(ForkingPickler.dumps(answer))
    except Exception as error:
        kind = type(answer[1]).__name__
        return bytes(ForkingPickler.dumps((False, UserError(f"a result ({kind}) cannot leave its worker process: {error}"))))


def _portable(error: BaseException) -> BaseException:
    """``error`` in a form that survives the way to the parent; what is no user's mistake carries the worker's traceback."""
    trace = "".join(traceback.format_exception(error)).rstrip()
    error.__traceback__ = error.__cause__ = error.__context__ = None
    try:
        copy = ForkingPickler.loads(ForkingPickler.dumps(error))
        faithful = type(copy) is type(error) and str(copy) == str(error)
    except Exception:
        faithful = False
    portable = error if faithful else RuntimeError(f"{type(error).__name__}: {error}")
    if not isinstance(error, UserError):
        portable.add_note(f"raised in a worker process:\n{trace}")
    return portable


def die_with_parent() -> None:
    """A parent that was killed cannot end its workers, and an orphan in a long chunk would compute for nobody."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
