"""The architectures that stand for a space: all of a small one, a uniform sample of a large one, those that have a score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.evaluators import Evaluator, scored_by
from lissnas.spaces import SearchSpace

__all__ = ["DRAWN", "LISTED", "Population", "is_part", "populate", "score_population"]

LISTED = 1 << 20  # architectures up to which a space is taken whole
DRAWN = 100_000  # drawn of a larger one


@dataclass(frozen=True)
class Population:
    """Architectures of a space, and where they come from.

    Attributes:
        genotypes: uint8[n, L].
        exact: they are all that the space has; a uniform sample otherwise.
        scores: float64[n], where they were scored.
        reason: why there are none; empty otherwise.
    """

    genotypes: Genotypes
    exact: bool
    scores: NDArray[np.float64] | None = None
    reason: str = ""

    def __len__(self) -> int:
        return len(self.genotypes)


def populate(space: SearchSpace, rng: np.random.Generator, drawn: int = DRAWN, listed: int = LISTED) -> Population:
    """All of ``space`` where it has at most ``listed`` architectures, else ``drawn`` uniform draws (two may be the same)."""
    if space.cardinality_is_exact and space.cardinality <= listed:
        return Population(np.concatenate(list(space.enumerate())), exact=True)
    return Population(space.sample(drawn, rng), exact=False)


def score_population(
    space: SearchSpace, whole: Population, truth: Evaluator, rng: np.random.Generator, evaluations: int | None
) -> Population:
    """The architectures of ``space`` with their true scores: at most ``evaluations`` of them.

    Where ``truth`` has scores for some only, those stand for the space: a sample that is as fair as what was measured.

    Args:
        whole: what :func:`populate` made of ``space``.
        evaluations: the most that are asked for; None: all of them.
    """
    held = scored_by(truth, space)
    if held is None:
        return Population(whole.genotypes[:0], False, np.zeros(0), f"{truth} has a score for none of its architectures")
    if held is space:
        genotypes, exact = whole.genotypes, whole.exact
    else:
        genotypes = np.concatenate(list(held.enumerate()))
        exact = space.cardinality_is_exact and len(genotypes) == space.cardinality
    if evaluations is not None and len(genotypes) > evaluations:
        chosen = rng.choice(len(genotypes), evaluations, replace=False, shuffle=False)
        genotypes, exact = genotypes[np.sort(chosen)], False
    return Population(genotypes, exact, truth.evaluate(genotypes))


def is_part(space: SearchSpace, of: SearchSpace) -> bool:
    """Whether ``space`` was shrunk from ``of``, or is ``of`` itself."""
    return of.fingerprint in ancestors(space)


def ancestors(space: SearchSpace) -> Sequence[str]:
    """The fingerprints of a space and of all that it was shrunk from, its own first."""
    found, subject = [], space
    while isinstance(subject, SearchSpace):
        found.append(subject.fingerprint)
        subject = getattr(subject, "parent", None)  # type: ignore[assignment]
    return found
