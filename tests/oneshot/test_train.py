"""Training learns, repeats to the byte, resumes to the byte, and says what went wrong."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from lissnas.errors import UserError
from lissnas.oneshot import (
    KShotSupernet,
    Recipe,
    Supernet,
    build_network,
    score_network,
    score_subnets,
    train,
    train_network,
    train_supernet,
)
from lissnas.oneshot.distributed import Ranks
from lissnas.oneshot.samplers import PathSampler, get_sampler
from lissnas.oneshot.train import Training
from lissnas.oneshot.weights import read_weights
from lissnas.spaces import ExplicitSpace
from lissnas.spaces.shufflenetv2 import digits_shuffle, shuffle_chain


def weights(network):
    return {name: tensor.numpy().tobytes() for name, tensor in network.state_dict().items()}


class Interrupted(Exception):
    pass


def stop_after(epoch):
    def on_progress(progress):
        if progress.epoch == epoch:
            raise Interrupted

    return on_progress


@pytest.fixture(scope="module")
def even():
    """Like ``small``, without dropout, so that the same images give the same gradients however they are cut."""
    return shuffle_chain("even", resolution=8, in_channels=1, stem=(4, 1), stages=((2, 8, 2), (1, 16, 2)), head=16, classes=10)


class Fixed(PathSampler):
    """The same paths at each step."""

    def __init__(self, space, *paths, distils=False):
        self.space, self.paths, self.distils = space, np.array(paths, dtype=np.uint8), distils

    def draw(self, steps, rng):
        return np.repeat(self.paths[None], steps, axis=0)


class Greedy(PathSampler):
    """Five candidates, the best two are trained on; it remembers what it was told, and ends after ``enough`` steps."""

    trains = 2

    def __init__(self, space, enough=1000):
        self.space, self.enough, self.told = space, enough, np.zeros((0, 5))
        self.seen = []

    def draw(self, steps, rng):
        assert steps == 1
        return self.space.sample(5, rng)[None]

    def observe(self, paths, losses):
        self.seen.append((paths, losses))
        self.told = np.concatenate([self.told, losses[None]])

    def state(self):
        return {"told": self.told}

    def restore(self, arrays):
        self.told = arrays["told"]

    def finished(self):
        return len(self.told) >= self.enough


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


ONE_STEP = Recipe(
    epochs=1, batch_size=96, ghost=None, momentum=0.0, weight_decay=0.0, warmup_epochs=1, learning_rate=0.5, label_smoothing=0.0
)


def moves(supernet, paths, data, recipe):
    """How far one step moves each weight."""
    before = {name: tensor.clone() for name, tensor in supernet.state_dict().items()}
    train_supernet(supernet, paths, data, recipe, seed=0)
    return {name: tensor - before[name] for name, tensor in supernet.state_dict().items()}


def test_the_gradients_of_several_paths_of_a_step_are_added(even, data):
    path = (0, 0, 0)
    one, two = (moves(Supernet(even, seed=0), Fixed(even, *[path] * copies), data, ONE_STEP) for copies in (1, 2))
    torch.testing.assert_close(two, {name: 2 * move for name, move in one.items()}, rtol=1e-3, atol=1e-6)


def test_a_batch_in_parts_moves_the_weights_as_a_whole_one_does(even, data):
    whole, parts = (
        moves(Supernet(even, seed=0), even, data, replace(ONE_STEP, epochs=3, ghost=16, clip_norm=0.5, accumulate=n))
        for n in (1, 3)
    )
    torch.testing.assert_close(parts, whole, rtol=1e-3, atol=1e-6)
    assert max(move.abs().max() for move in whole.values()) > 1e-3


def test_gradients_are_clipped_by_norm_and_by_value(even, data):
    for clip, measure in (({"clip_norm": 1e-3}, "norm"), ({"clip_value": 1e-4}, "value")):
        moved = moves(Supernet(even, seed=0), Fixed(even, (0, 1, 2)), data, replace(ONE_STEP, **clip))
        flat = torch.cat([move.flatten() for move in moved.values()])
        if measure == "norm":
            assert flat.norm().item() == pytest.approx(0.5 * 1e-3, rel=1e-3)
        else:
            assert flat.abs().max().item() == pytest.approx(0.5 * 1e-4, rel=1e-2)


def test_a_step_trains_the_parameters_of_its_path_and_only_these_travel(even, data):
    sent = []

    class Recorder(Ranks):
        def average(self, tensors):
            sent.append(sum(tensor.numel() for tensor in tensors))

    supernet = Supernet(even, seed=0)
    Training(supernet, Fixed(even, (3, 1, 2)), data, ONE_STEP, 0, None).run(Recorder(torch.device("cpu")))
    own = supernet.parameters_of([3, 1, 2])
    assert {id(p) for p in supernet.parameters() if p.grad is not None} == {id(p) for p in own}
    assert sent == [sum(p.numel() for p in own), 1]  # and the loss
    assert sent[0] < sum(p.numel() for p in supernet.parameters())


def test_later_paths_of_a_step_learn_from_what_the_first_one_says(even, data):
    """Whatever the labels are, a second path that is the first one too has nothing to learn: its loss is its own entropy."""
    history = train_supernet(Supernet(even, seed=0), Fixed(even, *[(0, 0, 0)] * 2, distils=True), data, ONE_STEP, seed=0)
    alone = train_supernet(Supernet(even, seed=0), Fixed(even, (0, 0, 0)), data, ONE_STEP, seed=0)
    training = Training(Supernet(even, seed=0), Fixed(even, (0, 0, 0), (1, 2, 3), distils=True), data, ONE_STEP, 0, None)
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    images, labels = torch.randn(8, 1, 8, 8), torch.zeros(8, dtype=torch.int64)
    first, second = training._backward(training.network, images, labels, [[0, 0, 0], [1, 2, 3]], scaler)
    with torch.no_grad():
        teacher, student = (training.network(images, path) for path in ([0, 0, 0], [1, 2, 3]))
    torch.testing.assert_close(first, -teacher.log_softmax(1)[:, 0].mean())
    torch.testing.assert_close(second, -(teacher.softmax(1) * student.log_softmax(1)).sum(1).mean())
    assert history[0] != alone[0]


def test_the_best_candidates_by_held_out_loss_are_trained_on(even, data):
    sampler, greedy, fixed = Greedy(even), Supernet(even, seed=0), Supernet(even, seed=0)
    train_supernet(greedy, sampler, data, ONE_STEP, seed=0)
    ((paths, losses),) = sampler.seen
    assert paths.shape == (5, 3)
    expected = score_subnets(Supernet(even, seed=0), paths, data).cross_entropy
    assert np.allclose(losses, expected, atol=0.1)  # there statistics are those of training images
    train_supernet(fixed, Fixed(even, *paths[np.argsort(losses)[:2]]), data, ONE_STEP, seed=0)
    assert weights(greedy) == weights(fixed)


def test_a_greedy_training_that_was_cut_off_ends_in_the_same_bytes(small, data, recipe, tmp_path):
    whole, told = Supernet(small, seed=0), Greedy(small)
    history = train_supernet(whole, told, data, recipe, seed=7)
    with pytest.raises(Interrupted):
        train_supernet(
            Supernet(small, seed=0), Greedy(small), data, recipe, seed=7, checkpoint_dir=tmp_path, on_progress=stop_after(3)
        )
    second, sampler = Supernet(small, seed=9), Greedy(small)
    assert (train_supernet(second, sampler, data, recipe, seed=7, checkpoint_dir=tmp_path) == history).all()
    assert weights(second) == weights(whole)
    assert (sampler.told == told.told).all()
    assert len(told.told) == 12


def test_a_sampler_can_end_the_training(small, data, recipe, tmp_path):
    for _ in range(2):  # and it stays ended
        supernet, seen = Supernet(small, seed=0), []
        history = train_supernet(
            supernet, Greedy(small, 4), data, recipe, seed=0, checkpoint_dir=tmp_path, on_progress=seen.append
        )
        assert history.shape == (2,)
        assert (history > 0).all()
    assert seen == []


VARIANTS = [
    {"optimizer": "nesterov", "accumulate": 2, "clip_norm": 1.0},
    {"optimizer": "rmsprop", "learning_rate": 0.01, "ema": 0.99, "schedule": "step", "decay_epochs": 1.0},
    {"precision": "bf16", "ema": 0.9, "channels_last": False, "clip_value": 0.1},
]


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: next(iter(variant.values())))
def test_every_kind_of_training_that_was_cut_off_ends_in_the_same_bytes(small, data, recipe, tmp_path, variant):
    recipe = replace(recipe, **variant)
    whole = build_network(small, [1, 2, 3], seed=0)
    history = train_network(whole, data, recipe, seed=7)
    assert np.isfinite(history).all()
    with pytest.raises(Interrupted):
        train_network(
            build_network(small, [1, 2, 3], seed=0), data, recipe, seed=7, checkpoint_dir=tmp_path, on_progress=stop_after(3)
        )
    for seed in (1, 2):  # the second time there is nothing left to do
        resumed = build_network(small, [1, 2, 3], seed=seed)
        assert (train_network(resumed, data, recipe, seed=7, checkpoint_dir=tmp_path) == history).all()
        assert weights(resumed) == weights(whole)


def test_bf16_computes_in_bf16_and_keeps_its_weights(even, data):
    seen = []
    network = build_network(even, [0, 0, 0], seed=0)
    network[0].register_forward_hook(lambda *call: seen.append(call[2].dtype))
    train_network(network, data, replace(ONE_STEP, precision="bf16"), seed=0)
    assert seen == [torch.bfloat16]
    assert {p.dtype for p in network.parameters()} == {torch.float32}


def test_a_supernet_learns_in_fp16_as_in_float32_and_goes_on_where_it_was_cut_off(small, data, recipe, monkeypatch, tmp_path):
    monkeypatch.setattr(train, "require_precision", lambda precision, device: None)  # fp16 is asked of GPUs alone
    recipe, histories, ends = replace(recipe, learning_rate=0.05), [], []
    for precision in ("float32", "fp16"):
        supernet = Supernet(small, seed=0)
        histories.append(train_supernet(supernet, small, data, replace(recipe, precision=precision), seed=7))
        ends.append(weights(supernet))
    np.testing.assert_allclose(histories[1], histories[0], rtol=0.05)
    recipe = replace(recipe, precision="fp16")
    with pytest.raises(Interrupted):
        train_supernet(Supernet(small, seed=0), small, data, recipe, seed=7, checkpoint_dir=tmp_path, on_progress=stop_after(3))
    resumed = Supernet(small, seed=1)
    assert (train_supernet(resumed, small, data, recipe, seed=7, checkpoint_dir=tmp_path) == histories[1]).all()
    assert weights(resumed) == ends[1]


@pytest.mark.parametrize(
    ("sampler", "shots", "settings"),
    [
        ("uniform", 1, {"clip_norm": 1.0, "clip_value": 1.0, "ema": 0.9, "accumulate": 2}),
        ("uniform", 1, {"optimizer": "nesterov", "warmup_epochs": 0.5, "channels_last": False}),
        ("sandwich", 1, {"optimizer": "rmsprop", "learning_rate": 0.01}),
        ("uniform", 2, {}),
    ],
)
def test_no_step_reads_a_number_back_from_its_device(small, data, recipe, monkeypatch, sampler, shots, settings):
    """Each would make the host wait for a GPU. On "meta" there are none: an epoch runs up to where its losses are looked at.

    What is sent to a device is not looked at here: on a GPU bench/gpu/training.py does it.
    """
    monkeypatch.setattr(Ranks, "same", lambda ranks, number: True)  # looks once, before the first step
    monkeypatch.setattr(train, "_mean_loss", Mock(side_effect=Interrupted))
    supernet, steps = KShotSupernet(small, shots=shots, seed=0), []
    supernet.register_forward_pre_hook(lambda *_: steps.append(1))
    job = Training(supernet, get_sampler(sampler, small), data, replace(recipe, ghost=8, **settings), 0, None)
    with pytest.raises(Interrupted):
        job.run(Ranks(torch.device("meta")))
    losses = train._mean_loss.call_args.args[0]
    assert len(losses) == len(steps) >= 3
    assert all(loss.is_meta for loss in losses)


def test_fp16_without_a_gpu_is_one_line(small, data, recipe):
    with pytest.raises(UserError, match="fp16 takes a GPU, but the network is on 'cpu': use bf16"):
        train_supernet(Supernet(small, seed=0), small, data, replace(recipe, precision="fp16"), seed=0)


def test_compile_is_for_networks_of_their_own(small, data, recipe, monkeypatch):
    recipe, compiled = replace(recipe, compile=True), []
    monkeypatch.setattr(torch, "compile", lambda network: compiled.append(network) or network)
    network = build_network(small, [0, 0, 0], seed=0)
    train_network(network, data, recipe, seed=0)
    assert compiled == [network]
    with pytest.raises(UserError, match="compile is for networks of their own"):
        train_supernet(Supernet(small, seed=0), small, data, recipe, seed=0)


def test_a_path_that_is_none_of_the_space_is_refused(small, data, recipe):
    with pytest.raises(UserError, match=r"the sampler Fixed drew a path outside 'small': row 0: gene 'block_1' .* got 9"):
        train_supernet(Supernet(small, seed=0), Fixed(small, (0, 9, 0)), data, recipe, seed=0)
    shrunk = ExplicitSpace.of(small, np.array([[0, 0, 0], [1, 0, 0]], dtype=np.uint8))
    with pytest.raises(UserError, match="the sampler Fixed drew a path outside"):
        train_supernet(Supernet(small, seed=0), Fixed(shrunk, (2, 0, 0)), data, recipe, seed=0)


def test_shares_that_hold_no_whole_ghosts_are_refused(small, data, recipe):
    with pytest.raises(UserError, match="batch_size 32 on 3 devices, accumulate 1 and ghost 16: choose a batch_size"):
        train_supernet(Supernet(small, seed=0), small, data, recipe, seed=0, devices=3)
    with pytest.raises(UserError, match="devices must be 1 or more, but got 0"):
        train_supernet(Supernet(small, seed=0), small, data, recipe, seed=0, devices=0)


def test_images_that_the_networks_do_not_take_are_refused(small, data, recipe):
    other = replace(data, classes=7)
    for refused in (
        lambda: train_supernet(Supernet(small, seed=0), small, other, recipe, seed=0),
        lambda: score_subnets(Supernet(small, seed=0), small.sample(2, np.random.default_rng(0)), other),
    ):
        with pytest.raises(UserError, match="take images of 1 x 8 x 8 in 10 classes, but digits has 1 x 8 x 8 in 7"):
            refused()
    with pytest.raises(UserError, match=r"gives \[32, 10\] numbers for 32 images, but digits has 12 classes"):
        train_network(build_network(small, [0, 0, 0], seed=0), replace(data, classes=12), recipe, seed=0)


class Breaking(torch.nn.Module):
    """A network whose logits, or whose gradients, are no numbers from some call on."""

    def __init__(self, network, calls, what):
        super().__init__()
        self.network, self.calls, self.what = network, calls, what
        self.zero = torch.nn.Parameter(torch.zeros(1))

    def forward(self, images):
        self.calls -= 1
        logits = self.network(images)
        if self.calls >= 0:
            return logits + 0 * self.zero
        if self.what == "memory":
            return logits + torch.empty(1 << 60)
        return logits * float("nan") if self.what == "loss" else logits + self.zero.sqrt()


@pytest.mark.parametrize(
    ("what", "calls", "message"),
    [
        ("loss", 10, "the loss became nan at step 10: start anew with a lower learning rate; the last good state is kept in"),
        ("gradient", 11, "the weights 'zero' are no numbers any more after 12 steps"),
        ("memory", 10, "'cpu' has not enough memory for batch_size 32 with accumulate 1: accumulate 2 does the same"),
    ],
)
def test_the_last_good_state_is_kept(small, data, recipe, tmp_path, what, calls, message):
    network = Breaking(build_network(small, [0, 0, 0], seed=0), calls, what)
    with pytest.raises(UserError, match=message):
        train_network(network, data, recipe, seed=0, checkpoint_dir=tmp_path)
    tensors, header = read_weights(tmp_path / "checkpoint.safetensors")
    assert header["epoch"] == 2
    assert all(torch.isfinite(tensor).all() for tensor in tensors.values())


def test_a_loss_that_is_no_number_names_step_and_path(small, data, recipe):
    with pytest.raises(
        UserError, match=r"loss became (nan|inf) at step \d+ on the path \(\d, \d, \d\): start anew with a lower learning rate$"
    ):
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
