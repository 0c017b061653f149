"""NSGA-II for accuracy against costs (Deb et al. 2002), as pymoo has it, with the space's own draws, crossings and edits.

pymoo selects parents and survivors; what an architecture is, and that none is scored twice, it is told here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lissnas.arrays import Genotypes
from lissnas.errors import UserError, require
from lissnas.oneshot.breeding import ROUNDS, Memory, Score, cross, draw_new, mutate
from lissnas.oneshot.search import Generation, SearchResult, check_evolution, generation_of
from lissnas.spaces.base import SearchSpace
from lissnas.spaces.limits import check_limits, meets_limits

__all__ = ["check_costs", "nsga2"]


def nsga2(
    space: SearchSpace,
    score: Score,
    rng: np.random.Generator,
    *,
    costs: Sequence[str] = ("flops",),
    population: int = 50,
    generations: int = 20,
    mutation_rate: float = 0.1,
    limits: Sequence[str] = (),
    budget: int | None = None,
    higher_is_better: bool = True,
    on_generation: Callable[[Generation], None] | None = None,
) -> SearchResult:
    """Search for the front of the score against ``costs``, each of which is to be small.

    The first generation is drawn uniformly. Parents of the others are chosen by tournaments of dominance and crowding; a child
    takes each gene from one of two parents, and is moved as many edits as genes change at ``mutation_rate``, 0 included.
    A child that is not in the space, breaks a limit or was scored before is bred again, a few times; what is still missing is
    drawn at random.

    Args:
        score: uint8[n, L] -> float64[n].
        costs: of the space, by name.
        population, generations, limits, budget: as in :func:`~lissnas.oneshot.search.evolve`.

    Returns:
        Everything that was scored; ``result.front(space, costs)`` is the front.

    Raises:
        UserError: pymoo is missing, a cost that the space does not have, or what ``evolve`` refuses.
    """
    require("pymoo", "pareto")
    check_evolution(population=population, generations=generations, parents=1)
    check_costs(space, costs)
    limits = check_limits(space, limits)
    memory = Memory(space, score, higher_is_better)
    algorithm, as_population = _algorithm(memory, limits, 1 + len(costs), population, mutation_rate, rng)
    budget = population * generations if budget is None else budget
    records: list[Generation] = []
    for index in range(generations):
        room = budget - len(memory.scores)
        asked = algorithm.ask()
        children = memory.genotypes[:0] if asked is None else asked.get("X").astype(np.uint8).reshape(-1, space.length)
        children = np.concatenate([children, draw_new(memory, population - len(children), limits, rng, children)])[:room]
        if room <= 0 or not len(children):
            break
        losses = memory.losses(memory.add(children))
        known = space.cost(children)
        algorithm.tell(infills=as_population(children, np.stack([losses, *(known[name] for name in costs)], axis=1)))
        records.append(generation_of(memory, index))
        if on_generation:
            on_generation(records[-1])
    return SearchResult.of(memory, records, higher_is_better)


def check_costs(space: SearchSpace, costs: Sequence[str]) -> None:
    """Refuse objectives that ``space`` does not have.

    Raises:
        UserError: none was named, or one that is no cost.
    """
    for name in costs:
        if name not in space.cost_names:
            known = ", ".join(space.cost_names) or "none"
            remedy = "; lissnas latency gives it latency_ms" if "latency" in name else ""
            raise UserError(f"the objective '{name}' is no cost of '{space.name}': its costs are {known}{remedy}")
    if not costs:
        raise UserError("NSGA-II needs a cost beside the score, but got none: name one, like flops")


def _algorithm(
    memory: Memory, limits: Sequence[str], objectives: int, population: int, rate: float, rng: np.random.Generator
) -> tuple[Any, Callable[..., Any]]:
    """pymoo's algorithm with operators of the space, and how architectures and their objectives become its population."""
    from pymoo.algorithms.moo.nsga2 import NSGA2, binary_tournament
    from pymoo.core.crossover import Crossover
    from pymoo.core.duplicate import DuplicateElimination
    from pymoo.core.evaluator import Evaluator
    from pymoo.core.mating import Mating
    from pymoo.core.mutation import Mutation
    from pymoo.core.population import Population
    from pymoo.core.problem import Problem
    from pymoo.core.sampling import Sampling
    from pymoo.core.termination import NoTermination
    from pymoo.operators.selection.tournament import TournamentSelection
    from pymoo.problems.static import StaticProblem

    space = memory.space

    # pymoo ships no types, so its classes are Any
    class Draw(Sampling):  # type: ignore[misc]
        def _do(self, _: Any, n: int, *__: Any, **___: Any) -> Genotypes:
            return draw_new(memory, n, limits, rng)

    class Cross(Crossover):  # type: ignore[misc]
        def _do(self, _: Any, parents: Any, *__: Any, **___: Any) -> Genotypes:
            mothers, fathers = parents.astype(np.uint8)
            found = cross(space, mothers, fathers, rng)
            children: Genotypes = mothers.copy()
            children[found.parents] = found.genotypes
            return children[None]

    class Edit(Mutation):  # type: ignore[misc]
        def _do(self, _: Any, genotypes: Any, *__: Any, **___: Any) -> Genotypes:
            moved: Genotypes = genotypes.astype(np.uint8)
            children, rows = mutate(space, moved, rate, rng, least=0)
            moved[rows] = children
            return moved

    class New(DuplicateElimination):  # type: ignore[misc]
        """What may be scored: new, and within the limits."""

        def do(self, bred: Any, *others: Any, **_: Any) -> Any:
            if not len(bred):
                return bred
            genotypes = bred.get("X").astype(np.uint8)
            taken = [other.get("X").astype(np.uint8) for other in others if len(other)]
            seen = {row.tobytes() for part in taken for row in part}
            keep = []
            for row in np.flatnonzero(meets_limits(space, genotypes, limits)):
                key = genotypes[row].tobytes()
                if key not in seen and len(memory.unseen(genotypes[row : row + 1])):
                    seen.add(key)
                    keep.append(int(row))
            return bred[keep]

    new = New()
    selection = TournamentSelection(func_comp=binary_tournament)
    mating = Mating(selection, Cross(2, 1), Edit(), eliminate_duplicates=new, n_max_iterations=ROUNDS)
    algorithm = NSGA2(pop_size=population, sampling=Draw(), mating=mating, eliminate_duplicates=new)
    problem = Problem(n_var=space.length, n_obj=objectives, xl=0, xu=255, vtype=int)
    algorithm.setup(problem, termination=NoTermination(), seed=int(rng.integers(1 << 31)))

    def as_population(genotypes: Genotypes, values: Any) -> Any:
        made = Population.new("X", genotypes)
        Evaluator().eval(StaticProblem(problem, F=values), made)
        return made

    return algorithm, as_population
