"""The step that searches a space by its supernet, for every job that searches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from lissnas.arrays import Genotypes
from lissnas.errors import UserError, require
from lissnas.formats import write_architectures_csv
from lissnas.oneshot.nsga2 import check_costs, nsga2
from lissnas.oneshot.search import Generation, SearchResult, check_evolution, evolve, random_search
from lissnas.runs.kept_answers import KeptAnswers
from lissnas.runs.shrinking import cost_to_show
from lissnas.spaces import SearchSpace

if TYPE_CHECKING:  # which loads torch, and settings are read where there is none
    from lissnas.runs.one_shot import OneShotSteps

__all__ = ["SearchConfig", "check_search", "found_file", "search_file", "search_step"]


class SearchConfig(BaseModel):
    """How to search.

    Attributes:
        method: ``evolve``, as SPOS does; ``nsga2``, for the front of the score against ``costs``; ``random``.
        population, generations: of both that have them; ``random`` scores as many in all.
        parents: of ``evolve``.
        costs: against which the front is reported; the one that a limit names, or the usual one, where none is named.
        budget: networks scored in all; None: ``population * generations``.
    """

    model_config = ConfigDict(extra="forbid")

    method: Literal["evolve", "nsga2", "random"] = "evolve"
    population: int = Field(50, ge=2)
    generations: int = Field(6, ge=1)
    parents: int = Field(10, ge=1)
    costs: list[str] = Field(default_factory=list)
    budget: int | None = Field(None, ge=1)

    def objectives(self, space: SearchSpace, limits: Sequence[str]) -> list[str]:
        """The costs of the front; none where the space has none."""
        usual = cost_to_show(space, limits)
        return self.costs or ([usual] if usual else [])

    def search(
        self,
        space: SearchSpace,
        score: Callable[[Genotypes], NDArray[np.float64]],
        rng: np.random.Generator,
        limits: Sequence[str],
        on_generation: Callable[[Generation], None],
    ) -> SearchResult:
        """Search ``space`` for a high score."""
        sizes: dict[str, Any] = {"population": self.population, "generations": self.generations, "budget": self.budget}
        told: dict[str, Any] = {"limits": limits, "on_generation": on_generation}
        match self.method:
            case "evolve":
                half = self.population // 2
                bred: dict[str, Any] = {"parents": self.parents, "mutations": half, "crossovers": self.population - half}
                return evolve(space, score, rng, **bred, **sizes, **told)
            case "nsga2":
                return nsga2(space, score, rng, costs=self.objectives(space, limits), **sizes, **told)
            case "random":
                return random_search(space, score, rng, budget=self.budget or self.population * self.generations, limits=limits)


def check_search(config: SearchConfig, space: SearchSpace, limits: Sequence[str]) -> None:
    """Refuse settings that the search would refuse.

    Raises:
        UserError: the mistake.
    """
    if config.method == "evolve":
        check_evolution(population=config.population, generations=config.generations, parents=config.parents)
    if config.method == "nsga2":
        require("pymoo", "pareto")
        check_costs(space, config.objectives(space, limits))
    elif config.costs:
        check_costs(space, config.costs)


def search_file(name: str) -> str:
    """The file with the result of the search by the supernet ``name``."""
    return f"search-{name}.json"


def found_file(name: str) -> str:
    """The file with all that this search scored, best first: a column per gene, the inherited accuracy, the costs."""
    return f"found-{name}.csv"


def search_step(
    steps: OneShotSteps, name: str, space: SearchSpace, limits: Sequence[str], config: SearchConfig, keep: int
) -> None:
    """Search ``space``, scoring by the supernet ``name``. What was scored is kept as it comes, and asked for once.

    Args:
        keep: the best that are listed in the result.
    """
    step = f"search-{name}"

    def search() -> None:
        under = f" under {', '.join(limits)}" if limits else ""
        steps.progress.say(f"searching the {name} space ({config.method}){under}")
        task = f"search, {name} space: generations"

        def on_generation(generation: Generation) -> None:
            steps.progress.advance(task, generation.index + 1, config.generations)

        kept = KeptAnswers(steps.evaluator(name), steps.run.checkpoint(step), lambda _: None)
        result = config.search(space, kept.evaluate, steps.run.rng(step), limits, on_generation)
        if not len(result.scores):
            raise UserError(f"nothing in '{space.name}' was left to be scored: raise the budget")
        root, costs = steps.space.root, config.objectives(space, limits)
        known = space.cost(result.genotypes)
        front = result.front(space, costs)
        steps.run.write_json(
            search_file(name),
            {
                "architecture": root.format(result.genotypes[:1])[0],
                "best": float(result.scores[0]),
                "method": config.method,
                "evaluations": len(result.scores),
                "generations": [asdict(generation) for generation in result.generations],
                "architectures": root.format(result.genotypes[:keep]),
                "scores": result.scores[:keep].tolist(),
                "costs": costs,
                "front": [
                    {"architecture": text, "score": float(result.scores[row]), **{c: float(known[c][row]) for c in costs}}
                    for row, text in zip(front, root.format(result.genotypes[front]), strict=True)
                ],
            },
        )
        with steps.run.writing(found_file(name)) as path:
            write_architectures_csv(root, result.genotypes, path, {"accuracy": result.scores, **dict(known)})

    steps.run.step(step, search, [search_file(name), found_file(name)])
