"""Long evaluations that lose nothing but the chunk they were in."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.disk import write_bytes
from lissnas.engines import map_chunks
from lissnas.errors import UserError
from lissnas.runs.directory import Run
from lissnas.runs.encode import npy_bytes

__all__ = ["evaluate_in_chunks"]


def evaluate_in_chunks(
    run: Run,
    step: str,
    chunks: Sequence[Any],
    function: Callable[..., Any],
    *,
    workers: int = 1,
    seed: int | np.random.SeedSequence | None = None,
    threads: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[NDArray[Any]]:
    """``function`` of every chunk, as ``map_chunks`` does it, with each result kept in the checkpoint of ``step`` as it comes.

    Called inside the function of a step. A killed step goes on after its last finished chunk; the results are the same bytes.

    Args:
        run: the open run.
        step: the name of the running step.
        chunks, function, workers, seed, threads: as in ``map_chunks``; a result is an array, or becomes one, without objects
            in it. ``seed=run.seeds(step)`` is the usual choice. The chunks must be the same after a resume.
        progress: called as ``progress(chunks done, chunks in all)``, first with what an earlier attempt has done.

    Returns:
        One array for each chunk, in order.
    """
    folder = run.checkpoint(step)
    total = len(chunks)
    files = [folder / f"chunk-{index:05d}-of-{total:05d}.npy" for index in range(total)]
    results: list[NDArray[Any]] = []
    for file in files:
        if not file.exists():
            break
        try:
            results.append(np.load(file, allow_pickle=False))
        except (ValueError, EOFError) as error:
            raise UserError(f"'{file}' is damaged ({error}): delete the folder '{folder}' and resume") from None
    if progress:
        progress(len(results), total)
    left = map_chunks(function, chunks, workers=workers, seed=seed, threads=threads, start=len(results))
    with contextlib.closing(left):  # else a traceback would keep its workers alive
        for result in left:
            array = np.asarray(result)
            write_bytes(files[len(results)], npy_bytes(array))
            results.append(array)
            if progress:
                progress(len(results), total)
    return results
