"""Uniform paths from any space."""

from __future__ import annotations

import numpy as np

from lissnas.oneshot.samplers.uniform import UniformSampler
from lissnas.spaces import ExplicitSpace


def test_every_allele_of_a_full_space_comes_alike(small, rng):
    paths = UniformSampler(small).draw(4000, rng)
    assert paths.shape == (4000, 1, 3)
    counts = np.stack([np.bincount(column, minlength=4) for column in paths[:, 0].T])
    assert counts.min() > 880
    assert counts.max() < 1120


def test_a_shrunk_space_is_drawn_from_by_its_list(small, rng):
    shrunk = ExplicitSpace.of(small, np.array([[0, 0, 0], [0, 0, 1], [3, 3, 3]], dtype=np.uint8))
    paths = UniformSampler(shrunk).draw(3000, rng)[:, 0]
    rows, counts = np.unique(paths, axis=0, return_counts=True)
    assert len(rows) == 3
    assert counts.min() > 900
