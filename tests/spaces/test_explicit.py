"""Explicit spaces of every kind of parent, of one another, and past 2^64."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import chdtrc

from lissnas.errors import UserError
from lissnas.spaces import (
    ConstrainedSpace,
    ExplicitSpace,
    FormulaCost,
    Gene,
    Movable,
    ProductSpace,
    RestrictedSpace,
    SearchSpace,
)
from lissnas.spaces.shufflenetv2 import shufflenetv2
from lissnas.testing import SpaceContract


def free() -> ProductSpace:
    return ProductSpace("free", [Gene(f"g{i}", tuple(range(n))) for i, n in enumerate((3, 4, 2, 3))])


def conditional() -> ProductSpace:
    genes = [Gene("depth", (1, 2, 3)), *[Gene(f"op_{i}", ("p", "q", "r"), active=f"{i} < depth") for i in range(3)]]
    return ProductSpace("conditional", [*genes, Gene("w", (1, 2, 3))], costs=[FormulaCost("work", "depth * w")])


def movable() -> ProductSpace:
    genes = [Gene(f"m_{i}", tuple("abcdef-")) for i in range(3)]
    return ProductSpace("movable", genes, movable=[Movable("-", ("m_0", "m_1", "m_2"))])


def fbnet_like() -> ProductSpace:
    return ProductSpace("9^22", [Gene(f"g{i}", tuple(range(9))) for i in range(22)])


def mobilenet_se_like() -> ProductSpace:
    return ProductSpace("13^21", [Gene(f"g{i}", tuple(range(13))) for i in range(21)])


def some(space: SearchSpace, n: int) -> ExplicitSpace:
    """About ``n`` architectures, some of which are neighbors."""
    rng = np.random.default_rng(n)
    x = space.sample(n, rng)
    for _ in range(2):
        x = np.concatenate([x, space.neighbors(x[: n // 3], 1, rng).genotypes])
    return ExplicitSpace.of(space, x[rng.permutation(len(x))][:n])


class TestFreeContract(SpaceContract):
    def space(self) -> ExplicitSpace:
        return some(free(), 40)


class TestConditionalContract(SpaceContract):
    def space(self) -> ExplicitSpace:
        return some(conditional(), 60)


class TestMovableContract(SpaceContract):
    def space(self) -> ExplicitSpace:
        return some(movable(), 100)


class TestConstrainedContract(SpaceContract):
    def space(self) -> ExplicitSpace:
        return some(ConstrainedSpace(conditional(), ["work <= 6"]), 40)


class TestRestrictedContract(SpaceContract):
    def space(self) -> ExplicitSpace:
        return some(RestrictedSpace(free(), {"g1": [0, 3]}), 20)


class TestExplicitOfExplicitContract(SpaceContract):
    def space(self) -> ExplicitSpace:
        return some(some(shufflenetv2(), 2000), 500)


class TestShuffleContract(SpaceContract):
    def space(self) -> ExplicitSpace:
        return some(shufflenetv2(), 3000)


class TestTwoWordsContract(SpaceContract):
    def space(self) -> ExplicitSpace:
        return some(fbnet_like(), 1000)


class TestTwoWordsAgainContract(SpaceContract):
    def space(self) -> ExplicitSpace:
        return some(some(mobilenet_se_like(), 1500), 300)


class TestOneArchitectureContract(SpaceContract):
    def space(self) -> ExplicitSpace:
        return some(conditional(), 1)


class TestWideNeighborhoodsContract(SpaceContract):
    """One edit switches on a block of 9^12 values: far more neighbors in the root than the space has members."""

    def space(self) -> ExplicitSpace:
        genes = [
            Gene("on", (False, True)),
            *[Gene(f"op_{i}", tuple(range(9)), active="on") for i in range(12)],
            Gene("w", (1, 2, 3)),
        ]
        root = ProductSpace("wide", genes)
        rng = np.random.default_rng(0)
        narrow = root.canonicalize(np.array([[0, *[9] * 12, w] for w in range(3)], dtype=np.uint8))
        near = root.neighbors(np.repeat(narrow, 20, axis=0), 1, rng).genotypes
        return ExplicitSpace.of(root, np.concatenate([narrow, near, root.sample(100, rng)]))


def test_members_count_once_in_any_order(rng: np.random.Generator) -> None:
    space = fbnet_like()
    x = space.sample(100, rng)
    one = ExplicitSpace.of(space, x, "one")
    two = ExplicitSpace.of(space, np.concatenate([x[::-1], x[:30]]), "one")
    assert one.cardinality == two.cardinality == 100
    assert one.fingerprint == two.fingerprint
    assert one.fingerprint != ExplicitSpace.of(space, x[:99], "one").fingerprint
    assert one.name == "one"
    assert ExplicitSpace.of(space, x).name == "9^22-100"
    np.testing.assert_array_equal(one.genotypes, np.concatenate(list(one.enumerate(17))))


@pytest.mark.parametrize("share", [0.3, 0.004])
def test_neighbors_far_away_are_uniform_and_independent(share: float, rng: np.random.Generator) -> None:
    """Whether many members are at that distance (drawn) or few (all are looked at); also for a row that comes many times."""
    space = shufflenetv2()
    home = space.sample(1, rng)
    near = space.neighbors(np.repeat(home, 60, axis=0), 3, rng).genotypes
    far = space.neighbors(np.repeat(home, round(len(near) / share), axis=0), 15, rng).genotypes
    shrunk = ExplicitSpace.of(space, np.concatenate([home, near, far]))
    at = {tuple(row) for row in near.tolist()}
    batch = np.repeat(home, 60 * len(at), axis=0)
    drawn = shrunk.neighbors(batch, 3, rng)
    assert len(drawn.parents) == len(batch)
    rows, counts = np.unique(drawn.genotypes, axis=0, return_counts=True)
    assert {tuple(row) for row in rows.tolist()} == at
    assert chdtrc(len(at) - 1, ((counts - 60) ** 2 / 60).sum()) > 1e-9


def test_a_lone_member_at_that_distance_is_found(rng: np.random.Generator) -> None:
    space = shufflenetv2()
    home = space.sample(1, rng)
    lone = space.neighbors(home, 5, rng).genotypes
    shrunk = ExplicitSpace.of(
        space, np.concatenate([home, lone, space.neighbors(np.repeat(home, 5000, axis=0), 15, rng).genotypes])
    )
    for _ in range(5):
        np.testing.assert_array_equal(shrunk.neighbors(home, 5, rng).genotypes, lone)
    assert len(shrunk.neighbors(home, 6, rng).parents) == 0


def test_refused(rng: np.random.Generator) -> None:
    space = conditional()
    codes = space.encode(space.sample(5, rng))
    with pytest.raises(UserError, match="at least one architecture"):
        ExplicitSpace(space, codes[:0])
    with pytest.raises(UserError, match="must be uint64"):
        ExplicitSpace(space, codes.astype(np.int64))  # type: ignore[arg-type]
    with pytest.raises(UserError, match="must be uint64"):
        ExplicitSpace(space, codes.tolist())  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"row 1: .* is no code"):
        ExplicitSpace(space, np.array([[0], [1 << 63]], dtype=np.uint64))
    with pytest.raises(UserError, match="is no canonical architecture"):
        ExplicitSpace(space, space.encode(np.array([[0, 0, 0, 0, 0]], dtype=np.uint8)))
    parent = ExplicitSpace(space, codes[:1])
    with pytest.raises(UserError, match="is no canonical architecture of 'conditional-1'"):
        ExplicitSpace(parent, codes)


def test_a_string_from_outside_is_named(rng: np.random.Generator) -> None:
    space = free()
    x = space.sample(1, rng)
    shrunk = ExplicitSpace.of(space, x, "tiny")
    other = space.neighbors(x, 1, rng).genotypes
    with pytest.raises(UserError, match=r"row 1: .* is not in 'tiny'"):
        shrunk.parse(space.format(np.concatenate([x, other])))


@pytest.mark.parametrize("edits", [21, 10**9])
def test_beyond_the_space_there_is_nobody(edits: int, rng: np.random.Generator) -> None:
    shrunk = some(shufflenetv2(), 100)
    assert len(shrunk.neighbors(shrunk.sample(3, rng), edits, rng).parents) == 0
