"""The contract of an evaluator: what gives architectures a true score."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces import ExplicitSpace, SearchSpace

__all__ = ["Evaluator", "Metric", "scored_by"]


@dataclass(frozen=True)
class Metric:
    """What a score is: its name, its unit, and which way is better."""

    name: str = "score"
    unit: str = ""
    higher_is_better: bool = True


class Evaluator(ABC):
    """A true score for each architecture: a benchmark's table, a surrogate, a supernet, real training, a function, a file.

    Attributes:
        metric: what the score is.
        evaluations: how many architectures were evaluated so far, the currency that true evaluations are spent in.
        is_free: whether an evaluation costs nothing worth counting: a table, a surrogate. What was found can then be checked
            against the truth as a whole.
        noise: the standard deviation of a score around an architecture's true one, where it is known.
    """

    metric: Metric
    evaluations: int
    is_free: bool = False
    noise: float | None = None

    def __init__(self, space: SearchSpace | None, metric: Metric) -> None:
        self._space = space
        self.metric = metric
        self.evaluations = 0

    @property
    def space(self) -> SearchSpace:
        """The space whose architectures it evaluates.

        Raises:
            UserError: it was made without one.
        """
        if self._space is None:
            raise UserError(f"{type(self).__name__} was made without a space, which is needed here: give it space=...")
        return self._space

    @property
    def known(self) -> ExplicitSpace | None:
        """The architectures that it has a score for, where those are not all of its space's; None: all."""
        return None

    @property
    def higher_is_better(self) -> bool:
        """Whether a higher score is better, as the metric says."""
        return self.metric.higher_is_better

    def evaluate(self, genotypes: Genotypes) -> NDArray[np.float64]:
        """The score of each architecture, float64[n], on the metric's own scale. Each row counts as one evaluation.

        Raises:
            UserError: genotypes that are no architectures of the space; a score that is no finite number, with the
                architecture it was given for.
        """
        if self._space is not None:
            self._space.require_valid(genotypes)
        elif getattr(genotypes, "dtype", None) != np.uint8 or genotypes.ndim != 2:
            raise UserError("genotypes must be uint8[n, L]: take them from a space's .sample(), .parse() or .decode()")
        if not len(genotypes):
            return np.zeros(0)
        scores = self._check(self._evaluate(genotypes), genotypes)
        self.evaluations += len(genotypes)
        return scores

    def measured(self, genotypes: Genotypes) -> Mapping[str, NDArray[np.float64]]:  # noqa: ARG002 - for those that have some
        """All that is known of each of n architectures, float64[n] by name, NaN where it is missing: a measured latency."""
        return {}

    @abstractmethod
    def _evaluate(self, genotypes: Genotypes) -> NDArray[np.float64]:
        """The scores of n >= 1 valid architectures; the result is checked by the caller."""

    def _check(self, scores: object, genotypes: Genotypes) -> NDArray[np.float64]:
        try:
            values = np.array(scores, dtype=np.float64)
        except (TypeError, ValueError):
            raise UserError(
                f"{self} must return one number per architecture, but returned {type(scores).__name__} for "
                f"{self._shown(genotypes, 0)}{' and others' if len(genotypes) > 1 else ''}"
            ) from None
        if values.shape != (len(genotypes),):
            raise UserError(
                f"{self} must return {len(genotypes)} numbers, one per architecture, but gave the shape {list(values.shape)} "
                f"for {self._shown(genotypes, 0)}{' and others' if len(genotypes) > 1 else ''}"
            )
        wrong = np.flatnonzero(~np.isfinite(values))
        if len(wrong):
            raise UserError(
                f"{self} must return finite numbers, but gave {values[wrong[0]]} for {self._shown(genotypes, int(wrong[0]))}"
                f"{f' and {len(wrong) - 1} more' if len(wrong) > 1 else ''}"
            )
        return values

    def _shown(self, genotypes: Genotypes, row: int) -> str:
        """An architecture for a message."""
        if self._space is None:
            return f"the architecture ({', '.join(map(str, genotypes[row].tolist()))})"
        return f"the architecture {self._space.format(genotypes[row : row + 1])[0]}"

    def __str__(self) -> str:
        return f"the evaluator '{self.metric.name}'"


def scored_by(evaluator: Evaluator, space: SearchSpace) -> SearchSpace | None:
    """The architectures of ``space`` that ``evaluator`` has a score for: ``space`` itself, a list, or None."""
    known = evaluator.known
    if known is None:
        return space
    genotypes = known.genotypes
    held = genotypes[space.is_valid(genotypes)]
    return ExplicitSpace.of(space.root, held) if len(held) else None
