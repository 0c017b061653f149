"""Spaces of free genes, and what all product spaces share: strings, definitions, mistakes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import chdtrc

from lissnas.errors import UserError
from lissnas.spaces import FormulaCost, Gene, Movable, ProductSpace, RestrictedSpace, TableCost, from_definition
from lissnas.testing import SpaceContract


def free(*counts: int, name: str = "free") -> ProductSpace:
    return ProductSpace(name, [Gene(f"g{i}", tuple(range(count))) for i, count in enumerate(counts)])


class TestFreeContract(SpaceContract):
    def space(self) -> ProductSpace:
        genes = [
            Gene("a", ("x", "y", "z")),
            Gene("b", (1, 2, 3, 4)),
            Gene("c", (False, True)),
            Gene("d", (0.5, 1.0, 2.0), ordered=True),
        ]
        table = np.array([[1, 2, 3, 0], [1, 2, 3, 4], [0, 5, 0, 0], [1, 1, 2, 0]])
        return ProductSpace("free", genes, costs=[TableCost("size", 10, table), FormulaCost("area", "b * d + size")])


class TestMixedRadicesContract(SpaceContract):
    def space(self) -> ProductSpace:
        return free(3, 1, 5, 2, 1, 7)  # two genes have nothing to choose


class TestSingleArchitectureContract(SpaceContract):
    def space(self) -> ProductSpace:
        return free(1)


class TestManyAllelesContract(SpaceContract):
    def space(self) -> ProductSpace:
        return free(254, 2)


class TestTwoWordsContract(SpaceContract):
    def space(self) -> ProductSpace:
        return free(*[9] * 22, name="fbnet-like")


def test_counts_past_64_bits() -> None:
    assert free(*[9] * 22).cardinality == 9**22 == free(*[9] * 22).encodings
    assert free(*[13] * 21).cardinality == 13**21
    assert free(3, 1, 4).max_edits == 2


@pytest.mark.parametrize("edits", [2, 3])
def test_neighbors_beyond_one_edit_are_uniform(edits: int, rng: np.random.Generator) -> None:
    space = free(3, 4, 2, 3)
    x = space.sample(1, rng)
    everyone = np.concatenate(list(space.enumerate()))
    at = space.encode(everyone[space.distance(np.repeat(x, len(everyone), axis=0), everyone) == edits])[:, 0]
    drawn = space.encode(space.neighbors(np.repeat(x, 200 * len(at), axis=0), edits, rng).genotypes)[:, 0]
    codes, counts = np.unique(drawn, return_counts=True)
    assert set(codes) == set(at)
    assert chdtrc(len(at) - 1, ((counts - 200) ** 2 / 200).sum()) > 1e-9


def test_neighbors_in_a_space_of_hundreds_of_genes(rng: np.random.Generator) -> None:
    space = free(*[200] * 400)  # the number of ways to change half of them is beyond a float
    x = space.sample(20, rng)
    near = space.neighbors(x, 200, rng)
    assert near.parents.tolist() == list(range(20))
    assert (space.distance(x, near.genotypes) == 200).all()


def test_more_genes_than_numpy_has_dimensions() -> None:
    space = free(*[1] * 100, 3, 2)
    assert len(np.concatenate(list(space.enumerate()))) == 6


def test_neighbors_of_the_same_row_differ(rng: np.random.Generator) -> None:
    space = free(*[4] * 20)
    x = np.repeat(space.sample(1, rng), 100, axis=0)
    assert len(np.unique(space.neighbors(x, 3, rng).genotypes, axis=0)) > 90


class TestStrings:
    def test_named(self) -> None:
        space = ProductSpace(
            "s", [Gene("depth", (2, 3)), Gene("bias", (False, True)), Gene("op", ("k3", "k5"), active="depth > 2")]
        )
        x = np.array([[0, 1, 2], [1, 0, 1]], dtype=np.uint8)
        assert space.format(x) == ["depth=2 bias=true", "depth=3 bias=false op=k5"]
        np.testing.assert_array_equal(space.parse(["bias=1 depth=2.0", "op=k5 bias=False depth=3"]), x)
        assert space.to_dicts(x) == [{"depth": 2, "bias": True}, {"depth": 3, "bias": False, "op": "k5"}]

    def test_alleles_with_spaces_and_quotes_round_trip(self) -> None:
        alleles = ("conv 3x3", 'say "hi"', "a=b", "it's", "tab\there", "back\\slash", '"')
        space = ProductSpace("s", [Gene("op", alleles), Gene("k", (1, 2))])
        x = np.concatenate(list(space.enumerate()))
        np.testing.assert_array_equal(space.parse(space.format(x)), x)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("depth=2", "row 0: 'depth=2' names no allele for the gene 'bias'"),
            ("depth=2 bias=1 width=3", "row 0: 's' has no gene 'width'"),
            ("depth=2 bias=1 depth=3", "row 0: .* names a gene twice"),
            ("depth=4 bias=1", "row 0: gene 'depth' has no allele '4'"),
            ("depth=3 bias=1", "row 0: .* leaves out a gene that is active"),
            ("depth=2 bias=1 op=k3", "row 0: .* names one that is not"),
            ("depth", "row 0"),
        ],
    )
    def test_refused(self, text: str, message: str) -> None:
        space = ProductSpace(
            "s", [Gene("depth", (2, 3)), Gene("bias", (False, True)), Gene("op", ("k3", "k5"), active="depth > 2")]
        )
        with pytest.raises(UserError, match=message) as caught:
            space.parse([text])
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("text", ["(0, 1)", "(0, 1, 9)", "(0, 1, ²)", "(0, 1, -1)", "(0, 1, 0, 0)", "0.5 1 1"])
    def test_indices_refused(self, text: str) -> None:
        space = ProductSpace("s", free(2, 3, 2).genes, notation="indices")
        np.testing.assert_array_equal(space.parse(["(0, 1, 0)", "[1,2,1]", "1 2 1"]), [[0, 1, 0], [1, 2, 1], [1, 2, 1]])
        with pytest.raises(UserError, match="row 0"):
            space.parse([text])


class TestMistakes:
    @pytest.mark.parametrize(
        ("genes", "options", "message"),
        [
            ([], {}, "at least one gene"),
            ([Gene("a", (1, 2)), Gene("a", (1, 2))], {}, "gene 'a' twice"),
            ([Gene("a", (1, 2))], {"costs": [FormulaCost("a", "3")]}, "'a' twice"),
            ([Gene("a", (1, 2))], {"costs": [FormulaCost("c", "d * 2")]}, "names 'd'"),
            ([Gene("a", (1, 2))], {"costs": [FormulaCost("c", "c * 2")]}, "names 'c'"),
            ([Gene("a", (1, 2))], {"costs": [FormulaCost("c", "d"), FormulaCost("d", "a")]}, "names 'd'"),
            ([Gene("a", (1, 2))], {"costs": [TableCost("c", 0, np.zeros((2, 2)))]}, "the table of the cost 'c'"),
            ([Gene("a", (1, 2, 3))], {"costs": [TableCost("c", 0, np.zeros((1, 2)))]}, "the table of the cost 'c'"),
            ([Gene("a", (1, 2), active="a > 1")], {}, "in a circle"),
            ([Gene("a", (1, 2), active="b > 1"), Gene("b", (1, 2), active="a > 1")], {}, "in a circle"),
            ([Gene("a", (1, 2), active="c > 1")], {}, "names 'c', which is no gene"),
            ([Gene("a", (1, 2), active="1 < 2")], {}, "depends on no gene"),
            ([Gene("a", (1, 2))], {"movable": [Movable(1, ())]}, "at least one gene"),
            ([Gene("a", (1, 2))], {"movable": [Movable(1, ("b",))]}, "no gene"),
            ([Gene("a", (1, 2))], {"movable": [Movable(3, ("a",))]}, "must be one of the alleles"),
            ([Gene("a", (1,))], {"movable": [Movable(1, ("a",))]}, "beside another"),
            ([Gene("a", (1, 2)), Gene("b", (1, 3))], {"movable": [Movable(1, ("a", "b"))]}, "the same alleles"),
            (
                [Gene("a", (1, 2)), Gene("b", (1, 2))],
                {"movable": [Movable(1, ("a", "b")), Movable(1, ("b",))]},
                "two movable groups",
            ),
            (
                [Gene("a", (1, 2)), Gene("b", (1, 2), active="a > 1")],
                {"movable": [Movable(1, ("a",))]},
                "take part in a condition",
            ),
        ],
    )
    def test_refused(self, genes: list[Gene], options: dict, message: str) -> None:
        with pytest.raises(UserError, match=message) as caught:
            ProductSpace("s", genes, **options)
        assert "\n" not in str(caught.value)

    def test_too_large_to_list(self) -> None:
        with pytest.raises(UserError, match="too many to list"):
            next(free(*[4] * 20).enumerate())

    def test_too_many_neighbors_to_list(self, rng: np.random.Generator) -> None:
        genes = [Gene("wide", (False, True)), *[Gene(f"op_{i}", tuple(range(9)), active="wide") for i in range(20)]]
        space = ProductSpace("s", genes)
        narrow = space.sample(1, rng)
        narrow[0, 0] = 0
        narrow = space.canonicalize(narrow)
        with pytest.raises(UserError, match="too many to list"):
            space.all_neighbors(narrow)
        near = space.neighbors(np.repeat(narrow, 5, axis=0), 1, rng)
        assert (near.genotypes[:, 0] == 1).all()

    def test_unknown_cost_is_named(self, rng: np.random.Generator) -> None:
        costs = TestFreeContract().space().cost(np.zeros((1, 4), dtype=np.uint8))
        for ask in (lambda: costs["flops"], lambda: costs.flops):
            with pytest.raises(UserError, match="has no cost 'flops': it has size, area"):
                ask()
        assert costs.get("flops") is None
        assert "flops" not in costs
        assert not hasattr(costs, "flops")


def test_definition_of_everything_at_once() -> None:
    genes = [
        Gene("depth", (1, 2), ordered=True),
        Gene("op", ("a", "b"), active="depth > 1"),
        Gene("m_0", ("id", "k")),
        Gene("m_1", ("id", "k")),
        Gene("w", (0.25, 1)),
        Gene("bias", (False, True)),
    ]
    costs = [TableCost("t", 1.5, np.ones((6, 3))), FormulaCost("f", "depth * w + t")]
    space = ProductSpace("all", genes, movable=[Movable("id", ("m_0", "m_1"))], costs=costs)
    again = from_definition(json.loads(json.dumps(space.definition())))
    assert again.fingerprint == space.fingerprint
    assert again.genes == space.genes
    assert RestrictedSpace(space, {"w": [1]}).fingerprint == RestrictedSpace(again, {"w": [1]}).fingerprint  # type: ignore[arg-type]
    assert ProductSpace("all", genes).fingerprint != space.fingerprint


@pytest.mark.parametrize("kind", ["explicit", "something new", None])
def test_definition_of_an_unknown_kind(kind: object) -> None:
    with pytest.raises(UserError, match=r"explicit space is more|unknown kind"):
        from_definition({"kind": kind})
