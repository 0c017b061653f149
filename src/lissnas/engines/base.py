"""The contract of an engine, and how work is cut and seeded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeVar

import numpy as np

__all__ = ["Engine", "call", "child_seed", "split"]

R = TypeVar("R")
Seeds = Sequence[np.random.SeedSequence] | None


class Engine(ABC):
    """Something that computes a function of many chunks.

    What an engine promises, besides the results: their order is the order of the chunks; they are yielded while later chunks
    are still being computed; the first exception *in the order of the chunks* is raised after everything before it was
    yielded, and nothing is left running when the iterator is closed, by an exception, Ctrl-C or its consumer.
    """

    @abstractmethod
    def map(
        self, function: Callable[..., R], chunks: Sequence[Any], seeds: Seeds, *, workers: int, start: int
    ) -> Generator[R, None, None]:
        """``call(function, chunks[i], seeds[i])`` for every ``i`` from ``start`` on; ``seeds`` may be ``None``."""


def call(function: Callable[..., R], chunk: Any, seed: np.random.SeedSequence | None) -> R:
    """Compute one chunk: the one place that says how a seed reaches the function."""
    return function(chunk) if seed is None else function(chunk, np.random.default_rng(seed))


def child_seed(seed: int | np.random.SeedSequence, index: int) -> np.random.SeedSequence:
    """Child ``index`` of ``seed``: what a fresh ``SeedSequence(seed).spawn`` gives, but without counting spawned children.

    A ``SeedSequence`` remembers how often it has spawned, so that the same call twice would differ, and a resume with it.
    """
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    return np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, index), pool_size=root.pool_size)


def split(n: int, chunk_size: int) -> list[slice]:
    """``n`` rows cut in consecutive slices of ``chunk_size`` rows (the last may be shorter).

    Raises:
        ValueError: ``n < 0`` or ``chunk_size < 1``.
    """
    if n < 0 or chunk_size < 1:
        raise ValueError(f"n >= 0 and chunk_size >= 1 must hold, but got (n={n}, chunk_size={chunk_size})")
    return [slice(low, min(low + chunk_size, n)) for low in range(0, n, chunk_size)]
