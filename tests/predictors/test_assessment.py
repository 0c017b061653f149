from __future__ import annotations

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.predictors import LinearPredictor, learning_curve
from lissnas.predictors.assessment import compare
from lissnas.testing.toys import toy_space, toy_target


def test_the_top_is_calibrated_by_hand() -> None:
    measured = np.arange(1000.0)
    predicted = measured.copy()
    predicted[-3:] = 0  # the best three are taken for the worst
    found = compare(predicted, measured, 5, True)
    assert found.top_1 == pytest.approx(7 / 10)
    assert found.top_5 == pytest.approx(47 / 50)
    assert found.top_overlap == pytest.approx(97 / 100)
    assert compare(predicted, measured, 5, False).top_1 == pytest.approx(7 / 10)  # those three are now among the predicted best


def test_a_share_of_too_few_networks_is_no_number() -> None:
    measured = np.arange(99.0)
    found = compare(measured, measured, 5, True)
    assert (found.top_1, found.top_5) == (None, None)
    assert compare(np.arange(100.0), np.arange(100.0), 5, True).top_5 == 1.0


def test_the_interval_covers_what_it_says(rng: np.random.Generator) -> None:
    """Of 400 independent pairs tau is 0; a 95% interval misses it in about one of twenty."""
    missed = sum(
        not (found.kendall_low <= 0 <= found.kendall_high)
        for found in (compare(rng.normal(size=50), rng.normal(size=50), 5, True) for _ in range(400))
    )
    assert missed < 40


def test_a_constant_prediction_orders_nothing() -> None:
    found = compare(np.ones(50), np.arange(50.0), 5, True)
    assert (found.kendall, found.spearman) == (0, 0)
    assert found.kendall_low < 0 < found.kendall_high


def test_more_networks_teach_more(rng: np.random.Generator) -> None:
    space = toy_space()
    x = space.sample(500, rng)
    y = toy_target(space, x) + rng.normal(size=500)
    predictor = LinearPredictor()
    curve = learning_curve(predictor, space, x, y, [25, 100, 390])
    assert [point.n for point in curve] == [25, 100, 390]
    assert curve[0].kendall + 0.1 < curve[1].kendall < curve[2].kendall
    assert all(point.folds.shape == (5,) and point.kendall == pytest.approx(point.folds.mean()) for point in curve)
    again = learning_curve(predictor, space, x, y, [25, 100, 390])
    assert [point.kendall for point in again] == [point.kendall for point in curve]
    with pytest.raises(UserError, match="learned nothing yet"):
        predictor.predict(x)


@pytest.mark.parametrize("sizes", [[], [10, 50], [50, 50], [80, 40], [50, 81]])
def test_sizes_that_cannot_be(sizes: list[int], rng: np.random.Generator) -> None:
    space = toy_space()
    x = space.sample(100, rng)
    with pytest.raises(UserError, match="sizes must rise from at least 20 to at most"):
        learning_curve(LinearPredictor(), space, x, toy_target(space, x), sizes)
