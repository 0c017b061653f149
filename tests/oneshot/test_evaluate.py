"""Scores of subnets: prefix sharing, order and workers change nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lissnas.errors import UserError
from lissnas.oneshot import (
    Recipe,
    Supernet,
    SupernetEvaluator,
    evaluate_subnets,
    recalibrate,
    score_network,
    score_subnets,
    train_supernet,
)
from lissnas.oneshot import evaluate as module
from lissnas.oneshot.batches import tensors


@pytest.fixture(scope="module")
def trained(small, data):
    supernet = Supernet(small, seed=0)
    train_supernet(supernet, small, data, Recipe(epochs=25, batch_size=32, ghost=None, learning_rate=1.0, momentum=0.5), seed=0)
    return supernet


def same(a, b):
    return all((x == y).all() for x, y in zip(a, b, strict=True))


def test_scores_equal_those_of_the_recalibrated_subnet(trained, small, data, rng):
    x = small.sample(6, rng)
    scores = score_subnets(trained, x, data, calibration=64)
    assert scores.accuracy.shape == scores.cross_entropy.shape == (6,)
    images = tensors(data.train, data)[0][:64]
    for row, accuracy, cross_entropy in zip(x, *scores, strict=True):
        recalibrate(trained, row, images)
        mine = score_network(trained.subnet(row), data)
        assert mine[0] == pytest.approx(accuracy, abs=1.01)  # an image on the edge may fall to either side
        assert mine[1] == pytest.approx(cross_entropy, abs=1e-4)


@pytest.mark.parametrize("workers", [2, 5])
def test_any_order_and_number_of_workers_give_the_same_bytes(trained, small, data, rng, workers, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 8)
    x = small.sample(20, rng)
    scores = score_subnets(trained, x, data)
    order = rng.permutation(20)
    assert same(score_subnets(trained, x[order], data, workers=workers), [part[order] for part in scores])


def test_sharing_prefixes_changes_nothing(trained, small, data, rng, monkeypatch):
    x = small.sample(12, rng)
    together = score_subnets(trained, x, data)
    monkeypatch.setattr(module, "CHUNK", 1)
    assert same(score_subnets(trained, x, data), together)


def test_scoring_leaves_the_supernet_as_it_was(trained, small, data, rng):
    before = {name: tensor.clone() for name, tensor in trained.state_dict().items()}
    evaluate_subnets(trained, small.sample(3, rng), data)
    assert all(torch.equal(before[name], tensor) for name, tensor in trained.state_dict().items())
    assert not trained.training


def test_images_can_be_scored_in_parts(trained, small, data, rng):
    x = small.sample(4, rng)
    whole, parts = score_subnets(trained, x, data), score_subnets(trained, x, data, batch_size=30)
    np.testing.assert_allclose(whole.cross_entropy, parts.cross_entropy, rtol=1e-5)


def test_a_supernet_is_an_evaluator(trained, small, data, rng):
    x = small.sample(5, rng)
    evaluator = SupernetEvaluator(trained, data)
    assert (evaluator.evaluate(x) == evaluate_subnets(trained, x, data)).all()
    assert (evaluator.metric.name, evaluator.metric.unit, evaluator.higher_is_better) == ("accuracy", "%", True)
    assert evaluator.evaluations == 5
    fine = SupernetEvaluator(trained, data, score="cross_entropy")
    assert not fine.higher_is_better
    assert (fine.evaluate(x) == score_subnets(trained, x, data).cross_entropy).all()


def test_no_architectures_have_no_scores(trained, small, data):
    assert score_subnets(trained, np.zeros((0, 3), dtype=np.uint8), data).accuracy.shape == (0,)


@pytest.mark.parametrize(
    ("options", "message"), [({"calibration": 1}, "calibration must be 2"), ({"split": "tset"}, "train, validation or test")]
)
def test_options_that_make_no_sense_are_refused(trained, small, data, rng, options, message):
    with pytest.raises(UserError, match=message):
        score_subnets(trained, small.sample(1, rng), data, **options)
    with pytest.raises(UserError, match="accuracy or cross_entropy"):
        SupernetEvaluator(trained, data, score="loss")
