import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.quality import hypervolume, share_kept


@pytest.mark.parametrize("higher", [True, False])
def test_share_of_the_best_that_was_kept(higher):
    scores = np.arange(1000.0) if higher else -np.arange(1000.0)
    member = np.arange(1000) >= 995
    assert share_kept(scores, member, 0.01, higher_is_better=higher) == 0.5
    assert share_kept(scores, member, 0.005, higher_is_better=higher) == 1.0


def test_ties_at_the_edge_all_count():
    scores = np.array([1.0, 2.0, 3.0, 3.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert share_kept(scores, scores == 3, 0.2) == 1.0
    assert share_kept(scores, np.array([True] * 3 + [False] * 7), 0.2) == pytest.approx(1 / 3)


def test_a_top_of_less_than_one_architecture_has_no_share():
    assert share_kept(np.arange(10.0), np.ones(10, dtype=bool), 0.01) is None
    with pytest.raises(UserError, match="between 0 and 1"):
        share_kept(np.arange(10.0), np.ones(10, dtype=bool), 1.0)


def test_hypervolume_of_a_staircase():
    scores = np.array([3.0, 2.0, 1.0, 1.5])
    costs = np.array([30.0, 20.0, 10.0, 25.0])  # the last is dominated
    assert hypervolume(scores, costs, (0.0, 40.0)) == 3 * 10 + 2 * 10 + 1 * 10
    assert hypervolume(-scores, costs, (0.0, 40.0), higher_is_better=False) == 60
    assert hypervolume(scores, costs, (3.0, 40.0)) == 0


def test_hypervolume_equals_counting_points(rng):
    scores, costs = rng.random(30), rng.random(30)
    points = rng.random((200_000, 2))
    covered = ((points[:, 0, None] <= scores) & (points[:, 1, None] >= costs)).any(axis=1)
    assert hypervolume(scores, costs, (0.0, 1.0)) == pytest.approx(covered.mean(), abs=5e-3)
