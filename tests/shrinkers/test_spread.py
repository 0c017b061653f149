"""The choice of a good and diverse set: by hand, and against all sets."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lissnas.shrinkers.spread import Spread, allele_diversity


def differing_genes(x, counts):
    """The definition: pairs of different rows, genes that are active in both and differ."""
    counts = np.array(counts)
    return np.mean([((a != b) & (a < counts) & (b < counts)).sum() for a, b in itertools.combinations(x, 2)])


def test_diversity_by_hand():
    x = np.array([[0, 0], [0, 1], [1, 1]], dtype=np.uint8)
    assert allele_diversity(x, [2, 2]) == pytest.approx((1 + 2 + 1) / 3)


def test_diversity_of_counts_is_that_of_all_pairs(rng):
    x = rng.integers(0, 4, size=(40, 6)).astype(np.uint8)
    counts = [4, 3, 4, 3, 4, 2]  # the third allele of a gene with three, and more, is "inactive"
    assert allele_diversity(x, counts) == pytest.approx(differing_genes(x, counts))
    assert allele_diversity(x[:1], counts) == 0.0


def test_without_weight_it_is_the_best(rng):
    x = rng.integers(0, 3, size=(50, 4)).astype(np.uint8)
    utility = rng.normal(size=50)
    assert np.array_equal(Spread(x, [3] * 4, utility).best(7, 0.0), np.sort(np.argsort(-utility)[:7]))


def test_near_the_best_of_all_sets(rng):
    """All 12,870 sets of 8 out of 16: what is chosen loses little of what the best set has over the mean of all."""
    for weight in (0.3, 1.0, 3.0):
        x = rng.integers(0, 3, size=(16, 5)).astype(np.uint8)
        utility = rng.normal(size=16)
        scale = weight * utility.std() / allele_diversity(x, [3] * 5)

        def value(rows, x=x, utility=utility, scale=scale):
            rows = list(rows)
            return utility[rows].mean() + scale * allele_diversity(x[rows], [3] * 5) * 7 / 8

        values = np.array([value(rows) for rows in itertools.combinations(range(16), 8)])
        chosen = value(Spread(x, [3] * 5, utility).best(8, weight))
        assert chosen - values.mean() > 0.85 * (values.max() - values.mean())


def test_more_weight_is_more_diversity(rng):
    x = rng.integers(0, 4, size=(5000, 10)).astype(np.uint8)
    utility = -np.abs(x.astype(float) - 1).sum(axis=1) + rng.normal(size=5000)
    spread = Spread(x, [4] * 10, utility)
    found = [spread.best(300, weight) for weight in (0.0, 0.1, 0.3, 1.0, 3.0, 10.0)]
    diversity = [allele_diversity(x[rows], [4] * 10) for rows in found]
    assert diversity == sorted(diversity)
    assert [utility[rows].mean() for rows in found] == sorted((utility[rows].mean() for rows in found), reverse=True)
    assert all(len(np.unique(rows)) == 300 for rows in found)


def test_no_less_than_the_target_and_little_more(rng):
    x = rng.integers(0, 4, size=(5000, 10)).astype(np.uint8)
    utility = -np.abs(x.astype(float) - 1).sum(axis=1) + rng.normal(size=5000)
    spread = Spread(x, [4] * 10, utility)
    for guess in (0.01, 1.0, 100.0):
        chosen = spread.at_least(300, 6.5, lambda rows: allele_diversity(x[rows], [4] * 10), guess)
        assert chosen.reached
        assert 6.5 <= chosen.diversity < 6.6
    assert spread.at_least(300, 0.0, lambda rows: allele_diversity(x[rows], [4] * 10)).weight == 0.0
    assert not spread.at_least(300, 9.0, lambda rows: allele_diversity(x[rows], [4] * 10)).reached


def test_bins_keep_their_floor_where_they_can():
    """Ten of 100: of the three bins two keep what the floor says, the third has one member only."""
    x = np.arange(100, dtype=np.uint8)[:, None]
    utility = np.arange(100.0)
    bins = np.array([0] * 60 + [1] + [2] * 39)
    rows = Spread(x, [100], utility, bins, floor=0.2).best(10, 0.0)
    assert rows.tolist() == [58, 59, 60, 93, 94, 95, 96, 97, 98, 99]
    assert Spread(x, [100], utility, bins, floor=0.5).best(10, 0.0).tolist() == list(range(90, 100))  # 3 x 5 do not fit


def test_as_many_as_there_are():
    x = np.zeros((3, 2), dtype=np.uint8)
    x[:, 0] = [0, 1, 2]
    assert Spread(x, [3, 3], np.zeros(3)).best(9, 1.0).tolist() == [0, 1, 2]
