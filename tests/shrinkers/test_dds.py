"""DDS: the bootstrap by hand, ranges only where there is an order."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas import FunctionEvaluator, UserError, get_space
from lissnas.shrinkers import DDS
from lissnas.shrinkers.dds import good_range
from lissnas.spaces import Gene, ProductSpace
from lissnas.testing import ShrinkerContract


class TestContract(ShrinkerContract):
    def shrinker(self):
        return DDS(queries=9000, sample=2000, alpha=0.4)


def test_range_of_a_bootstrap_by_hand():
    """The best of a random quarter of 100 is the r-th of all with chance .25 x .75^r: within the first 13 in 97.6%."""
    low, high = good_range(np.arange(100.0), 0.25, 0.05, np.random.default_rng(0))
    assert low == 0
    assert 9 <= high <= 14
    assert good_range(np.full(20, 7.0), 0.5, 0.05, np.random.default_rng(0)) == (7, 7)


def test_narrows_towards_the_best_width():
    """The score falls with the distance of each width from 20 of 40: ranges close in on it, other genes keep all."""
    genes = [Gene(f"width_{i}", tuple(range(8, 328, 8)), ordered=True) for i in range(3)]
    space = ProductSpace("widths", [*genes, Gene("op", ("a", "b", "c"))])
    scorer = FunctionEvaluator(lambda x: -np.abs(x[:, :3].astype(float) - 20).sum(axis=1), space=space)
    result = DDS(queries=10_000, size=2000).shrink(space, scorer, np.random.default_rng(0))
    assert result.space.cardinality <= 2000
    for alleles in result.space.kept[:3]:
        assert list(alleles) == list(range(alleles[0], alleles[-1] + 1))
        assert 20 in alleles
    assert result.space.kept[3] == (0, 1, 2)


def test_runs_on_the_spaces_it_was_made_for(monkeypatch):
    monkeypatch.setattr("lissnas.spaces.anynet._REGNETS", 1 << 16)
    space = get_space("anynetx-c")
    scorer = FunctionEvaluator(lambda x: -np.abs(x[:, :4].astype(float) - 6).sum(axis=1), space=space)
    result = DDS(queries=5000, rounds=3).shrink(space, scorer, np.random.default_rng(0))
    assert result.space.cardinality < space.cardinality
    assert result.iterations[-1].mean > result.iterations[0].mean


def test_a_space_without_ordered_genes():
    with pytest.raises(UserError, match="no gene of 'shufflenetv2' has 3 alleles or more in an order"):
        DDS().check(get_space("shufflenetv2"))
    with pytest.raises(UserError, match="dds narrows ranges"):  # on or off is no range
        DDS().check(get_space("nasbench101"))
    with pytest.raises(UserError, match="sample must be at least 20"):
        DDS(sample=5)


def test_the_steps_of_its_authors_are_taken_as_long_as_nothing_is_lost():
    """Widths that fall are bad, depths that fall are good: rules up to rising widths cost nothing, rising depths do."""
    space = get_space("anynetx-a")

    def score(x):
        widths, depths = x[:, 4:8].astype(float), x[:, :4].astype(float)
        return -np.maximum(0, -np.diff(widths, axis=1)).sum(axis=1) / 100 - np.maximum(0, np.diff(depths, axis=1)).sum(axis=1)

    scorer = FunctionEvaluator(score, space=space)
    result = DDS(queries=8000, size=10**12, rounds=1).shrink(space, scorer, np.random.default_rng(0))
    assert "anynetx-e was worse than anynetx-a > anynetx-b > anynetx-c > anynetx-d" in result.stopped
    drawn = result.space.sample(200, np.random.default_rng(0))
    assert (np.diff(drawn[:, 4:8].astype(int), axis=1) >= 0).all()
    assert (drawn[:, 8:12] == drawn[:, 8:9]).all()
    assert [i.size for i in result.iterations[1:4]] == [get_space(f"anynetx-{letter}").cardinality for letter in "bcd"]
    without = DDS(queries=8000, size=10**15, rounds=2, simplify=False).shrink(space, scorer, np.random.default_rng(0))
    assert "was worse" not in without.stopped
