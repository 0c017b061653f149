"""A module of one's own: a space, a supernet, and plain modules again."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from lissnas.errors import UserError
from lissnas.formats import load_space, save_space
from lissnas.oneshot import (
    ChoiceBlock,
    ElasticConv2d,
    GhostBatchNorm2d,
    Recipe,
    Supernet,
    count_network,
    evaluate_subnets,
    from_module,
    recalibrate,
    score_network,
    train_network,
    train_supernet,
)
from lissnas.oneshot.batches import tensors
from lissnas.oneshot.choices import ChoiceLayer
from lissnas.oneshot.retrain import retrain
from lissnas.spaces import ExplicitSpace
from lissnas.testing import SpaceContract, SupernetContract


def conv(inputs: int, outputs: int, kernel: int = 3) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), nn.BatchNorm2d(outputs), nn.ReLU())


class Scale(nn.Module):
    """Has a weight of its own beside parts that have some too."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.inner = ChoiceBlock([nn.Identity(), nn.AvgPool2d(3, 1, 1)], "inner")

    def forward(self, x):
        return self.inner(x) * self.scale


class Chain(nn.Sequential):
    """A chain: two choices between modules, one of them inside an alternative."""

    def __init__(self) -> None:
        parts = [
            conv(1, 8),
            ChoiceBlock({"k3": conv(8, 8), "k5": conv(8, 8, 5), "skip": nn.Identity(), "scale": Scale()}, "first"),
            nn.MaxPool2d(2),
            ChoiceBlock({"k1": conv(8, 8, 1), "k3": conv(8, 8)}, "second"),
        ]
        super().__init__(nn.Sequential(*parts), nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10)))


