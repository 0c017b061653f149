"""Shrink a neural architecture search space, prove that the small one is better, and find the best network in it.

What a script imports, and where it lives::

    space = lissnas.get_space("shufflenetv2")        # a name, a YAML file of yours, or a saved shrunk space
    x = space.sample(1000, rng)                      # uint8[1000, 20]
    predictor = lissnas.XGBoostPredictor().fit(space, x, scores, higher_is_better=True)
    result = lissnas.LISSNAS(queries=100_000, size=10_000).shrink(space, predictor, rng, limits=["flops <= 330e6"])
    result.space.save("small.parquet")               # a space again
    lissnas.assess_space(result.space, predictor, reference=space)

Everything is loaded when it is first used: importing ``lissnas`` loads neither torch nor XGBoost.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from lissnas._version import __version__
from lissnas.errors import UserError

if TYPE_CHECKING:
    from lissnas.evaluators import FunctionEvaluator, ScoresFile, get_evaluator, list_evaluators
    from lissnas.formats import get_space, load_space, read_scores, save_space
    from lissnas.oneshot import load_network
    from lissnas.predictors import XGBoostPredictor
    from lissnas.quality import assess_space, rank_correlation
    from lissnas.shrinkers import LISSNAS, NaiveTop, QueryAll, list_shrinkers
    from lissnas.spaces import ExplicitSpace, Gene, ProductSpace, RestrictedSpace, SearchSpace, list_spaces

_HOME = {
    "FunctionEvaluator": "evaluators",
    "ScoresFile": "evaluators",
    "get_evaluator": "evaluators",
    "list_evaluators": "evaluators",
    "get_space": "formats",
    "load_space": "formats",
    "read_scores": "formats",
    "save_space": "formats",
    "load_network": "oneshot",
    "XGBoostPredictor": "predictors",
    "assess_space": "quality",
    "rank_correlation": "quality",
    "LISSNAS": "shrinkers",
    "NaiveTop": "shrinkers",
    "QueryAll": "shrinkers",
    "list_shrinkers": "shrinkers",
    "ExplicitSpace": "spaces",
    "Gene": "spaces",
    "ProductSpace": "spaces",
    "RestrictedSpace": "spaces",
    "SearchSpace": "spaces",
    "list_spaces": "spaces",
}

__all__ = [
    "LISSNAS",
    "ExplicitSpace",
    "FunctionEvaluator",
    "Gene",
    "NaiveTop",
    "ProductSpace",
    "QueryAll",
    "RestrictedSpace",
    "ScoresFile",
    "SearchSpace",
    "UserError",
    "XGBoostPredictor",
    "__version__",
    "assess_space",
    "get_evaluator",
    "get_space",
    "list_evaluators",
    "list_shrinkers",
    "list_spaces",
    "load_network",
    "load_space",
    "rank_correlation",
    "read_scores",
    "save_space",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"lissnas.{_HOME[name]}"), name)
    raise AttributeError(f"module 'lissnas' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
