import numpy as np
import pytest
from scipy import stats

from lissnas.errors import UserError
from lissnas.quality import rank_correlation
from lissnas.quality.correlation import tau_difference


def test_values_are_scipys(rng):
    a = rng.normal(size=40)
    b = np.round(a + rng.normal(size=40), 1)  # with ties
    result = rank_correlation(a, b, rng)
    assert result.pearson.value == pytest.approx(stats.pearsonr(a, b)[0])
    assert result.kendall.value == pytest.approx(stats.kendalltau(a, b)[0])
    assert result.kendall.low < result.kendall.value < result.kendall.high
    assert result.n == 40


@pytest.mark.parametrize(("a", "b"), [(np.arange(4.0), np.arange(4.0)), (np.arange(9.0), np.ones(9))])
def test_too_little_to_correlate(a, b, rng):
    with pytest.raises(UserError, match="rank correlation needs"):
        rank_correlation(a, b, rng)


def test_a_difference_of_taus_is_paired():
    rng = np.random.default_rng(0)
    truth = np.arange(40.0)
    good, poor = truth + rng.normal(0, 4, 40), truth + rng.normal(0, 40, 40)
    found = tau_difference(good, poor, truth, np.random.default_rng(1))
    taus = [rank_correlation(scores, truth, rng).kendall.value for scores in (good, poor)]
    assert found.value == pytest.approx(taus[0] - taus[1])
    assert 0 < found.low < found.value < found.high
    other_way = tau_difference(poor, good, truth, np.random.default_rng(1))
    assert (other_way.value, other_way.low, other_way.high) == pytest.approx((-found.value, -found.high, -found.low))
    # of two scores that say the same there is nothing to be told apart, however few they are: that is what pairing is for
    alike = tau_difference(good, 2 * good + 1, truth, np.random.default_rng(1))
    assert (alike.value, alike.low, alike.high) == (0, 0, 0)
