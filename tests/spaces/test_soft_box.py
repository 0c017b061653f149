"""A distribution over the genes of a space, and a union of boxes."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas import UserError, get_space
from lissnas.spaces import BoxUnionSpace, Gene, Movable, ProductSpace, RestrictedSpace, SoftBoxSpace, from_definition
from lissnas.spaces.laws import uniform_law
from lissnas.testing import SpaceContract
from lissnas.testing.toys import toy_space

WEIGHTS = {"depth": [0, 1, 3], "op_0": [5, 1, 1, 1], "op_3": [1, 0, 2, 0], "width_1": [1, 1, 2]}


class TestSoftBox(SpaceContract):
    def space(self):
        return SoftBoxSpace(toy_space(), WEIGHTS)


class TestSoftBoxOfDarts(SpaceContract):
    def space(self):
        darts = get_space("darts")
        return SoftBoxSpace(darts, {darts.genes[5].name: [1, 2, 3, 4, 3, 2, 1]})


class TestUnion(SpaceContract):
    def space(self):
        boxes = [{"op_0": [0, 1], "width_0": [1]}, {"op_0": [1, 2], "bias": [0]}, {"depth": [2], "op_2": [0]}]
        return BoxUnionSpace(toy_space(), boxes)


def test_alleles_come_as_often_as_they_weigh_and_what_is_off_is_not_drawn():
    space = SoftBoxSpace(toy_space(), WEIGHTS)
    drawn = space.sample(40_000, np.random.default_rng(0))
    assert space.is_valid(drawn).all()
    marginals = space.law.marginals
    for gene in range(space.length):
        seen = np.bincount(drawn[:, gene], minlength=marginals.shape[1]) / len(drawn)
        np.testing.assert_allclose(seen, marginals[gene], atol=0.012)
    column = [gene.name for gene in space.genes].index("op_3")
    assert marginals[column].tolist() == pytest.approx([0.25, 0, 0.5, 0, 0.25])  # depth 4 three times of four


def test_equal_weights_have_the_perplexity_of_the_whole():
    free = ProductSpace("free", [Gene("a", ("x", "y", "z")), Gene("b", ("x", "y"))])
    assert SoftBoxSpace(free, {}).perplexity == pytest.approx(6)
    assert SoftBoxSpace(free, {}).cardinality == 6
    half = SoftBoxSpace(free, {"a": [1, 1, 0]})
    assert (half.perplexity, half.support.cardinality) == (pytest.approx(4), 4)
    assert isinstance(half.support, RestrictedSpace)
    peaked = SoftBoxSpace(free, {"a": [0.9, 0.05, 0.05]})
    assert 2 < peaked.perplexity < 4
    assert peaked.support is free


def test_saved_and_loaded_as_any_space(tmp_path):
    space = SoftBoxSpace(toy_space(), WEIGHTS, "mine")
    space.save(tmp_path / "box.parquet")
    again = get_space(str(tmp_path / "box.parquet"))
    assert isinstance(again, SoftBoxSpace)
    assert again.fingerprint == space.fingerprint
    np.testing.assert_array_equal(again.sample(50, np.random.default_rng(1)), space.sample(50, np.random.default_rng(1)))
    union = BoxUnionSpace(toy_space(), [{"op_0": [0]}, {"op_1": [1]}])
    assert from_definition(union.definition()).fingerprint == union.fingerprint


def test_restricted_and_boxed_again():
    space = SoftBoxSpace(toy_space(), WEIGHTS)
    part = space.restrict({"op_0": [0, 1]})
    np.testing.assert_allclose(part.table[1, :4], [5 / 6, 1 / 6, 0, 0])
    inner = SoftBoxSpace(part, {"op_0": [1, 1, 9, 9]})
    np.testing.assert_allclose(inner.table[1, :4], [0.5, 0.5, 0, 0])
    drawn = inner.sample(200, np.random.default_rng(0))
    assert part.is_valid(drawn).all()
    assert set(drawn[:, 1]) == {0, 1}


def test_a_space_that_folds_weighs_drawings():
    genes = [Gene(f"op_{i}", ("skip", "k3", "k5")) for i in range(2)]
    space = ProductSpace("chain", genes, movable=[Movable("skip", ("op_0", "op_1"))])
    box = SoftBoxSpace(space, {})
    assert box.counts_drawings
    assert box.perplexity == pytest.approx(9)
    assert box.cardinality == 7  # no more than there are
    drawn = box.sample(18_000, np.random.default_rng(0))
    (once,) = np.flatnonzero((space.enumerate().__next__() == [1, 0]).all(axis=1))  # k3 alone: two drawings of nine
    share = (drawn == space.enumerate().__next__()[once]).all(axis=1).mean()
    assert share == pytest.approx(2 / 9, abs=0.012)
    assert uniform_law(box) is None
    with pytest.raises(UserError, match="give each allele some weight"):
        SoftBoxSpace(space, {"op_0": [0, 1, 1]})


def test_a_union_counts_what_is_different_and_draws_it_evenly():
    space = ProductSpace("free", [Gene("a", tuple("wxyz")), Gene("b", tuple("wxyz"))])
    union = BoxUnionSpace(space, [{"a": [0, 1]}, {"a": [1], "b": [0, 1]}, {"b": [0]}])
    assert [box.cardinality for box in union.boxes] == [8, 2, 4]
    assert union.cardinality == 10
    assert union.encodings == 14
    drawn = union.sample(20_000, np.random.default_rng(0))
    _, counts = np.unique(space.encode(drawn), return_counts=True)
    np.testing.assert_allclose(counts / 20_000, 0.1, atol=0.012)


def test_mistakes():
    free = ProductSpace("free", [Gene("a", ("x", "y", "z")), Gene("b", ("x", "y"))])
    for weights, words in [
        ({"c": [1]}, "has no gene 'c'"),
        ({"a": [1, 1]}, "needs 3 weights"),
        ({"a": [1, -1, 1]}, "from 0 on"),
        ({"a": [0, 0, 0]}, "all are 0"),
    ]:
        with pytest.raises(UserError, match=words):
            SoftBoxSpace(free, weights)
    with pytest.raises(UserError, match="no product of its genes"):
        SoftBoxSpace(get_space("nasbench101"), {})
    with pytest.raises(UserError, match="at least one box"):
        BoxUnionSpace(free, [])
