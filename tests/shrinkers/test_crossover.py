"""Children: of which parents their genes are, and that they are architectures of the space."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas import get_space
from lissnas.shrinkers.crossover import cross, other_allele
from lissnas.spaces import ExplicitSpace, Gene, ProductSpace
from lissnas.testing.toys import toy_space


def test_a_child_has_a_block_of_the_second_parent(rng):
    space = ProductSpace("free", [Gene(f"g{i}", ("a", "b")) for i in range(8)])
    zero, one = np.zeros((500, 8), dtype=np.uint8), np.ones((500, 8), dtype=np.uint8)
    children = cross(space, zero, one, rng)
    turns = (children != np.roll(children, 1, axis=1)).sum(axis=1)
    assert (turns == 2).all()  # one block, which may run over the end
    assert len(np.unique(children, axis=0)) == 8 * 7


def test_another_allele_in_one_gene(rng):
    space = ProductSpace("free", [Gene(f"g{i}", tuple("abcd")[: 2 + i % 3]) for i in range(6)])
    x = space.sample(2000, rng)
    y = other_allele(space, x, rng)
    assert (space.distance(x, y) == 1).all()
    assert ((x != y).sum(axis=0) > 200).all()


def test_genes_that_are_switched_on_hold_an_allele_of_a_parent_or_any(rng):
    space = toy_space()
    x, y = space.sample(4000, rng), space.sample(4000, rng)
    children = cross(space, x, y, rng)
    assert len(children) == 4000
    space.require_valid(children)
    deep = children[:, 0] == 2
    # op_3 comes from depths 4 only, where both parents are shallower it is drawn: every allele occurs
    assert set(children[deep, 4].tolist()) == {0, 1, 2, 3}
    space.require_valid(other_allele(space, x, rng))


@pytest.mark.parametrize(
    "name", ["darts", "nasbench101", "nasbench201", "transnasbench101-macro", "gpt-s", "mobilenet", "fairnas-se", "regnet"]
)
def test_children_are_architectures_of_every_kind_of_space(name, rng):
    space = get_space(name)
    x, y = space.sample(300, rng), space.sample(300, rng)
    for children in (cross(space, x, y, rng), other_allele(space, x, rng)):
        space.require_valid(children)
        assert len(children) <= 300
    assert len(cross(space, x, y, rng)) >= 10


def test_children_of_a_list_are_members_of_it(rng):
    space = toy_space()
    given = ExplicitSpace.of(space, space.sample(3000, rng))
    x, y = given.sample(500, rng), given.sample(500, rng)
    children = cross(given, x, y, rng)
    assert 0 < len(children) < 500
    assert given.is_valid(children).all()


def test_recognize_names_the_rows_it_keeps(rng):
    space = get_space("nasbench101")
    x = space.sample(50, rng)
    x[7] = 0  # no way from input to output
    found = space.recognize(x)
    assert found.parents.tolist() == [*range(7), *range(8, 50)]
    assert np.array_equal(found.genotypes, x[found.parents])
