"""Every evaluator of the room keeps the contract."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from lissnas.evaluators import Evaluator, FunctionEvaluator, Noise, PermutedLabels, ScoresFile
from lissnas.formats import get_space, write_architectures_csv
from lissnas.spaces import ExplicitSpace
from lissnas.testing import EvaluatorContract


def by_cost() -> FunctionEvaluator:
    return FunctionEvaluator(lambda x, space: space.cost(x).flops / 1e6, space=get_space("digits-shuffle"))


def from_file() -> ScoresFile:
    space = get_space("digits-shuffle")
    x = ExplicitSpace.of(space, space.sample(60, np.random.default_rng(0))).genotypes
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "measured.csv"
        write_architectures_csv(space, x, path, {"top1": np.random.default_rng(1).random(len(x))})
        return ScoresFile(path, space, "top1")


class TestFunctionEvaluator(EvaluatorContract):
    def evaluator(self) -> Evaluator:
        return by_cost()


class TestScoresFile(EvaluatorContract):
    def evaluator(self) -> Evaluator:
        return from_file()


class TestNoise(EvaluatorContract):
    def evaluator(self) -> Evaluator:
        return Noise(by_cost(), 1.0)


class TestPermutedLabels(EvaluatorContract):
    def evaluator(self) -> Evaluator:
        return PermutedLabels(by_cost())
