"""The moving average of weights, against its formula."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from lissnas.oneshot import Recipe, build_network, train_network
from lissnas.oneshot.ema import WeightAverage


def test_it_is_tensorflows_average_with_its_number_of_updates():
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, 1.0)
    average = WeightAverage(layer, 0.5)
    expected = 1.0
    for step, value in enumerate([2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0, 19.0, 23.0, 29.0, 31.0]):
        nn.init.constant_(layer.weight, value)
        average.update(step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
        assert np.isclose(float(average.tensors["weight"]), expected)
    assert layer.weight.item() == 31.0
    average.give()
    assert np.isclose(layer.weight.item(), expected)


def test_running_statistics_are_averaged_too_and_counters_are_not():
    norm = nn.BatchNorm2d(2)
    average = WeightAverage(norm, 0.9)
    assert set(average.tensors) == {"weight", "bias", "running_mean", "running_var"}
    norm(torch.randn(4, 2, 3, 3) + 5)
    average.update(0)
    torch.testing.assert_close(average.tensors["running_mean"], 0.9 * norm.running_mean)


def test_the_trained_network_has_the_averaged_weights(small, data):
    recipe = Recipe(epochs=2, batch_size=32, ghost=None)
    plain, averaged = (build_network(small, [0, 0, 0], seed=0) for _ in range(2))
    losses = train_network(plain, data, recipe, seed=0)
    assert (train_network(averaged, data, Recipe(epochs=2, batch_size=32, ghost=None, ema=0.99), seed=0) == losses).all()
    start = build_network(small, [0, 0, 0], seed=0)[0][0].weight
    whole = (plain[0][0].weight - start).norm()
    assert 0 < (averaged[0][0].weight - start).norm() < whole
    assert (averaged[0][0].weight - plain[0][0].weight).norm() < whole
