"""Training learns, repeats to the byte, resumes to the byte, and says what went wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from lissnas.errors import UserError
from lissnas.oneshot import Recipe, Supernet, build_network, score_network, train_network, train_supernet
from lissnas.oneshot.samplers import PathSampler
from lissnas.spaces import ExplicitSpace
from lissnas.spaces.shufflenetv2 import digits_shuffle


def weights(network):
    return {name: tensor.numpy().tobytes() for name, tensor in network.state_dict().items()}


class Interrupted(Exception):
    pass


def stop_after(epoch):
    def on_progress(progress):
        if progress.epoch == epoch:
            raise Interrupted

    return on_progress


def test_a_network_learns_digits(small, data):
    network = build_network(small, [0, 0, 0], seed=0)
    history = train_network(network, data, Recipe(epochs=40, batch_size=32, ghost=None), seed=0)
    assert history.shape == (40,)
    assert history[-1] < history[0] - 0.5
    assert not network.training
    accuracy, cross_entropy = score_network(network, data)
    assert accuracy > 60
    assert cross_entropy < 1.5


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_a_supernet_that_was_cut_off_ends_in_the_same_bytes(small, data, recipe, tmp_path, stop):
    whole = Supernet(small, seed=0)
    history = train_supernet(whole, small, data, recipe, seed=7)
    first = Supernet(small, seed=0)
    with pytest.raises(Interrupted):
        train_supernet(first, small, data, recipe, seed=7, checkpoint_dir=tmp_path, on_progress=stop_after(stop))
    second = Supernet(small, seed=99)  # whatever it starts from, the checkpoint decides
    if stop < recipe.checkpoint_epochs:
        second = Supernet(small, seed=0)
    again = train_supernet(second, small, data, recipe, seed=7, checkpoint_dir=tmp_path)
    assert weights(second) == weights(whole)
    assert (again == history).all()
    third = Supernet(small, seed=1)
    assert (train_supernet(third, small, data, recipe, seed=7, checkpoint_dir=tmp_path) == history).all()
    assert weights(third) == weights(whole)


def test_a_network_that_was_cut_off_ends_in_the_same_bytes(small, data, recipe, tmp_path):
    whole, second = build_network(small, [1, 2, 3], seed=0), build_network(small, [1, 2, 3], seed=0)
    train_network(whole, data, recipe, seed=7)
    with pytest.raises(Interrupted):
        train_network(second, data, recipe, seed=7, checkpoint_dir=tmp_path, on_progress=stop_after(3))
    torch.manual_seed(123)
    resumed = build_network(small, [1, 2, 3], seed=5)
    train_network(resumed, data, recipe, seed=7, checkpoint_dir=tmp_path)
    assert weights(resumed) == weights(whole)


def test_a_checkpoint_has_the_same_bytes_each_time(small, data, recipe, tmp_path):
    for name in ("a", "b"):
        train_supernet(Supernet(small, seed=0), small, data, recipe, seed=0, checkpoint_dir=tmp_path / name)
    files = [tmp_path / name / "checkpoint.safetensors" for name in ("a", "b")]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["checkpoint.safetensors"]


def test_training_leaves_the_callers_chance_alone(small, data, recipe):
    torch.manual_seed(0)
    expected = torch.rand(3)
    supernet = Supernet(small, seed=0)
    torch.manual_seed(0)
    train_supernet(supernet, small, data, recipe, seed=0)
    assert torch.equal(torch.rand(3), expected)


def test_only_what_the_paths_use_is_trained(small, data, recipe):
    shrunk = ExplicitSpace.of(small, np.array([[0, 0, 0], [1, 0, 0]], dtype=np.uint8))
    supernet = Supernet(small, seed=0)
    before = weights(supernet)
    train_supernet(supernet, shrunk, data, recipe, seed=0)
    changed = {name for name, value in weights(supernet).items() if value != before[name]}
    assert any(name.startswith("sites.0.1.") for name in changed)
    assert not any(name.startswith(("sites.0.2.", "sites.1.1.", "sites.2.3.")) for name in changed)


def test_the_gradients_of_several_paths_of_a_step_are_added(small, data):
    class Twice(PathSampler):
        def __init__(self, copies):
            self.space, self.copies = small, copies

        def draw(self, steps, rng):
            return np.zeros((steps, self.copies, 3), dtype=np.uint8)

    one_step = Recipe(epochs=1, batch_size=96, ghost=None, momentum=0.0, weight_decay=0.0, warmup_epochs=1)
    moves = []
    for copies in (1, 2):
        supernet = Supernet(small, seed=0)
        for module in supernet.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        before = supernet.stem[0].weight.detach().clone()
        train_supernet(supernet, Twice(copies), data, one_step, seed=0)
        moves.append(supernet.stem[0].weight.detach() - before)
    torch.testing.assert_close(moves[1], 2 * moves[0], rtol=1e-3, atol=1e-6)


def test_a_loss_that_is_no_number_names_step_and_path(small, data, recipe):
    with pytest.raises(UserError, match=r"loss became (nan|inf) at step \d+ on the path \(\d, \d, \d\): lower"):
        train_supernet(Supernet(small, seed=0), small, data, replace(recipe, learning_rate=1e12), seed=0)


def test_the_checkpoint_of_another_training_is_refused(small, data, recipe, tmp_path):
    train_supernet(Supernet(small, seed=0), small, data, recipe, seed=0, checkpoint_dir=tmp_path)
    for change in ({"seed": 1}, {"recipe": replace(recipe, momentum=0.8)}):
        options = {"seed": 0, "recipe": recipe, **change}
        with pytest.raises(UserError, match="checkpoint of another training"):
            train_supernet(
                Supernet(small, seed=0), small, data, options["recipe"], seed=options["seed"], checkpoint_dir=tmp_path
            )
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(UserError, match="no whole safetensors file"):
        train_supernet(Supernet(small, seed=0), small, data, recipe, seed=0, checkpoint_dir=tmp_path)


def test_paths_of_a_space_with_other_weights_are_refused(small, data, recipe):
    with pytest.raises(UserError, match="do not fit a supernet of 'small'"):
        train_supernet(Supernet(small, seed=0), digits_shuffle(), data, recipe, seed=0)


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_the_rate_rises_in_the_warmup_and_falls_to_zero(schedule):
    recipe = Recipe(epochs=10, learning_rate=1.0, schedule=schedule, warmup_epochs=2)
    rates = [recipe.rate(step, 5) for step in range(50)]
    assert rates[9] == 1.0
    assert np.argmax(rates) in (9, 10)
    assert (np.diff(rates[:10]) > 0).all()
    assert (np.diff(rates[10:]) < 0).all()
    assert 0 < rates[-1] < 0.03


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"ghost": 7}, {"ghost": 1}, {"schedule": "step"}])
def test_a_recipe_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(UserError):
        Recipe(**{"batch_size": 64, **wrong})
