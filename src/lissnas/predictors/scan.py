"""The best of a uniform sample of any size, in memory that does not grow with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Codes, Genotypes, unique_index
from lissnas.engines import map_chunks, split
from lissnas.errors import UserError
from lissnas.predictors.base import Predictor
from lissnas.spaces import SearchSpace, check_limits, meets_limits

__all__ = ["top_of_sample"]

CHUNK = 1 << 17  # networks drawn at a time, each chunk with a seed of its own


def top_of_sample(
    space: SearchSpace,
    predictor: Predictor,
    draws: int,
    keep: int,
    seed: int | np.random.SeedSequence = 0,
    *,
    limits: Sequence[str] = (),
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Genotypes, NDArray[np.float64]]:
    """Draw ``draws`` networks of ``space``, score all of them, keep the ``keep`` best.

    Two draws of one network count once. Twice ``keep`` codes and scores are held at most, and what the workers are at. The same
    seed gives the same bytes for any number of workers.

    Args:
        limits: what every network must meet; draws that do not are thrown away.
        workers: threads that draw and score.
        progress: called with the draws done and their number.

    Returns:
        uint8[k, L] and float64[k], best first, equal ones by code; fewer than ``keep`` where no more were met.

    Raises:
        UserError: ``draws`` or ``keep`` below 1, more to keep than to draw, a limit that cannot be read, or that no draw met.
    """
    limits = check_limits(space, limits)
    for name, value in (("draws", draws), ("keep", keep)):
        if not isinstance(value, (int, np.integer)) or value < 1:
            raise UserError(f"{name} must be a whole number >= 1, but got {value!r}")
    if keep > draws:
        raise UserError(f"no more than all draws can be kept, but got keep {keep:,} of {draws:,} draws")
    sign = 1.0 if predictor.higher_is_better else -1.0

    def score(chunk: slice, rng: np.random.Generator) -> tuple[Codes, NDArray[np.float64]]:
        rows = space.sample(chunk.stop - chunk.start, rng)
        if limits:
            rows = rows[meets_limits(space, rows, limits)]
        return space.encode(rows), sign * predictor.predict(rows)

    best = _Best(keep, len(space.code_layout.words))
    chunks = split(int(draws), CHUNK)
    for done, (codes, utility) in enumerate(map_chunks(score, chunks, workers=workers, seed=seed, threads=True), start=1):
        best.add(codes, utility)
        if progress is not None:
            progress(chunks[done - 1].stop, int(draws))
    codes, utility = best.finish()
    if not len(codes):
        raise UserError(f"none of {draws:,} draws of '{space.name}' meets {' and '.join(limits)}: relax the limits")
    return space.decode(codes), sign * utility


class _Best:
    """The best of what was added: a heap of unsorted pieces, sorted out whenever there is as much again."""

    def __init__(self, keep: int, words: int) -> None:
        self._keep = keep
        self._codes: list[Codes] = [np.zeros((0, words), dtype=np.uint64)]
        self._utility: list[NDArray[np.float64]] = [np.zeros(0)]
        self._held = 0
        self._least = -np.inf

    def add(self, codes: Codes, utility: NDArray[np.float64]) -> None:
        good = utility >= self._least
        self._codes.append(codes[good])
        self._utility.append(utility[good])
        self._held += int(good.sum())
        if self._held > 2 * self._keep:
            self._sort_out()

    def _sort_out(self) -> None:
        """Each network once, in the order of codes, and of them the best; among equals the lower codes."""
        codes, utility = np.concatenate(self._codes), np.concatenate(self._utility)
        codes, first = unique_index(codes)
        utility = utility[first]
        if len(codes) > self._keep:
            least = np.partition(utility, len(utility) - self._keep)[len(utility) - self._keep]
            equal = np.flatnonzero(utility == least)
            good = utility > least
            good[equal[: self._keep - int(good.sum())]] = True
            codes, utility, self._least = codes[good], utility[good], float(least)
        self._codes, self._utility, self._held = [codes], [utility], len(codes)

    def finish(self) -> tuple[Codes, NDArray[np.float64]]:
        """The best, best first."""
        self._sort_out()
        order = np.argsort(-self._utility[0], kind="stable")
        return self._codes[0][order], self._utility[0][order]
