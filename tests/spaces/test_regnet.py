"""RegNet: widths and depths as published, all twelve RegNetX models, the contract, bad input."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.spaces import ConstrainedSpace
from lissnas.spaces.regnet import MULTIPLIERS, SLOPES, RegNet, regnet, regnet_stages
from lissnas.spaces.xblock import Stages, XBlockLayout, make_compatible, stage_costs
from lissnas.testing import SpaceContract

# pycls configs/dds_baselines/regnetx: w_0, w_a, w_m, group width, depth; flops (B) and parameters (M) of its MODEL_ZOO.md; the
# parameters in full (torchvision documents the same for 800MF and 16GF).
PUBLISHED = {
    "200MF": ((24, 36.44, 2.49, 8, 13), 0.2, 2.7, 2_684_792),
    "400MF": ((24, 24.48, 2.54, 16, 22), 0.4, 5.2, 5_157_512),
    "600MF": ((48, 36.97, 2.24, 24, 16), 0.6, 6.2, 6_196_040),
    "800MF": ((56, 35.73, 2.28, 16, 16), 0.8, 7.3, 7_259_656),
    "1.6GF": ((80, 34.01, 2.25, 24, 18), 1.6, 9.2, 9_190_136),
    "3.2GF": ((88, 26.31, 2.25, 48, 25), 3.2, 15.3, 15_296_552),
    "4.0GF": ((96, 38.65, 2.43, 40, 23), 4.0, 22.1, 22_118_248),
    "6.4GF": ((184, 60.83, 2.07, 56, 17), 6.5, 26.2, 26_209_256),
    "8.0GF": ((80, 49.56, 2.88, 120, 23), 8.0, 39.6, 39_572_648),
    "12GF": ((168, 73.36, 2.37, 112, 19), 12.1, 46.1, 46_106_056),
    "16GF": ((216, 55.59, 2.1, 128, 22), 15.9, 54.3, 54_278_536),
    "32GF": ((320, 69.86, 2.0, 168, 23), 31.7, 107.8, 107_811_560),
}
SMALL = {
    "depths": (1, 2, 4, 6),
    "widths": (4, 24, 40),
    "slopes": (4, 36.4, 100),
    "multipliers": (1.5, 2.5),
    "bottlenecks": (1, 2),
    "groups": (1, 8, 32),
    "resolution": 16,
    "classes": 10,
}


class TestFullContract(SpaceContract):
    space = staticmethod(regnet)


class TestSmallContract(SpaceContract):
    def space(self) -> RegNet:
        return regnet(**SMALL)


def published(name: str) -> Stages:
    (w0, wa, wm, group, depth), *_ = PUBLISHED[name]
    widths, depths = regnet_stages(w0, wa, wm, depth)
    return Stages(depths, *make_compatible(widths, np.ones_like(widths), np.full_like(widths, group)))


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_models(name: str) -> None:
    _, giga_flops, mega_params, params = PUBLISHED[name]
    costs = stage_costs(published(name), XBlockLayout())
    assert round(costs["flops"][0] / 1e9, 1) == giga_flops
    assert round(costs["params"][0] / 1e6, 1) == mega_params
    assert costs["params"][0] == params


@pytest.mark.parametrize(
    ("name", "widths", "depths"),
    [
        ("200MF", [24, 56, 152, 368], [1, 1, 4, 7]),
        ("400MF", [32, 64, 160, 384], [1, 2, 7, 12]),
        ("3.2GF", [96, 192, 432, 1008], [2, 6, 15, 2]),
        ("8.0GF", [80, 240, 720, 1920], [2, 5, 15, 1]),
    ],
)
def test_published_widths_and_depths(name: str, widths: list[int], depths: list[int]) -> None:
    stages = published(name)
    assert (stages.widths[0].tolist(), stages.depths[0].tolist()) == (widths, depths)


def test_stages_of_a_batch_are_those_of_each() -> None:
    numbers = np.array([list(PUBLISHED[name][0]) for name in PUBLISHED])
    widths, depths = regnet_stages(numbers[:, 0], numbers[:, 1], numbers[:, 2], numbers[:, 4].astype(int))
    for row, (w0, wa, wm, _, depth) in enumerate(numbers.tolist()):
        one, blocks = regnet_stages(w0, wa, wm, int(depth))
        assert np.array_equal(widths[row, : one.shape[1]], one[0])
        assert np.array_equal(depths[row, : one.shape[1]], blocks[0])
        assert blocks.sum() == depth
    assert regnet_stages(32, 0, 2.0, 5)[1].tolist() == [[5]]
    assert regnet_stages(4, 4, 1.5, 1)[0].tolist() == [[8]]  # at least 8


def test_size_and_stages(rng: np.random.Generator) -> None:
    space = regnet()
    assert space.encodings == space.cardinality == 64**4 * 6 * 3 == 301_989_888
    assert space.max_edits == 6
    x = space.sample(20_000, rng)
    stages = space.stages_of(x)
    assert np.array_equal(stages.depths.sum(axis=1), x[:, 0].astype(int) + 1)
    there = stages.depths > 0
    assert (stages.inners % stages.groups == 0)[there].all()
    assert (stages.inners * np.array([1, 2, 4])[x[:, 4]][:, None] == stages.widths)[there].all()
    cost = space.cost(x)
    assert np.array_equal(cost.stages, there.sum(axis=1))
    slopes, multipliers = np.meshgrid(SLOPES, MULTIPLIERS)
    assert regnet_stages(4, slopes.ravel(), multipliers.ravel(), 64)[0].shape[1] == 12  # the most that there are


def test_numbers_that_give_the_same_stages() -> None:
    """With an initial width of 24: of 64^3 sets of numbers, so many lists of block widths, and so many with four stages."""
    slopes, multipliers = (values.ravel() for values in np.meshgrid(SLOPES, MULTIPLIERS))
    widths, depths = regnet_stages(24, slopes, multipliers, 64)
    blocks = np.repeat(widths.ravel(), depths.ravel()).reshape(-1, 64).astype(np.uint16)
    lists = {row[:depth].tobytes() for row in blocks for depth in range(1, 65)}
    ends = np.cumsum(depths, axis=1)
    four = ends[:, 3] - ends[:, 2]  # depths that end within the fourth stage
    assert (len(lists), four.sum()) == (182_915, 28_451)


def test_the_papers_four_stages_are_a_limit(rng: np.random.Generator) -> None:
    space = ConstrainedSpace(regnet(), ["stages == 4", "flops <= 800e6"])
    x = space.sample(10, rng)
    assert (space.cost(x).stages == 4).all()
    assert len(regnet().diagram(x[0]).nodes) == 6


def test_make_compatible_rounds_to_the_nearest_group() -> None:
    """Half to even; a group is never wider than what it divides."""
    cases = [
        # width, ratio, group -> width, inner, group
        ((24, 1, 16), (32, 32, 16)),
        ((40, 1, 16), (32, 32, 16)),
        ((8, 4, 32), (8, 2, 2)),
        ((24, 4, 8), (24, 6, 6)),
        ((24, 4, 4), (32, 8, 4)),
        ((1016, 1, 16), (1024, 1024, 16)),
    ]
    given = np.array([case for case, _ in cases])
    assert np.column_stack(make_compatible(*given.T)).tolist() == [list(fitted) for _, fitted in cases]


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((0, 4, 2, 5), "the initial width of a RegNet must be at least 1, but got 0"),
        ((8, -1, 2, 5), "the slope of a RegNet must be at least 0, but got -1"),
        ((8, 4, 1, 5), "the width multiplier of a RegNet must be greater than 1, but got 1"),
        ((8, 4, float("nan"), 5), "the width multiplier"),
        ((8, 4, 2, 0), "the depth of a RegNet must be at least 1, but got 0"),
    ],
)
def test_numbers_that_make_no_regnet(numbers: tuple[float, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        regnet_stages(*numbers)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"slopes": (-4,)}, "the slope"),
        ({"groups": (0, 1)}, "the groups must be"),
        ({"depths": ()}, "at least one allele"),
        ({"multipliers": (1.5, 1.5)}, "twice"),
    ],
)
def test_bad_options(options: dict[str, tuple[float, ...]], message: str) -> None:
    with pytest.raises(UserError, match=message):
        regnet(**options)


def test_wrong_strings() -> None:
    space = regnet()
    with pytest.raises(UserError, match="row 0: gene 'initial_width' has no allele '25'"):
        space.parse(["depth=13 initial_width=25 slope=36 multiplier=2.5 bottleneck=1 group=8"])
