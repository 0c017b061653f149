"""Stand-alone training of many: the same bytes in any list, by any number of workers, and after an interruption."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from lissnas.errors import UserError
from lissnas.oneshot import score_network
from lissnas.oneshot.retrain import retrain


@pytest.fixture
def x():
    return np.array([[0, 1, 2], [3, 0, 0], [1, 1, 1], [3, 0, 0]], dtype=np.uint8)


def packed(results):
    return [result.weights for result in results]


def test_results_come_in_order_and_their_networks_score_what_they_say(small, data, recipe, x):
    seen = []
    results = retrain(small, x, data, recipe, seed=0, on_result=seen.append)
    assert seen == results
    assert [tuple(result.genotype) for result in results] == [tuple(row) for row in x]
    assert results[1].weights == results[3].weights
    for result in results:
        assert score_network(result.network(), data) == (result.accuracy, result.cross_entropy)


def test_list_order_and_workers_change_nothing(small, data, recipe, x):
    results = packed(retrain(small, x, data, recipe, seed=0))
    assert packed(retrain(small, x[::-1], data, recipe, seed=0, workers=2)) == results[::-1]
    assert packed(retrain(small, x[2:3], data, recipe, seed=0)) == results[2:3]
    assert packed(retrain(small, x[2:3], data, recipe, seed=1)) != results[2:3]


def test_what_was_trained_before_an_interruption_is_not_trained_again(small, data, recipe, x, tmp_path, monkeypatch):
    whole = packed(retrain(small, x, data, recipe, seed=0))

    class Stop(Exception):
        pass

    def stop(_):
        raise Stop

    with pytest.raises(Stop):
        retrain(small, x, data, recipe, seed=0, directory=tmp_path, on_result=stop)
    assert len(list(tmp_path.iterdir())) == 1
    assert packed(retrain(small, x, data, recipe, seed=0, directory=tmp_path)) == whole
    assert len(list(tmp_path.iterdir())) == 3
    monkeypatch.setattr("lissnas.oneshot.retrain.train_network", lambda *_, **__: pytest.fail("trained again"))
    assert packed(retrain(small, x, data, recipe, seed=0, directory=tmp_path)) == whole


def test_the_files_of_another_training_are_refused(small, data, recipe, x, tmp_path):
    retrain(small, x[:1], data, recipe, seed=0, directory=tmp_path)
    with pytest.raises(UserError, match="another recipe"):
        retrain(small, x[:1], data, replace(recipe, epochs=5), seed=0, directory=tmp_path)


def test_the_number_of_threads_does_not_matter(small, data, recipe, x):
    one = packed(retrain(small, x[:1], data, recipe, seed=0))
    torch.set_num_threads(2)
    assert packed(retrain(small, x[:1], data, recipe, seed=0)) == one
    assert torch.get_num_threads() == 2
