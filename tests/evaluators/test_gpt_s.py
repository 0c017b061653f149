"""HW-GPT-Bench: 10,000 language models of a space of 1.9e12, with what they cost on a device."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas import UserError, get_evaluator, get_space
from lissnas.testing import EvaluatorContract, SpaceContract


class TestSpace(SpaceContract):
    def space(self):
        return get_space("gpt-s")


@pytest.fixture
def measured(real_data):
    return get_evaluator("gpt-s")


@pytest.mark.usefixtures("measured")
class TestContract(EvaluatorContract):
    def evaluator(self):
        return get_evaluator("gpt-s")


@pytest.mark.usefixtures("measured")
class TestLatency(EvaluatorContract):
    def evaluator(self):
        return get_evaluator("gpt-s", task="latency_ms")


def test_the_space():
    space = get_space("gpt-s")
    assert space.cardinality == 2 * 3 * sum(9**layers for layers in (10, 11, 12))


def test_knows_what_was_measured(measured, rng):
    assert measured.known.cardinality == 10_000
    assert (measured.metric.name, measured.higher_is_better) == ("perplexity", False)
    assert get_evaluator("gpt-s", task="accuracy").higher_is_better
    assert not get_evaluator("gpt-s", task="energy_mwh").higher_is_better
    with pytest.raises(UserError, match=r"holds no perplexity of the architecture embed=.*it has that of 10,000"):
        measured.evaluate(measured.space.sample(5, rng))


def test_the_first_row_of_the_file(measured):
    heads = [12, 4, 12, 12, 4, 4, 4, 8, 12, 4]
    mlp = [2, 3, 4, 2, 3, 3, 2, 3, 2, 4]
    each = " ".join([*(f"heads_{i}={n}" for i, n in enumerate(heads)), *(f"mlp_{i}={n}" for i, n in enumerate(mlp))])
    x = measured.space.parse([f"embed=384 layers=10 bias=false {each}"])
    assert measured.evaluate(x).tolist() == [33.1216]
    numbers = {name: values[0] for name, values in measured.measured(x).items()}
    assert numbers["latency_ms"] == 126.522
    assert numbers["params"] == 58_468_608


def test_formulas_give_the_measured_costs(measured):
    costs = measured.space.cost(measured.genotypes)
    assert np.array_equal(costs.params, measured.columns["params"])
    assert np.array_equal(costs.macs, measured.columns["macs"])
