import json
import math

import numpy as np
import pytest
from scipy import stats

from lissnas.errors import UserError
from lissnas.evaluators import Evaluator, FunctionEvaluator, Metric
from lissnas.quality import compare_spaces, share_kept
from lissnas.quality.distribution import cliffs_delta, ks_distance
from lissnas.quality.statistic import Statistic, mean_of, quantile_of, share_of
from lissnas.spaces import ExplicitSpace, FormulaCost, Gene, ProductSpace, RestrictedSpace

SPACE = ProductSpace(
    "toy", [Gene(f"g{i}", (0, 1, 2, 3)) for i in range(6)], costs=[FormulaCost("size", "g0 + g1 + g2 + g3 + g4 + g5")]
)
LARGE = ProductSpace("large", [Gene(f"g{i}", (0, 1, 2, 3)) for i in range(20)])
WEIGHT = np.array([1.0, 10, 100, 0.5, 0.2, 0.1])


def score(genotypes):
    return genotypes[:, :6] @ WEIGHT


class Linear:
    higher_is_better = True

    def predict(self, genotypes):
        return score(genotypes)


class Partial(Evaluator):
    """A table of some architectures."""

    def __init__(self, space, held):
        super().__init__(space, Metric("part"))
        self._held = ExplicitSpace.of(space, held)

    @property
    def known(self):
        return self._held

    def _evaluate(self, genotypes):
        return score(genotypes)


def truth_of(space=SPACE, higher=True):
    return FunctionEvaluator(score if higher else lambda x: -score(x), space=space, higher_is_better=higher)


def best(n, space=SPACE):
    x = np.concatenate(list(space.enumerate()))
    return ExplicitSpace.of(space, x[np.argsort(-score(x), kind="stable")[:n]])


def row(found, name):
    return next(r for r in found.rows if r.name == name)


@pytest.mark.parametrize("higher", [True, False])
def test_a_worked_case(higher):
    """The best tenth of a listed space: what it holds of the best is counted, the direction changes nothing."""
    small = best(410)
    found = compare_spaces([SPACE, small], truth=truth_of(higher=higher))
    ours, full = row(found, small.name).scores["true"], row(found, "toy").scores["true"]
    x = np.concatenate(list(SPACE.enumerate()))
    sign = 1 if higher else -1
    assert full["mean"].value == pytest.approx(sign * score(x).mean())
    assert full["mean"].exact
    assert full["mean"].low == full["mean"].value == full["mean"].high
    assert ours["best"].value == pytest.approx(sign * 335.4)
    top = np.sort(score(x))[-50:].mean()  # S3's top tier, and the mean of that and of all
    assert full["top_tier"].value == ours["top_tier"].value == pytest.approx(sign * top)
    assert full["expected_top"].value == pytest.approx(sign * (top + score(x).mean()) / 2)
    assert ours["p_good"].value == 1
    assert full["p_good"].value == pytest.approx(0.1, abs=0.002)
    assert ours["shrink_index"].value == pytest.approx(1 - full["p_draws"].value)
    assert [ours[f"kept_top{top}"].value for top in ("0.1%", "1%", "5%")] == [1, 1, 1]
    assert ours["cliffs_delta"].value == pytest.approx((4096 - 410) / 4096, abs=1e-3)
    assert ours["ks"].value == ours["ks_better"].value == pytest.approx(1 - 410 / 4096, abs=1e-3)
    assert sign * ours["mean_difference"].value > 0
    assert ours["edf_area"].value > full["edf_area"].value
    assert full["shrink_index"].value is None
    assert "compared with" in full["shrink_index"].reason
    assert row(found, small.name).size["reduction"].value == pytest.approx(4096 / 410)
    assert found.scales["true"].quantile == 0.9
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_part_of_the_best_is_kept_in_part():
    members = best(40).genotypes[::2]
    found = compare_spaces([SPACE, ExplicitSpace.of(SPACE, members, "half")], truth=truth_of())
    kept = row(found, "half").scores["true"]["kept_top1%"]
    x = np.concatenate(list(SPACE.enumerate()))
    expected = share_kept(score(x), ExplicitSpace.of(SPACE, members).is_valid(x), 0.01)
    assert 0.4 < expected < 0.6
    assert kept == Statistic.certain(expected, kept.n)


