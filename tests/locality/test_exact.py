"""All pairs at every distance, against looking at each pair."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.formats import get_space
from lissnas.locality import compare_all
from lissnas.locality.exact import can_compare_all
from lissnas.spaces import ExplicitSpace, Gene, ProductSpace

SMALL = ProductSpace("small", [Gene("a", (1, 2, 3)), Gene("b", (1, 2)), Gene("c", (1, 2, 3, 4)), Gene("one", (7,))])
CONDITIONAL = ProductSpace(
    "conditional", [Gene("depth", (1, 2), ordered=True), Gene("x", ("p", "q", "r")), Gene("y", ("p", "q"), active="depth > 1")]
)


def everyone(space):
    return np.concatenate(list(space.enumerate()))


@pytest.mark.parametrize("space", [SMALL, CONDITIONAL], ids=lambda s: s.name)
def test_equals_each_pair_by_itself(space, rng):
    x = everyone(space)
    columns = np.stack([rng.normal(size=len(x)), rng.integers(0, 3, size=len(x)).astype(float)])  # one with ties
    profile = compare_all(space, x, columns)
    n = len(x)
    far = space.distance(np.repeat(x, n, axis=0), np.tile(x, (n, 1))).reshape(n, n)
    assert profile.farthest == far.max()
    for d in range(profile.farthest + 1):
        at = far == d
        np.testing.assert_allclose(profile.count[:, d], at.sum(axis=1))
        np.testing.assert_allclose(profile.sums[:, :, d], columns @ at.T, atol=1e-9)
        np.testing.assert_allclose(profile.apart[:, d], (at * np.abs(columns[0][:, None] - columns[0])).sum(axis=1), atol=1e-9)


def test_members_of_a_shrunk_space_are_compared_too(rng):
    space = ExplicitSpace.of(SMALL, SMALL.sample(15, rng))
    x = everyone(space)
    profile = compare_all(space, x, rng.normal(size=(1, len(x))))
    assert profile.count.sum() == len(x) ** 2
    assert (profile.count[:, 0] == 1).all()


def test_nasbench201_has_all_its_pairs():
    space = get_space("nasbench201")
    x = everyone(space)
    profile = compare_all(space, x, np.arange(len(x), dtype=float)[None])
    assert profile.count[0].tolist() == [1, 24, 240, 1280, 3840, 6144, 4096]  # 6 choose d, times 4^d
    assert round(profile.count.sum()) == 15_625**2


def test_networks_that_no_edits_connect_are_at_no_distance():
    space = get_space("transnasbench101-macro")
    x = everyone(space)
    profile = compare_all(space, x, np.zeros((1, len(x))))
    assert round(profile.count.sum()) == len(x) ** 2  # all chains are connected


def test_large_spaces_are_not_compared_whole():
    assert can_compare_all(get_space("nasbench201"))
    assert can_compare_all(get_space("nasbench201-unique"))
    assert not can_compare_all(get_space("shufflenetv2"))
