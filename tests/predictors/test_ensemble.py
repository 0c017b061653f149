from __future__ import annotations

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.predictors import EnsemblePredictor, get_predictor
from lissnas.testing.toys import toy_space, toy_target


def lines(**settings: object) -> EnsemblePredictor:
    return EnsemblePredictor(member="linear", members=4, settings={"labels": "raw"}, **settings)  # type: ignore[arg-type]


def test_uncertainty_is_the_deviation_of_the_members(rng: np.random.Generator) -> None:
    space = toy_space()
    x = space.sample(60, rng)
    y = toy_target(space, x) + rng.normal(size=60)
    fitted = lines().fit(space, x, y)
    some = space.sample(50, rng)
    mean, deviation = fitted.predict_with_uncertainty(some)
    each = np.stack([one.predict(some) for one in fitted._learned])
    assert mean.tolist() == fitted.predict(some).tolist()
    assert np.allclose(mean, each.mean(axis=0))
    assert np.allclose(deviation, each.std(axis=0, ddof=1))
    assert (deviation > 0).all()


def test_fewer_networks_are_less_certain(rng: np.random.Generator) -> None:
    space = toy_space()
    x = space.sample(1000, rng)
    y = toy_target(space, x) + rng.normal(size=1000)
    few, many = (lines().fit(space, x[:n], y[:n]).predict_with_uncertainty(x)[1].mean() for n in (50, 1000))
    assert few > 2 * many


def test_without_bootstrap_lines_agree(rng: np.random.Generator) -> None:
    space = toy_space()
    x = space.sample(60, rng)
    fitted = lines(bootstrap=False).fit(space, x, toy_target(space, x))
    assert fitted.predict_with_uncertainty(x)[1].max() < 1e-9
    with pytest.raises(UserError, match="learned nothing yet"):
        lines().predict_with_uncertainty(x)


def test_equal_architectures_are_drawn_together(rng: np.random.Generator) -> None:
    space = toy_space()
    x = np.repeat(space.sample(50, rng), 2, axis=0)
    rows = lines()._draw(space, x, np.arange(100.0), rng)
    drawn = np.bincount(rows, minlength=100)
    assert (drawn[::2] == drawn[1::2]).all()
    assert drawn.max() > 1


def test_one_network_that_differs_is_enough(rng: np.random.Generator) -> None:
    """A draw that misses it has nothing to learn: then all are taken."""
    space = toy_space()
    x = space.sample(30, rng)
    y = np.r_[np.zeros(29), 1.0]
    assert np.isfinite(lines().fit(space, x, y).predict(x)).all()


def test_uncertainty_is_judged_on_what_was_held_out(rng: np.random.Generator) -> None:
    """Where scores are noise around a line, members agree far better than any score can be known."""
    space = toy_space()
    x = space.sample(300, rng)
    found = lines().fit(space, x, toy_target(space, x) + rng.normal(size=300)).assess()
    assert found.uncertainty is not None
    off = np.abs(found.predicted - found.measured)
    assert found.uncertainty.shape == off.shape
    assert found.within_two == np.mean(off <= 2 * found.uncertainty) < 0.5
    assert abs(found.uncertainty_kendall or 1) < 0.2
    alone = get_predictor("linear").fit(space, x, toy_target(space, x)).assess()
    assert alone.uncertainty is alone.uncertainty_kendall is alone.within_two is None
