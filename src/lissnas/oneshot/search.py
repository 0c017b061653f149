"""Search inside any space, under limits, that never scores an architecture twice: evolution as SPOS runs it, and random.

Its relative for several objectives is in ``nsga2``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.oneshot.breeding import Memory, Score, breed, cross, draw_new, mutate
from lissnas.spaces.base import SearchSpace
from lissnas.spaces.limits import check_limits

__all__ = ["Generation", "SearchResult", "check_evolution", "evolve", "pareto_front", "random_search"]


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
        higher_is_better: which way the scores are better.
    """

    genotypes: Genotypes
    scores: NDArray[np.float64]
    generations: tuple[Generation, ...]
    higher_is_better: bool = True

    @classmethod
    def of(cls, memory: Memory, generations: Sequence[Generation], higher_is_better: bool) -> SearchResult:
        """What was scored, in order."""
        order = memory.order()
        return cls(memory.genotypes[order], memory.scores[order], tuple(generations), higher_is_better)

    def front(self, space: SearchSpace, costs: Sequence[str]) -> NDArray[np.intp]:
        """The rows that no other beats in the score and all ``costs`` of ``space`` at once, best score first."""
        losses = -self.scores if self.higher_is_better else self.scores
        known = space.cost(self.genotypes)
        return pareto_front(np.stack([losses, *(known[name] for name in costs)], axis=1))


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
    memory = Memory(space, score, higher_is_better)
    budget = population * generations if budget is None else budget
    records: list[Generation] = []
    children = draw_new(memory, population, limits, rng)
    for index in range(generations):
        room = budget - len(memory.scores)
        if room <= 0 or not len(children):
            break
        memory.add(children[:room])
        records.append(generation_of(memory, index))
        if on_generation:
            on_generation(records[-1])
        if index + 1 == generations:
            break
        best = memory.genotypes[memory.order()[:parents]]

        def mutants(n: int, best: Genotypes = best) -> Genotypes:
            return mutate(space, best[rng.integers(0, len(best), size=n)], mutation_rate, rng)[0]

        def crossed(n: int, best: Genotypes = best) -> Genotypes:
            mothers, fathers = best[rng.integers(0, len(best), size=(2, n))]
            return cross(space, mothers, fathers, rng).genotypes

        children = breed(memory, mutations, limits, mutants)
        children = np.concatenate([children, breed(memory, crossovers, limits, crossed, children)])
        children = np.concatenate([children, draw_new(memory, population - len(children), limits, rng, children)])
    return SearchResult.of(memory, records, higher_is_better)


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
    memory = Memory(space, score, higher_is_better)
    memory.add(draw_new(memory, budget, limits, rng))
    return SearchResult.of(memory, [generation_of(memory, 0)], higher_is_better)


def generation_of(memory: Memory, index: int) -> Generation:
    """The record of the generation ``index``, the last that was scored."""
    return Generation(index, len(memory.scores), float(memory.scores[memory.order()[0]]))


def pareto_front(objectives: NDArray[np.float64]) -> NDArray[np.intp]:
    """The rows of float64[n, k] that no other row beats: nowhere larger, and smaller somewhere. By the first objective.

    Of rows that are equal the first is kept.
    """
    order = np.lexsort(objectives.T[::-1])  # what comes later cannot beat what comes before
    kept: list[int] = []
    for row in order:
        if not kept or not (objectives[kept] <= objectives[row]).all(axis=1).any():
            kept.append(int(row))
    return np.array(kept, dtype=np.intp)
