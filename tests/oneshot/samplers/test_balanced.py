"""A path's chance is proportional to its parameters."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.oneshot.samplers import balanced
from lissnas.oneshot.samplers.balanced import BalancedSampler
from lissnas.spaces import ExplicitSpace, Gene, ProductSpace, TableCost
from lissnas.spaces.shufflenetv2 import shufflenetv2


def expected(space, genotypes):
    params = space.cost(genotypes).params
    return params / params.sum()


def test_a_listed_space_is_weighed_one_by_one(small, rng):
    members = small.sample(8, rng)
    space = ExplicitSpace.of(small, members)
    paths = BalancedSampler(space).draw(40_000, rng)[:, 0]
    rows = space.genotypes
    counts = (paths[:, None] == rows[None]).all(axis=2).sum(axis=0)
    np.testing.assert_allclose(counts / 40_000, expected(space, rows), atol=0.007)
    assert counts.sum() == 40_000


def test_rejection_draws_from_the_same_distribution(small, rng, monkeypatch):
    monkeypatch.setattr(balanced, "is_listed", lambda space: False)
    paths = BalancedSampler(small).draw(64_000, rng)[:, 0]
    codes = small.encode(paths)[:, 0].astype(int)
    everyone = np.concatenate(list(small.enumerate()))
    counts = np.bincount(codes, minlength=64)[small.encode(everyone)[:, 0].astype(int)]
    share = expected(small, everyone)
    chi_square = float(((counts - 64_000 * share) ** 2 / (64_000 * share)).sum())
    assert chi_square < 110  # 63 degrees of freedom: once in 5,000


def test_a_large_space_is_drawn_from_by_rejection(rng):
    table = np.zeros((12, 5))
    table[0, :4] = 10, 20, 30, 40
    genes = [Gene(f"g{index}", ("a", "b", "c", "d")) for index in range(12)]
    space = ProductSpace("wide", genes, costs=[TableCost("params", 0, table)])  # 16.8 million
    counts = np.stack([np.bincount(column, minlength=4) for column in BalancedSampler(space).draw(10_000, rng)[:, 0].T])
    np.testing.assert_allclose(counts[0] / 10_000, [0.1, 0.2, 0.3, 0.4], atol=0.02)
    np.testing.assert_allclose(counts[1:] / 10_000, 0.25, atol=0.02)


def test_the_largest_of_a_published_space():
    assert BalancedSampler(shufflenetv2()).largest == 3_830_864  # Xception everywhere but in the first block


def test_a_network_without_parameters_is_never_drawn(rng):
    space = ProductSpace("p", [Gene("g", ("none", "one", "three"))], costs=[TableCost("params", 0, np.array([[0, 1, 3.0, 0]]))])
    counts = np.bincount(BalancedSampler(space).draw(4000, rng).ravel(), minlength=3)
    assert counts[0] == 0
    assert abs(counts[2] / 4000 - 0.75) < 0.03
    free = ProductSpace("free", [Gene("g", ("a", "b"))], costs=[TableCost("params", 0, np.zeros((1, 3)))])
    with pytest.raises(UserError, match="needs 'params' above 0, but in 'free' it is 0 to 0"):
        BalancedSampler(free)
