"""The rate follows the published schedules, and what makes no sense is refused in one line."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.oneshot.recipe import Recipe


def rates(recipe, per_epoch=5):
    return np.array([recipe.rate(step, per_epoch) for step in range(recipe.epochs * per_epoch)])


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_the_rate_rises_in_the_warmup_and_falls_to_zero(schedule):
    found = rates(Recipe(epochs=10, learning_rate=1.0, schedule=schedule, warmup_epochs=2))
    assert found[9] == 1.0
    assert np.argmax(found) in (9, 10)
    assert (np.diff(found[:10]) > 0).all()
    assert (np.diff(found[10:]) < 0).all()
    assert 0 < found[-1] < 0.03


def test_the_rate_ends_where_it_is_told_to():
    """GreedyNAS: a cosine from 0.12 to 1e-5; half way it is half way between them."""
    recipe = Recipe(epochs=100, learning_rate=0.12, min_learning_rate=1e-5)
    assert recipe.rate(0, 10) == 0.12
    assert recipe.rate(500, 10) == pytest.approx((0.12 + 1e-5) / 2)
    assert recipe.rate(1000, 10) == pytest.approx(1e-5)


def test_steps_fall_by_the_factor_each_so_many_epochs():
    """MnasNet's recipe: 0.97 each 2.4 epochs, after a warm-up."""
    recipe = Recipe(epochs=24, learning_rate=0.064, schedule="step", warmup_epochs=1, min_learning_rate=0.05)
    found = rates(recipe, 10)
    assert found[0] == pytest.approx(0.0064)
    for epoch in range(1, 12):
        steps = int(epoch / 2.4)
        assert found[10 * epoch] == pytest.approx(max(0.064 * 0.97**steps, 0.05))
    assert found[23] == 0.064
    assert found[24] == pytest.approx(0.064 * 0.97)
    assert found.min() >= 0.0064
    assert found[-1] == 0.05


WRONG = [
    {"epochs": 0},
    {"epochs": 2.5},
    {"epochs": True},
    {"batch_size": "64"},
    {"ghost": 7},
    {"ghost": 1},
    {"schedule": "steps"},
    {"optimizer": "adam"},
    {"optimizer": "nesterov", "momentum": 0.0},
    {"min_learning_rate": 0.3},
    {"learning_rate": float("nan")},
    {"momentum": 1.0},
    {"weight_decay": -1e-4},
    {"warmup_epochs": 101},
    {"label_smoothing": 1.0},
    {"clip_norm": 0.0},
    {"clip_value": float("inf")},
    {"ema": 1.0},
    {"precision": "fp8"},
    {"accumulate": 3},
    {"accumulate": 4, "ghost": 32},
    {"decay": 0.0},
    {"decay_epochs": 0.0},
    {"epsilon": 0.0},
    {"checkpoint_epochs": 0},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_recipe_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(UserError, match=rf"({'|'.join(wrong)}) must be .*, but got ") as error:
        Recipe(**{"batch_size": 64, **wrong})
    assert "\n" not in str(error.value)
