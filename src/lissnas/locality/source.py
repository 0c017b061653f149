"""Scores for whoever measures: what is unknown is NaN, what is dear is paid for once, and noise is noticed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Codes, Genotypes, locate, unique_index
from lissnas.errors import UserError
from lissnas.evaluators import Evaluator, scored_by
from lissnas.spaces import SearchSpace

__all__ = ["Noise", "ScoreSource"]

_ASKED_TWICE = 32  # networks that show whether an evaluator says the same twice
_ASKED_TWICE_DEAR = 8  # of one whose evaluations cost something

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Noise:
    """How much a score differs from one evaluation of a network to the next.

    Attributes:
        size: the standard deviation of a score (a mean of ``repeats``), or None: no noise is known of.
        source: ``declared`` by the evaluator, or ``measured`` by asking twice.
        repeats: evaluations that make up one score.
        share: of the variance of the scores, the part that is noise. None where ``size`` is.
        rank_share: the same for the ranks of the scores, which is what choosing goes by: where most scores lie close together
            and a few far away, a noise that is small beside the variance still mixes up the ranks.
    """

    size: float | None
    source: str | None
    repeats: int
    share: float | None = None
    rank_share: float | None = None

    @property
    def must_repeat(self) -> bool:
        """Whether scores change from one call to the next and no repeats were asked for."""
        return self.source == "measured" and self.repeats == 1

    @property
    def floor(self) -> float | None:
        """The mean absolute difference of two networks that only noise tells apart."""
        return None if self.size is None else 2 * self.size / math.sqrt(math.pi)

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {**self.__dict__, "floor": self.floor}


class ScoreSource:
    """The scores of an evaluator.

    Args:
        space: where architectures are taken from.
        evaluator: what scores them.
        repeats: evaluations of each, whose mean is its score; one is enough where the evaluator says the same twice.

    Attributes:
        known: the codes of the architectures that have a score, uint64[m, W]; None: all of the space do.
        is_free: whether evaluations cost nothing.

    Raises:
        UserError: repeats below 1; an evaluator that knows no architecture of the space.
    """

    def __init__(self, space: SearchSpace, evaluator: Evaluator, repeats: int = 1) -> None:
        if repeats < 1:
            raise UserError(f"repeats must be a whole number >= 1, but got {repeats}")
        self.space = space
        self.evaluator = evaluator
        self.repeats = repeats
        self.sign = 1.0 if evaluator.higher_is_better else -1.0
        self.known: Codes | None = None
        if evaluator.known is not None:
            scored = scored_by(evaluator, space)
            if scored is None:
                raise UserError(f"{evaluator} has no score for any architecture of '{space.name}': give scores of that space")
            if not (space.cardinality_is_exact and scored.cardinality == space.cardinality):
                self.known = scored.encode(np.concatenate(list(scored.enumerate())))
        self.is_free = evaluator.is_free or evaluator.known is not None
        self._paid = np.zeros((0, len(space.code_layout.words)), dtype=np.uint64)
        self._scores = np.zeros(0)
        self._changes: float | None = None

    def __call__(self, genotypes: Genotypes) -> Floats:
        """float64[n], NaN for architectures without a score."""
        codes = self.space.encode(genotypes)
        if self.known is not None:
            scores = np.full(len(codes), np.nan)
            there = np.flatnonzero(locate(self.known, codes) >= 0)
            scores[there] = self._evaluate(genotypes[there])
            return scores
        if self.is_free:
            return self._evaluate(genotypes)
        asked, first = unique_index(codes)
        new = locate(self._paid, asked) < 0
        if new.any():
            fresh = self._evaluate(genotypes[first[new]])
            paid, order = unique_index(np.concatenate([self._paid, asked[new]]))
            self._paid, self._scores = paid, np.concatenate([self._scores, fresh])[order]
        return self._scores[locate(self._paid, codes)]

    def _evaluate(self, genotypes: Genotypes) -> Floats:
        if not len(genotypes):
            return np.zeros(0)
        scores = self.evaluator.evaluate(genotypes)
        if not self._changes:  # nothing, or not known yet: another evaluation would say the same
            return scores
        return np.mean([scores, *(self.evaluator.evaluate(genotypes) for _ in range(self.repeats - 1))], axis=0)  # type: ignore[no-any-return]

    def check_noise(self, genotypes: Genotypes) -> None:
        """Ask for some of ``genotypes`` twice, before anything else is asked for."""
        few = genotypes[: _ASKED_TWICE if self.is_free else _ASKED_TWICE_DEAR]
        if self.known is not None:
            few = few[locate(self.known, self.space.encode(few)) >= 0]
        first, second = self.evaluator.evaluate(few), self.evaluator.evaluate(few)
        self._changes = math.sqrt(float(np.mean((first - second) ** 2)) / 2) if len(few) else 0.0

    def noise(self, scores: Floats, rng: np.random.Generator) -> Noise:
        """What is known of the noise in ``scores``, a uniform sample's."""
        declared = self.evaluator.noise
        size, source = (declared, "declared") if declared else (None, None)
        repeats = 1
        if self._changes:
            repeats = self.repeats
            size, source = self._changes / math.sqrt(repeats), "measured"
        if size is None or not np.ptp(scores):
            return Noise(size, source, repeats)
        # The same noise once more. With c the correlation of the scores and what comes of it, and s the share: 1 / c^2 = 1 + s.
        again = scores + size * rng.normal(size=len(scores))
        rank_share = 1 / np.corrcoef(_ranks(scores), _ranks(again))[0, 1] ** 2 - 1
        return Noise(size, source, repeats, min(1.0, size**2 / float(np.var(scores))), float(np.clip(rank_share, 0, 1)))


def _ranks(scores: Floats) -> Floats:
    return np.argsort(np.argsort(scores, kind="stable"), kind="stable").astype(np.float64)
