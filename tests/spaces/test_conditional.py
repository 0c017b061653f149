"""Genes that switch other genes off: canonical form, counts, and the exact distance with its shortcut."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.spaces import Gene, ProductSpace
from lissnas.testing import SpaceContract


def stage(prefix: str, depths: tuple[int, ...], alleles: tuple, per_layer: int = 1) -> list[Gene]:
    genes = [Gene(f"{prefix}depth", depths, ordered=True)]
    for kind in range(per_layer):
        genes += [Gene(f"{prefix}op{kind}_{i}", alleles, active=f"{i} < {prefix}depth") for i in range(max(depths))]
    return genes


def one_stage() -> ProductSpace:
    return ProductSpace("one stage", stage("", (1, 2, 3), ("k3", "k5", "k7")))


def two_stages() -> ProductSpace:
    genes = [*stage("a_", (1, 2), ("x", "y", "z")), Gene("bias", (False, True)), *stage("b_", (0, 1, 2), (3, 5))]
    return ProductSpace("two stages", genes)


def nested() -> ProductSpace:
    """``heads`` is a controller, and is itself switched by ``kind``."""
    return ProductSpace(
        "nested",
        [
            Gene("share", (1, 2, 3), active="heads == 4 or kernel == 7"),
            Gene("kind", ("conv", "attention")),
            Gene("heads", (2, 4), active="kind == 'attention'"),
            Gene("bias", (False, True), active="kind == 'attention' and heads > 2"),
            Gene("kernel", (3, 5, 7), active="kind == 'conv'"),
            Gene("only", ("one",), active="bias"),
        ],
    )


def gates() -> ProductSpace:
    """Three switches and four genes that look at several of them."""
    genes = [Gene(f"on_{i}", (False, True)) for i in range(3)]
    genes += [Gene("any", (1, 2, 3), active="on_0 or on_1 or on_2"), Gene("all", (1, 2), active="on_0 and on_1 and on_2")]
    genes += [Gene("none", (1, 2), active="not (on_0 or on_1)"), Gene("odd", (1, 2), active="on_0 + on_1 + on_2 == 2")]
    return ProductSpace("gates", genes)


def chain() -> ProductSpace:
    """Each layer says whether there is another."""
    genes = [Gene("more_0", ("stop", "a", "b"))]
    genes += [
        Gene(f"more_{i}", ("stop", "a", "b"), active=f"more_{i - 1} != 'stop' and more_{i - 1} != ''") for i in range(1, 4)
    ]
    return ProductSpace("chain", genes)


class TestOneStageContract(SpaceContract):
    space = staticmethod(one_stage)


class TestTwoStagesContract(SpaceContract):
    space = staticmethod(two_stages)


class TestNestedContract(SpaceContract):
    space = staticmethod(nested)


class TestGatesContract(SpaceContract):
    space = staticmethod(gates)


class TestChainContract(SpaceContract):
    space = staticmethod(chain)


class TestManyAllelesContract(SpaceContract):
    def space(self) -> ProductSpace:
        return ProductSpace("wide", [Gene("on", (False, True)), Gene("width", tuple(range(254)), active="on")])


SMALL = [one_stage, two_stages, nested, gates, chain]


@pytest.mark.parametrize("make", SMALL)
def test_one_edit_by_its_definition(make) -> None:
    """b is one edit from a when exactly one gene that is active in both differs."""
    space = make()
    x = np.concatenate(list(space.enumerate()))
    inactive = x == np.array([len(g.alleles) for g in space.genes])
    both = ~inactive[:, None, :] & ~inactive[None, :, :]
    one_edit = (both & (x[:, None, :] != x[None, :, :])).sum(axis=2) == 1
    place = {row.tobytes(): i for i, row in enumerate(x)}
    near = space.all_neighbors(x)
    found = np.zeros_like(one_edit)
    found[near.parents, [place[g.tobytes()] for g in near.genotypes]] = True
    np.testing.assert_array_equal(found, one_edit)
    np.testing.assert_array_equal(space.count_neighbors(x), one_edit.sum(axis=1))


@pytest.mark.parametrize("make", SMALL)
def test_no_row_is_left_out_on_small_spaces(make, rng: np.random.Generator) -> None:
    space = make()
    x = np.concatenate(list(space.enumerate()))
    n = len(x)
    far = space.distance(np.repeat(x, n, axis=0), np.tile(x, (n, 1))).reshape(n, n)
    for edits in range(1, int(far.max()) + 2):
        near = space.neighbors(x, edits, rng)
        assert near.parents.tolist() == np.flatnonzero((far == edits).any(axis=1)).tolist()


def test_the_shortcut_of_switching_off_and_on_again() -> None:
    space = ProductSpace("s", stage("", (1, 2), ("a", "b"), per_layer=3))
    a = space.parse(["depth=2 op0_0=a op0_1=a op1_0=a op1_1=a op2_0=a op2_1=a"])
    b = space.parse(["depth=2 op0_0=a op0_1=b op1_0=a op1_1=b op2_0=a op2_1=b"])
    c = space.parse(["depth=2 op0_0=b op0_1=b op1_0=a op1_1=b op2_0=a op2_1=b"])
    d = space.parse(["depth=1 op0_0=a op1_0=a op2_0=a"])
    assert space.distance(a, b).tolist() == [2]  # three genes of layer 1 differ: depth 2 -> 1 -> 2 rewrites them all
    assert space.distance(a, c).tolist() == [3]  # op0_0 is never switched off
    assert space.distance(a, d).tolist() == [1]


def test_gpt_s_counts() -> None:
    """DESIGN.md's space: width, bias, and 10 to 12 layers of heads and MLP ratio."""
    genes = [Gene("embed", (192, 384, 768)), Gene("layers", (10, 11, 12)), Gene("bias", (False, True))]
    genes += [Gene(f"heads_{i}", (4, 8, 12), active=f"{i} < layers") for i in range(12)]
    genes += [Gene(f"mlp_{i}", (2, 3, 4), active=f"{i} < layers") for i in range(12)]
    space = ProductSpace("gpt-s", genes)
    assert space.cardinality == 3 * 2 * (9**10 + 9**11 + 9**12) == 1_903_784_282_946
    assert space.encodings == 3 * 3 * 2 * 9**12
    assert space.max_edits == 3 + 24


