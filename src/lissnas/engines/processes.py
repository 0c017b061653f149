"""A pool of worker processes that knows which chunk each worker holds.

``concurrent.futures`` says of a worker that was killed only that the pool is broken, and waits for running work when it is
interrupted; this pool names the chunk, and stops at once. Objects travel between a process and its own children by pickle
(there is no other way in the standard library); nothing pickled is ever written to a file or read from one.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from multiprocessing.reduction import ForkingPickler
from typing import Any, TypeVar

from lissnas.engines.base import Seeds
from lissnas.engines.worker import ENVIRONMENT, work
from lissnas.errors import UserError

__all__ = ["map_in_processes"]

R = TypeVar("R")
Outcome = tuple[bool, Any]  # (True, result) or (False, exception)

_AHEAD = 4  # chunks per worker that may be finished before their turn: finished results wait in memory
_environment_lock = threading.Lock()


def map_in_processes(
    function: Callable[..., R], chunks: Sequence[Any], seeds: Seeds, *, workers: int, start: int
) -> Generator[R, None, None]:
    """See ``Engine.map``. The function is checked at once; processes start with the first result that is asked for."""
    remedy = "define it at the top level of a module, or use one worker"
    payload = _packed(function, f"the function {getattr(function, '__qualname__', function)!r}", remedy)
    return _results(payload, chunks, seeds, min(workers, len(chunks) - start), start)


def _results(payload: bytes, chunks: Sequence[Any], seeds: Seeds, workers: int, start: int) -> Generator[Any, None, None]:
    pool: list[_Worker] = []
    outcomes: dict[int, Outcome] = {}  # finished, and waiting for their turn
    following, end = start, len(chunks)
    try:
        for _ in range(workers):
            with _interrupts_held():  # whoever is started is in the pool, and so will be stopped
                pool.append(_Worker(payload))
        for turn in range(start, len(chunks)):
            while True:
                for worker in pool:
                    # After a failure nothing later is begun; what is earlier goes on: the first failure in order is raised.
                    end = min([end, *(index for index, (success, _) in outcomes.items() if not success)])
                    if worker.idle and following < min(end, turn + _AHEAD * workers):
                        outcomes.update(worker.give(following, chunks, seeds))
                        following += 1
                if turn in outcomes:
                    break
                outcomes.update(_collect(pool, len(chunks)))
            success, value = outcomes.pop(turn)
            if not success:
                raise value
            yield value
    finally:
        for worker in pool:
            worker.stop()
        for worker in pool:
            worker.wait()


def _collect(pool: list[_Worker], total: int) -> Iterator[tuple[int, Outcome]]:
    """Wait until a worker has something to say, and take what there is."""
    by_connection = {worker.connection: worker for worker in pool if not worker.dead}
    for connection in wait(list(by_connection)):
        worker = by_connection[connection]  # type: ignore[index]  # wait() returns what it was given
        try:
            outcome = worker.connection.recv()
        except (EOFError, OSError):
            outcome = (False, worker.obituary(total))
        index, worker.index, worker.ready = worker.index, None, True
        if index is not None:
            yield index, outcome
        elif not outcome[0]:  # it could not start, so no chunk will ever be done by it
            raise outcome[1]


class _Worker:
    """One child process, and the index of the chunk that it holds."""

    def __init__(self, payload: bytes) -> None:
        # A fresh interpreter, not a fork: OpenMP and torch do not survive a fork, and their thread counts are read once.
        context = multiprocessing.get_context("spawn")
        if getattr(multiprocessing.current_process(), "_inheriting", False):
            sys.exit(1)  # a worker that runs its parent's script, which has no main guard: the parent says so, in one line
        self.index: int | None = None
        self.ready = False
        self.dead = False
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs, payload), name="lissnas-worker", daemon=True)
        with _environment_of_workers():
            self.process.start()
        theirs.close()

    @property
    def idle(self) -> bool:
        return self.ready and not self.dead and self.index is None

    def give(self, index: int, chunks: Sequence[Any], seeds: Seeds) -> dict[int, Outcome]:
        """Send a chunk; an outcome comes back at once only where the worker was found dead."""
        data = _packed((chunks[index], seeds[index] if seeds else None), f"chunk {index + 1}", "use one worker")
        self.index = index
        try:
            self.connection.send_bytes(data)
        except OSError:
            return {index: (False, self.obituary(len(chunks)))}
        return {}

    def obituary(self, total: int) -> UserError:
        """Why there will be no answer from this worker."""
        self.dead = True
        self.process.join(5)
        code = self.process.exitcode
        if code is None or code >= 0:
            cause = f"exit code {code}"
        else:
            cause = signal.Signals(-code).name + (", often because memory ran out" if -code == signal.SIGKILL else "")
        if not self.ready:
            guard = "a script that uses workers keeps its work under `if __name__ == '__main__':`"
            return UserError(f"a worker process could not start ({cause}): {guard}, or use one worker")
        where = "while it waited" if self.index is None else f"in chunk {self.index + 1} of {total}"
        return UserError(f"a worker process died {where} ({cause}): use fewer workers, or resume")

    def stop(self) -> None:
        self.connection.close()
        self.process.terminate()

    def wait(self) -> None:
        self.process.join(2)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _packed(value: object, what: str, remedy: str) -> bytes:
    try:
        return bytes(ForkingPickler.dumps(value))
    except Exception as error:  # pickling calls the object's own methods, which may raise anything
        raise UserError(f"{what} cannot be sent to a worker process ({error}): {remedy}") from None


@contextlib.contextmanager
def _environment_of_workers() -> Iterator[None]:
    """The environment that a child inherits: libraries read it when they load, which may be before any line of ours runs."""
    with _environment_lock:
        before = {name: os.environ.get(name) for name in ENVIRONMENT}
        os.environ.update(ENVIRONMENT)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold back Ctrl-C and SIGTERM while a process is started; what came meanwhile is handled at the end.

    Interrupted half-way, a start leaves a child that waits for orders or dies with a traceback. Blocking the signal is for the
    child, which inherits the mask until it can ignore SIGINT; it does not suffice here, since any other thread of this process
    (OpenBLAS has some) may take the signal, and Python then runs the handler in the main thread all the same.
    """
    came: list[int] = []
    handlers = {}
    if threading.current_thread() is threading.main_thread():  # no other thread is ever interrupted
        for number in (signal.SIGINT, signal.SIGTERM):
            if callable(handler := signal.getsignal(number)):
                handlers[number] = handler
                signal.signal(number, lambda number, _frame: came.append(number))
    resource_tracker.ensure_running()  # else it is started with the first child, and unblocks SIGINT while it does
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if came:
            handlers[signal.Signals(came[0])](came[0], None)
