"""This machine: processes, or threads of this process; one worker computes in place."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from lissnas.engines.base import Engine, Seeds, call
from lissnas.engines.processes import map_in_processes

__all__ = ["LocalEngine", "ThreadEngine"]

R = TypeVar("R")


class LocalEngine(Engine):
    """Processes of this machine, or no process at all for one worker or one chunk."""

    def map(
        self, function: Callable[..., R], chunks: Sequence[Any], seeds: Seeds, *, workers: int, start: int
    ) -> Generator[R, None, None]:
        """See ``Engine.map``."""
        if workers == 1:
            return _here(function, chunks, seeds, start)
        return map_in_processes(function, chunks, seeds, workers=workers, start=start)


class ThreadEngine(Engine):
    """Threads of this process."""

    def map(
        self, function: Callable[..., R], chunks: Sequence[Any], seeds: Seeds, *, workers: int, start: int
    ) -> Generator[R, None, None]:
        """See ``Engine.map``."""
        if workers == 1:
            return _here(function, chunks, seeds, start)
        return _in_threads(function, chunks, seeds, workers, start)


def _here(function: Callable[..., R], chunks: Sequence[Any], seeds: Seeds, start: int) -> Generator[R, None, None]:
    for index in range(start, len(chunks)):
        yield call(function, chunks[index], seeds[index] if seeds else None)


def _in_threads(
    function: Callable[..., R], chunks: Sequence[Any], seeds: Seeds, workers: int, start: int
) -> Generator[R, None, None]:
    pool = ThreadPoolExecutor(workers, thread_name_prefix="lissnas")
    running: deque[Future[R]] = deque()
    try:
        for index in range(start, len(chunks)):
            running.append(pool.submit(call, function, chunks[index], seeds[index] if seeds else None))
            if len(running) > 2 * workers:  # so far ahead and no further: finished results wait in memory
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
