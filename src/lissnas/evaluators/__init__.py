"""What an architecture scores: functions, files of measurements, and wrappers around them.

========================================  ==============================================================================
``Evaluator``, ``Metric``                 the contract: ``evaluate(genotypes) -> float64[n]``, and every one is counted
``FunctionEvaluator``                     a function of yours on batches, in Python or as ``"module:function"``
``ScoresFile``                            networks that were measured already, from CSV or Parquet
``Noise``, ``PermutedLabels``             wrappers that make a score worse in a known way
``get_evaluator``, ``list_evaluators``    by name; ``EVALUATORS`` is the registry: a new one is a file and a line in it
========================================  ==============================================================================

An entry of ``EVALUATORS`` is called as ``entry(space=space, **options)``; one that knows its own space takes ``None`` for it.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from lissnas.errors import UserError
from lissnas.evaluators.base import Evaluator, Metric
from lissnas.evaluators.function import FunctionEvaluator, import_function
from lissnas.evaluators.scores_file import ScoresFile
from lissnas.evaluators.wrappers import Noise, PermutedLabels
from lissnas.registry import Registry
from lissnas.spaces import SearchSpace

__all__ = [
    "EVALUATORS",
    "Evaluator",
    "FunctionEvaluator",
    "Metric",
    "Noise",
    "PermutedLabels",
    "ScoresFile",
    "get_evaluator",
    "list_evaluators",
]

EVALUATORS = Registry(
    "evaluator",
    {
        "function": "lissnas.evaluators.function:FunctionEvaluator",
        "scores": "lissnas.evaluators.scores_file:ScoresFile",
    },
)


def list_evaluators() -> list[str]:
    """The names of all known evaluators."""
    return EVALUATORS.names()


def get_evaluator(name: str | Evaluator, /, space: SearchSpace | None = None, **options: Any) -> Evaluator:
    """The evaluator called ``name``: a registered one, a function ``"module:function"``, or a file of scores.

    Raises:
        UserError: an unknown name (the nearest are named), or options that it does not take.
    """
    if isinstance(name, Evaluator):
        return name
    if ":" in name:
        return _make(FunctionEvaluator, name, {"function": import_function(name), "space": space}, options)
    if Path(name).suffix.lower() in (".csv", ".parquet"):
        return _make(ScoresFile, name, {"path": name, "space": _needed(name, space)}, options)
    if name not in EVALUATORS:
        raise UserError(f"{EVALUATORS.unknown(name)} (or 'module:function', or a .csv or .parquet file of scores)")
    return _make(EVALUATORS.get(name), name, {"space": space}, options)


def _needed(name: str, space: SearchSpace | None) -> SearchSpace:
    if space is None:
        raise UserError(f"the scores in '{name}' are read for a space, but none was given: get_evaluator(name, space)")
    return space


def _make(factory: Any, name: str, given: dict[str, Any], options: dict[str, Any]) -> Evaluator:
    try:
        inspect.signature(factory).bind(**given, **options)
    except TypeError as error:
        raise UserError(f"the evaluator '{name}' cannot be made so: {error}: see its options") from None
    evaluator = factory(**given, **options)
    if not isinstance(evaluator, Evaluator):
        raise TypeError(f"the evaluator '{name}' is registered for something that makes {type(evaluator).__name__}")
    return evaluator
