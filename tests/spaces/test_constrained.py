"""Limits on what an architecture costs: counted where the space is small, estimated where it is large."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.spaces import (
    ConstrainedSpace,
    ExplicitSpace,
    FormulaCost,
    Gene,
    LearnedCost,
    Movable,
    ProductSpace,
    RestrictedSpace,
    check_limits,
    meets_limits,
    sample_within,
)
from lissnas.spaces.shufflenetv2 import shufflenetv2
from lissnas.testing import SpaceContract


def small() -> ProductSpace:
    genes = [Gene("depth", (1, 2, 3)), *[Gene(f"width_{i}", (8, 16, 24), active=f"{i} < depth") for i in range(3)]]
    genes += [Gene("m_0", ("id", "k3", "k5")), Gene("m_1", ("id", "k3", "k5"))]
    work = FormulaCost("work", "width_0 + width_1 + width_2 + 10 * (m_0 != 'id') + 10 * (m_1 != 'id')")
    return ProductSpace("small", genes, movable=[Movable("id", ("m_0", "m_1"))], costs=[work])


class TestSmallContract(SpaceContract):
    def space(self) -> ConstrainedSpace:
        return ConstrainedSpace(small(), ["work <= 50", "depth > 1"])


class TestConstrainedTwiceContract(SpaceContract):
    def space(self) -> ConstrainedSpace:
        return ConstrainedSpace(ConstrainedSpace(small(), ["work <= 60"]), ["depth == 2"])


class TestRestrictedContract(SpaceContract):
    def space(self) -> ConstrainedSpace:
        return ConstrainedSpace(RestrictedSpace(small(), {"width_0": [0, 2]}), ["work <= 60"])


class TestExplicitContract(SpaceContract):
    def space(self) -> ConstrainedSpace:
        space = small()
        return ConstrainedSpace(ExplicitSpace.of(space, space.sample(150, np.random.default_rng(3))), ["work <= 60"])


class TestLargeContract(SpaceContract):
    def space(self) -> ConstrainedSpace:
        return ConstrainedSpace(shufflenetv2(), ["flops <= 330e6"], "under 330M")


def test_counted_exactly() -> None:
    space = small()
    everyone = np.concatenate(list(space.enumerate()))
    within = ConstrainedSpace(space, ["work <= 50"])
    assert within.cardinality_is_exact
    assert within.cardinality == int((space.cost(everyone).work <= 50).sum())
    assert within.encodings == space.encodings


def test_estimated_where_large(rng: np.random.Generator) -> None:
    space = ConstrainedSpace(shufflenetv2(), ["flops <= 330e6"])
    assert not space.cardinality_is_exact
    assert space.cardinality / 4**20 == pytest.approx(0.59, abs=0.01)  # reconstruction B.3
    assert space.cost(space.sample(1000, rng)).flops.max() <= 330e6
    with pytest.raises(UserError, match="too many to list"):
        next(space.enumerate())


def test_an_estimate_is_not_taken_for_a_list(rng: np.random.Generator) -> None:
    """A limit that leaves an estimated 10^6 or fewer of a space that is too large to list, under another limit."""
    genes = [Gene(f"g{i}", tuple(range(10))) for i in range(8)]
    large = ProductSpace("large", genes, costs=[FormulaCost("first", "1000 * g0 + 100 * g1 + 10 * g2 + g3")])
    inner = ConstrainedSpace(large, ["first < 60"])
    assert not inner.cardinality_is_exact
    assert inner.cardinality < 1 << 20
    outer = ConstrainedSpace(inner, ["first >= 30"])
    assert not outer.cardinality_is_exact
    assert outer.cardinality == pytest.approx(300_000, rel=0.2)
    assert set(outer.sample(500, rng)[:, 2]) == {3, 4, 5}


def test_sample_within_is_uniform(rng: np.random.Generator) -> None:
    space = small()
    within = np.concatenate(list(ConstrainedSpace(space, ["work <= 40"]).enumerate()))
    drawn = space.encode(sample_within(space, 100 * len(within), ["work <= 40"], rng))[:, 0]
    codes, counts = np.unique(drawn, return_counts=True)
    assert sorted(codes) == sorted(space.encode(within)[:, 0])
    assert counts.min() > 50
    assert counts.max() < 160


def test_nothing_meets_the_limits(rng: np.random.Generator) -> None:
    for call in (lambda: ConstrainedSpace(small(), ["work < 8"]), lambda: sample_within(shufflenetv2(), 5, ["flops < 1"], rng)):
        with pytest.raises(
            UserError, match=r"(no|random) architectures? of '.*' meets .*: (work|flops) goes from \d+ to \d+; relax"
        ) as caught:
            call()
        assert "\n" not in str(caught.value)


def test_sample_within_without_limits_or_rows(rng: np.random.Generator) -> None:
    assert sample_within(small(), 7, (), rng).shape == (7, 6)
    assert sample_within(small(), 0, ["work < 50"], rng).shape == (0, 6)


class TestLimits:
    @pytest.mark.parametrize(
        ("limit", "message"),
        [
            ("latency <= 3", "names 'latency', which 'small' does not have: its costs are work"),
            ("work", "a limit must compare"),
            ("work + 3", "a limit must compare"),
            ("work <=", "cannot read"),
            ("work = 3", "cannot read"),
            ("f(work) < 3", "not allowed"),
            ("", "must be a text"),
            (3, "must be a text"),
        ],
    )
    def test_refused(self, limit: object, message: str) -> None:
        with pytest.raises(UserError, match=message) as caught:
            check_limits(small(), [limit])  # type: ignore[list-item]
        assert "\n" not in str(caught.value)

    def test_one_limit_needs_no_list(self, rng: np.random.Generator) -> None:
        space = small()
        x = space.sample(50, rng)
        assert check_limits(space, "work <= 50") == ("work <= 50",)
        np.testing.assert_array_equal(meets_limits(space, x, "work <= 50"), meets_limits(space, x, ["work <= 50"]))

    def test_costs_and_genes(self, rng: np.random.Generator) -> None:
        space = small()
        x = space.sample(200, rng)
        expected = (space.cost(x).work <= 50) & (x[:, 0] == 1) & (x[:, 4] == 2)
        np.testing.assert_array_equal(meets_limits(space, x, ["work <= 50", "depth == 2 and m_0 == 'k5'"]), expected)
        assert meets_limits(space, x, []).all()
        assert meets_limits(space, x[:0], ["work < 3"]).shape == (0,)

    def test_a_cost_that_was_not_learned_yet(self, rng: np.random.Generator) -> None:
        space = ProductSpace("s", [Gene("a", (1, 2))], costs=[LearnedCost("latency", "latency_ms")])
        with pytest.raises(UserError, match="give the scores file"):
            meets_limits(space, space.sample(3, rng), ["latency < 5"])
