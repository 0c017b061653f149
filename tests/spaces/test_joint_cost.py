"""Costs that depend on several genes at once."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.spaces import Gene, JointCost, JointTerm, ProductSpace
from lissnas.spaces.cost import cost_from_definition
from lissnas.testing import SpaceContract

GENES = [Gene("depth", (1, 2)), Gene("kernel", (3, 5, 7), active="depth > 1"), Gene("expand", (3, 6), active="depth > 1")]
KERNELS, EXPANSIONS = (3, 5, 7, 0), (3, 6, 0)  # 0: inactive


def joint(base: float = 10) -> JointCost:
    block = [[k * k * e for e in EXPANSIONS] for k in KERNELS]
    return JointCost("work", base, [JointTerm((1, 2), np.array(block)), JointTerm((0,), np.array([0.5, 0.25]))])


def space() -> ProductSpace:
    return ProductSpace("joint", GENES, costs=[joint()])


class TestContract(SpaceContract):
    def space(self) -> ProductSpace:
        return space()


def test_the_sum_of_all_terms() -> None:
    everything = np.array(list(itertools.product(range(2), range(4), range(3))), dtype=np.uint8)
    expected = [10 + KERNELS[k] ** 2 * EXPANSIONS[e] + (0.5, 0.25)[d] for d, k, e in everything.tolist()]
    assert joint().evaluate(everything, {}).tolist() == expected
    many = np.tile(everything, (2000, 1))  # more than a block
    assert joint().evaluate(many, {}).tolist() == expected * 2000


def test_from_its_definition() -> None:
    again = cost_from_definition(joint(3).definition())
    assert again.definition() == joint(3).definition()
    x = space().sample(50, np.random.default_rng(0))
    assert np.array_equal(again.evaluate(x, {}), joint(3).evaluate(x, {}))


@pytest.mark.parametrize(
    ("genes", "shape", "message"),
    [
        ((1, 2), (4,), "a table of 1 axes"),
        ((1, 1), (4, 4), r"over the genes \[1, 1\]"),
        ((1, 2), (3, 2), r"must have a table of \[4, 3\] for the genes \[1, 2\], but got \[3, 2\]"),
        ((7,), (2,), "must have a table of"),
    ],
)
def test_tables_that_do_not_fit(genes: tuple[int, ...], shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        ProductSpace("joint", GENES, costs=[JointCost("work", 0, [JointTerm(genes, np.zeros(shape))])])
