"""Uniform paths from any space."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.oneshot import PathSampler, get_sampler
from lissnas.spaces import ExplicitSpace


def test_uniform_draws_every_allele_of_a_full_space_alike(small, rng):
    sampler = get_sampler("uniform", small)
    assert isinstance(sampler, PathSampler)
    paths = sampler.draw(4000, rng)
    assert paths.shape == (4000, 1, 3)
    counts = np.stack([np.bincount(column, minlength=4) for column in paths[:, 0].T])
    assert counts.min() > 880
    assert counts.max() < 1120


def test_uniform_draws_a_shrunk_space_from_its_list(small, rng):
    shrunk = ExplicitSpace.of(small, np.array([[0, 0, 0], [0, 0, 1], [3, 3, 3]], dtype=np.uint8))
    paths = get_sampler("uniform", shrunk).draw(3000, rng)[:, 0]
    rows, counts = np.unique(paths, axis=0, return_counts=True)
    assert len(rows) == 3
    assert counts.min() > 900


def test_an_unknown_sampler_is_answered_with_the_nearest(small):
    with pytest.raises(UserError, match="did you mean uniform"):
        get_sampler("unifrom", small)
