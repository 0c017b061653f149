"""The best networks of a space by a predictor: where the predictor comes from, and the numbers that are told of the list."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np

from lissnas.errors import UserError
from lissnas.evaluators import Evaluator, scored_by
from lissnas.predictors import Predictor
from lissnas.predictors.certified import CertifiedBest
from lissnas.runs.predicting import PredictorConfig, make_predictor
from lissnas.spaces import SearchSpace, sample_distinct

__all__ = ["best_numbers", "listen_for_stop", "predictor_for"]

SHOWN = 10  # networks with all that is known of them
PAIRS = 1000  # that the list's diversity is the mean distance of
TRUE = 10_000  # networks of the list that are looked up at most


def predictor_for(
    space: SearchSpace, truth: Evaluator, evaluations: int, config: PredictorConfig, seed: int, workers: int = 1
) -> tuple[Predictor, float]:
    """A predictor fitted to all networks that ``truth`` knows, or to ``evaluations`` drawn ones where it knows every one.

    Returns:
        The predictor and its held-out Kendall tau.

    Raises:
        UserError: scores of no network of the space.
    """
    rng = np.random.default_rng(seed)
    scored = scored_by(truth, space)
    if scored is None:
        raise UserError(f"none of the measured networks is in '{space.name}': measure some of it (lissnas sample)")
    if scored is space or truth.is_free:
        genotypes = sample_distinct(scored, evaluations, rng)
    else:
        genotypes = np.concatenate(list(scored.enumerate()))
    scores = truth.evaluate(genotypes)
    predictor = make_predictor(config, workers)
    predictor.fit(space, genotypes, scores, higher_is_better=truth.higher_is_better, seed=seed)
    return predictor, float(predictor.assess().kendall)


def best_numbers(
    space: SearchSpace,
    best: CertifiedBest,
    *,
    asked: int,
    limits: Sequence[str] = (),
    metric: str = "score",
    kendall: float | None = None,
    truth: Evaluator | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """What is told of a list, plain JSON data.

    Args:
        truth: an evaluator that costs nothing, which the list is checked against.
    """
    rng = np.random.default_rng(seed)
    rows = best.genotypes
    numbers: dict[str, Any] = {
        "space": space.name,
        "cardinality": str(space.cardinality),
        "asked": asked,
        "limits": list(limits),
        "metric": metric,
        "kendall": kendall,
        "found": len(rows),
        "proven": best.proven,
        "is_proven": best.is_proven,
        "bound": None if best.bound is None or not np.isfinite(best.bound) else best.bound,
        "tolerance": best.tolerance,
        "method": best.method,
        "stopped": best.stopped,
        "looked_at": best.looked_at,
        "seconds": best.seconds,
        "predicted_mean": float(best.scores.mean()) if len(rows) else None,
        "predicted_last": float(best.scores[-1]) if len(rows) else None,
    }
    if len(rows) > 1:
        first, second = rng.integers(0, len(rows), size=(2, PAIRS))
        numbers["diversity"] = float(space.distance(rows[first], rows[second]).mean())
        drawn = space.sample(2 * PAIRS, rng)
        numbers["diversity_of_space"] = float(space.distance(drawn[:PAIRS], drawn[PAIRS:]).mean())
    true = _true_scores(rows[:TRUE], truth)
    if true is not None:
        known = ~np.isnan(true)
        numbers["true_known"] = int(known.sum())
        numbers["true_mean"] = float(true[known].mean())
        numbers["optimism"] = float((best.scores[: len(true)] - true)[known].mean())
    costs = space.cost(rows[:SHOWN])
    shown = zip(space.format(rows[:SHOWN]), space.to_dicts(rows[:SHOWN]), best.scores[:SHOWN].tolist(), strict=True)
    numbers["best"] = [
        {
            "architecture": text,
            "genes": genes,
            "predicted": score,
            "true": None if true is None or np.isnan(true[index]) else float(true[index]),
            "costs": {name: float(values[index]) for name, values in costs.items()},
        }
        for index, (text, genes, score) in enumerate(shown)
    ]
    return numbers


def _true_scores(rows: Any, truth: Evaluator | None) -> Any:
    """float64[n], NaN where there is none; None: none at all."""
    if truth is None or not truth.is_free or not len(rows):
        return None
    known = np.ones(len(rows), dtype=np.bool_) if truth.known is None else truth.known.is_valid(rows)
    if not known.any():
        return None
    true = np.full(len(rows), np.nan)
    true[known] = truth.evaluate(rows[known])
    return true


@contextmanager
def listen_for_stop() -> Iterator[Callable[[], bool]]:
    """What is given says whether Ctrl-C was pressed or SIGTERM came since; the second time it interrupts as usual.

    Only the main thread can listen; elsewhere it stays False.
    """
    asked = False
    if threading.current_thread() is not threading.main_thread():
        yield lambda: asked
        return

    def note(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
