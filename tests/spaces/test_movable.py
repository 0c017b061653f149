"""Groups in which an identity may stand anywhere: lists of operations, Levenshtein's distance."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lissnas.spaces import Gene, Movable, ProductSpace
from lissnas.testing import SpaceContract


def group(positions: int, operations: int, name: str = "op", identity_first: bool = False) -> tuple[list[Gene], Movable]:
    alleles = [f"k{i}" for i in range(operations)]
    alleles.insert(0 if identity_first else len(alleles), "identity")
    genes = [Gene(f"{name}_{i}", tuple(alleles)) for i in range(positions)]
    return genes, Movable("identity", tuple(g.name for g in genes))


def movable(positions: int, operations: int, **options: bool) -> ProductSpace:
    genes, moving = group(positions, operations, **options)
    return ProductSpace("movable", genes, movable=[moving])


class TestMobileNetGroupContract(SpaceContract):
    """Three positions, six operations and the identity: one stage of the MobileNet space."""

    def space(self) -> ProductSpace:
        return movable(3, 6)


class TestOneOperationContract(SpaceContract):
    """Only the number of operations counts."""

    def space(self) -> ProductSpace:
        return movable(5, 1, identity_first=True)


class TestOnePositionContract(SpaceContract):
    def space(self) -> ProductSpace:
        return movable(1, 3)


class TestTwoGroupsContract(SpaceContract):
    def space(self) -> ProductSpace:
        (a, moving_a), (b, moving_b) = group(2, 3, "a"), group(3, 2, "b", identity_first=True)
        woven = [g for pair in itertools.zip_longest(a, b) for g in pair if g is not None]
        return ProductSpace("two groups", [Gene("width", (8, 16, 24)), *woven], movable=[moving_a, moving_b])


class TestMixtureContract(SpaceContract):
    """Free genes, a movable group and a condition in one space."""

    def space(self) -> ProductSpace:
        genes, moving = group(3, 2)
        tied = [Gene("depth", (1, 2)), Gene("k_0", (3, 5)), Gene("k_1", (3, 5, 7), active="depth > 1")]
        return ProductSpace(
            "mixture", [tied[0], *genes[:1], Gene("bias", (False, True)), *genes[1:], *tied[1:]], movable=[moving]
        )


def levenshtein(a: tuple, b: tuple) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row, above = [i], row
        for j, y in enumerate(b, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (x != y)))
    return row[-1]


@pytest.mark.parametrize(
    ("positions", "operations", "first"), [(3, 2, True), (4, 2, False), (2, 4, False), (4, 1, True), (1, 5, True)]
)
def test_distance_and_neighbors_are_levenshteins(positions: int, operations: int, first: bool) -> None:
    space = movable(positions, operations, identity_first=first)
    identity = 0 if first else operations
    x = np.concatenate(list(space.enumerate()))
    assert len(x) == space.cardinality == sum(operations**j for j in range(positions + 1))
    lists = [tuple(a for a in row if a != identity) for row in x.tolist()]
    assert len(set(lists)) == len(lists)
    expected = np.array([[levenshtein(a, b) for b in lists] for a in lists])
    n = len(x)
    np.testing.assert_array_equal(space.distance(np.repeat(x, n, axis=0), np.tile(x, (n, 1))).reshape(n, n), expected)
    near = space.all_neighbors(x)
    pairs = sorted(zip(near.parents.tolist(), map(tuple, near.genotypes.tolist()), strict=True))
    assert pairs == sorted((i, tuple(x[j].tolist())) for i, j in zip(*np.nonzero(expected == 1), strict=True))
    np.testing.assert_array_equal(space.count_neighbors(x), (expected == 1).sum(axis=1))


def test_identities_stand_last() -> None:
    space = movable(4, 2)
    x = np.array([[2, 0, 2, 1], [2, 2, 2, 2], [1, 0, 1, 0]], dtype=np.uint8)
    np.testing.assert_array_equal(space.canonicalize(x), [[0, 1, 2, 2], [2, 2, 2, 2], [1, 0, 1, 0]])
    assert space.is_valid(x).tolist() == [False, True, True]


def test_strings_with_the_identity_anywhere_are_one_network() -> None:
    space = movable(3, 2)
    texts = ["op_0=identity op_1=k0 op_2=k1", "op_0=k0 op_1=identity op_2=k1", "op_0=k0 op_1=k1 op_2=identity"]
    assert len(np.unique(space.encode(space.parse(texts)))) == 1


def test_mobilenet_counts() -> None:
    """21 layers, six of which cannot be skipped; in each of the five stages that can, three identities may stand anywhere."""
    genes = [Gene(f"first_{s}", tuple("abcdef")) for s in range(6)]
    moving = []
    for s in range(5):
        more, group_of_stage = group(3, 6, f"s{s}")
        genes += more
        moving.append(group_of_stage)
    space = ProductSpace("mobilenet-like", genes, movable=moving)
    assert space.encodings == 6**6 * 7**15
    assert space.cardinality == 6**6 * 259**5
    assert f"{space.cardinality:.1e}" == "5.4e+16"
    assert space.max_edits == 21


def test_no_row_is_left_out_on_small_spaces(rng: np.random.Generator) -> None:
    space = TestMixtureContract().space()
    x = np.concatenate(list(space.enumerate()))
    n = len(x)
    far = space.distance(np.repeat(x, n, axis=0), np.tile(x, (n, 1))).reshape(n, n)
    for edits in range(1, int(far.max()) + 2):
        near = space.neighbors(x, edits, rng)
        assert near.parents.tolist() == np.flatnonzero((far == edits).any(axis=1)).tolist()


def test_a_group_too_large_to_be_looked_up_answers_alike(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    part = movable(3, 6).parts[0]
    x = rng.integers(0, 7, size=(2000, 3), dtype=np.uint8)
    looked_up = part.canonicalize(x)
    monkeypatch.setattr("lissnas.spaces.movable.TABLE", 0)
    np.testing.assert_array_equal(movable(3, 6).parts[0].canonicalize(x), looked_up)
    drawn = part.sample(20_000, rng)
    share = np.bincount(np.count_nonzero(drawn != 6, axis=1), minlength=4) / 20_000
    np.testing.assert_allclose(share, np.array([1, 6, 36, 216]) / 259, atol=0.02)
