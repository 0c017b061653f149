"""What has been spent, and every architecture that was paid for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Codes, Genotypes, locate, sort_keys, unique
from lissnas.errors import UserError
from lissnas.evaluators import Evaluator
from lissnas.predictors import Predictor
from lissnas.spaces import SearchSpace

__all__ = ["Ledger", "Pool"]


@dataclass
class Ledger:
    """Predictor queries and true evaluations, spent and allowed. A method cannot overdraw it."""

    max_queries: int
    max_evaluations: int = 0
    queries: int = 0
    evaluations: int = 0

    @property
    def queries_left(self) -> int:
        """How many predictor queries are left."""
        return self.max_queries - self.queries

    @property
    def evaluations_left(self) -> int:
        """How many true evaluations are left."""
        return self.max_evaluations - self.evaluations

    def spend(self, queries: int = 0, evaluations: int = 0) -> None:
        """Book what is about to be asked.

        Raises:
            UserError: it is not there.
        """
        if queries > self.queries_left or evaluations > self.evaluations_left:
            raise UserError(
                f"the budget of {self.max_queries:,} queries and {self.max_evaluations:,} evaluations is spent: "
                f"{queries:,} and {evaluations:,} more were asked for"
            )
        self.queries += queries
        self.evaluations += evaluations


class Pool:
    """Every architecture that was queried, with its score: none is paid for twice.

    Attributes:
        codes: uint64[n, W], sorted.
        utility: float64[n], the scores turned so that higher is better.
        scorer: what is asked.
        sign: what turns a score into a utility, 1 or -1.
    """

    def __init__(self, space: SearchSpace, scorer: Predictor | Evaluator, ledger: Ledger) -> None:
        self.space = space
        self.ledger = ledger
        self.scorer = scorer
        higher = scorer.higher_is_better if isinstance(scorer, Predictor) else scorer.metric.higher_is_better
        self.sign = 1.0 if higher else -1.0
        self.codes: Codes = np.zeros((0, len(space.code_layout.words)), dtype=np.uint64)
        self.utility = np.zeros(0)

    @property
    def left(self) -> int:
        """How many more architectures can be paid for."""
        return self.ledger.queries_left if isinstance(self.scorer, Predictor) else self.ledger.evaluations_left

    def query(self, codes: Codes, rng: np.random.Generator) -> Codes:
        """Score the architectures of ``codes``; those that were never asked before are paid for.

        Where the budget does not reach for all new ones, a random part of them is left out.

        Returns:
            The codes that are now in the pool, sorted, each once.
        """
        codes = unique(codes)
        known = locate(self.codes, codes) >= 0
        new = codes[~known]
        if len(new) > self.left:
            new = unique(new[rng.permutation(len(new))[: self.left]])
        if len(new):
            if isinstance(self.scorer, Predictor):
                self.ledger.spend(queries=len(new))
                scores = self.scorer.predict(self._decode(new))
            else:
                self.ledger.spend(evaluations=len(new))
                scores = self.scorer.evaluate(self._decode(new))
            self._insert(new, scores)
        return unique(np.concatenate([codes[known], new]))

    def add(self, codes: Codes, scores: NDArray[np.float64]) -> None:
        """Take in what was scored, and paid for, elsewhere; those that are in the pool already stay as they are."""
        order = np.argsort(sort_keys(codes), kind="stable")
        codes, scores = codes[order], scores[order]
        new = locate(self.codes, codes) < 0
        self._insert(codes[new], scores[new])

    def utilities(self, codes: Codes) -> NDArray[np.float64]:
        """The utilities of codes that are in the pool."""
        return self.utility[locate(self.codes, codes)]

    def best(self, n: int, codes: Codes | None = None) -> Codes:
        """The best ``n`` of ``codes`` (of everything queried, if not given), sorted by code. Ties go to the lower code."""
        codes = self.codes if codes is None else codes
        if n >= len(codes):
            return codes
        utility = self.utility if codes is self.codes else self.utilities(codes)
        least = np.partition(utility, len(codes) - n)[len(codes) - n]  # no sort: pools hold millions
        kept = utility > least
        equal = np.flatnonzero(utility == least)
        kept[equal[: n - np.count_nonzero(kept)]] = True
        best: Codes = codes[kept]
        return best

    def _insert(self, codes: Codes, scores: NDArray[np.float64]) -> None:
        place = np.searchsorted(sort_keys(self.codes), sort_keys(codes))
        self.codes = np.insert(self.codes, place, codes, axis=0)
        self.utility = np.insert(self.utility, place, self.sign * scores)

    def _decode(self, codes: Codes) -> Genotypes:
        return self.space.decode(codes)
