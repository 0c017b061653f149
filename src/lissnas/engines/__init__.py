"""Where work runs: fixed chunks, each with its own seed, on this machine or (later) on a cluster.

``map_chunks`` does the work, ``split`` cuts it. The results are the same bytes for any number of workers and any engine,
because nothing depends on who computes a chunk: a chunk has a fixed size, and chance in it comes from a generator of its own.

    for scores in map_chunks(score_chunk, [codes[part] for part in split(len(codes), 256)], workers=4, seed=0):
        ...                                       # in order, each as soon as it and all before it are there

An engine is one file and one entry in ``ENGINES``; ``base.Engine`` is its contract. ``local`` uses processes of this machine,
``threads`` uses threads of this process.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeVar

import numpy as np

from lissnas.engines.base import Engine, child_seed, split
from lissnas.errors import UserError
from lissnas.registry import Registry

__all__ = ["ENGINES", "Engine", "child_seed", "get_engine", "map_chunks", "split"]

R = TypeVar("R")

ENGINES = Registry("engine", {"local": "lissnas.engines.local:LocalEngine", "threads": "lissnas.engines.local:ThreadEngine"})


def get_engine(name: str = "local") -> Engine:
    """The engine called ``name``.

    Raises:
        UserError: no such engine; the nearest names are given.
    """
    engine: Engine = ENGINES.get(name)()
    return engine


def map_chunks(
    function: Callable[..., R],
    chunks: Sequence[Any],
    *,
    workers: int = 1,
    seed: int | np.random.SeedSequence | None = None,
    threads: bool = False,
    start: int = 0,
    engine: str = "local",
) -> Generator[R, None, None]:
    """``function`` of every chunk, in the order of the chunks, each yielded as soon as its turn has come.

    Args:
        function: called as ``function(chunk)``, or ``function(chunk, rng)`` where ``seed`` is given. With several processes it
            is a function of an importable module (not a lambda), and chunks and results can be sent to another process.
        chunks: the work, cut so that the cut does not depend on ``workers`` (see ``split``).
        workers: how many chunks are computed at once; 1 computes here, in this process. A worker process computes with one
            thread; a function whose result depends on the number of threads (torch) has to set that number itself.
        seed: chunk ``i`` gets ``numpy.random.default_rng`` of child ``i`` of this seed. A ``SeedSequence`` is not changed.
        threads: threads of this process in place of processes, for functions that release the interpreter's lock. A thread
            cannot be stopped, so Ctrl-C waits for the chunks that have begun.
        start: chunks before this index are skipped (a resumed job has their results); all others keep their seeds.
        engine: a name in ``ENGINES``.

    Raises:
        UserError: fewer than one worker, an unknown engine, a function or chunk that cannot be sent to a process, or a worker
            that died (the chunk is named). An exception of ``function`` arrives as it is, after the results of all earlier
            chunks; nothing later is begun.
    """
    if workers < 1:
        raise UserError(f"workers must be 1 or more, but got {workers}")
    seeds = None if seed is None else [child_seed(seed, index) for index in range(len(chunks))]
    return get_engine("threads" if threads else engine).map(function, chunks, seeds, workers=workers, start=start)
