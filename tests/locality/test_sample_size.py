"""Appendix G's experiment, against what is known of the Kolmogorov-Smirnov statistic."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from lissnas.errors import UserError
from lissnas.locality import sample_size
from lissnas.locality.sample_size import edf_deviation


def test_the_deviation_is_that_of_kolmogorov_and_smirnov(rng):
    whole = rng.integers(0, 50, size=400).astype(float)  # with ties
    _, place = np.unique(whole, return_inverse=True)
    below = np.cumsum(np.bincount(place)) / len(whole)
    chosen = np.stack([rng.choice(400, size=60, replace=False) for _ in range(20)])
    found = edf_deviation(place[chosen].astype(np.int32), below)
    expected = [stats.ks_2samp(whole[rows], whole).statistic for rows in chosen]
    np.testing.assert_allclose(found, expected)


def test_a_continuous_score_needs_what_theory_says(rng):
    found = sample_size(rng.normal(size=200_000), 1000, rng, tolerance=0.05, repeats=1500)
    assert found.smallest == pytest.approx(stats.kstwobign.ppf(0.95) ** 2 / 0.05**2, rel=0.06)  # 738
    assert found.deviation_95 == pytest.approx(1.358 / np.sqrt(1000), rel=0.05)
    assert found.rejected == pytest.approx(0.05, abs=0.03)
    assert found.mean_error_95 == pytest.approx(1.96 / np.sqrt(1000), rel=0.08)


def test_a_small_space_needs_fewer(rng):
    found = sample_size(rng.normal(size=1500), 1000, rng, tolerance=0.05, repeats=300)
    assert found.smallest < 600
    assert found.rejected < 0.01


def test_what_cannot_be_said_is_null_with_the_reason(rng):
    equal = sample_size(np.ones(2000), 1000, rng)
    assert (equal.smallest, equal.deviation) == (None, None)
    assert "equal" in equal.reason
    whole = sample_size(rng.normal(size=500), 500, rng)
    assert whole.smallest is None
    assert "500 networks are all" in whole.reason
    with pytest.raises(UserError, match="between 0 and 1"):
        sample_size(rng.normal(size=500), 100, rng, tolerance=0)
