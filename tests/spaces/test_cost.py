"""Costs by table, by formula, and learned; the chain behind block spaces."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.spaces import ChainLayout, FormulaCost, Gene, LearnedCost, ProductSpace, Site, TableCost, from_definition
from lissnas.spaces.chain import BLOCK_KINDS, Conv
from lissnas.spaces.cost import cost_from_definition
from lissnas.testing import run_checks


def space_with(*costs: object) -> ProductSpace:
    genes = [
        Gene("embed", (192, 384)),
        Gene("layers", (1, 2)),
        Gene("op", ("k3", "skip")),
        Gene("heads", (4, 8), active="layers > 1"),
    ]
    return ProductSpace("s", genes, costs=costs)  # type: ignore[arg-type]


X = np.array([[0, 0, 0, 2], [1, 1, 1, 1]], dtype=np.uint8)


def test_table_sums_one_entry_per_gene() -> None:
    table = [[1, 2, 0], [10, 20, 0], [100, 200, 0], [1000, 2000, 0]]
    cost = space_with(TableCost("t", 0.5, np.array(table))).cost(X)
    assert cost.t.tolist() == [111.5, 2222.5]  # inactive heads cost nothing


def test_table_in_blocks_equals_row_by_row(rng: np.random.Generator) -> None:
    space = space_with(TableCost("t", 0.5, rng.random((4, 3))))
    x = np.tile(space.sample(100, rng), (400, 1))
    np.testing.assert_array_equal(space.cost(x).t[:100], space.cost(x).t[-100:])


def test_formulas_see_genes_and_earlier_costs() -> None:
    space = space_with(FormulaCost("width", "embed * layers"), FormulaCost("both", "width + heads + 10 * (op == 'k3')"))
    cost = space.cost(X)
    assert cost.width.tolist() == [192, 768]
    assert cost.both.tolist() == [192 + 0 + 10, 768 + 8 + 0]
    assert tuple(cost) == space.cost_names == ("width", "both")
    assert space_with(FormulaCost("three", "3")).cost(X).three.tolist() == [3, 3]


def test_a_formula_that_gives_text() -> None:
    with pytest.raises(UserError, match="the cost 'c' must be a number"):
        space_with(FormulaCost("c", "op")).cost(X)


def test_learned_costs_wait_for_a_model() -> None:
    space = space_with(LearnedCost("latency", "latency_ms"), FormulaCost("twice", "2 * latency"))
    assert np.isnan(space.cost(X).latency).all()
    learned = space.with_learned_costs({"latency": lambda x: x[:, 0] + 0.5, "other": lambda x: x[:, 0]})
    assert learned.fingerprint == space.fingerprint
    assert learned.cost(X).latency.tolist() == [0.5, 1.5]
    assert learned.cost(X).twice.tolist() == [1.0, 3.0]
    for subject in (space, learned):
        assert not [r for r in run_checks(subject) if r.passed is False]


@pytest.mark.parametrize("cost", [TableCost("t", 1, np.eye(4)), FormulaCost("f", "embed + 1"), LearnedCost("l", "latency_ms")])
def test_definitions(cost: object) -> None:
    definition = space_with(cost).definition()["costs"][0]
    assert cost_from_definition(definition).definition() == definition
    assert from_definition(space_with(cost).definition()).cost_names == (cost.name,)  # type: ignore[attr-defined]


def test_costs_show_what_they_are() -> None:
    space = space_with(FormulaCost("area", "embed * layers"))
    assert repr(space.cost(space.parse(["embed=192 layers=1 op=k3"]))) == "Costs(area=[192.])"


def test_definition_of_an_unknown_kind() -> None:
    with pytest.raises(UserError, match="unknown kind of cost 'graph'"):
        cost_from_definition({"kind": "graph", "name": "g"})


def test_convolution() -> None:
    conv = Conv(3, 16, 32, stride=2, groups=4)
    assert conv.out_resolution(7) == 4
    assert conv.out_resolution(8) == 4
    assert conv.cost(8) == (4 * 4 * 9 * 16 * 32 // 4, 9 * 16 * 32 // 4)


@pytest.mark.parametrize("kind", [k for k in BLOCK_KINDS if k.startswith("shuffle_")])
@pytest.mark.parametrize("stride", [1, 2])
def test_branches_join_to_the_sites_channels(kind: str, stride: int) -> None:
    branches = BLOCK_KINDS[kind](16 if stride == 1 else 8, 16, stride)
    passed_by = 8 if stride == 1 else 0
    assert passed_by + sum(branch[-1].out_channels for branch in branches) == 16
    for branch in branches:
        for one, two in itertools.pairwise(branch):
            assert one.out_channels == two.in_channels
        assert np.prod([conv.stride for conv in branch]) == stride


def test_a_skip_keeps_its_input() -> None:
    assert sum(map(len, BLOCK_KINDS["skip"](16, 16, 1))) == 0
    for channels, stride in ((32, 1), (16, 2)):
        with pytest.raises(UserError, match="a skip keeps its input"):
            BLOCK_KINDS["skip"](16, channels, stride)


def test_a_fixed_site_has_no_gene_but_costs() -> None:
    free = Site(8, 8, 1, ("shuffle_k3", "shuffle_k5"))
    fixed = Site(8, 8, 1, ("shuffle_k3",))
    both = ChainLayout(8, 1, (8, 1), (fixed, free), 16, 10)
    alone = ChainLayout(8, 1, (8, 1), (free,), 16, 10)
    assert both.choices == [1]
    block = 8 * 8 * (4 * 4 + 9 * 4 + 4 * 4)
    assert both.costs()[0].base - alone.costs()[0].base == block
    assert ChainLayout.from_definition(both.definition()) == both
    with pytest.raises(UserError, match="unknown block kind 'shuffle_k9'"):
        ChainLayout(8, 1, (8, 1), (Site(8, 8, 1, ("shuffle_k9",)),), 16, 10)
