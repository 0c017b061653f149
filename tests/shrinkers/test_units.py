"""What methods that drop alleles share, and ABS and PAD-NAS, which are little more: small cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas import FunctionEvaluator, UserError, get_space
from lissnas.shrinkers import ABS, PADNAS
from lissnas.spaces import ConstrainedSpace, ExplicitSpace, Gene, KeptSpace, ProductSpace, RestrictedSpace, TableCost
from lissnas.testing import ShrinkerContract
from lissnas.testing.toys import Oracle, toy_space


class TestABSContract(ShrinkerContract):
    def shrinker(self):
        return ABS(queries=3000, size=800)


class TestPADNASContract(ShrinkerContract):
    def shrinker(self):
        return PADNAS(queries=3000)


class TestPADNASToSizeContract(ShrinkerContract):
    def shrinker(self):
        return PADNAS(queries=3000, size=200)


@pytest.fixture
def cube():
    """27 architectures, whose score is the sum of their alleles: the allele 0 is the worst of each gene."""
    table = np.tile([0.0, 1.0, 2.0], (3, 1))
    space = ProductSpace("cube", [Gene(f"g{i}", ("a", "b", "c")) for i in range(3)], costs=[TableCost("size", 0, table)])
    return space, FunctionEvaluator(lambda x: x.sum(axis=1), space=space)


def shrink(shrinker, given, limits=()):
    space, scorer = given
    return shrinker.shrink(space, scorer, np.random.default_rng(0), limits)


def test_abs_drops_the_worst_allele_of_each_gene(cube):
    """27 -> 18 -> 12 -> 8: three units with a mean of 2, all others of 3 and 4."""
    result = shrink(ABS(queries=27, size=8), cube)
    assert isinstance(result.space, RestrictedSpace)
    assert result.space.kept == ((1, 2),) * 3
    assert [i.size for i in result.iterations] == [27, 8]
    assert result.iterations[-1].mean == 4.5
    assert result.iterations[-1].best == 6
    assert result.ledger.evaluations == 27


def test_abs_stops_where_the_size_is_reached_within_a_stage(cube):
    assert shrink(ABS(queries=27, size=12), cube).space.kept == ((1, 2), (1, 2), (0, 1, 2))
    one_at_a_time = shrink(ABS(queries=27, size=12, drop=1), cube)
    assert [i.size for i in one_at_a_time.iterations] == [27, 18, 12]


def test_abs_comes_down_to_one_architecture(cube):
    result = shrink(ABS(queries=27, size=1), cube)
    assert result.space.sample(1, np.random.default_rng(0)).tolist() == [[2, 2, 2]]


def test_padnas_keeps_the_better_half_and_two_at_least(cube):
    assert shrink(PADNAS(queries=27), cube).space.kept == ((1, 2),) * 3
    assert shrink(PADNAS(queries=27, size=1), cube).space.cardinality == 1


def test_children_are_those_within_the_limits(cube):
    """Where at most two may be spent, an allele 2 leaves nothing for the others, and its children score 2 all the same."""
    result = shrink(ABS(queries=27, size=4), cube, ["size <= 2"])
    assert isinstance(result.space, ConstrainedSpace)
    members = np.concatenate(list(result.space.enumerate()))
    assert (members.sum(axis=1) <= 2).all()
    assert 1 <= len(members) <= 4


def test_a_unit_score_of_ones_own(cube):
    """The score gets the space, the unit, its children and the scorer; here the best allele is made the worst."""
    asked = []

    def reversed_score(space, unit, genotypes, scorer):
        gene, allele = unit
        assert (genotypes[:, gene] == allele).all()
        asked.append(unit)
        return -allele

    assert shrink(ABS(queries=27, size=8, unit_score=reversed_score), cube).space.kept == ((0, 1),) * 3
    assert len(asked) == 9
    with pytest.raises(UserError, match=r"is NaN for g0=a"):
        shrink(ABS(queries=27, size=8, unit_score=lambda *_: float("nan")), cube)


def test_genes_that_share_an_identity_keep_the_same_alleles():
    space = get_space("mobilenet")
    weight = np.random.default_rng(0).normal(size=(space.length, 256))
    scorer = FunctionEvaluator(lambda x: weight[np.arange(space.length), x].sum(axis=1), space=space)
    result = ABS(queries=5000, size=1_000_000_000).shrink(space, scorer, np.random.default_rng(0))
    column = {gene.name: index for index, gene in enumerate(space.genes)}
    assert result.space.cardinality <= 1_000_000_000
    for group in space.movable:
        assert len({result.space.kept[column[name]] for name in group.genes}) == 1


@pytest.mark.parametrize(("name", "kind"), [("nasbench101", ExplicitSpace), ("darts", KeptSpace)])
def test_a_space_that_is_no_product_is_cut_all_the_same(name, kind):
    space = get_space(name)
    scorer = FunctionEvaluator(lambda x: x.sum(axis=1), space=space)
    size = min(20_000, space.cardinality // 10)
    result = ABS(queries=4000, size=size).shrink(space, scorer, np.random.default_rng(0))
    assert isinstance(result.space, kind)
    assert result.space.cardinality <= size
    assert result.iterations[-1].mean > result.iterations[0].mean
    assert space.is_valid(result.space.sample(100, np.random.default_rng(1))).all()


def test_bad_input(cube):
    with pytest.raises(UserError, match="takes at least 1,000"):
        ABS(queries=500).shrink(toy_space(), Oracle.of(toy_space()), np.random.default_rng(0))
    with pytest.raises(UserError, match="a shrunk space is smaller"):
        shrink(ABS(queries=27, size=27), cube)
    with pytest.raises(UserError, match="keep must be between 0 and 1"):
        PADNAS(keep=1.0)
    with pytest.raises(UserError, match="drop must be at least 1"):
        ABS(drop=0)
    single = ProductSpace("single", [Gene("g", ("a",))])
    with pytest.raises(UserError, match="nothing to drop"):
        ABS(queries=10).check(single)
