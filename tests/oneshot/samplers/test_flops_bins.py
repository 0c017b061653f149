"""Uniform over bins of FLOPs, then uniform within the bin."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.oneshot.samplers.flops_bins import FlopsBinsSampler
from lissnas.spaces import ExplicitSpace
from lissnas.spaces.shufflenetv2 import digits_shuffle, shufflenetv2


def test_spos_own_bins(rng):
    space = shufflenetv2()
    sampler = FlopsBinsSampler(space, bins=7, low=290e6, high=360e6)
    np.testing.assert_allclose(sampler.bounds[:, 0], np.arange(290e6, 360e6, 10e6))
    paths = sampler.draw(7000, rng)
    assert paths.shape == (7000, 1, 20)
    flops = space.cost(paths[:, 0]).flops
    counts = np.histogram(flops, np.arange(290e6, 361e6, 10e6))[0]
    assert counts.sum() == 7000
    assert counts.min() > 900
    assert counts.max() < 1100


@pytest.mark.parametrize("edges", ["equal-width", "quantile"])
def test_every_bin_is_drawn_from_alike_and_together_they_hold_the_space(edges, rng):
    space = digits_shuffle()
    sampler = FlopsBinsSampler(space, bins=5, edges=edges)
    assert len(sampler.bounds) == 5
    assert sampler.bounds[0, 0] == -np.inf
    assert sampler.bounds[-1, 1] == np.inf
    assert (sampler.bounds[1:, 0] == sampler.bounds[:-1, 1]).all()
    flops = space.cost(sampler.draw(5000, rng)[:, 0]).flops
    counts = ((flops >= sampler.bounds[:, :1]) & (flops < sampler.bounds[:, 1:])).sum(axis=1)
    assert counts.sum() == 5000
    assert counts.min() > 880
    known = np.concatenate([space.cost(block).flops for block in space.enumerate()])
    share = ((known >= sampler.bounds[:, :1]) & (known < sampler.bounds[:, 1:])).mean(axis=1)
    if edges == "quantile":
        np.testing.assert_allclose(share, 0.2, atol=0.02)
    else:
        assert share.min() < 0.1 < 0.25 < share.max()


def test_within_a_bin_every_network_comes_alike(small, rng):
    sampler = FlopsBinsSampler(small, bins=3)
    paths = sampler.draw(30_000, rng)[:, 0]
    everyone = np.concatenate(list(small.enumerate()))
    flops = small.cost(everyone).flops
    times = np.array([(paths == row).all(axis=1).sum() for row in everyone])
    for low, high in sampler.bounds:
        inside = times[(flops >= low) & (flops < high)]
        mean = 10_000 / len(inside)
        assert (abs(inside - mean) < 5 * np.sqrt(mean)).all()


def test_a_bin_without_networks_is_left_out(small, rng):
    flops = small.cost(np.concatenate(list(small.enumerate()))).flops
    order = np.argsort(flops)
    ends = np.concatenate(list(small.enumerate()))[order[[0, 1, -2, -1]]]
    space = ExplicitSpace.of(small, ends)
    sampler = FlopsBinsSampler(space, bins=10)
    assert 2 <= len(sampler.bounds) < 10
    low = space.cost(sampler.draw(2000, rng)[:, 0]).flops < flops.mean()
    below = (sampler.bounds[:, 1] < flops.mean()).sum() / len(sampler.bounds)
    assert abs(low.mean() - below) < 0.05


def test_limits_that_make_no_sense_are_refused(small):
    with pytest.raises(UserError, match="holds a thousandth of 'small'"):
        FlopsBinsSampler(small, low=1e9, high=2e9)
    with pytest.raises(UserError, match="low < high must hold"):
        FlopsBinsSampler(small, low=2e9, high=1e9)
    with pytest.raises(UserError, match="low < high must hold"):
        FlopsBinsSampler(small, low=1e9)
    with pytest.raises(UserError, match=r"low must be a number \(in a file: 2.9e\+8\), but got '290e6'"):
        FlopsBinsSampler(small, low="290e6")
    with pytest.raises(UserError, match="bins must be a whole number from 1 on"):
        FlopsBinsSampler(small, bins=0)
    with pytest.raises(UserError, match="equal-width or quantile"):
        FlopsBinsSampler(small, edges="log")
