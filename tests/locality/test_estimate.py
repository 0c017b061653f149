"""Means, shares and correlations of pairs, and whether their intervals hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.locality import Estimate, Pairs, correlation, mean_difference, share_passing

ROUNDS = 400


def paired(a, b) -> Pairs:
    n = len(a)
    return Pairs(np.asarray(a, float), np.asarray(b, float), np.arange(n), n + np.arange(n))


def test_values_are_the_plain_ones(rng):
    a, b = rng.normal(size=(2, 500))
    b += a
    pairs = paired(a, b)
    assert correlation(pairs).value == pytest.approx(np.corrcoef(a, b)[0, 1])
    assert mean_difference(pairs).value == pytest.approx(np.abs(a - b).mean())
    assert share_passing(pairs, 0.5, 1.0).value == np.mean(b >= 0.5)
    assert share_passing(pairs, 0.5, -1.0).value == np.mean(b <= 0.5)
    assert correlation(pairs).pairs == 500


def test_the_order_of_unordered_pairs_means_nothing(rng):
    a, b = rng.normal(size=(2, 500))
    b += a
    swapped = a > b
    sorted_pairs = paired(np.where(swapped, b, a), np.where(swapped, a, b))._replace(unordered=True)
    assert correlation(sorted_pairs).value == pytest.approx(correlation(paired(a, b)._replace(unordered=True)).value)
    both = np.corrcoef(np.concatenate([a, b]), np.concatenate([b, a]))[0, 1]
    assert correlation(sorted_pairs).value == pytest.approx(both)


def test_a_perfect_correlation_has_no_width(rng):
    a = rng.normal(size=50)
    estimate = correlation(paired(a, 2 * a + 1))
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((1, 1, 1))


def holds(estimate: Estimate, truth: float) -> bool:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.low <= truth <= estimate.high


def test_intervals_of_independent_pairs_hold_the_truth(rng):
    correct = np.zeros(3)
    for _ in range(ROUNDS):
        a, b = rng.normal(size=(2, 200))
        b = 0.6 * a + 0.8 * b
        pairs = paired(a, b)
        apart = np.sqrt(2 * (1 - 0.6)) * np.sqrt(2 / np.pi)
        correct += [
            holds(correlation(pairs), 0.6),
            holds(mean_difference(pairs), apart),
            holds(share_passing(pairs, 0.0, 1.0), 0.5),
        ]
    assert (correct / ROUNDS > 0.91).all()
    assert (correct / ROUNDS < 0.99).all()


def test_intervals_allow_for_networks_that_pairs_share(rng):
    """All pairs of 40 networks: 780 pairs, but no more than 40 independent scores."""
    first, second = np.triu_indices(40, k=1)
    correct = np.zeros(2)
    for _ in range(ROUNDS):
        y = rng.normal(size=40)
        pairs = Pairs(y[first], y[second], first, second)
        correct += [holds(mean_difference(pairs), 2 / np.sqrt(np.pi)), holds(share_passing(pairs, 0.0, 1.0), 0.5)]
    assert (correct / ROUNDS > 0.89).all()


def test_steps_of_one_walk_are_one_unit(rng):
    """A walk stays long where it is, so its steps tell little more than one."""
    correct = 0
    for _ in range(ROUNDS):
        chains = np.empty((60, 80))
        chains[0] = rng.normal(size=80)
        for t in range(1, 60):
            chains[t] = 0.9 * chains[t - 1] + np.sqrt(1 - 0.81) * rng.normal(size=80)
        who = np.broadcast_to(np.arange(80), (58, 80))
        pairs = Pairs(chains[:-2].ravel(), chains[2:].ravel(), who.ravel())
        correct += holds(correlation(pairs), 0.81)
    assert 0.9 < correct / ROUNDS < 0.99


def test_too_little_is_null_with_the_reason(rng):
    a, b = rng.normal(size=(2, 29))
    for statistic in (correlation, mean_difference, lambda p: share_passing(p, 0.0, 1.0)):
        estimate = statistic(paired(a, b))
        assert estimate.value is None
        assert "29 pairs" in estimate.reason
    one_start = Pairs(np.zeros(100), rng.normal(size=100), np.zeros(100, dtype=np.intp), np.arange(1, 101))
    assert "begin at only 1 networks" in mean_difference(one_start).reason


def test_equal_scores_have_no_correlation():
    estimate = correlation(paired(np.full(50, 0.1), np.full(50, 0.1)))
    assert estimate.value is None
    assert "all equal" in estimate.reason
    assert mean_difference(paired(np.full(50, 0.1), np.full(50, 0.1))).value == 0


def test_unknown_scores_are_left_out():
    pairs = Pairs(np.array([1.0, np.nan, 2.0]), np.array([1.0, 1.0, np.nan]), np.arange(3), np.arange(3, 6)).scored()
    assert pairs.first.tolist() == [0]


def test_another_unit():
    assert Estimate(2.0, 1.0, 3.0, 40).over(2) == Estimate(1.0, 0.5, 1.5, 40)
    assert Estimate.missing("why").over(2) == Estimate.missing("why")


def test_pairs_that_seem_to_cancel_out_are_no_certainty():
    """Around a ring each network has one small and one large difference, so their variance seems negative."""
    n = 40
    around = Pairs(np.zeros(n), np.tile([1.0, 3.0], n // 2), np.arange(n), np.roll(np.arange(n), -1))
    estimate = mean_difference(around)
    assert estimate.value == 2
    assert estimate.high - 2 == pytest.approx(1.96 / np.sqrt(n), rel=1e-3)
