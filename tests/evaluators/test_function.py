"""A user's function as an evaluator, and what is said when it fails."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.evaluators import FunctionEvaluator, Metric
from lissnas.evaluators import function as function_module
from lissnas.formats import get_space
from lissnas.spaces import SearchSpace


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return get_space("digits-shuffle")


def total(genotypes: np.ndarray) -> np.ndarray:
    return genotypes.sum(axis=1)


def test_scores_are_float64_and_counted(space: SearchSpace, rng: np.random.Generator) -> None:
    evaluator = FunctionEvaluator(total, space=space, name="top1", unit="%", higher_is_better=False)
    x = space.sample(7, rng)
    scores = evaluator.evaluate(x)
    assert scores.dtype == np.float64
    assert (scores == x.sum(axis=1)).all()
    assert evaluator.evaluations == 7
    evaluator.evaluate(x[:2])
    evaluator.evaluate(x[:0])
    assert evaluator.evaluations == 9
    assert evaluator.metric == Metric("top1", "%", higher_is_better=False)
    assert not evaluator.higher_is_better
    assert evaluator.space is space


def test_a_function_of_two_arguments_gets_the_space(space: SearchSpace, rng: np.random.Generator) -> None:
    evaluator = FunctionEvaluator(lambda x, s: s.cost(x).flops, space=space)
    x = space.sample(5, rng)
    assert (evaluator.evaluate(x) == space.cost(x).flops).all()
    with pytest.raises(UserError, match="takes a space as its second argument"):
        FunctionEvaluator(lambda x, s: s.cost(x).flops)


def test_an_optional_argument_is_left_alone(space: SearchSpace, rng: np.random.Generator) -> None:
    def scaled(x: np.ndarray, scale: float = 2.0) -> np.ndarray:
        return x.sum(axis=1) * scale

    x = space.sample(3, rng)
    assert (FunctionEvaluator(scaled, space=space).evaluate(x) == 2 * x.sum(axis=1)).all()


def test_a_function_cannot_change_what_it_is_given(space: SearchSpace, rng: np.random.Generator) -> None:
    def careless(x: np.ndarray) -> np.ndarray:
        x[:] = 0
        return np.arange(len(x))

    x = space.sample(4, rng)
    before = x.copy()
    FunctionEvaluator(careless, space=space).evaluate(x)
    assert (x == before).all()


def test_without_a_space(rng: np.random.Generator, space: SearchSpace) -> None:
    evaluator = FunctionEvaluator(total, higher_is_better=True)
    assert evaluator.evaluate(np.array([[1, 2]], dtype=np.uint8)).tolist() == [3]
    with pytest.raises(UserError, match="made without a space"):
        _ = evaluator.space
    with pytest.raises(UserError, match="must be uint8"):
        evaluator.evaluate(np.array([[1, 2]]))  # type: ignore[arg-type]


def test_genotypes_are_checked(space: SearchSpace) -> None:
    evaluator = FunctionEvaluator(total, space=space)
    with pytest.raises(UserError, match="must be uint8"):
        evaluator.evaluate(np.zeros((2, 3), dtype=np.uint8))
    bad = np.zeros((2, 9), dtype=np.uint8)
    bad[1, 2] = 4
    with pytest.raises(UserError, match="row 1: gene 'block_2'"):
        evaluator.evaluate(bad)
    assert evaluator.evaluations == 0


X = np.array([[0] * 9, [1] * 9, [2] * 9], dtype=np.uint8)
SECOND = "(1, 1, 1, 1, 1, 1, 1, 1, 1)"


def failing(x: np.ndarray) -> np.ndarray:
    if (x[:, 0] == 1).any():
        raise RuntimeError("CUDA out\nof memory")
    return np.zeros(len(x))


RESULTS: dict[str, tuple[Any, list[str]]] = {
    "raises": (failing, ["failing raised RuntimeError(CUDA out of memory)", SECOND]),
    "NaN": (lambda x: np.where(x[:, 0] == 1, np.nan, 1.0), ["finite numbers, but gave nan", SECOND]),
    "infinite": (lambda x: np.where(x[:, 0] >= 1, np.inf, 1.0), ["but gave inf", SECOND, "and 1 more"]),
    "too few": (
        lambda x: np.zeros(2),
        ["must return 3 numbers", "gave the shape [2]", "(0, 0, 0, 0, 0, 0, 0, 0, 0) and others"],
    ),
    "a column": (lambda x: np.zeros((3, 1)), ["must return 3 numbers", "shape [3, 1]"]),
    "one number": (lambda x: 1.0, ["must return 3 numbers", "shape []"]),
    "nothing": (lambda x: None, ["must return"]),
    "text": (lambda x: ["a", "b", "c"], ["must return one number per architecture, but returned list"]),
    "unequal lists": (lambda x: [[1], [1, 2], [3]], ["must return one number per architecture"]),
}


@pytest.mark.parametrize("case", RESULTS)
def test_a_wrong_result_names_the_architecture(space: SearchSpace, case: str) -> None:
    function, parts = RESULTS[case]
    evaluator = FunctionEvaluator(function, space=space)
    with pytest.raises(UserError) as caught:
        evaluator.evaluate(X)
    assert "\n" not in str(caught.value)
    for part in ["the function ", *parts]:
        assert part in str(caught.value)
    assert evaluator.evaluations == 0


def test_a_failure_of_the_batch_alone_names_its_first(space: SearchSpace) -> None:
    def batches_of_one(x: np.ndarray) -> np.ndarray:
        if len(x) > 1:
            raise ValueError
        return np.zeros(1)

    with pytest.raises(UserError, match=r"raised ValueError for a batch of 3, the first of which is the architecture \(0, 0"):
        FunctionEvaluator(batches_of_one, space=space).evaluate(X)


def test_the_search_for_a_failure_ends(space: SearchSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_module, "SEARCH_SECONDS", -1.0)
    with pytest.raises(UserError, match="for a batch of 3, the first of which"):
        FunctionEvaluator(failing, space=space).evaluate(X)


def test_a_mistake_that_the_function_tells_is_passed_on(space: SearchSpace) -> None:
    def told(x: np.ndarray) -> np.ndarray:
        raise UserError("give me more data")

    with pytest.raises(UserError, match=r"^give me more data$"):
        FunctionEvaluator(told, space=space).evaluate(X)


def test_ctrl_c_is_no_failure(space: SearchSpace) -> None:
    def interrupted(x: np.ndarray) -> np.ndarray:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        FunctionEvaluator(interrupted, space=space).evaluate(X)


def test_no_function() -> None:
    with pytest.raises(UserError, match="needs a function of genotypes, but got int"):
        FunctionEvaluator(3)  # type: ignore[arg-type]


# -- by name ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return tmp_path


def test_by_name_from_the_current_folder(folder: Path, space: SearchSpace) -> None:
    (folder / "my_scores_a.py").write_text(
        "def score(x):\n    return x.sum(axis=1) * 0.5\nclass A:\n    f = staticmethod(score)\n"
    )
    evaluator = FunctionEvaluator.from_name("my_scores_a:score", space, name="acc", higher_is_better=False)
    assert evaluator.evaluate(X).tolist() == [0, 4.5, 9]
    assert evaluator.metric == Metric("acc", "", higher_is_better=False)
    assert FunctionEvaluator.from_name("my_scores_a:A.f", space).evaluate(X).tolist() == [0, 4.5, 9]


def test_wrong_names(folder: Path, space: SearchSpace) -> None:
    (folder / "my_scores_b.py").write_text("score = 3\ndef accuracy(x):\n    return x\n")
    (folder / "my_scores_c.py").write_text("import package_that_nobody_has\n")
    (folder / "my_scores_d.py").write_text("def f(:\n")
    (folder / "my_scores_e.py").write_text("1 / 0\n")
    cases = {
        "score": r"named like 'my\.module:score', but got 'score'",
        "my_scores_b:": r"named like 'my\.module:score'",
        "a b:score": r"named like 'my\.module:score'",
        "no_module_here:score": "there is no module 'no_module_here' in",
        "os.no_part:score": "importing 'os.no_part' failed|there is no module 'os.no_part'",
        "my_scores_b:acuracy": r"has no function 'acuracy': did you mean accuracy\?",
        "my_scores_b:score": "'my_scores_b:score' is no function, but int",
        "my_scores_c:score": "it needs the package 'package_that_nobody_has', which is not installed",
        "my_scores_d:score": "importing 'my_scores_d' failed with SyntaxError",
        "my_scores_e:score": r"importing 'my_scores_e' failed with ZeroDivisionError\(division by zero\)",
    }
    for name, message in cases.items():
        with pytest.raises(UserError, match=message) as caught:
            FunctionEvaluator.from_name(name, space)
        assert "\n" not in str(caught.value)
