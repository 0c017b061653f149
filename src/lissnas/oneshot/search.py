"""Search inside any space, under limits, that never scores an architecture twice: evolution as SPOS runs it, and random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Codes, Genotypes, unique_index
from lissnas.errors import UserError
from lissnas.spaces.base import SearchSpace
from lissnas.spaces.constrained import sample_within
from lissnas.spaces.limits import check_limits, meets_limits

__all__ = ["Generation", "SearchResult", "check_evolution", "evolve", "random_search"]

Score = Callable[[Genotypes], NDArray[np.float64]]
ROUNDS = 10  # proposals are drawn anew this often before the rest of a generation is drawn at random [SPOS: max_iters]


@dataclass(frozen=True)
class Generation:
    """What a search is at after a generation: architectures scored so far, and the best score among them."""

    index: int
    evaluations: int
    best: float


@dataclass(frozen=True)
class SearchResult:
    """Everything that was scored, best first.

    Attributes:
        genotypes: uint8[n, L], each architecture once.
        scores: float64[n].
        generations: one record per generation.
    """

    genotypes: Genotypes
    scores: NDArray[np.float64]
    generations: tuple[Generation, ...]


class _Memory:
    """What was scored so far."""

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

    def add(self, genotypes: Genotypes) -> None:
        """Score them."""
        if not len(genotypes):
            return
        scores = np.asarray(self._score(genotypes), dtype=np.float64)
        if scores.shape != (len(genotypes),) or np.isnan(scores).any():
            raise UserError(
                f"the score must give {len(genotypes)} numbers for {len(genotypes)} architectures, but gave {scores}"
            )
        self.genotypes = np.concatenate([self.genotypes, genotypes])
        self.scores = np.concatenate([self.scores, scores])
        self._seen |= {code.tobytes() for code in self.space.encode(genotypes)}

    def order(self) -> NDArray[np.intp]:
        """Rows from best to worst; of equals, the one that came first."""
        return np.argsort(-self._sign * self.scores, kind="stable")

    def generation(self, index: int) -> Generation:
        return Generation(index, len(self.scores), float(self.scores[self.order()[0]]))

    def result(self, generations: Sequence[Generation]) -> SearchResult:
        order = self.order()
        return SearchResult(self.genotypes[order], self.scores[order], tuple(generations))


def evolve(
    space: SearchSpace,
    score: Score,
    rng: np.random.Generator,
    *,
    population: int = 50,
    generations: int = 20,
    parents: int = 10,
    mutations: int = 25,
    crossovers: int = 25,
    mutation_rate: float = 0.1,
    limits: Sequence[str] = (),
    budget: int | None = None,
    higher_is_better: bool = True,
    on_generation: Callable[[Generation], None] | None = None,
) -> SearchResult:
    """Evolution with SPOS's settings [SinglePathOneShot src/Search; reconstruction D], in any space.

    Each generation is scored, and the best ``parents`` of all so far beget the next: ``mutations`` children, each a neighbor
    of a parent at as many edits as genes change at ``mutation_rate`` (one at least); ``crossovers`` children that take each
    gene from one of two parents; the rest is drawn at random. A child that is not in the space, breaks a limit or was scored
    before is drawn again, a few times.

    Args:
        score: uint8[n, L] -> float64[n].
        population: architectures in a generation.
        limits: ``"flops <= 3e6"``; everything scored meets them.
        budget: architectures scored in all; None: ``population * generations``.

    Raises:
        UserError: settings that make no sense, or limits that nothing meets.
    """
    check_evolution(population=population, generations=generations, parents=parents)
    if mutations < 0 or crossovers < 0:
        raise UserError(f"mutations and crossovers must be 0 or more, but got {mutations} and {crossovers}")
    limits = check_limits(space, limits)
    memory = _Memory(space, score, higher_is_better)
    budget = population * generations if budget is None else budget
    records: list[Generation] = []
    children = _draw_random(memory, population, limits, rng)
    for index in range(generations):
        room = budget - len(memory.scores)
        if room <= 0 or not len(children):
            break
        memory.add(children[:room])
        records.append(memory.generation(index))
        if on_generation:
            on_generation(records[-1])
        if index + 1 == generations:
            break
        best = memory.genotypes[memory.order()[:parents]]
        mutants = _breed(memory, mutations, limits, partial(_mutate, space, best, mutation_rate, rng))
        crossed = _breed(memory, crossovers, limits, partial(_cross, space, best, rng), mutants)
        children = np.concatenate([mutants, crossed])
        children = np.concatenate([children, _draw_random(memory, population - len(children), limits, rng, children)])
    return memory.result(records)


def check_evolution(*, population: int, generations: int, parents: int) -> None:
    """Refuse settings that make no sense; ``evolve`` begins with it."""
    if not (1 <= parents <= population and generations >= 1):
        raise UserError(
            "1 <= parents <= population and generations >= 1 must hold, but got "
            f"(parents={parents}, population={population}, generations={generations})"
        )


def random_search(
    space: SearchSpace,
    score: Score,
    rng: np.random.Generator,
    *,
    budget: int,
    limits: Sequence[str] = (),
    higher_is_better: bool = True,
) -> SearchResult:
    """``budget`` different architectures drawn uniformly among those that meet ``limits``, or all where there are fewer."""
    limits = check_limits(space, limits)
    memory = _Memory(space, score, higher_is_better)
    memory.add(_draw_random(memory, budget, limits, rng))
    return memory.result([memory.generation(0)])


def _draw_random(
    memory: _Memory, n: int, limits: Sequence[str], rng: np.random.Generator, taken: Genotypes | None = None
) -> Genotypes:
    return _breed(memory, n, (), lambda count: sample_within(memory.space, count, limits, rng), taken)


def _breed(
    memory: _Memory, n: int, limits: Sequence[str], propose: Callable[[int], Genotypes], taken: Genotypes | None = None
) -> Genotypes:
    """Up to ``n`` new architectures that ``propose(count)`` proposes, none of them scored or in ``taken``."""
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


def _mutate(space: SearchSpace, parents: Genotypes, rate: float, rng: np.random.Generator, n: int) -> Genotypes:
    chosen = parents[rng.integers(0, len(parents), size=n)]
    edits = np.maximum(rng.binomial(space.max_edits, rate, size=n), 1)
    children = [space.neighbors(chosen[edits == count], int(count), rng).genotypes for count in np.unique(edits)]
    return np.concatenate([parents[:0], *children])


def _cross(space: SearchSpace, parents: Genotypes, rng: np.random.Generator, n: int) -> Genotypes:
    mothers, fathers = parents[rng.integers(0, len(parents), size=(2, n))]
    children = space.canonicalize(np.where(rng.random(mothers.shape) < 0.5, mothers, fathers))
    return children[space.is_valid(children)]
