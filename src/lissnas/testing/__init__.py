"""Contract tests that come with the package: what every space, evaluator, predictor, shrinker,
supernet and path sampler must hold to.

For a test suite, inherit the class of its kind and name the thing; any runner that collects pytest's classes will do::

    class TestMySpace(SpaceContract):
        def space(self):
            return my_space()

Without a test runner, ``run_checks(space)`` answers with one :class:`CheckResult` per promise: this is what ``lissnas check``
prints. Each check is a plain function in ``SPACE_CHECKS``, ``EVALUATOR_CHECKS``, ``PREDICTOR_CHECKS``, ``SHRINKER_CHECKS``,
``SUPERNET_CHECKS`` or ``SAMPLER_CHECKS``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from lissnas.testing.checks import Check, CheckFailedError, CheckResult, SkipCheck, run_all
from lissnas.testing.space import SPACE_CHECKS, SpaceContract, run_checks

if TYPE_CHECKING:
    from lissnas.testing.evaluator import EVALUATOR_CHECKS, EvaluatorContract
    from lissnas.testing.predictor import PREDICTOR_CHECKS, PredictorContract
    from lissnas.testing.sampler import SAMPLER_CHECKS, SamplerContract
    from lissnas.testing.shrinker import SHRINKER_CHECKS, ShrinkerContract
    from lissnas.testing.supernet import SUPERNET_CHECKS, SupernetContract

# loaded when asked for: who checks a space needs no predictor
_LATER = {
    "EVALUATOR_CHECKS": "evaluator",
    "EvaluatorContract": "evaluator",
    "PREDICTOR_CHECKS": "predictor",
    "PredictorContract": "predictor",
    "SAMPLER_CHECKS": "sampler",
    "SamplerContract": "sampler",
    "SHRINKER_CHECKS": "shrinker",
    "ShrinkerContract": "shrinker",
    "SUPERNET_CHECKS": "supernet",
    "SupernetContract": "supernet",
}

__all__ = [
    "EVALUATOR_CHECKS",
    "PREDICTOR_CHECKS",
    "SAMPLER_CHECKS",
    "SHRINKER_CHECKS",
    "SPACE_CHECKS",
    "SUPERNET_CHECKS",
    "Check",
    "CheckFailedError",
    "CheckResult",
    "EvaluatorContract",
    "PredictorContract",
    "SamplerContract",
    "ShrinkerContract",
    "SkipCheck",
    "SpaceContract",
    "SupernetContract",
    "run_all",
    "run_checks",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'lissnas.testing' has no attribute '{name}'")
    return getattr(importlib.import_module(f"lissnas.testing.{_LATER[name]}"), name)
