"""Exact means against full enumeration, on random small spaces and random trees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lissnas import UserError, get_space
from lissnas.predictors import EnsemblePredictor, LinearPredictor, MLPPredictor, XGBoostPredictor
from lissnas.predictors.expectation import Expectation
from lissnas.predictors.leaves import Leaves, read_leaves
from lissnas.spaces import Gene, Movable, ProductSpace
from lissnas.spaces.laws import encodings_of, weighted_law


@st.composite
def spaces(draw):
    """Free genes, and genes that others switch off: by a number, and by a gene that is itself switched off."""
    genes = [Gene(f"free_{i}", tuple(f"f{a}" for a in range(draw(st.integers(1, 4))))) for i in range(draw(st.integers(1, 2)))]
    if draw(st.booleans()):
        genes.append(Gene("depth", (1, 2, 3)))
        genes += [Gene(f"op_{i}", ("x", "y", "z")[: draw(st.integers(1, 3))], active=f"depth > {i}") for i in range(1, 3)]
    if draw(st.booleans()):
        genes.append(Gene("se", (False, True)))
        genes.append(Gene("kind", ("a", "b"), active="se"))
        genes.append(Gene("ratio", (2, 4, 8), active="kind == 'b'") if draw(st.booleans()) else Gene("r", (1, 2), active="se"))
    order = draw(st.permutations(range(len(genes))))
    return ProductSpace("small", [genes[i] for i in order])


def random_leaves(space, rng) -> Leaves:
    """Leaves that no tree gave: any products of factors, with a line."""
    widest = max(gene.radix for gene in space.genes)
    count = int(rng.integers(1, 12))
    asked = [np.flatnonzero(rng.random(space.length) < 0.5) for _ in range(count)]
    gene = np.concatenate([*asked, np.zeros(0, dtype=np.int64)]).astype(np.int64)
    radix = np.array([g.radix for g in space.genes])
    mask = (rng.random((len(gene), widest)) < 0.6) & (np.arange(widest) < radix[gene][:, None])
    additive = rng.normal(size=(space.length, widest)) * (np.arange(widest) < radix[:, None])
    return Leaves(
        space=space,
        higher_is_better=True,
        base=float(rng.normal()),
        additive=additive * rng.integers(0, 2),
        value=rng.normal(size=count),
        tree=np.arange(count),
        start=np.cumsum([0, *map(len, asked)]).astype(np.int64),
        factor=np.arange(len(gene)),
        gene=gene,
        mask=mask,
    )


def random_weights(space, rng):
    widest = max(gene.radix for gene in space.genes)
    weights = rng.random((space.length, widest)) * (rng.random((space.length, widest)) < 0.8)
    weights[:, 0] += 0.1
    for index, gene in enumerate(space.genes):
        weights[index, len(gene.alleles) :] = 0
    return weights / weights.sum(axis=1, keepdims=True)


def chances_of(space, weights):
    """All architectures, and the chance of each: a gene that is switched off is not drawn."""
    rows = np.concatenate(list(space.enumerate()))
    chance = np.ones(len(rows))
    for index, gene in enumerate(space.genes):
        on = rows[:, index] < len(gene.alleles)
        chance *= np.where(on, weights[index, rows[:, index]], 1.0)
    assert chance.sum() == pytest.approx(1)
    return rows, chance


@settings(max_examples=60, deadline=None)
@given(spaces(), st.integers(0, 10_000))
def test_means_conditional_means_and_variance_are_those_of_enumeration(space, seed):
    rng = np.random.default_rng(seed)
    leaves, weights = random_leaves(space, rng), random_weights(space, rng)
    exact = Expectation(leaves)
    rows, chance = chances_of(space, weights)
    value = leaves.add_up(rows)
    mean, given_allele = exact.conditional(weights)
    assert mean == pytest.approx(chance @ value)
    assert exact.mean(3 * weights) == pytest.approx(mean)
    assert exact.variance(weights) == pytest.approx(chance @ value**2 - mean**2, abs=1e-9)
    assert exact.uniform() == pytest.approx(value.mean())
    law = exact.law(weights)
    assert law.entropy == pytest.approx(-float(sum(p * np.log(p) for p in chance if p > 0)))
    for gene in range(space.length):
        for allele in range(space.genes[gene].radix):
            holding = rows[:, gene] == allele
            assert law.marginals[gene, allele] == pytest.approx(chance[holding].sum(), abs=1e-12)
            if chance[holding].sum() > 0:
                expected = chance[holding] @ value[holding] / chance[holding].sum()
                assert given_allele[gene, allele] == pytest.approx(expected)


def test_an_allele_of_weight_zero_has_the_mean_of_drawings_that_are_made_to_hold_it():
    rng = np.random.default_rng(3)
    space = ProductSpace("s", [Gene("a", ("x", "y", "z")), Gene("b", ("x", "y"))])
    leaves = random_leaves(space, rng)
    weights = np.array([[0.5, 0.5, 0.0], [0.3, 0.7, 0.0]])
    _, means = Expectation(leaves).conditional(weights)
    both = leaves.add_up(np.array([[2, 0], [2, 1]], dtype=np.uint8))
    assert means[0, 2] == pytest.approx(0.3 * both[0] + 0.7 * both[1])
    assert np.isnan(means[1, 2])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_uniform_over_architectures_where_an_identity_may_move(seed):
    rng = np.random.default_rng(seed)
    genes = [Gene("w", (1, 2)), *(Gene(f"op_{i}", ("skip", "k3", "k5")) for i in range(3))]
    space = ProductSpace("chain", genes, movable=[Movable("skip", ("op_0", "op_1", "op_2"))])
    leaves = random_leaves(space, rng)
    rows = np.concatenate(list(space.enumerate()))
    assert Expectation(leaves).uniform() == pytest.approx(leaves.add_up(rows).mean())
    assert encodings_of(space).folds
    from lissnas.spaces import RestrictedSpace

    part = RestrictedSpace(space, {f"op_{i}": [0, 2] for i in range(3)} | {"w": [1]})
    inside = np.concatenate(list(part.enumerate()))
    assert Expectation(leaves, part).uniform() == pytest.approx(leaves.add_up(inside).mean())


def fitted(space, predictor, rows=200, higher_is_better=True):
    x = space.sample(rows, np.random.default_rng(0))
    score = (x == 1).sum(axis=1) + 2.0 * (x[:, 0] == x[:, 1]) + np.random.default_rng(1).normal(size=rows)
    return predictor.fit(space, x, score, higher_is_better=higher_is_better)


@pytest.mark.parametrize("start", ["mean", "linear"])
@pytest.mark.parametrize("name", ["gpt-s", "shufflenetv2-cifar", "darts", "regnet"])
def test_leaves_add_up_to_what_the_predictor_says(name, start):
    space = get_space(name)
    predictor = fitted(space, XGBoostPredictor(trees=20, labels="raw", start=start))
    rows = space.sample(100, np.random.default_rng(2))
    leaves = read_leaves(predictor)
    assert leaves.unit == "score"
    np.testing.assert_allclose(leaves.add_up(rows), predictor.predict(rows), atol=1e-4)
    np.testing.assert_allclose(leaves.merged().add_up(rows), predictor.predict(rows), atol=1e-4)
    assert len(leaves.merged().value) <= len(leaves.value)


def test_mean_of_all_of_a_tabular_space_is_that_of_all_predictions():
    space = get_space("nasbench201")
    predictor = fitted(space, XGBoostPredictor(trees=50, labels="raw"))
    everything = np.concatenate(list(space.enumerate()))
    exact = Expectation(predictor)
    assert exact.uniform() == pytest.approx(predictor.predict(everything).mean(), abs=1e-4)
    assert exact.mean(np.ones((6, 5))) == pytest.approx(exact.uniform())
    _, means = exact.conditional(np.ones((6, 5)))
    assert means[2, 3] == pytest.approx(predictor.predict(everything[everything[:, 2] == 3]).mean(), abs=1e-4)


def test_labels_that_bend_the_scale_are_named():
    space = get_space("shufflenetv2-cifar")
    leaves = read_leaves(fitted(space, XGBoostPredictor(trees=10, labels="rank-normal")))
    assert leaves.unit == "rank-normal label"
    rows = space.sample(50, np.random.default_rng(0))
    predicted = fitted(space, XGBoostPredictor(trees=10, labels="rank-normal")).predict(rows)
    np.testing.assert_allclose(leaves.to_scores(leaves.add_up(rows)), predicted, atol=1e-4)
    assert len(Expectation(leaves).sample_scores(space, 30, np.random.default_rng(0))) == 30


def test_an_ensemble_and_a_line_are_sums_too():
    space = get_space("shufflenetv2-cifar")
    rows = space.sample(50, np.random.default_rng(5))
    several = fitted(space, EnsemblePredictor(members=3, settings={"trees": 10, "labels": "raw"}))
    np.testing.assert_allclose(read_leaves(several).merged().add_up(rows), several.predict(rows), atol=1e-4)
    line = fitted(space, LinearPredictor(labels="raw"))
    np.testing.assert_allclose(read_leaves(line).add_up(rows), line.predict(rows), atol=1e-6)


def test_what_the_formula_cannot_carry_is_refused():
    space = get_space("shufflenetv2-cifar")
    with pytest.raises(UserError, match="need a predictor that is a sum of trees over single genes"):
        read_leaves(fitted(space, MLPPredictor()))
    with pytest.raises(UserError, match="learned nothing yet"):
        read_leaves(XGBoostPredictor())
    bent = fitted(space, EnsemblePredictor(members=2, settings={"trees": 5, "labels": "rank-normal"}))
    with pytest.raises(UserError, match="give the members labels raw"):
        read_leaves(bent)
    darts = get_space("darts")
    with pytest.raises(UserError, match="features that each look at one gene"):
        read_leaves(fitted(darts, LinearPredictor(features="path")))
    graph = get_space("nasbench101")
    exact = Expectation(fitted(graph, XGBoostPredictor(trees=5)))
    with pytest.raises(UserError, match=r"no product of its genes.*query all 423,624"):
        exact.uniform()
    plain = Expectation(fitted(space, XGBoostPredictor(trees=5)))
    with pytest.raises(UserError, match="a row per gene and a column per allele"):
        plain.mean(np.ones((3, 4)))
    with pytest.raises(UserError, match="not all 0"):
        plain.mean(np.zeros((space.length, 4)))


def test_darts_drawings_are_weighed_as_they_are_drawn():
    space = get_space("darts")
    exact = Expectation(fitted(space, XGBoostPredictor(trees=20, labels="raw")))
    widest = max(gene.radix for gene in space.genes)
    weights = np.zeros((space.length, widest))
    for index, gene in enumerate(space.genes):
        weights[index, : len(gene.alleles)] = 1
    rng = np.random.default_rng(0)
    drawn = np.stack([rng.integers(0, len(gene.alleles), 20_000) for gene in space.genes], axis=1).astype(np.uint8)
    value = exact.leaves.add_up(drawn)
    assert exact.mean(weights) == pytest.approx(value.mean(), abs=5 * value.std() / 20_000**0.5)
    assert exact.law(weights).entropy == pytest.approx(np.log(float(space.encodings)))
    assert exact.variance(weights) == pytest.approx(value.var(), rel=0.1)
    with pytest.raises(UserError, match="no product"):
        exact.uniform()


def test_leaves_that_are_equal_merge():
    rng = np.random.default_rng(0)
    leaves = random_leaves(ProductSpace("s", [Gene("a", ("x", "y")), Gene("b", ("x", "y"))]), rng)
    twice = replace(
        leaves,
        value=np.tile(leaves.value, 2),
        start=np.concatenate([leaves.start, leaves.start[1:] + leaves.start[-1]]),
        factor=np.tile(leaves.factor, 2),
        tree=np.arange(2 * len(leaves.value)),
    )
    rows = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=np.uint8)
    assert len(twice.merged().value) <= len(leaves.value)
    np.testing.assert_allclose(twice.merged().add_up(rows), twice.add_up(rows))
    assert weighted_law(encodings_of(leaves.space), np.full((2, 2), 0.5)).entropy == pytest.approx(np.log(4))
