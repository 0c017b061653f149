"""Measured networks as an evaluator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.evaluators import Metric, ScoresFile
from lissnas.formats import get_space, write_architectures_csv
from lissnas.spaces import ExplicitSpace, SearchSpace


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return get_space("digits-shuffle")


@pytest.fixture
def file(tmp_path: Path, space: SearchSpace, rng: np.random.Generator) -> ScoresFile:
    x = ExplicitSpace.of(space, space.sample(50, rng)).genotypes[::-1]
    path = tmp_path / "measured.csv"
    write_architectures_csv(space, x, path, {"top1": rng.random(50), "ms": rng.random(50)})
    return ScoresFile(path, space, score="top1", higher_is_better=True)


def test_it_gives_what_the_file_holds(file: ScoresFile) -> None:
    assert len(file.genotypes) == 50
    assert file.metric == Metric("top1")
    assert list(file.columns) == ["ms"]
    assert (file.evaluate(file.genotypes) == file.scores).all()
    order = np.array([3, 3, 0, 49])
    assert (file.evaluate(file.genotypes[order]) == file.scores[order]).all()
    assert file.evaluations == 54


def test_what_is_not_in_the_file(file: ScoresFile, space: SearchSpace) -> None:
    measured = {tuple(row) for row in file.genotypes.tolist()}
    others = [x for x in space.sample(60, np.random.default_rng(1)) if tuple(x.tolist()) not in measured][:2]
    asked = np.stack([file.genotypes[0], *others])
    with pytest.raises(UserError) as caught:
        file.evaluate(asked)
    assert "measured.csv holds no score for the architecture " in str(caught.value)
    assert space.format(asked[1:2])[0] in str(caught.value)
    assert "and 1 more: it holds 50 architectures" in str(caught.value)
    assert file.evaluations == 0


def test_lower_may_be_better(file: ScoresFile, space: SearchSpace) -> None:
    other = ScoresFile(file.path, space, "ms", higher_is_better=False, unit="ms")
    assert other.metric == Metric("ms", "ms", higher_is_better=False)
    assert not other.higher_is_better


def test_the_measured_language_models(test_data: Path) -> None:
    space = get_space("gpt-s")
    file = ScoresFile(test_data / "hwgpt" / "gpt_s.csv", space, "perplexity", higher_is_better=False)
    assert (file.evaluate(file.genotypes) == file.scores).all()
    assert file.columns["latency_ms"][0] == 126.522