class Elastic(nn.Module):
    """Widths and kernels: two convolutions of one name, whose outputs are added; a depthwise one; features in 2x2 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(ElasticConv2d(1, (4, 6), 3, name="width", stride=2), nn.BatchNorm2d(6), nn.ReLU())
        self.deep = nn.Sequential(
            ElasticConv2d(6, (8, 12, 16), (1, 3), name="inner"),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            ElasticConv2d(16, 16, (3, 5), groups=16, name="depthwise"),
            nn.BatchNorm2d(16),
        )
        self.back = ElasticConv2d(16, (4, 6), 1, name="width", bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.choice = ChoiceBlock(
            {"conv": nn.Conv2d(6, 5, 3, padding=1), "wide": ElasticConv2d(6, (3, 5), 1, name="last")}, "head"
        )
        self.tail = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(20, 10))

    def forward(self, x):
        x = self.stem(x)
        return self.tail(self.choice(torch.relu(x + self.norm(self.back(self.deep(x))))))


def made(module: nn.Module):
    return from_module(module, in_channels=1, resolution=8)


class TestChainSupernet(SupernetContract):
    def supernet(self):
        return made(Chain())[1]


class TestElasticSupernet(SupernetContract):
    def supernet(self):
        return made(Elastic())[1]


class TestSpace(SpaceContract):
    def space(self):
        return from_module(f"{__name__}:Chain", in_channels=1, resolution=8)[0]


def test_the_genes_are_the_choices():
    space, _ = made(Elastic())
    genes = {gene.name: gene.alleles for gene in space.genes}
    assert genes == {
        "width_channels": (4, 6),
        "inner_kernel": (1, 3),
        "inner_channels": (8, 12, 16),
        "depthwise_kernel": (3, 5),
        "head": ("conv", "wide"),
        "last_channels": (3, 5),  # only where head is "wide"
    }
    assert space.cardinality == 2 * 2 * 3 * 2 * (1 + 2)
    assert made(Chain())[0].cardinality == (3 + 2) * 2  # "inner" matters only where "first" is "scale"


@pytest.mark.parametrize("module", [Chain(), Elastic()])
def test_costs_are_those_of_the_plain_module(module, rng):
    space, supernet = made(module)
    x = space.sample(12, rng)
    for row, flops, params in zip(x, *space.cost(x).values(), strict=True):
        plain = supernet.subnet(row)
        assert count_network(plain, torch.zeros(1, 1, 8, 8))[0] == flops
        assert sum(p.numel() for p in plain.parameters()) == params


def test_a_subnet_is_a_plain_module():
    space, supernet = made(Elastic())
    plain = supernet.subnet(
        space.parse(["width_channels=4 inner_kernel=1 inner_channels=12 depthwise_kernel=5 head=wide last_channels=3"])[0]
    )
    assert not [part for part in plain.modules() if isinstance(part, ChoiceLayer)]
    assert {type(part) for part in plain.modules() if isinstance(part, (nn.Conv2d, nn.Linear))} == {nn.Conv2d, nn.Linear}
    shapes = {name: tuple(tensor.shape) for name, tensor in plain.named_parameters()}
    assert shapes["stem.0.weight"] == (4, 1, 3, 3)
    assert shapes["deep.0.weight"] == (12, 4, 1, 1)
    assert shapes["deep.3.weight"] == (12, 1, 5, 5)
    assert shapes["choice.weight"] == (3, 4, 1, 1)
    assert shapes["tail.2.weight"] == (10, 12)


def test_a_supernet_starts_with_the_weights_of_the_module_and_leaves_it_alone():
    module = Chain()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    space, supernet = made(module)
    images = torch.randn(4, 1, 8, 8)
    module.eval()
    torch.testing.assert_close(supernet.eval()(images, [0, 2, 0]), module(images))
    next(supernet.parameters()).data.zero_()
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())
    assert isinstance(module[0][0][1], nn.BatchNorm2d)
    assert not isinstance(module[0][0][1], GhostBatchNorm2d)
    assert space.layout.classes == 10


def test_it_trains_evaluates_and_retrains_like_any_other(data, rng):
    space, supernet = made(Chain())
    recipe = Recipe(epochs=3, batch_size=32, ghost=None, learning_rate=0.1)
    losses = train_supernet(supernet, space, data, recipe, seed=0)
    assert losses[-1] < losses[0]
    x = space.sample(4, rng)
    small = ExplicitSpace.of(space, x)  # a shrunk space: the same supernet
    train_supernet(supernet, small, data, recipe, seed=0)
    scores = evaluate_subnets(supernet, x, data, calibration=64)
    images = tensors(data.train, data)[0][:64]
    for row, score in zip(x, scores, strict=True):
        recalibrate(supernet, row, images)
        plain = supernet.subnet(row)
        assert score_network(plain, data)[0] == pytest.approx(score, abs=1.01)
    losses = train_network(plain, data, recipe, seed=0)
    assert np.isfinite(losses).all()
    named, _ = from_module(f"{__name__}:Chain", in_channels=1, resolution=8)
    (alone,) = retrain(named, x[:1], data, recipe, seed=0)
    assert score_network(alone.network(), data) == pytest.approx((alone.accuracy, alone.cross_entropy))


def test_parts_that_begin_alike_are_run_once():
    _, supernet = made(Chain())
    a, b = supernet.blocks([1, 2, 0]), supernet.blocks([1, 2, 1])
    assert [x == y for x, y in zip(a, b, strict=True)] == [True] * 5 + [False] + [True] * 3


def test_what_a_file_can_hold(tmp_path, rng):
    named, _ = from_module(f"{__name__}:Chain", in_channels=1, resolution=8)
    save_space(named, tmp_path / "named.parquet")
    assert load_space(tmp_path / "named.parquet").fingerprint == named.fingerprint
    space, _ = made(Chain())
    small = ExplicitSpace.of(space, space.sample(5, rng))
    save_space(small, tmp_path / "small.parquet")
    with pytest.raises(UserError, match="in memory, which no file can hold: call from_module again"):
        load_space(tmp_path / "small.parquet")
    again = load_space(tmp_path / "small.parquet", parent=made(Chain())[0])
    assert again.fingerprint == small.fingerprint
    assert made(Chain())[0].fingerprint == space.fingerprint != made(Elastic())[0].fingerprint


class Open(nn.Sequential):
    """``n`` channels into layers that take 4."""

    def __init__(self, *parts: nn.Module) -> None:
        super().__init__(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10))


def pair(name: str, *labels: str) -> nn.Module:
    return ChoiceBlock({label: nn.Conv2d(1, 4, 1) for label in labels}, name)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Open(nn.Conv2d(1, 4, 1)), "leaves nothing open"),
        (lambda: Open(pair("a", "x", "y"), pair("a", "x", "z")), "layers called 'a' are chosen alike, but have the alleles"),
        (lambda: Open(pair("a", "x", "y"), nn.Conv2d(3, 4, 1)), "a=x does not run on images of"),
        (lambda: nn.Sequential(pair("a", "x", "y")), r"logits \[n, classes\], but gives \[2, 4, 8, 8\]"),
        (lambda: ChoiceBlock([nn.Identity()], "a"), "two alternatives or more, but has 1"),
        (lambda: ElasticConv2d(4, 8, 3, name="a"), "leaves nothing open"),
        (lambda: ElasticConv2d(4, 8, (2, 3), name="a"), "must be odd"),
        (lambda: ElasticConv2d(4, (4, 8), 3, groups=4, name="a"), "groups of 'a' must be 1"),
        (lambda: "lissnas.nothing:Here", "cannot be imported"),
        (lambda: "os:system", "must name a class of torch modules"),
    ],
)
def test_mistakes_are_answered_in_one_line(make, message):
    with pytest.raises(UserError, match=message):
        made(make())


def test_a_path_outside_the_space_has_no_subnet():
    space, supernet = made(Chain())
    with pytest.raises(UserError, match="has alleles"):
        supernet.subnet([9, 0, 0])
    assert isinstance(supernet, Supernet)
    assert space.root is space
