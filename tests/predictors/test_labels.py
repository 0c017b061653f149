from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lissnas.errors import UserError
from lissnas.predictors.labels import LabelMap, make_labels

# steps of a thousandth, so that different scores stay different in double precision
scores = st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=60).filter(lambda s: len(set(s)) > 1)


@settings(max_examples=60, deadline=None)
@given(scores, st.sampled_from(["raw", "rank-normal", "auto"]))
def test_labels_map_back_to_their_scores(values: list[int], kind: str) -> None:
    y = np.array(values) / 1000
    labels, back = make_labels(y, kind)  # type: ignore[arg-type]
    assert np.allclose(back.to_scores(labels), y, rtol=0, atol=1e-9 * np.ptp(y) + 1e-12)
    assert (np.sign(labels[:, None] - labels) == np.sign(y[:, None] - y)).all()


@settings(max_examples=60, deadline=None)
@given(scores, st.sampled_from(["raw", "rank-normal"]))
def test_the_way_back_rises_strictly_also_beyond_both_ends(values: list[int], kind: str) -> None:
    y = np.array(values) / 1000
    labels, back = make_labels(y, kind)  # type: ignore[arg-type]
    asked = np.linspace(labels.min() - 5, labels.max() + 5, 500)
    rising = np.diff(back.to_scores(asked))
    assert (rising > 0).all()
    # a straight line beyond the ends: equal steps
    below, above = rising[asked[1:] < labels.min()], rising[asked[:-1] > labels.max()]
    assert np.allclose(below, below[0], rtol=1e-6)
    assert np.allclose(above, above[0], rtol=1e-6)


@settings(max_examples=30, deadline=None)
@given(scores)
def test_ranks_forget_distances_and_raw_labels_are_standard(values: list[int]) -> None:
    y = np.array(values) / 1000
    ranks, _ = make_labels(y, "rank-normal")
    assert np.allclose(make_labels(np.exp(y / 1000), "rank-normal")[0], ranks)
    assert np.allclose(make_labels(-y, "rank-normal")[0], -ranks)
    raw, _ = make_labels(y, "raw")
    assert abs(raw.mean()) < 1e-9
    assert raw.std() == pytest.approx(1)


def test_equal_scores_share_the_mean_of_their_ranks() -> None:
    from statistics import NormalDist

    labels, _ = make_labels(np.array([5.0, 1.0, 5.0, 9.0]), "rank-normal")
    normal = NormalDist()
    assert labels.tolist() == pytest.approx([normal.inv_cdf(q) for q in (0.5, 0.125, 0.5, 0.875)])


@pytest.mark.parametrize(
    ("draw", "kind"),
    [
        (lambda rng: rng.normal(70, 5, 500), "raw"),
        (lambda rng: rng.uniform(0, 1, 500), "raw"),
        (lambda rng: np.r_[rng.normal(90, 1, 450), rng.uniform(10, 80, 50)], "rank-normal"),  # failed cells
        (lambda rng: rng.lognormal(0, 1, 500), "rank-normal"),
        (lambda rng: rng.standard_t(2, 500), "rank-normal"),  # heavy on both sides
    ],
)
def test_auto_takes_ranks_where_scores_are_far_from_normal(draw: object, kind: str, rng: np.random.Generator) -> None:
    assert make_labels(draw(rng))[1].kind == kind  # type: ignore[operator]


def test_json_round_trip(rng: np.random.Generator) -> None:
    import json

    for kind in ("raw", "rank-normal"):
        back = make_labels(rng.normal(size=50), kind)[1]  # type: ignore[arg-type]
        again = LabelMap.from_json(json.loads(json.dumps(back.to_json())))
        asked = np.linspace(-4, 4, 99)
        assert again.kind == kind
        assert np.array_equal(again.to_scores(asked), back.to_scores(asked))


@pytest.mark.parametrize("scale", [1e-150, 1e90])
def test_very_small_and_very_large_scores(scale: float, rng: np.random.Generator) -> None:
    y = rng.normal(size=50) * scale
    labels, back = make_labels(y, "raw")
    assert labels.std() == pytest.approx(1)
    assert np.allclose(back.to_scores(labels) / scale, y / scale)


def test_scores_that_double_precision_cannot_tell_apart() -> None:
    with pytest.raises(UserError, match="too close to tell apart"):
        make_labels(np.array([1.0] * 10**5 + [np.nextafter(1.0, 2)]), "raw")


def test_failures_far_below_do_not_send_predictions_further_still(rng: np.random.Generator) -> None:
    y = np.r_[rng.normal(93, 1, 190), np.full(10, 10.0)]
    _, back = make_labels(y, "rank-normal")
    lowest = back.labels[0]
    assert back.to_scores(np.array([lowest]))[0] == 10
    assert back.to_scores(np.array([lowest - 1]))[0] > 8


@pytest.mark.parametrize(("kind", "low", "high"), [("log", 1e-3, 1e6), ("logit", 0.01, 0.99), ("logit", 2.0, 99.5)])
def test_log_and_logit_map_back_and_stay_inside(kind: str, low: float, high: float, rng: np.random.Generator) -> None:
    y = rng.uniform(low, high, size=200)
    labels, back = make_labels(y, kind)  # type: ignore[arg-type]
    assert back.kind == kind
    assert np.allclose(back.to_scores(labels), y)
    assert (np.argsort(labels) == np.argsort(y)).all()
    asked = back.to_scores(np.linspace(-6, 6, 200))
    assert (np.diff(asked) > 0).all()
    assert asked.min() > 0
    assert kind == "log" or asked.max() < (1 if high < 1 else 100)
    again = LabelMap.from_json(back.to_json())
    assert np.array_equal(again.to_scores(labels), back.to_scores(labels))


@pytest.mark.parametrize(
    ("kind", "values", "line"),
    [
        ("log", [0.0, 1.0], "labels log are for scores above 0, but the lowest is 0"),
        ("log", [-2.0, 1.0], "the lowest is -2"),
        ("logit", [0.0, 0.5], "labels logit are for scores between 0 and 1, or percents between 0 and 100"),
        ("logit", [50.0, 100.0], "they go from 50 to 100"),
        ("logit", [-1.0, 0.5], "rank-normal"),
    ],
)
def test_scores_outside_of_what_a_kind_takes(kind: str, values: list[float], line: str) -> None:
    with pytest.raises(UserError, match=line):
        make_labels(np.array(values), kind)  # type: ignore[arg-type]
