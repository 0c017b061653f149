"""McNemar's exact test, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.quality import discordance


def test_only_what_one_of_both_got_right_counts():
    # 9 against 1 of 10 fair coins: 2 * (1 + 10) / 1024
    ours = np.array([True] * 9 + [False] + [True] * 50 + [False] * 40)
    theirs = np.array([False] * 9 + [True] + [True] * 50 + [False] * 40)
    found = discordance(ours, theirs)
    assert (found.ours, found.theirs) == (9, 1)
    assert found.p_value == pytest.approx(22 / 1024)
    turned = discordance(theirs, ours)
    assert (turned.ours, turned.theirs, turned.p_value) == (1, 9, found.p_value)


def test_networks_that_never_differ_are_not_told_apart():
    right = np.array([True, False, True])
    assert discordance(right, right).p_value == 1
