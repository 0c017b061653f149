"""The space of EC-NAS: the small cells of NAS-Bench-101."""

from __future__ import annotations

import numpy as np

from lissnas import get_space
from lissnas.spaces import from_definition
from lissnas.testing import SpaceContract


def test_it_is_every_cell_of_up_to_five_vertices() -> None:
    space = get_space("ecnas")
    vertices = 2 + (space.genotypes[:, -5:] != 3).sum(axis=1)
    assert np.bincount(vertices).tolist() == [0, 0, 1, 6, 84, 2441]
    assert space.root.name == "nasbench101"


def test_every_neighbor_among_all_cells_is_in_it(rng: np.random.Generator) -> None:
    space = get_space("ecnas")
    x = space.sample(200, rng)
    assert len(space.all_neighbors(x).genotypes) == len(space.root.all_neighbors(x).genotypes)


def test_it_is_built_again_from_its_definition() -> None:
    space = get_space("ecnas")
    again = from_definition(space.definition())
    assert again.fingerprint == space.fingerprint
    assert again.cardinality == 2532


class TestContract(SpaceContract):
    def space(self) -> object:
        return get_space("ecnas")
