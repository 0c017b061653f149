import numpy as np
import pytest
from scipy import stats

from lissnas.errors import UserError
from lissnas.quality import rank_correlation


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
