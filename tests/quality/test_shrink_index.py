"""Theorem 1 and Eq. 2 against the values of reconstruction A.7."""

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.quality import good_threshold, probability_of_good, shrink_index, shrink_index_interval


@pytest.mark.parametrize(
    ("p", "expected"),
    [(0.05, 0.086), (0.10, 0.264), (0.15, 0.456), (0.20, 0.624), (0.25, 0.756), (0.30, 0.851), (0.40, 0.954), (0.50, 0.989)],
)
def test_probability_with_ten_draws_and_two_good(p, expected):
    assert probability_of_good(p) == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize(("p", "expected"), [(0.05, 0.0), (0.20, 0.033), (0.40, 0.367), (0.60, 0.834)])
def test_probability_with_the_draws_of_greedynas(p, expected):
    assert probability_of_good(p, n=10, k=5) == pytest.approx(expected, abs=6e-4)


def test_a_hundred_draws_are_almost_a_step():
    values = probability_of_good(np.array([0.10, 0.15, 0.20, 0.25, 0.30]), n=100, k=20)
    assert values == pytest.approx([0.002, 0.107, 0.540, 0.900, 0.991], abs=6e-4)


def test_the_paper_s_shrink_index_of_ShuffleNetV2():
    """An index of 0.4 from a tenth of good architectures means a share of .215 afterwards."""
    assert shrink_index(0.215, 0.10) == pytest.approx(0.4, abs=5e-3)


def test_draws_and_good_must_make_sense():
    with pytest.raises(UserError, match="0 < k <= n"):
        probability_of_good(0.1, n=3, k=4)


@pytest.mark.parametrize("higher", [True, False])
def test_threshold_keeps_the_best_tenth(higher, rng):
    scores = rng.normal(size=10_000)
    threshold = good_threshold(scores, higher_is_better=higher)
    assert np.mean(scores >= threshold if higher else scores <= threshold) == pytest.approx(0.1, abs=1e-3)


def test_interval_covers_the_truth(rng):
    """Of 200 pairs of samples whose true shares are known, at least 90% of the intervals hold the true index."""
    truth = shrink_index(0.3, 0.1)
    hits = 0
    for _ in range(200):
        shrunk, full = rng.random(500) < 0.3, rng.random(1000) < 0.1
        interval = shrink_index_interval(shrunk.astype(float), full.astype(float), 0.5, rng=rng)
        hits += interval.low <= truth <= interval.high
    assert hits >= 180


def test_lower_is_better_mirrors_higher(rng):
    shrunk, full = rng.normal(1, 1, 400), rng.normal(0, 1, 1000)
    up = shrink_index_interval(shrunk, full, 1.0, rng=np.random.default_rng(1))
    down = shrink_index_interval(-shrunk, -full, -1.0, higher_is_better=False, rng=np.random.default_rng(1))
    assert up.value == down.value
    assert up.low == down.low
