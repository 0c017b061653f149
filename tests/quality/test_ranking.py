"""Friedman, Nemenyi, paired tests and Holm, against worked examples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from lissnas.errors import UserError
from lissnas.quality.ranking import critical_difference, holm, paired_tests, rank_methods

# Demsar 2006, Table 6: AUC of four variants of C4.5 on 14 data sets
DEMSAR = [
    [0.763, 0.768, 0.771, 0.798],
    [0.599, 0.591, 0.590, 0.569],
    [0.954, 0.971, 0.968, 0.967],
    [0.628, 0.661, 0.654, 0.657],
    [0.882, 0.888, 0.886, 0.898],
    [0.936, 0.931, 0.916, 0.931],
    [0.661, 0.668, 0.609, 0.685],
    [0.583, 0.583, 0.563, 0.625],
    [0.775, 0.838, 0.866, 0.875],
    [1.000, 1.000, 1.000, 1.000],
    [0.940, 0.962, 0.965, 0.962],
    [0.619, 0.666, 0.614, 0.669],
    [0.972, 0.981, 0.9751, 0.975],  # printed as equal, but ranked 2 and 3
    [0.957, 0.978, 0.946, 0.970],
]


def test_the_worked_example_of_demsar() -> None:
    found = rank_methods(DEMSAR)
    assert found.ranks == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    # the paper's 9.28 is not corrected for ties; ours is, as SciPy's
    assert 12 * 14 / 20 * ((found.ranks**2).sum() - 25) == pytest.approx(9.28, abs=0.005)
    theirs = stats.friedmanchisquare(*np.transpose(DEMSAR))
    assert (found.chi2, found.p) == pytest.approx((theirs.statistic, theirs.pvalue))
    assert found.p < 0.05
    assert found.critical_difference == pytest.approx(1.25, abs=0.005)
    # 3.143 - 1.964 = 1.18 is below 1.25: Nemenyi's test tells none of the four apart, as the paper says
    assert found.groups == ((3, 1, 2, 0),)


@pytest.mark.parametrize(
    ("methods", "q"),
    [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (6, 2.850), (7, 2.949), (8, 3.031), (9, 3.102), (10, 3.164)],
)
def test_critical_values_are_those_of_demsars_table_5(methods: int, q: float) -> None:
    blocks = 6 * 25
    assert critical_difference(methods, blocks) == pytest.approx(q * np.sqrt(methods * (methods + 1) / 6 / blocks), rel=5e-4)


def test_without_ties_the_statistics_are_the_papers_formulas() -> None:
    scores = np.random.default_rng(0).normal(size=(9, 5)) + np.arange(5)
    found = rank_methods(scores)
    n, k = scores.shape
    chi2 = 12 * n / (k * (k + 1)) * ((found.ranks**2).sum() - k * (k + 1) ** 2 / 4)
    assert found.chi2 == pytest.approx(chi2)
    assert found.f == pytest.approx((n - 1) * chi2 / (n * (k - 1) - chi2))


def test_equal_methods_are_told_apart_by_nothing() -> None:
    found = rank_methods(np.ones((5, 3)))
    assert (found.chi2, found.p) == (0.0, 1.0)
    assert found.groups == ((0, 1, 2),)


def test_the_same_order_in_every_block_is_certain() -> None:
    found = rank_methods(np.tile([1.0, 2.0, 3.0], (5, 1)))
    assert found.f == np.inf
    assert found.p == pytest.approx(stats.chi2.sf(10, 2))
    assert list(found.ranks) == [3, 2, 1]
    assert found.groups == ((2, 1), (1, 0))  # 1 apart is within 1.48, 2 apart is not


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == pytest.approx([1.0, 1.0])
    assert len(holm([])) == 0


def test_a_paired_test_is_the_t_test_of_the_differences() -> None:
    scores = np.random.default_rng(1).normal(size=(6, 3))
    one, other = paired_tests(scores, control=1)
    theirs = stats.ttest_rel(scores[:, 0], scores[:, 1])
    assert (one.method, other.method) == (0, 2)
    assert (one.t, one.p) == pytest.approx((theirs.statistic, theirs.pvalue))
    assert one.p_holm == pytest.approx(min(1, max(holm([one.p, other.p])[0], one.p)))


def test_differences_that_do_not_vary() -> None:
    scores = np.tile([1.0, 1.0, 3.0], (4, 1))
    same, better = paired_tests(scores, control=0)
    assert (same.t, same.p) == (0.0, 1.0)
    assert (better.t, better.p) == (np.inf, 0.0)


def test_wrong_scores_are_refused() -> None:
    with pytest.raises(UserError, match="at least 2 methods over 2 blocks, but got 1 over 5"):
        rank_methods(np.ones((5, 1)))
    with pytest.raises(UserError, match="more seeds"):
        paired_tests(np.ones((1, 3)), control=0)
    with pytest.raises(UserError, match="method 1 in block 0 is nan"):
        rank_methods([[1.0, np.nan], [1.0, 2.0]])
