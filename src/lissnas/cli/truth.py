"""What scores the networks that a command is about: a file of scores, an evaluator by name, a benchmark."""

from __future__ import annotations

from pathlib import Path

from lissnas.errors import UserError
from lissnas.evaluators import BENCHMARKS, Evaluator, get_evaluator
from lissnas.spaces import SearchSpace

__all__ = ["make_truth"]


def make_truth(
    root: SearchSpace,
    *,
    scores: Path | None = None,
    score: str | None = None,
    lower_is_better: bool = False,
    evaluator: str | None = None,
    task: str | None = None,
    data: Path | None = None,
) -> Evaluator | None:
    """What the words of the command line mean, for ``root`` and every space that was shrunk from it; None: nothing scores.

    Raises:
        UserError: words that exclude each other, or what the file or evaluator says itself.
    """
    if scores is not None and evaluator is not None:
        raise UserError("scores come from one place, but both --scores and --evaluator are given: leave one out")
    if scores is None and score is not None:
        raise UserError(f"--score names a column of --scores FILE, but got '{score}' without a file: give --scores")
    benchmark = evaluator is not None and evaluator in BENCHMARKS
    for option, value in (("task", task), ("data", data)):
        if value is not None and not benchmark:
            who = f"the scores come from {scores}" if scores is not None else f"got --evaluator {evaluator}"
            raise UserError(f"--{option} is for a benchmark ({', '.join(BENCHMARKS.names())}), but {who}: leave it out")
    if scores is not None:
        return get_evaluator("scores", root, path=scores, score=score, higher_is_better=not lower_is_better)
    if evaluator is None:
        if lower_is_better:
            raise UserError("--lower-is-better says how to read scores, but none are given: --scores FILE or --evaluator NAME")
        return None
    if Path(evaluator).suffix.lower() in (".csv", ".parquet") or evaluator == "scores":
        raise UserError(f"measured networks are given by --scores, but got --evaluator {evaluator}: --scores FILE")
    if ":" in evaluator:
        return get_evaluator(evaluator, root, higher_is_better=not lower_is_better)
    if lower_is_better:
        raise UserError(f"the evaluator '{evaluator}' says itself which scores are better: leave --lower-is-better out")
    options = {name: value for name, value in (("task", task), ("data", data)) if value is not None}
    return get_evaluator(evaluator, root, **options)
