"""What every search is made of: what was scored so far, and how new architectures come from old ones, in any space."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Codes, Genotypes, unique_index
from lissnas.errors import UserError
from lissnas.spaces.base import Neighbors, SearchSpace
from lissnas.spaces.constrained import sample_within
from lissnas.spaces.limits import meets_limits

__all__ = ["Memory", "Score", "breed", "cross", "draw_new", "mutate"]

Score = Callable[[Genotypes], NDArray[np.float64]]
ROUNDS = 10  # proposals are drawn anew this often before the rest of a generation is drawn at random [SPOS: max_iters]


class Memory:
    """What was scored so far, each architecture once.

    Attributes:
        genotypes: uint8[n, L], in the order in which they were scored.
        scores: float64[n].
    """

    def __init__(self, space: SearchSpace, score: Score, higher_is_better: bool) -> None:
        self.space = space
        self._score = score
        self._sign = 1.0 if higher_is_better else -1.0
        self.genotypes: Genotypes = np.zeros((0, space.length), dtype=np.uint8)
        self.scores: NDArray[np.float64] = np.zeros(0)
        self._seen: set[bytes] = set()

    def unseen(self, genotypes: Genotypes) -> Genotypes:
        """Those not scored yet, each once, in their order."""
        codes: Codes = self.space.encode(genotypes)
        first = np.sort(unique_index(codes)[1]) if len(codes) else np.zeros(0, dtype=np.intp)
        keep = [int(row) for row in first if codes[row].tobytes() not in self._seen]
        return genotypes[keep]

    def add(self, genotypes: Genotypes) -> NDArray[np.float64]:
        """Score them; the scores, float64[n]."""
        if not len(genotypes):
            return np.zeros(0)
        scores = np.asarray(self._score(genotypes), dtype=np.float64)
        if scores.shape != (len(genotypes),) or np.isnan(scores).any():
            raise UserError(
                f"the score must give {len(genotypes)} numbers for {len(genotypes)} architectures, but gave {scores}"
            )
        self.genotypes = np.concatenate([self.genotypes, genotypes])
        self.scores = np.concatenate([self.scores, scores])
        self._seen |= {code.tobytes() for code in self.space.encode(genotypes)}
        return scores

    def losses(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores as what is to be made small."""
        return -self._sign * scores

    def order(self) -> NDArray[np.intp]:
        """Rows from best to worst; of equals, the one that came first."""
        return np.argsort(self.losses(self.scores), kind="stable")


def breed(
    memory: Memory, n: int, limits: Sequence[str], propose: Callable[[int], Genotypes], taken: Genotypes | None = None
) -> Genotypes:
    """Up to ``n`` new architectures that ``propose(count)`` proposes and that meet ``limits``, none scored or in ``taken``."""
    found = memory.genotypes[:0]
    before = found if taken is None else taken
    for _ in range(ROUNDS):
        if len(found) >= n:
            break
        proposed = propose(n)
        proposed = proposed[meets_limits(memory.space, proposed, limits)]
        merged = memory.unseen(np.concatenate([before, found, proposed]))
        found = merged[len(before) :]
    return found[: max(n, 0)]


def draw_new(
    memory: Memory, n: int, limits: Sequence[str], rng: np.random.Generator, taken: Genotypes | None = None
) -> Genotypes:
    """Up to ``n`` new architectures drawn uniformly among those that meet ``limits``, none scored or in ``taken``."""
    return breed(memory, n, (), lambda count: sample_within(memory.space, count, limits, rng), taken)


def mutate(
    space: SearchSpace, genotypes: Genotypes, rate: float, rng: np.random.Generator, least: int = 1
) -> tuple[Genotypes, NDArray[np.intp]]:
    """Neighbors, each at as many edits as genes change at ``rate``, but ``least`` at least; and the row each comes from.

    Rows of 0 edits stay as they are. A row that has no neighbor there is left out.
    """
    edits = np.maximum(rng.binomial(space.max_edits, rate, size=len(genotypes)), least)
    children, parents = [genotypes[:0]], [np.zeros(0, dtype=np.intp)]
    for count in np.unique(edits):
        rows = np.flatnonzero(edits == count)
        if count == 0:
            children.append(genotypes[rows])
            parents.append(rows)
        else:
            found = space.neighbors(genotypes[rows], int(count), rng)
            children.append(found.genotypes)
            parents.append(rows[found.parents])
    return np.concatenate(children), np.concatenate(parents)


def cross(space: SearchSpace, mothers: Genotypes, fathers: Genotypes, rng: np.random.Generator) -> Neighbors:
    """Children that take each gene from one of two parents, those that are architectures of the space, and whose they are."""
    return space.recognize(np.where(rng.random(mothers.shape) < 0.5, mothers, fathers))
