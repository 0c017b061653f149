from __future__ import annotations

import numpy as np
import pytest

from lissnas.predictors import XGBoostPredictor
from lissnas.predictors.ridge import _left_out_error, add_alleles, fit_ridge
from lissnas.testing.toys import toy_space, toy_target


@pytest.mark.parametrize("shape", [(40, 6), (12, 30)])
@pytest.mark.parametrize("strength", [1e-6, 0.1, 10.0])
def test_leaving_each_row_out_needs_no_second_fit(shape: tuple[int, int], strength: float, rng: np.random.Generator) -> None:
    x, y = rng.normal(size=shape), rng.normal(size=shape[0])
    left, sizes, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    reached = sizes > 1e-10 * sizes[0]
    left, sizes = left[:, reached], sizes[reached]
    centered = y - y.mean()
    quick = _left_out_error(left, sizes, left.T @ centered, centered, strength)
    slow = []
    for row in range(len(x)):
        others = np.arange(len(x)) != row
        middle, level = x[others].mean(axis=0), y[others].mean()
        z = x[others] - middle
        weights = np.linalg.solve(z.T @ z + strength * np.eye(x.shape[1]), z.T @ (y[others] - level))
        slow.append(((x[row] - middle) @ weights + level - y[row]) ** 2)
    assert quick == pytest.approx(np.mean(slow), rel=1e-5)


def test_noise_is_not_explained(rng: np.random.Generator) -> None:
    for n in (60, 400):
        assert fit_ridge(rng.normal(size=(n, 40)), rng.normal(size=n)).left_out_r2 < 0.3


def test_the_quick_way_equals_the_features(rng: np.random.Generator) -> None:
    space = toy_space()
    x = space.sample(300, rng)
    features = space.features(x, "one-hot").astype(np.float64)
    line = fit_ridge(features, toy_target(space, x))
    assert line.left_out_r2 > 0.99
    assert np.allclose(add_alleles(space, line.weights, line.offset, x), features @ line.weights + line.offset)


def test_trees_start_from_a_line_only_where_it_explains_most(rng: np.random.Generator) -> None:
    space = toy_space()
    x, held_out = space.sample(200, rng), space.sample(500, rng)
    additive = XGBoostPredictor(trees=60).fit(space, x, toy_target(space, x))
    assert additive.start_used == "linear"
    assert np.corrcoef(additive.predict(held_out), toy_target(space, held_out))[0, 1] > 0.999
    assert XGBoostPredictor(trees=60).fit(space, x, rng.normal(size=200)).start_used == "mean"
    assert XGBoostPredictor(trees=60, start="mean").fit(space, x, toy_target(space, x)).start_used == "mean"
