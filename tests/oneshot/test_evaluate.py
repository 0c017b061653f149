"""Scores of subnets: prefix sharing, order and workers change nothing."""

from __future__ import annotations

import itertools
import weakref
from functools import partial

import numpy as np
import pytest
import torch

from lissnas.errors import UserError
from lissnas.oneshot import (
    ImageData,
    Recipe,
    Split,
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
from lissnas.spaces.nasbench201 import nasbench201


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


CELLS = nasbench201(resolution=8)


@pytest.fixture(scope="module")
def colored(data):
    """The digits in three channels."""
    parts = [Split(part.images.repeat(3, axis=1)[:64], part.labels[:64]) for part in (data.train, data.validation, data.test)]
    return ImageData("colored digits", *parts, classes=10)


def test_cells_score_as_their_subnets_do_one_by_one(colored, rng, monkeypatch):
    supernet = Supernet(CELLS, seed=0)
    x = np.concatenate([CELLS.sample(5, rng), np.array([[0] * 6, [3, 0, 0, 2, 0, 3]], dtype=np.uint8)])
    scores = score_subnets(supernet, x, colored, calibration=32)
    parts = score_subnets(supernet, x, colored, calibration=32, batch_size=20)
    monkeypatch.setattr(module, "CHUNK", 1)
    assert same(score_subnets(supernet, x, colored, calibration=32), scores)
    np.testing.assert_allclose(parts.cross_entropy, scores.cross_entropy, rtol=1e-6)
    images = tensors(colored.train, colored)[0][:32]
    for row, cross_entropy in zip(x, scores.cross_entropy, strict=True):
        recalibrate(supernet, row, images)
        assert score_network(supernet.subnet(row), colored)[1] == pytest.approx(cross_entropy, rel=1e-5)


def test_cells_that_compute_the_same_are_scored_once():
    nothing, one, two, other = [0] * 6, [3, 0, 0, 2, 0, 3], [3, 3, 0, 2, 0, 0], [3, 3, 0, 2, 0, 1]
    twin = [0, 0, 0, 2, 0, 0]  # what is left of the second and the third
    x = np.array([nothing, one, two, other, twin], dtype=np.uint8)
    order, place = module.arrange(Supernet(CELLS, seed=0), x)
    assert sorted(order.tolist()) == [0, 1, 3]
    assert order[place].tolist() == [0, 1, 1, 3, 1]


def test_the_first_cell_computes_nothing_twice():
    """All cells of 3x3 convolutions and skips: a convolution runs as often as its node has values, not once per cell."""
    x = np.array(list(itertools.product([1, 3], repeat=6)), dtype=np.uint8)
    supernet = Supernet(CELLS, seed=0).eval()
    runs: dict[str, int] = {}
    for edge in ("0_1", "0_3", "1_3", "2_3"):
        supernet.parts["cell_0_0"].edges[edge][2][1].register_forward_hook(partial(_count, runs, edge))
    order, _ = module.arrange(supernet, x)
    chains = [supernet.blocks(path) for path in x[order].tolist()]
    with torch.no_grad():
        logits = list(module.walk(supernet, chains, torch.randn(2, 3, 8, 8)))
    assert len(logits) == 64
    # node 1 has 2 values, node 2 has 8 (2 of them for each of 4 choices of its own two edges)
    assert runs == {"0_1": 1, "0_3": 1, "1_3": 2, "2_3": 8}


def _count(runs, edge, *_):
    runs[edge] = runs.get(edge, 0) + 1


def test_only_what_the_next_subnet_shares_is_kept(trained, small, rng, monkeypatch):
    """As many activations are alive at a time as the deepest prefix that two neighbors have in common, and two."""
    alive = weakref.WeakSet()
    peak = 0

    def watch(module, _, output):
        nonlocal peak
        alive.add(output)
        peak = max(peak, len(alive))

    handles = [block.register_forward_hook(watch) for choices in trained.sites for block in choices]
    chains = [trained.blocks(path) for path in ([0, 0, 0], [1, 0, 0], [2, 0, 0])]
    with torch.no_grad():
        for _ in module.walk(trained, chains, torch.randn(2, 1, 8, 8)):
            pass
    for handle in handles:
        handle.remove()
    assert peak == 2


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


def test_a_supernet_that_is_not_on_the_cpu_is_scored_where_it_is_by_this_process(small, data, rng, monkeypatch):
    """A worker would make it anew on a CPU. On "meta" there is nothing to be given back, which is where this ends."""
    monkeypatch.setattr(module, "CHUNK", 4)
    used = []
    monkeypatch.setattr(module, "map_chunks", lambda f, chunks, workers: used.append(workers) or map(f, chunks))
    with pytest.raises(NotImplementedError, match="meta"):
        score_subnets(Supernet(small, seed=0).to("meta"), small.sample(20, rng), data, workers=2)
    assert used == [1]
    score_subnets(Supernet(small, seed=0), small.sample(20, rng), data, workers=2)
    assert used == [1, 2]
