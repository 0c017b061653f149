"""A checkpoint brings back all of a training, and only of the one that wrote it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lissnas.errors import UserError
from lissnas.oneshot import Recipe, Supernet, build_network
from lissnas.oneshot.checkpoint import Checkpoint, State
from lissnas.oneshot.ema import WeightAverage
from lissnas.oneshot.optimizers import make_optimizer
from lissnas.oneshot.samplers import PathSampler
from lissnas.oneshot.weights import pack_weights, read_weights


class Remembering(PathSampler):
    def __init__(self, space):
        self.space = space
        self.kept = {"codes": np.zeros((0, 2), dtype=np.uint64), "losses": np.zeros(3), "step": np.array(0)}

    def draw(self, steps, rng):
        raise NotImplementedError

    def state(self):
        return self.kept

    def restore(self, arrays):
        self.kept = arrays


def state_of(space, seed, optimizer="sgd"):
    """A training after a step, with something in every place."""
    rng = np.random.default_rng(seed)
    network = build_network(space, [0, 1, 2], seed=seed)
    moves = make_optimizer(network, Recipe(optimizer=optimizer, learning_rate=0.1))
    scaler = torch.amp.GradScaler("cpu", init_scale=float(2 ** (seed + 3)))
    average = WeightAverage(network, 0.9)
    sampler = Remembering(space)
    sampler.kept = {**sampler.kept, "losses": rng.random(3), "step": np.array(seed)}
    network(torch.from_numpy(rng.normal(size=(4, 1, 8, 8))).float()).sum().backward()
    moves.step()
    average.update(seed)
    return State(network, moves, scaler, average, sampler, rng.random(5))


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop"])
def test_everything_comes_back(small, tmp_path, optimizer):
    one, other = state_of(small, 1, optimizer), state_of(small, 2, optimizer)
    checkpoint = Checkpoint(tmp_path, {"seed": 0})
    assert checkpoint.load(other) == 0  # there is none yet
    checkpoint.save(7, one)
    before = {name: tensor.clone() for name, tensor in one.tensors().items()}
    assert checkpoint.load(other) == 7
    after = other.tensors()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)
    kinds = {name.split("/")[0] for name in before}
    assert kinds == {"network", "optimizer", "scaler", "average", "sampler", "history"}
    assert other.scaler.get_scale() == 16
    assert other.sampler.kept["step"] == 1
    assert other.sampler.kept["codes"].shape == (0, 2)
    per_weight = 2 if optimizer == "rmsprop" else 1
    weights = sum(1 for _ in one.network.parameters())
    assert sum(name.startswith("optimizer/") for name in before) == per_weight * weights


def test_another_training_another_version_and_a_broken_file_are_refused(small, tmp_path):
    state = state_of(small, 1)
    Checkpoint(tmp_path, {"seed": 0, "recipe": {"epochs": 3}}).save(1, state)
    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(UserError, match=r"is the checkpoint of another training \(recipe differs\)"):
        Checkpoint(tmp_path, {"seed": 0, "recipe": {"epochs": 4}}).load(state)
    tensors, header = read_weights(path)
    whole = path.read_bytes()
    for wrong in ({"epoch": 1, "training": {}}, {**header, "format": 99}):
        path.write_bytes(pack_weights(tensors, wrong))
        with pytest.raises(UserError, match="was written by another version of lissnas"):
            Checkpoint(tmp_path, {"seed": 0}).load(state)
    path.write_bytes(whole[:-10])
    with pytest.raises(UserError, match="no whole safetensors file"):
        Checkpoint(tmp_path, {"seed": 0}).load(state)


def test_a_weight_that_is_no_number_is_named(small):
    network = Supernet(small, seed=0)
    state = State(network, make_optimizer(network, Recipe()), torch.amp.GradScaler("cpu"), None, None, np.zeros(1))
    state.require_finite(3, "start anew")
    with torch.no_grad():
        network.tail[0].weight[0, 0] = float("inf")
    with pytest.raises(UserError, match=r"the weights 'tail\.0\.weight' are no numbers any more after 3 steps"):
        state.require_finite(3, "start anew")