def test_once_for_all_counts() -> None:
    """OFA-MobileNetV3: five stages of 2 to 4 layers, three kernels and three expansions each: 2.2e19."""
    genes = []
    for s in range(5):
        genes.append(Gene(f"depth_{s}", (2, 3, 4)))
        for i in range(4):
            genes += [Gene(f"{kind}_{s}_{i}", (3, 4, 6), active=f"{i} < depth_{s}") for kind in ("kernel", "expand")]
    space = ProductSpace("ofa", genes)
    assert space.cardinality == (9**2 + 9**3 + 9**4) ** 5
    assert 2.1e19 < space.cardinality < 2.3e19


def test_neighbors_far_away_in_a_large_space(rng: np.random.Generator) -> None:
    genes = [g for s in range(5) for g in stage(f"s{s}_", (2, 3, 4), (3, 5, 7), per_layer=2)]
    space = ProductSpace("ofa", genes)
    x = space.sample(50, rng)
    for edits in (2, 5, 12):
        near = space.neighbors(x, edits, rng)
        assert len(near.parents) == 50
        assert (space.distance(x, near.genotypes) == edits).all()


def test_sixty_nested_switches(rng: np.random.Generator) -> None:
    """The controllers' joint values, written as one number, are beyond 64 bits."""
    genes = [Gene("more_0", ("stop", "a", "b"))]
    genes += [Gene(f"more_{i}", ("stop", "a", "b"), active=f"more_{i - 1} == 'a'") for i in range(1, 60)]
    space = ProductSpace("deep", genes)
    assert space.cardinality == 2 * 59 + 3
    x = np.concatenate(list(space.enumerate()))
    assert len(np.unique(space.encode(x), axis=0)) == space.cardinality
    assert space.is_valid(x).all()
    near = space.neighbors(x, 1, rng)
    assert (space.distance(x[near.parents], near.genotypes) == 1).all()


def test_canonical_form_switches_off_and_fills_in() -> None:
    space = one_stage()
    x = np.array([[0, 1, 2, 0], [2, 1, 3, 3]], dtype=np.uint8)
    np.testing.assert_array_equal(space.canonicalize(x), [[0, 1, 3, 3], [2, 1, 0, 0]])
    assert space.is_valid(x).tolist() == [False, False]


def test_a_row_that_contradicts_its_conditions_is_named() -> None:
    space = chain()
    wrong = np.array([[0, 3, 3, 3], [0, 1, 3, 3]], dtype=np.uint8)
    with pytest.raises(UserError, match="row 1"):
        space.distance(wrong, wrong)


def test_too_many_joint_values() -> None:
    genes = [Gene(f"c_{i}", tuple(range(20))) for i in range(3)]
    genes.append(Gene("op", (1, 2), active="c_0 + c_1 + c_2 > 10"))
    with pytest.raises(UserError, match="c_0, c_1, c_2"):
        ProductSpace("s", genes)
