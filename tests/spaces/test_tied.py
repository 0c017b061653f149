"""One gene that decides for several: the contract, and AnyNetX's letters as parts of its first."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas import UserError, get_space
from lissnas.spaces import ExplicitSpace, Gene, ProductSpace, TiedSpace, from_definition, keep_alleles
from lissnas.spaces.anynet import AnyNetX
from lissnas.testing import SpaceContract

SMALL = {"depths": range(1, 4), "widths": (8, 16, 32, 64), "bottlenecks": (1, 2), "groups": (1, 2, 4), "stages": 3}


def letters():
    return AnyNetX("anynetx", "a", **SMALL)


class TestContract(SpaceContract):
    def space(self):
        return TiedSpace(letters(), AnyNetX("anynetx", "c", **SMALL))


class TestContractOfAProduct(SpaceContract):
    def space(self):
        alleles = ("conv", "pool", "skip")
        free = ProductSpace("free", [*(Gene(f"op_{i}", alleles) for i in range(4)), Gene("width", (8, 16, 32))])
        return TiedSpace(free, ProductSpace("same", [Gene("op", alleles), Gene("width", (8, 16, 32))]))


def test_members_are_counted_by_looking_at_all():
    space = letters()
    everything = np.concatenate(
        [rows[space.is_valid(rows)] for rows in np.array_split(_product([3] * 3 + [4] * 3 + [2] * 3 + [3] * 3), 16)]
    )
    assert len(everything) == space.cardinality
    for letter in "bcde":
        inner = AnyNetX("anynetx", letter, **SMALL)
        tied = TiedSpace(space, inner)
        assert tied.is_valid(everything).sum() == tied.cardinality == inner.cardinality
        listed = tied.sample(20_000, np.random.default_rng(0))
        assert len(np.unique(space.encode(listed), axis=0)) > 0.6 * min(tied.cardinality, 20_000)
        np.testing.assert_array_equal(space.cost(listed[:50]).flops, inner.cost(listed[:50][:, tied._first]).flops)


def _product(sizes):
    return np.stack(
        [axis.ravel() for axis in np.meshgrid(*(np.arange(n, dtype=np.uint8) for n in sizes), indexing="ij")], axis=1
    )


def test_the_published_letters_and_regnet(monkeypatch):
    monkeypatch.setattr("lissnas.spaces.anynet._REGNETS", 1 << 16)
    space = get_space("anynetx-a")
    parts = list(space.simplifications())
    assert [part.name for part in parts] == ["anynetx-b", "anynetx-c", "anynetx-d", "anynetx-e", "regnet"]
    for before, part in zip([space, *parts], parts, strict=False):
        assert part.cardinality < before.cardinality
        assert before.is_valid(part.sample(500, np.random.default_rng(0))).all() or part.name == "regnet"
    assert isinstance(parts[-1], ExplicitSpace)
    regnet = get_space("regnet")
    found = space.stages_of(parts[-1].sample(300, np.random.default_rng(0)))
    assert (np.diff(found.widths, axis=1) >= 0).all()
    assert regnet.cost_names == ("flops", "params", "stages")
    assert list(get_space("darts").simplifications()) == []


def test_alleles_are_dropped_for_all_that_are_tied():
    tied = TiedSpace(letters(), AnyNetX("anynetx", "b", **SMALL))
    kept = {"bottleneck_1": [1], "bottleneck_2": [0, 1], "bottleneck_3": [0, 1], "depth_1": [0, 2]}
    listed = keep_alleles(tied, kept)  # of so small a space the part is a list
    part = TiedSpace(tied.parent, keep_alleles(tied.inner, {"bottleneck": [1], "depth_1": [0, 2]}))
    assert tied.kept_inside(kept) == {"bottleneck": [1], "depth_1": [0, 2]}
    assert listed.cardinality == part.cardinality
    drawn = part.sample(500, np.random.default_rng(0))
    assert (drawn[:, 6:9] == 1).all()
    assert set(drawn[:, 0]) == {0, 2}
    assert tied.is_valid(drawn).all()
    assert listed.is_valid(drawn).all()
    large = get_space("anynetx-a")
    tied = TiedSpace(large, get_space("anynetx-d"))
    part = keep_alleles(
        tied, {"depth_1": range(4, 8), "group_1": [3], "group_2": range(6), "group_3": range(6), "group_4": range(6)}
    )
    assert isinstance(part, TiedSpace)
    again = from_definition(part.definition())
    assert again.fingerprint == part.fingerprint
    drawn = again.sample(100, np.random.default_rng(0))
    assert (drawn[:, 12:] == 3).all()
    assert part.is_valid(drawn).all()


def test_bad_input():
    space = letters()
    with pytest.raises(UserError, match="no gene of 'other' stands for 'depth_1' of 'anynetx', with its alleles"):
        TiedSpace(space, ProductSpace("other", [Gene("depth", (1, 2))]))
    more = ProductSpace("more", [Gene("op", ("a", "b")), Gene("width", (1, 2))])
    with pytest.raises(UserError, match="some gene of 'more' stands for none"):
        TiedSpace(ProductSpace("few", [Gene("op_1", ("a", "b")), Gene("op_2", ("a", "b"))]), more)
