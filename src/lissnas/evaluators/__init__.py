"""What an architecture scores: functions, files of measurements, and wrappers around them.

========================================  ==============================================================================
``Evaluator``, ``Metric``                 the contract: ``evaluate(genotypes) -> float64[n]``, and every one is counted
``FunctionEvaluator``                     a function of yours on batches, in Python or as ``"module:function"``
``ScoresFile``                            networks that were measured already, from CSV or Parquet
``Noise``, ``PermutedLabels``,            wrappers that make scores worse in a known way, a region of them impossible
``Infeasible``
``CostLimit``, ``Delay``,                 wrappers that make scores harder to get
``FailureRate``
``Benchmark``, ``BENCHMARKS``             published tables and surrogates: ``benchmark`` (what one is), ``install``, ``fetch``,
                                          ``store`` (kept, checksummed), ``table`` (asked); each is a file of its own
``get_evaluator``, ``list_evaluators``    by name; ``EVALUATORS`` is the registry: a new one is a file and a line in it
========================================  ==============================================================================

An entry of ``EVALUATORS`` is called as ``entry(space=space, **options)``; one that knows its own space takes ``None`` for it.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from lissnas.errors import UserError
from lissnas.evaluators.base import Evaluator, Metric, scored_by
from lissnas.evaluators.benchmark import BENCHMARKS, Benchmark, benchmarks_of
from lissnas.evaluators.function import FunctionEvaluator, import_function
from lissnas.evaluators.scores_file import ScoresFile
from lissnas.evaluators.wrappers import Infeasible, Noise, PermutedLabels
from lissnas.evaluators.wrappers_effort import CostLimit, Delay, FailureRate
from lissnas.registry import Registry
from lissnas.spaces import SearchSpace

__all__ = [
    "BENCHMARKS",
    "EVALUATORS",
    "Benchmark",
    "CostLimit",
    "Delay",
    "Evaluator",
    "FailureRate",
    "FunctionEvaluator",
    "Infeasible",
    "Metric",
    "Noise",
    "PermutedLabels",
    "ScoresFile",
    "benchmarks_of",
    "get_evaluator",
    "list_evaluators",
    "scored_by",
]

EVALUATORS = Registry(
    "evaluator",
    {
        "function": "lissnas.evaluators.function:FunctionEvaluator",
        "scores": "lissnas.evaluators.scores_file:ScoresFile",
        "nasbench101": "lissnas.evaluators.nasbench101:nasbench101",
        "nasbench101-sample": "lissnas.evaluators.nasbench101_sample:nasbench101_sample",
        "ecnas": "lissnas.evaluators.ecnas:ecnas",
        "nasbench201": "lissnas.evaluators.nasbench201:nasbench201",
        "nasbench301": "lissnas.evaluators.nasbench301:nasbench301",
        "transnasbench101-macro": "lissnas.evaluators.transnasbench101:transnasbench101_macro",
        "transnasbench101-micro": "lissnas.evaluators.transnasbench101:transnasbench101_micro",
        "gpt-s": "lissnas.evaluators.gpt_s:gpt_s",
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
