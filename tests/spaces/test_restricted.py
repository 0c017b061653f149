"""Restrictions of each gene's alleles: free, conditional, movable, and of one another."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.spaces import FormulaCost, Gene, Movable, ProductSpace, RestrictedSpace
from lissnas.testing import SpaceContract


def free() -> ProductSpace:
    genes = [Gene("a", ("x", "y", "z")), Gene("b", (1, 2, 3, 4)), Gene("c", (False, True)), Gene("d", (8, 16, 24))]
    return ProductSpace("free", genes, costs=[FormulaCost("area", "b * d")])


def conditional() -> ProductSpace:
    genes = [Gene("depth", (1, 2, 3)), *[Gene(f"op_{i}", ("p", "q", "r"), active=f"{i} < depth") for i in range(3)]]
    return ProductSpace("conditional", [*genes, Gene("bias", (False, True))])


def movable() -> ProductSpace:
    genes = [Gene(f"m_{i}", ("k3", "identity", "k5", "k7")) for i in range(3)]
    return ProductSpace("movable", [*genes, Gene("w", (1, 2, 3))], movable=[Movable("identity", ("m_0", "m_1", "m_2"))])


class TestFreeContract(SpaceContract):
    def space(self) -> RestrictedSpace:
        return RestrictedSpace(free(), {"a": [0, 2], "b": [3, 1], "c": [1]})


class TestConditionalContract(SpaceContract):
    def space(self) -> RestrictedSpace:
        return RestrictedSpace(conditional(), {"depth": [0, 2], "op_1": [1], "op_2": [0, 2]})


class TestSwitchedOffForGoodContract(SpaceContract):
    def space(self) -> RestrictedSpace:
        return RestrictedSpace(conditional(), {"depth": [0]})


class TestMovableContract(SpaceContract):
    def space(self) -> RestrictedSpace:
        return RestrictedSpace(movable(), {f"m_{i}": [1, 2, 3] for i in range(3)})


class TestNoIdentityLeftContract(SpaceContract):
    """Positions that keep no identity may keep different operations."""

    def space(self) -> RestrictedSpace:
        return RestrictedSpace(movable(), {"m_0": [0, 2], "m_1": [0, 3], "m_2": [0, 2, 3]})


class TestOnlyIdentityLeftContract(SpaceContract):
    def space(self) -> RestrictedSpace:
        return RestrictedSpace(movable(), {f"m_{i}": [1] for i in range(3)})


class TestAgainContract(SpaceContract):
    def space(self) -> RestrictedSpace:
        return RestrictedSpace(RestrictedSpace(free(), {"b": [0, 1, 3]}), {"b": [1, 3], "a": [1, 2]})


class TestOneArchitectureContract(SpaceContract):
    def space(self) -> RestrictedSpace:
        return RestrictedSpace(free(), {"a": [2], "b": [0], "c": [1], "d": [1]})


class TestLargeContract(SpaceContract):
    def space(self) -> RestrictedSpace:
        large = ProductSpace("large", [Gene(f"g{i}", tuple(range(13))) for i in range(21)])
        return RestrictedSpace(large, {f"g{i}": [0, 4, 12] for i in range(20)})


@pytest.mark.parametrize("make", [free, conditional, movable])
def test_members_are_those_that_hold_kept_alleles(make, rng: np.random.Generator) -> None:
    space = make()
    everyone = np.concatenate(list(space.enumerate()))
    for _ in range(10):
        kept = {}
        for gene in space.genes[len(space.movable[0].genes) if space.movable else 0 :]:
            count = len(gene.alleles)
            kept[gene.name] = rng.choice(count, size=rng.integers(1, count + 1), replace=False)
        if space.movable:
            kept |= {name: [0, 1, 3] for name in space.movable[0].genes}
        small = RestrictedSpace(space, kept)
        allowed = [{*map(int, kept[g.name]), len(g.alleles)} if g.name in kept else set(range(g.radix)) for g in space.genes]
        inside = [all(a in ok for a, ok in zip(row, allowed, strict=True)) for row in everyone.tolist()]
        members = np.concatenate(list(small.enumerate()))
        assert sorted(map(tuple, members.tolist())) == sorted(map(tuple, everyone[inside].tolist()))
        assert small.cardinality == sum(inside)
        np.testing.assert_array_equal(small.is_valid(everyone), inside)


def test_all_pairs_of_kept_alleles() -> None:
    small = RestrictedSpace(free(), {"a": [0, 2], "b": [3, 1], "c": [1], "d": [0]})
    expected = list(itertools.product([0, 2], [1, 3], [1], [0]))
    assert sorted(map(tuple, np.concatenate(list(small.enumerate())).tolist())) == expected


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        ({"a": []}, "gene 'a' of 'free' must keep some of its alleles 0, 1, 2, but got \\[\\]"),
        ({"a": [3]}, "gene 'a'"),
        ({"a": [-1]}, "gene 'a'"),
        ({"e": [0]}, "has no gene 'e'"),
    ],
)
def test_refused(kept: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        RestrictedSpace(free(), kept)


def test_a_restriction_of_a_restriction_cannot_bring_alleles_back() -> None:
    once = RestrictedSpace(free(), {"b": [0, 1]})
    with pytest.raises(UserError, match="must keep some of its alleles 0, 1, but got"):
        RestrictedSpace(once, {"b": [1, 2]})


def test_an_identity_that_can_move_to_some_places_only() -> None:
    with pytest.raises(UserError, match="m_0, m_1, m_2 share a movable identity"):
        RestrictedSpace(movable(), {"m_0": [0, 1], "m_1": [0, 1, 2], "m_2": [0, 1]})


def test_numpy_indices_are_plain_data() -> None:
    one = RestrictedSpace(free(), {"b": np.array([1, 3])})
    assert one.fingerprint == RestrictedSpace(free(), {"b": [3, 1, 3]}).fingerprint


def test_far_away_ends_at_once(rng: np.random.Generator) -> None:
    small = RestrictedSpace(conditional(), {"bias": [1]})
    assert len(small.neighbors(small.sample(3, rng), 10**9, rng).parents) == 0
