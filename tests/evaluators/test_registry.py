"""An evaluator by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lissnas
from lissnas.errors import UserError
from lissnas.evaluators import BENCHMARKS, EVALUATORS, FunctionEvaluator, ScoresFile, get_evaluator, list_evaluators
from lissnas.formats import get_space, write_architectures_csv
from lissnas.spaces import SearchSpace


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return get_space("digits-shuffle")


def test_names() -> None:
    assert list_evaluators()[:2] == ["function", "scores"]
    assert set(BENCHMARKS.names()) < set(list_evaluators())
    assert lissnas.list_evaluators() == list_evaluators()
    for name in list_evaluators():
        assert EVALUATORS.get(name) is not None


def test_an_evaluator_is_itself(space: SearchSpace) -> None:
    evaluator = FunctionEvaluator(len, space=space)
    assert get_evaluator(evaluator) is evaluator


def test_a_function_by_name(space: SearchSpace) -> None:
    evaluator = get_evaluator("numpy:count_nonzero", space, name="zeros", higher_is_better=False)
    assert isinstance(evaluator, FunctionEvaluator)
    assert evaluator.metric.name == "zeros"
    assert evaluator.evaluate(np.ones((1, 9), dtype=np.uint8)[:0]).tolist() == []
    with pytest.raises(UserError, match=r"'numpy:sum' cannot be made so: .*'hihger_is_better'"):
        get_evaluator("numpy:sum", space, hihger_is_better=False)


def test_a_file_by_name(tmp_path: Path, space: SearchSpace, rng: np.random.Generator) -> None:
    path = tmp_path / "m.csv"
    write_architectures_csv(space, space.sample(5, rng), path, {"s": [1, 2, 3, 4, 5]})
    for evaluator in (get_evaluator(str(path), space), get_evaluator("scores", space, path=path, score="s")):
        assert isinstance(evaluator, ScoresFile)
        assert evaluator.scores.tolist() == [1, 2, 3, 4, 5]
    with pytest.raises(UserError, match="read for a space, but none was given"):
        get_evaluator(str(path))
    with pytest.raises(UserError, match="'scores' cannot be made so: missing a required argument: 'path'"):
        get_evaluator("scores", space)


def test_an_unknown_name(space: SearchSpace) -> None:
    with pytest.raises(UserError, match=r"unknown evaluator 'scorse': did you mean scores\? \(or 'module:function'"):
        get_evaluator("scorse", space)