def test_samples_hold_the_truth_in_their_intervals():
    """The same numbers by a sample and exactly: most exact values lie in the 95% intervals."""
    small = RestrictedSpace(SPACE, {"g2": [2, 3]})
    exact = compare_spaces([SPACE, small], truth=truth_of(), predictor=Linear())
    inside, all_ = 0, 0
    for seed in range(5):
        drawn = compare_spaces([SPACE, small], truth=truth_of(), predictor=Linear(), drawn=1000, listed=100, seed=seed)
        for name in ("toy", small.name):
            for group in ("true", "predicted"):
                for key, statistic in row(drawn, name).scores[group].items():
                    known = row(exact, name).scores[group][key]
                    assert not statistic.exact
                    if statistic.value is None or key.endswith("_p") or key.startswith(("hypervolume", "edf", "shrink", "p_")):
                        continue  # thresholds and boxes are those of the sample
                    low = -math.inf if statistic.low is None else statistic.low - 1e-9
                    high = math.inf if statistic.high is None else statistic.high + 1e-9
                    inside += low <= known.value <= high
                    all_ += 1
    assert inside / all_ > 0.9


def test_a_row_does_not_depend_on_its_company():
    one = compare_spaces([LARGE, best_large()], predictor=Linear(), drawn=2000)
    more = compare_spaces([LARGE, best_large(), best_large(500)], predictor=Linear(), drawn=2000)
    name = best_large().name
    for key in ("mean", "p_good", "ks", "kept_top1%"):
        assert row(one, name).scores["predicted"][key] == row(more, name).scores["predicted"][key]
    assert row(one, name).spread == row(more, name).spread


def best_large(n=1000):
    x = LARGE.sample(20_000, np.random.default_rng(0))
    return ExplicitSpace.of(LARGE, x[np.argsort(-score(x), kind="stable")[:n]])


def test_a_small_part_of_a_huge_space_keeps_almost_nothing_and_says_so():
    found = compare_spaces([LARGE, best_large()], predictor=Linear(), drawn=10_000)
    kept = row(found, best_large().name).scores["predicted"]["kept_top5%"]
    assert kept.value == kept.low == 0
    assert kept.high < 1e-6
    assert not kept.exact
    assert row(found, "large").spread["pockets"].value is None
    assert "listed" in row(found, "large").spread["pockets"].reason
    assert row(found, "large").scores["predicted"]["best"].high is None  # the space may hold better


def test_a_partial_table_stands_for_the_space_it_is_of(rng):
    x = np.concatenate(list(SPACE.enumerate()))
    held = x[rng.choice(len(x), 1000, replace=False)]
    small, few = best(400), best(30)
    found = compare_spaces([SPACE, small, few], truth=Partial(SPACE, held))
    full = row(found, "toy").scores["true"]["mean"]
    assert (full.n, full.exact) == (1000, False)
    assert full.low < score(x).mean() < full.high
    assert row(found, small.name).scores["true"]["mean"].n == small.is_valid(held).sum()
    assert row(found, few.name).scores["true"]["mean"].value is None
    assert "is no result: 50 are needed" in row(found, few.name).scores["true"]["mean"].reason


def test_a_table_that_holds_none_of_a_space():
    x = np.concatenate(list(SPACE.enumerate()))
    found = compare_spaces([SPACE, best(20)], truth=Partial(SPACE, x[np.argsort(-score(x), kind="stable")[100:]]))
    ours = row(found, best(20).name).scores["true"]
    assert {statistic.value for statistic in ours.values()} == {None}
    assert "none of its architectures" in ours["mean"].reason
    assert set(ours) == set(row(found, "toy").scores["true"])


def test_the_truth_is_asked_as_often_as_allowed():
    truth = truth_of()
    found = compare_spaces([SPACE, best(300)], truth=truth, evaluations=200)
    assert truth.evaluations == 400
    assert row(found, "toy").scores["true"]["mean"].n == 200


@pytest.mark.parametrize(("threshold", "reason"), [(1e9, "no architecture of either"), (-1e9, "every architecture of the ref")])
def test_a_threshold_that_tells_nothing_apart_gives_no_index(threshold, reason):
    found = compare_spaces([SPACE, best(100)], truth=truth_of(), threshold=threshold)
    index = row(found, best(100).name).scores["true"]["shrink_index"]
    assert index.value is None
    assert reason in index.reason


