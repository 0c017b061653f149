"""Evaluators that make a score worse in a known way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.evaluators import FunctionEvaluator, Noise, PermutedLabels, ScoresFile
from lissnas.formats import get_space, write_architectures_csv
from lissnas.spaces import ExplicitSpace, Gene, ProductSpace, SearchSpace

WIDE = ProductSpace("wide", [Gene(f"g{i}", tuple(range(9))) for i in range(22)])  # codes of two words


def total(genotypes: np.ndarray) -> np.ndarray:
    return genotypes.sum(axis=1)


@pytest.fixture(params=["digits-shuffle", "wide"])
def space(request: pytest.FixtureRequest) -> SearchSpace:
    return WIDE if request.param == "wide" else get_space(request.param)


def test_noise_belongs_to_the_architecture(space: SearchSpace, rng: np.random.Generator) -> None:
    x = space.sample(200, rng)
    evaluator = FunctionEvaluator(total, space=space, name="acc", higher_is_better=False)
    noisy = Noise(evaluator, 0.5, seed=3)
    together = noisy.evaluate(x)
    apart = np.concatenate([noisy.evaluate(x[i : i + 7]) for i in range(0, 200, 7)])
    assert (together == apart).all()
    assert (noisy.evaluate(x[::-1]) == together[::-1]).all()
    assert noisy.evaluations == evaluator.evaluations == 600
    assert (noisy.metric.name, noisy.higher_is_better) == ("noisy acc", False)
    assert (Noise(evaluator, 0.5, seed=4).evaluate(x) != together).any()
    assert (Noise(evaluator, 0.0).evaluate(x) == total(x)).all()


def test_noise_is_standard_normal(space: SearchSpace, rng: np.random.Generator) -> None:
    x = ExplicitSpace.of(space, space.sample(40_000, rng)).genotypes
    noise = Noise(FunctionEvaluator(lambda x: np.zeros(len(x)), space=space), 2.0).evaluate(x) / 2
    n = len(noise)
    assert abs(noise.mean()) < 5 / np.sqrt(n)
    assert abs(noise.std() - 1) < 5 / np.sqrt(2 * n)
    assert abs((np.abs(noise) < 1.96).mean() - 0.95) < 5 * np.sqrt(0.05 * 0.95 / n)
    # architectures that differ in one gene have unrelated noise
    assert abs(np.corrcoef(noise[1:], noise[:-1])[0, 1]) < 5 / np.sqrt(n)


def test_the_size_of_noise() -> None:
    for size in (-1.0, float("nan"), float("inf")):
        with pytest.raises(UserError, match="size of noise must be a finite number >= 0"):
            Noise(FunctionEvaluator(total, space=WIDE), size)


def test_labels_of_an_explicit_space_are_permuted_exactly(space: SearchSpace, rng: np.random.Generator) -> None:
    small = ExplicitSpace.of(space, space.sample(500, rng))
    # scores that hardly repeat, so that a permutation shows
    evaluator = FunctionEvaluator(lambda x: x.astype(np.int64) @ 7 ** np.arange(x.shape[1]) % 10007, space=small)
    truth = evaluator.evaluate(small.genotypes)
    permuted = PermutedLabels(evaluator, seed=1)
    scores = permuted.evaluate(small.genotypes)
    assert (np.sort(scores) == np.sort(truth)).all()
    assert (scores != truth).mean() > 0.9
    assert abs(np.corrcoef(scores, truth)[0, 1]) < 5 / np.sqrt(len(truth))
    assert (np.concatenate([permuted.evaluate(small.genotypes[i : i + 1]) for i in range(20)]) == scores[:20]).all()
    assert (PermutedLabels(evaluator, seed=2).evaluate(small.genotypes) != scores).any()


def test_labels_of_a_file_are_permuted_exactly(tmp_path: Path, space: SearchSpace, rng: np.random.Generator) -> None:
    x = ExplicitSpace.of(space, space.sample(100, rng)).genotypes
    write_architectures_csv(space, x, tmp_path / "m.csv", {"s": rng.random(len(x))})
    file = ScoresFile(tmp_path / "m.csv", space)
    permuted = PermutedLabels(file)
    assert (np.sort(permuted.evaluate(file.genotypes)) == np.sort(file.scores)).all()
    absent = space.sample(200, np.random.default_rng(9))
    with pytest.raises(UserError, match="holds no score for the architecture"):
        permuted.evaluate(absent)


def test_elsewhere_each_architecture_has_a_partner(space: SearchSpace, rng: np.random.Generator) -> None:
    permuted = PermutedLabels(FunctionEvaluator(total, space=space), seed=5)
    x = space.sample(300, rng)
    scores = permuted.evaluate(x)
    assert (np.concatenate([permuted.evaluate(x[i : i + 50]) for i in range(0, 300, 50)]) == scores).all()
    assert abs(np.corrcoef(scores, total(x))[0, 1]) < 5 / np.sqrt(300)
