"""One dial: small, medium, large, or a number of queries. Every other size follows from it, and can still be set by name."""

from __future__ import annotations

from dataclasses import dataclass

from lissnas.errors import UserError

__all__ = ["BUDGETS", "Budget", "read_budget"]


@dataclass(frozen=True)
class Budget:
    """The sizes of a job.

    Attributes:
        queries: predictor queries; the shrunk space holds a tenth as many architectures.
        evaluations: true evaluations, where an evaluator is asked (a file of scores brings its own).
        trees: of the predictor xgboost, where nothing else is said of it; None: as many as it grows by itself.
    """

    queries: int
    evaluations: int
    trees: int | None = None


MOST_QUERIES = 10**9  # each is kept in memory with its score

BUDGETS = {
    "small": Budget(20_000, 300, 300),
    "medium": Budget(100_000, 1_000),
    "large": Budget(1_000_000, 5_000),
}


def read_budget(text: str) -> Budget:
    """``small``, ``medium``, ``large``, or a number of queries (``100000``, ``1e5``, ``100_000``).

    Raises:
        UserError: neither.
    """
    if text in BUDGETS:
        return BUDGETS[text]
    try:
        queries = float(text)
    except ValueError:
        queries = 0.0
    if not 1 <= queries <= MOST_QUERIES or not queries.is_integer():
        raise UserError(
            f"a budget must be small, medium, large or a whole number of queries from 1 to {MOST_QUERIES:,}, but got '{text}'"
        )
    return Budget(int(queries), BUDGETS["medium"].evaluations, BUDGETS["medium"].trees)