def test_constant_scores_have_reasons_where_numbers_would_lie():
    truth = FunctionEvaluator(lambda x: np.ones(len(x)), space=SPACE)
    found = row(compare_spaces([SPACE, best(100)], truth=truth), best(100).name).scores["true"]
    for key in ("shrink_index", "edf_area", "kept_top1%", "hypervolume_size"):
        assert found[key].value is None
        assert found[key].reason
    assert found["mean"].value == 1
    assert found["ks"].value == found["cliffs_delta"].value == 0


def test_one_architecture_has_no_pairs_and_no_test():
    found = row(compare_spaces([SPACE, best(1)], truth=truth_of()), best(1).name)
    for key in ("edit_distance", "cosine_mean", "cosine_max", "cosine_d1000"):
        assert found.spread[key].value is None
    assert found.spread["pockets"].value == 1
    assert found.scores["true"]["ks_p"].value is None
    assert found.scores["true"]["mean"].exact


def test_spread_of_a_known_space():
    """Two corners: 6 edits apart, two pockets, one bit per gene, two of the size bins."""
    corners = np.array([[0] * 6, [3] * 6], dtype=np.uint8)
    found = row(compare_spaces([SPACE, ExplicitSpace.of(SPACE, corners, "corners")]), "corners")
    values = {key: statistic.value for key, statistic in found.spread.items()}
    assert values["edit_distance"] == 6
    assert values["entropy"] == 1
    assert values["pockets"] == 2
    assert values["alone"] == 1
    assert values["cosine_max"] == 0  # both point the same way
    assert 0 < values["coverage_size"] <= 2 / 10
    assert found.pocket_sizes == [1, 1]
    assert found.scores == {}


def test_the_reference_comes_first_and_names_stay_apart():
    found = compare_spaces([best(10), best(20)], names=["a", "a"])
    assert [r.name for r in found.rows] == ["toy", "a", "a (2)"]
    assert found.reference == "toy"
    half = RestrictedSpace(SPACE, {"g0": [0, 1]}, "half")
    inner = ExplicitSpace.of(half, half.sample(50, np.random.default_rng(0)), "inner")
    assert compare_spaces([inner, half]).reference == "half"
    assert compare_spaces([inner, half], SPACE).reference == "toy"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"quantile": 1.0}, "between 0 and 1"),
        ({"good": 11}, "0 < k <= n"),
        ({"threshold": math.nan}, "finite"),
        ({"interval": (1.0, 1.0)}, "two different"),
        ({"evaluations": 0}, "at least 1"),
        ({"drawn": 10}, "at least 1,000"),
        ({"names": ["a", "b"]}, "needs a name"),
    ],
)
def test_settings_that_cannot_be(options, says):
    with pytest.raises(UserError, match=says):
        compare_spaces([SPACE], **options)


def test_spaces_of_different_roots_are_not_compared():
    with pytest.raises(UserError, match="parts of one space"):
        compare_spaces([SPACE, LARGE])
    with pytest.raises(UserError, match="parts of one space"):
        compare_spaces([SPACE], LARGE)
    with pytest.raises(UserError, match="at least one space"):
        compare_spaces([])


def test_effect_sizes_equal_scipy_and_counting(rng):
    a, b = np.sort(rng.normal(0.4, 1, 300).round(1)), np.sort(rng.normal(0, 1, 200).round(1))
    assert ks_distance(a, b) == pytest.approx(
        (stats.ks_2samp(a, b).statistic, stats.ks_2samp(a, b, alternative="less").statistic)
    )
    delta, *_ = cliffs_delta(a, b)
    assert delta == pytest.approx(np.sign(a[:, None] - b).mean())
    assert cliffs_delta(a, b, higher_is_better=False)[0] == pytest.approx(-delta)


@pytest.mark.parametrize("q", [0.01, 0.5, 0.99])
def test_intervals_of_quantiles_hold_the_truth_as_often_as_they_say(q, rng):
    hits = 0
    for _ in range(300):
        found = quantile_of(np.sort(rng.random(400)), q, exact=False)
        hits += (found.low is None or found.low <= q) and (found.high is None or q <= found.high)
    assert hits / 300 > 0.92


def test_intervals_of_shares_have_a_width_even_where_none_is_seen():
    assert share_of(0, 100, exact=False).low == 0
    assert 0.01 < share_of(0, 100, exact=False).high < 0.05
    assert share_of(100, 100, exact=False).high == 1
    assert share_of(0, 100, exact=True).high == 0
    assert mean_of(np.ones(10), exact=False).value is None
    assert mean_of(np.ones(10), exact=True).value == 1
