"""The ends of a cost in a space: exact where its structure gives them, and never wrong about that."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.spaces import (
    SPACES,
    ConstrainedSpace,
    ExplicitSpace,
    FormulaCost,
    Gene,
    ProductSpace,
    RestrictedSpace,
    TableCost,
    sample_within,
)
from lissnas.spaces.extremes import cheapest, dearest
from lissnas.spaces.shufflenetv2 import digits_shuffle, shufflenetv2


def test_costs_that_add_up_have_their_smallest_allele_everywhere():
    # SPOS's cheapest network holds the smallest kernel at every block but one kind: choices of equal width, so k3
    space = shufflenetv2()
    found = cheapest(space, "flops")
    assert found.exact
    best = np.argmin(space.costs[0].table[:, :4], axis=1).astype(np.uint8)[None]
    assert space.cost(best).flops[0] == found.value
    assert found.value <= space.cost(space.sample(5000, np.random.default_rng(0))).flops.min()


def test_a_space_that_can_be_listed_is_listed():
    root = digits_shuffle()
    some = root.sample(500, np.random.default_rng(0))
    space = ExplicitSpace.of(root, some)
    assert cheapest(space, "params")[:2] == (root.cost(some).params.min(), True)


def test_inactive_genes_are_no_alleles():
    genes = [Gene("depth", (1, 2)), Gene("op", ("a", "b"), active="depth > 1")]
    space = ProductSpace("tied", genes, costs=[TableCost("ms", 1.0, np.array([[2.0, 3.0, 0], [5.0, 4.0, 0]]))])
    assert cheapest(space, "ms")[:2] == (3.0, True)  # depth 1, where op is not there


def test_what_is_only_searched_is_called_found():
    genes = [Gene(f"g{i}", (0, 1, 2, 3)) for i in range(14)]
    space = ProductSpace("large", genes, costs=[FormulaCost("sum", " + ".join(g.name for g in genes))])
    assert cheapest(space, "sum")[:2] == (0.0, False)  # a draw has it with probability 4^-14
    narrowed = RestrictedSpace(space, {gene.name: [1, 2, 3] for gene in genes})
    assert cheapest(narrowed, "sum")[:2] == (14.0, False)


def test_an_unsatisfiable_limit_names_it():
    least = cheapest(digits_shuffle(), "flops").value
    with pytest.raises(
        UserError, match=rf"no architecture of .* meets flops <= 1: flops goes from {least:.0f} to \d+; relax the limits"
    ):
        sample_within(digits_shuffle(), 1, ["flops <= 1"], np.random.default_rng(0))
    genes = [Gene(f"g{i}", (0, 1, 2, 3)) for i in range(14)]
    space = ProductSpace("large", genes, costs=[FormulaCost("sum", "1 + " + " + ".join(g.name for g in genes))])
    with pytest.raises(UserError, match=r"none of 100,000 random .* sum goes from 1 to 43, as far as was searched;"):
        sample_within(space, 1, ["sum <= 0"], np.random.default_rng(0))


def test_the_few_that_meet_a_limit_are_drawn_where_the_space_can_be_listed():
    space, rng = digits_shuffle(), np.random.default_rng(0)
    limit = [f"flops <= {cheapest(space, 'flops').value}"]
    drawn = sample_within(space, 20, limit, rng)
    assert len(drawn) == 20
    assert (drawn == cheapest(space, "flops").genotype).all()  # one of 262,144: no 100,000 draws find it reliably
    some = sample_within(space, 3_000, ["flops <= 72000"], rng)
    times = np.unique(space.encode(some), return_counts=True)[1]
    assert len(times) == ConstrainedSpace(space, ["flops <= 72000"]).cardinality
    assert times.min() > 3_000 / len(times) / 2
    assert (space.cost(some).flops <= 72000).all()


def test_a_limit_from_below_is_answered_with_the_largest():
    space = digits_shuffle()
    most = max(float(space.cost(block).params.max()) for block in space.enumerate())
    said = rf"meets flops <= 9e4 and params >= 1e9: flops goes from \d+ to \d+, params goes from \d+ to {most:.0f}; relax"
    with pytest.raises(UserError, match=said):
        ConstrainedSpace(space, ["flops <= 9e4", "params >= 1e9"])
    large = shufflenetv2()
    assert dearest(large, "flops").value >= large.cost(large.sample(5000, np.random.default_rng(0))).flops.max()


def test_what_is_too_rare_to_be_drawn_is_not_said_to_be_missing():
    space = shufflenetv2()
    limit = f"flops <= {1.001 * cheapest(space, 'flops').value}"
    for ask in (lambda: sample_within(space, 3, [limit], np.random.default_rng(0)), lambda: ConstrainedSpace(space, [limit])):
        with pytest.raises(UserError, match="none of 100,000 random architectures of 'shufflenetv2' meets"):
            ask()


@pytest.mark.parametrize("name", ["nasbench201", "mobilenet", "fbnet"])
def test_no_draw_is_cheaper(name):
    space = SPACES.get(name)()
    for cost in space.cost_names:
        found = cheapest(space, cost)
        assert found.value <= space.cost(space.sample(2000, np.random.default_rng(1)))[cost].min()
