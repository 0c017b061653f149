"""K weight sets for every operation, of which each path mixes its own; one set is the plain supernet."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from lissnas import get_space
from lissnas.errors import UserError
from lissnas.oneshot import (
    ImageData,
    Recipe,
    Split,
    Supernet,
    evaluate_subnets,
    recalibrate,
    score_subnets,
    train,
    train_supernet,
)
from lissnas.oneshot.kshot import KShotSupernet
from lissnas.oneshot.samplers import get_sampler
from lissnas.spaces import ExplicitSpace
from lissnas.spaces.nasbench101 import nasbench101
from lissnas.spaces.nasbench201 import nasbench201
from lissnas.testing import SupernetContract


class TestOneShot(SupernetContract):
    def supernet(self):
        return KShotSupernet(nasbench201(resolution=8), shots=1, seed=0)


SPACES = {
    "nasbench201": nasbench201(resolution=8),
    "nasbench101": nasbench101(resolution=8, stem_channels=8),
    "nats-size": get_space("nats-size"),
}


def images_of(space):
    layout = space.layout
    shape = (8, layout.in_channels, layout.resolution, layout.resolution)
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def by_plain_name(supernet):
    """The state of a supernet of one set, by the names of a plain one."""
    return {name.removeprefix("sets.0."): tensor for name, tensor in supernet.state_dict().items()}


def test_one_set_is_the_plain_supernet_to_the_bit(small, data, recipe):
    plain, one = Supernet(small, seed=3), KShotSupernet(small, shots=1, seed=3)
    assert one.simplex is None
    images = images_of(small)
    for path in small.sample(5, np.random.default_rng(0)):
        for network in (plain, one):
            network.eval()
        assert torch.equal(plain(images, path), one(images, path))
    harder = replace(recipe, clip_norm=1.0, weight_decay=1e-3)
    losses = [train_supernet(network, small, data, harder, seed=1) for network in (plain, one)]
    assert (losses[0] == losses[1]).all()
    trained = by_plain_name(one)
    assert trained.keys() == plain.state_dict().keys()
    assert all(torch.equal(tensor, trained[name]) for name, tensor in plain.state_dict().items())
    x = small.sample(20, np.random.default_rng(1))
    assert (score_subnets(plain, x, data).cross_entropy == score_subnets(one, x, data).cross_entropy).all()


@pytest.mark.parametrize("name", SPACES)
def test_over_any_supernet_a_subnet_has_the_mixed_weights(name):
    space = SPACES[name]
    supernet = KShotSupernet(space, shots=3, hidden=8, seed=0).eval()
    images = images_of(space)
    for path in space.sample(3, np.random.default_rng(0)):
        recalibrate(supernet, path, images)
        subnet = supernet.subnet(path)
        with torch.no_grad():
            torch.testing.assert_close(supernet(images, path), subnet(images), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", SPACES)
def test_a_step_reaches_what_the_path_uses_in_all_sets(name):
    space = SPACES[name]
    supernet = KShotSupernet(space, shots=2, hidden=8, seed=0).train()
    names = {id(parameter): name for name, parameter in supernet.named_parameters()}
    for path in space.sample(3, np.random.default_rng(0)):
        supernet.zero_grad()
        supernet(images_of(space), path).square().sum().backward()
        reached = {name for name, parameter in supernet.named_parameters() if parameter.grad is not None}
        listed = [names[id(parameter)] for parameter in supernet.parameters_of(path)]
        assert reached == set(listed)
        assert len(listed) == len(reached)


def test_mixing_is_a_convex_combination(small):
    supernet = KShotSupernet(small, shots=3, seed=0)
    path = [1, 2, 3]
    code = supernet.code(path).detach()
    assert code.shape == (3,)
    assert float(code.min()) > 0
    assert float(code.sum()) == pytest.approx(1)
    assert not torch.equal(code, supernet.code([1, 2, 2]))
    name = "sites.1.2.main.0.weight"
    sets = [dict(each.named_parameters())[name] for each in supernet.sets]
    expected = sum(share * weight for share, weight in zip(code, sets, strict=True))
    torch.testing.assert_close(supernet.mixed(path)[name], expected)
    assert not any(key.startswith("sites.1.1.") for key in supernet.mixed(path))
    with torch.no_grad():  # at a corner of the simplex it is the supernet that stands there
        supernet.simplex.second.weight.zero_()
        supernet.simplex.second.bias.copy_(torch.tensor([-1e9, 0, -1e9]))
    assert torch.equal(supernet.mixed(path)[name], sets[1])


def test_weights_and_simplex_network_learn_in_turn(small, data):
    supernet = KShotSupernet(small, shots=2, weight_steps=2, seed=0)
    simplex = list(supernet.simplex.parameters())
    others = [p for p in supernet.parameters() if not any(p is q for q in simplex)]
    assert [len(supernet.resting(step)) for step in range(6)] == [len(simplex), len(simplex), len(others)] * 2
    for steps, moved in ((2, (True, False)), (3, (True, True))):
        supernet = KShotSupernet(small, shots=2, weight_steps=2, seed=0)
        before = {name: tensor.clone() for name, tensor in supernet.state_dict().items()}
        train_supernet(supernet, small, data, Recipe(epochs=1, batch_size=96 // steps, ghost=None), seed=0)
        changed = [name for name, tensor in supernet.state_dict().items() if not torch.equal(tensor, before[name])]
        assert (any(n.startswith("sets.1.") for n in changed), any(n.startswith("simplex.") for n in changed)) == moved


def test_it_is_trained_scored_and_resumed_like_any_supernet(small, data, recipe, tmp_path):
    def stop(progress):
        if progress.epoch == 3:
            raise InterruptedError

    whole, cut = (KShotSupernet(small, shots=2, seed=0) for _ in range(2))
    losses = train_supernet(whole, get_sampler("greedy", small, paths=3, keeps=1, pool=9), data, recipe, seed=1)
    with pytest.raises(InterruptedError):
        train_supernet(
            cut,
            get_sampler("greedy", small, paths=3, keeps=1, pool=9),
            data,
            recipe,
            seed=1,
            checkpoint_dir=tmp_path,
            on_progress=stop,
        )
    resumed = KShotSupernet(small, shots=2, seed=0)
    again = train_supernet(
        resumed, get_sampler("greedy", small, paths=3, keeps=1, pool=9), data, recipe, seed=1, checkpoint_dir=tmp_path
    )
    assert (again == losses).all()
    assert all(torch.equal(tensor, resumed.state_dict()[name]) for name, tensor in whole.state_dict().items())
    other = KShotSupernet(small, shots=2, weight_steps=3, seed=0)
    with pytest.raises(UserError, match="checkpoint of another training"):
        train_supernet(
            other, get_sampler("greedy", small, paths=3, keeps=1, pool=9), data, recipe, seed=1, checkpoint_dir=tmp_path
        )
    x = small.sample(12, np.random.default_rng(0))
    alone = evaluate_subnets(whole, x, data)
    assert (evaluate_subnets(whole, x, data, workers=2) == alone).all()
    assert alone.shape == (12,)


def test_copies_are_whole(small):
    supernet = KShotSupernet(small, shots=2, seed=0).eval()
    images, path = images_of(small), [3, 0, 2]
    expected = supernet(images, path)
    for twin in (copy.deepcopy(supernet), pickle.loads(pickle.dumps(supernet))):
        assert torch.equal(twin(images, path), expected)
        with torch.no_grad():
            twin.sets[1].sites[0][3].main[0].weight.add_(1)
        assert not torch.equal(twin(images, path), expected)
    assert torch.equal(supernet(images, path), expected)


@pytest.mark.parametrize("option", ["shots", "weight_steps", "hidden"])
def test_options_that_make_no_sense_are_refused(small, option):
    with pytest.raises(UserError, match=f"{option} must be a whole number from 1 on, but got 0"):
        KShotSupernet(small, **{option: 0})


@pytest.mark.parametrize("precision", ["float32", "bf16", "fp16"])
def test_a_step_on_a_path_where_nothing_learns_is_none(precision, monkeypatch):
    """Every other step trains the codes, of which a path of nothing but zeros mixes no weights."""
    monkeypatch.setattr(train, "require_precision", lambda precision, device: None)  # fp16 is asked of GPUs alone
    space = nasbench201(resolution=8)
    nothing = ExplicitSpace.of(space, np.zeros((1, space.length), dtype=np.uint8))
    rng = np.random.default_rng(0)
    split = Split(rng.integers(0, 256, size=(64, 3, 8, 8), dtype=np.uint8), rng.integers(0, 10, size=64))
    images = ImageData("noise", split, split, split, classes=10)
    once = Recipe(epochs=1, batch_size=32, precision=precision)
    assert np.isfinite(train_supernet(KShotSupernet(space, shots=2, seed=0), nothing, images, once, seed=0)).all()
