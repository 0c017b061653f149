"""Some alleles of each gene, in spaces that are no products: the contract, and what is left counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas import UserError, get_space
from lissnas.spaces import ConstrainedSpace, ExplicitSpace, KeptSpace, RestrictedSpace, from_definition, keep_alleles
from lissnas.testing import SpaceContract
from lissnas.testing.toys import toy_space

OPS = [2, 3]  # of seven


def few_operations(space):
    return {gene.name: OPS for gene in space.genes if not gene.name.endswith("inputs")}


class TestContract(SpaceContract):
    def space(self):
        darts = get_space("darts")
        return KeptSpace(darts, few_operations(darts))


class TestListedContract(SpaceContract):
    def space(self):
        space = get_space("transnasbench101-macro")
        return KeptSpace(space, {"module_1": [0, 1], "module_2": [0, 2], "module_3": [0, 3]})


def test_darts_with_one_operation_is_its_structures():
    """With one operation left everywhere, an architecture is the two cells' shapes: counted among samples by code."""
    darts = get_space("darts")
    one = {gene.name: [2] for gene in darts.genes if not gene.name.endswith("inputs")}
    kept = KeptSpace(darts, one)
    assert kept.cardinality_is_exact
    listed = np.concatenate(list(kept.enumerate()))
    assert len(listed) == kept.cardinality <= 180**2
    rng = np.random.default_rng(0)
    drawn = darts.sample(2000, rng)
    for index, gene in enumerate(darts.genes):
        if gene.name in one:
            drawn[:, index] = 2
    same = np.unique(kept.encode(darts.canonicalize(drawn)), axis=0)
    assert kept.is_valid(kept.decode(same)).all()


def test_estimated_size_is_that_of_a_count():
    space = get_space("nasbench101")
    kept = {gene.name: [0, 1] for gene in space.genes if len(gene.alleles) == 3}
    counted = keep_alleles(space, kept)
    assert isinstance(counted, ExplicitSpace)
    estimated = KeptSpace(space, kept)
    assert not estimated.cardinality_is_exact
    assert abs(estimated.cardinality / counted.cardinality - 1) < 0.5  # one row in a thousand is an architecture


def test_each_kind_of_space_keeps_its_own_way():
    toy = toy_space()
    assert isinstance(keep_alleles(toy, {"op_0": [1, 2]}), RestrictedSpace)
    within = keep_alleles(ConstrainedSpace(toy, ["work <= 230"]), {"op_0": [1, 2]})
    assert isinstance(within, ConstrainedSpace)
    assert isinstance(within.parent, RestrictedSpace)
    some = ExplicitSpace.of(toy, toy.sample(500, np.random.default_rng(0)))
    part = keep_alleles(some, {"op_0": [1]})
    assert isinstance(part, ExplicitSpace)
    assert (part.genotypes[:, 1] == 1).all()
    assert part.cardinality == (some.genotypes[:, 1] == 1).sum()


def test_definition_brings_it_back():
    darts = get_space("darts")
    kept = KeptSpace(darts, few_operations(darts))
    again = from_definition(kept.definition())
    assert again.fingerprint == kept.fingerprint
    assert again.cardinality == kept.cardinality


def test_bad_input():
    darts = get_space("darts")
    with pytest.raises(UserError, match="has no gene 'x'"):
        KeptSpace(darts, {"x": [0]})
    with pytest.raises(UserError, match="must keep some of its 7 alleles"):
        KeptSpace(darts, {"normal_2_first": []})
    macro = get_space("transnasbench101-macro")
    with pytest.raises(UserError, match="no architecture"):
        keep_alleles(macro, {f"module_{i}": [3] for i in range(1, 7)})
