import numpy as np
import pytest
from scipy import stats

from lissnas.errors import UserError
from lissnas.quality import edf, edf_area, ks


def test_edf_is_the_share_below():
    assert edf(np.array([3.0, 1.0, 2.0, 2.0]), np.array([0.5, 2.0, 2.5, 9.0])).tolist() == [0.0, 0.25, 0.75, 1.0]


def test_area_equals_the_integral_of_the_edf(rng):
    errors = rng.normal(6, 2, 300)
    grid = np.linspace(4, 9, 200_001)
    integral = np.trapezoid(edf(errors, grid), grid) / 5
    assert edf_area(errors, 4, 9) == pytest.approx(integral, abs=1e-4)


def test_ks_says_which_is_better(rng):
    good, bad = rng.normal(1, 1, 500), rng.normal(0, 1, 500)
    result = ks(good, bad)
    assert result.statistic == pytest.approx(stats.ks_2samp(good, bad).statistic)
    assert result.better_p_value < 1e-6
    assert ks(bad, good).better_p_value > 0.9
    assert ks(-good, -bad, higher_is_better=False).better_p_value < 1e-6


def test_ks_needs_two_scores():
    with pytest.raises(UserError, match="at least 2"):
        ks(np.array([1.0]), np.array([1.0, 2.0]))
