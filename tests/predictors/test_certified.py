"""The certified best beside a look at every network, wherever a space is small enough for one."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.predictors import XGBoostPredictor, certified, get_predictor
from lissnas.predictors.certified import CertifiedBest, certified_best
from lissnas.predictors.certified_factors import whole_sum
from lissnas.predictors.certified_kernels import DEAD, settle
from lissnas.predictors.certified_search import Search
from lissnas.predictors.certified_tables import NOWHERE, expand, group_genes, make_tables
from lissnas.spaces import ExplicitSpace, Gene, Movable, ProductSpace, RestrictedSpace, SearchSpace, TableCost
from lissnas.spaces.boxes import boxes_of
from lissnas.spaces.darts import darts
from lissnas.spaces.soft_box import SoftBoxSpace


@pytest.fixture(autouse=True)
def _search_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small spaces would be listed; here they are searched."""
    monkeypatch.setattr(certified, "LISTED", 0)


def costly(genes: list[Gene]) -> list[TableCost]:
    table = np.random.default_rng(7).random((len(genes), max(gene.radix for gene in genes)))
    return [TableCost("flops", 2.0, table)]


def plain() -> ProductSpace:
    genes = [Gene(f"op_{i}", ("k3", "k5", "k7", "x")) for i in range(6)]
    return ProductSpace("plain", genes, costs=costly(genes))


def conditional() -> ProductSpace:
    genes = [Gene("depth", (1, 2, 3, 4)), Gene("bias", (False, True)), Gene("extra", ("no", "yes"))]
    genes += [Gene(f"heads_{i}", (4, 8, 12), active=f"{i} < depth") for i in range(4)]
    genes += [Gene("rank", (1, 2), active="extra == 'yes'")]
    return ProductSpace("conditional", genes, costs=costly(genes))


def movable() -> ProductSpace:
    genes = [Gene(f"op_{i}", ("skip", "k3", "k5")) for i in range(7)]
    groups = [Movable("skip", tuple(g.name for g in genes[:3])), Movable("skip", tuple(g.name for g in genes[4:]))]
    return ProductSpace("movable", genes, movable=groups)


def restricted() -> RestrictedSpace:
    return RestrictedSpace(conditional(), {"depth": [1, 3], "heads_0": [0, 2]})


def drawn() -> SoftBoxSpace:
    return SoftBoxSpace(plain(), {"op_0": [0.5, 0.5, 0, 0], "op_1": [0, 0.1, 0.2, 0.7]})


def cells() -> SearchSpace:
    return darts(nodes=2, operations=("skip_connect", "sep_conv_3x3", "max_pool_3x3"))


SPACES = [plain, conditional, movable, restricted, drawn, cells]


def everyone(space: SearchSpace) -> Genotypes:
    return np.concatenate(list(space.enumerate()))


def fit(space: SearchSpace, seed: int = 0, **options: object) -> XGBoostPredictor:
    rng = np.random.default_rng(seed)
    x = space.sample(options.pop("networks", 400), rng)  # type: ignore[arg-type]
    widest = max(gene.radix for gene in space.genes)
    main, pair = rng.normal(size=(space.length, widest)), rng.normal(size=(space.length, widest, widest))
    y = sum(main[g][x[:, g]] for g in range(space.length))
    y = y + sum(pair[g][x[:, g], x[:, g + 1]] for g in range(space.length - 1))
    trees, depth = options.pop("trees", 40), options.pop("depth", 3)
    higher = bool(options.pop("higher_is_better", True))
    return XGBoostPredictor(trees=trees, depth=depth, **options).fit(space, x, y, higher_is_better=higher)  # type: ignore[arg-type]


def equals_brute_force(best: CertifiedBest, rows: Genotypes, scores: np.ndarray, n: int, higher: bool = True) -> None:
    """The scores of the list are the best there are, its networks different, and those of these scores."""
    sign = 1.0 if higher else -1.0
    wanted = sign * np.sort(-sign * scores)[:n] * -1.0
    assert best.is_proven
    assert best.proven == len(best.scores) == len(wanted)
    assert np.array_equal(best.scores, wanted)
    assert len(np.unique(best.genotypes, axis=0)) == len(best.genotypes)
    place = {row.tobytes(): score for row, score in zip(rows, scores, strict=True)}
    assert [place[row.tobytes()] for row in best.genotypes] == best.scores.tolist()


@pytest.mark.parametrize("make", SPACES)
@pytest.mark.parametrize(("n", "options"), [(1, {}), (50, {"depth": 2, "start": "mean"}), (20, {"higher_is_better": False})])
def test_equals_a_look_at_every_network(make: object, n: int, options: dict[str, object]) -> None:
    space: SearchSpace = make()  # type: ignore[operator]
    predictor = fit(space, **options)
    inside = space.support if isinstance(space, SoftBoxSpace) else space
    rows = everyone(inside)
    equals_brute_force(certified_best(space, predictor, n), rows, predictor.predict(rows), n, predictor.higher_is_better)


@pytest.mark.parametrize("trees", [1, 5])
def test_a_line_that_is_worth_far_more_than_its_trees(trees: int) -> None:
    """The unit of the fast scorer is fitted to the trees; what the line adds must not leave the range of whole numbers."""
    genes = [Gene(f"g{i}", tuple(range(count))) for i, count in enumerate([1, 2, 2, 2, 5])]
    space = ProductSpace("line", genes, costs=costly(genes))
    rows = everyone(space)
    x = np.concatenate([rows] * 3)
    predictor = XGBoostPredictor(trees=trees, depth=1, start="linear")
    predictor.fit(space, x, 1e4 * x.astype(float) @ np.arange(1, 6) + (x[:, 1] == x[:, 2]))
    scores = predictor.predict(rows)
    for n in (1, 2, 40):
        equals_brute_force(certified_best(space, predictor, n), rows, scores, n)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_random_spaces_and_ensembles(data: st.DataObject) -> None:
    counts = data.draw(st.lists(st.integers(1, 5), min_size=3, max_size=6).filter(lambda c: 40 <= np.prod(c) <= 4000))
    genes = [Gene(f"g{i}", tuple(range(count)), ordered=data.draw(st.booleans())) for i, count in enumerate(counts)]
    if data.draw(st.booleans()):
        genes.append(Gene("late", ("a", "b", "c"), active=f"g0 > {data.draw(st.integers(0, counts[0]))}"))
    space = ProductSpace("random", genes, costs=costly(genes))
    rows = everyone(space)
    predictor = fit(
        space, data.draw(st.integers(0, 999)), trees=data.draw(st.integers(1, 30)), depth=data.draw(st.integers(1, 6))
    )
    scores = predictor.predict(rows)
    n = data.draw(st.integers(1, len(rows)))
    limit = data.draw(st.sampled_from([None, "flops <= {}", "flops > {}", "flops * flops <= {} * {}"]))
    if limit is None:
        equals_brute_force(certified_best(space, predictor, n), rows, scores, n)
        return
    flops = space.cost(rows)["flops"]
    at = repr(float(np.quantile(flops, data.draw(st.floats(0.2, 0.8)))))
    meets = flops > float(at) if ">" in limit else flops <= float(at)
    best = certified_best(space, predictor, n, limits=[limit.format(at, at)])
    equals_brute_force(best, rows[meets], scores[meets], min(n, int(meets.sum())))


@pytest.mark.parametrize(
    "options", [{"labels": "rank-normal"}, {"depth": 9, "trees": 60, "networks": 3000}, {"scorer": "xgboost"}]
)
def test_other_labels_and_scorers(options: dict[str, object]) -> None:
    """Ranks are mapped back by a rising line; trees of more than 64 leaves take several words; XGBoost adds up in float32."""
    space = plain()
    predictor = fit(space, **options)
    rows = everyone(space)
    scores = np.sort(predictor.predict(rows))[::-1]
    best = certified_best(space, predictor, 30)
    assert best.is_proven
    assert np.abs(best.scores - scores[:30]).max() <= best.tolerance


def test_a_linear_predictor_and_an_ensemble() -> None:
    space = plain()
    rng = np.random.default_rng(0)
    x = space.sample(300, rng)
    for kind, options in (("linear", {}), ("ensemble", {"members": 3, "settings": {"trees": 20, "labels": "raw"}})):
        predictor = get_predictor(kind, options).fit(space, x, rng.normal(size=(6, 4))[np.arange(6), x].sum(axis=1))
        best = certified_best(space, predictor, 10)
        scores = np.sort(predictor.predict(everyone(space)))[::-1]
        assert np.abs(best.scores - scores[:10]).max() <= best.tolerance


def test_equal_scores_at_the_end_of_the_list_are_no_worse_outside() -> None:
    """Genes that no tree asks for make ties: the list holds all that is better than its last, and some of its equals."""
    space = plain()
    rng = np.random.default_rng(3)
    x = space.sample(200, rng)
    predictor = XGBoostPredictor(trees=3, depth=1, start="mean").fit(space, x, x[:, 0] + 0.1 * x[:, 1])
    rows = everyone(space)
    scores = predictor.predict(rows)
    best = certified_best(space, predictor, 100)
    assert best.scores[-1] == best.bound == np.sort(scores)[-100]
    assert (scores > best.scores[-1]).sum() == (best.scores > best.scores[-1]).sum()


def test_the_same_bytes_for_any_number_of_threads() -> None:
    space = ProductSpace("wide", [Gene(f"op_{i}", ("k3", "k5", "k7", "x")) for i in range(12)])
    predictor = fit(space, trees=100, depth=4)
    one, two = (certified_best(space, predictor, 500, threads=threads) for threads in (1, 2))
    assert one.genotypes.tobytes() == two.genotypes.tobytes()
    assert one.looked_at == two.looked_at
    assert one.is_proven


@pytest.mark.parametrize("most", [1, 8, 63, 256])
def test_runs_of_genes_hold_few_combinations_and_say_every_allele(most: int) -> None:
    """Genes of one allele, and of more alleles than a run may have combinations, among others."""
    radix = np.array([1, 2, 7, 9, 1, 4, 4, 2, 9])
    rows = (np.random.default_rng(0).random((700, len(radix))) * radix).astype(np.uint8)
    given = np.array([5, 0, 2, 8, 1, 3, 4, 7])  # gene 6 is not given
    group, sizes = np.zeros(len(radix), dtype=np.int64), np.zeros(len(given), dtype=np.int64)
    codes = np.zeros((len(given), len(rows)), dtype=np.uint8)
    alleles = np.zeros((len(radix), 256), dtype=np.uint8)
    group_genes(rows, given, radix, group, sizes, codes, alleles, most)
    runs = group[given]
    assert set(np.diff(runs)) <= {0, 1}
    for gene in given:
        assert np.array_equal(alleles[gene][codes[group[gene]]], rows[:, gene])
    for run in range(runs.max() + 1):
        held = len(np.unique(rows[:, given[runs == run]], axis=0))
        assert sizes[run] == held == codes[run].max() + 1
        assert held <= most or (runs == run).sum() == 1
        following = given[np.flatnonzero(runs == run + 1)[:1]]
        if len(following):  # it could not have been longer
            assert len(np.unique(rows[:, [*given[runs == run], *following]], axis=0)) > most


def mixed() -> ProductSpace:
    return ProductSpace("mixed", [Gene(f"g{i}", tuple(range(count))) for i, count in enumerate([1, 2, 7, 9, 3, 2])])


@pytest.mark.parametrize(
    ("make", "options", "leaves"),
    [
        (mixed, {"trees": 25, "depth": 4}, (3, 64)),
        (mixed, {"trees": 10, "depth": 1}, (2, 2)),  # factors that ask for one gene
        (mixed, {"trees": 5, "depth": 9, "networks": 3000}, (65, 512)),  # two words of leaves
        (movable, {"trees": 20, "depth": 3}, (3, 64)),  # networks that do not exist
        (conditional, {"trees": 20, "depth": 5, "start": "linear"}, (3, 64)),
    ],
)
@pytest.mark.parametrize("decided", [(), (1, 4)])
def test_a_partial_network_is_bounded_as_the_region_of_its_completions(
    make: object, options: dict[str, object], leaves: tuple[int, int], decided: tuple[int, ...]
) -> None:
    """What alleles add, by the tables, is what they add to the bound of a region in which nothing else is alive."""
    space: SearchSpace = make()  # type: ignore[operator]
    whole = whole_sum(space, fit(space, **options))
    f = whole.factors
    assert leaves[0] <= np.diff(f.factor_leaf).max() <= leaves[1]
    search = Search(whole, 1, space.is_valid, space.encode)
    region = search._start()
    for gene in decided:
        region.alive[gene, 1:] = False
    region, bounds = search._refine(region, 3)
    counts = map(len, (f.test_leaf, f.scope_gene, f.leaf_value, f.factor_leaf[1:]))
    state = [np.zeros(count, dtype=np.int64) for count in counts]
    settle(f, region.messages, region.alive, *state)
    best, top, leaf_sum, _ = state
    order = np.array(search._order(region.alive, bounds))
    tables = make_tables(f, order, region.messages, best.copy(), top.copy(), leaf_sum.copy())
    rng = np.random.default_rng(0)
    rows = np.stack([rng.choice(np.flatnonzero(alive), 600) for alive in region.alive], axis=1).astype(np.uint8)
    compared = 0
    for level, gene in enumerate(order):
        choices = np.flatnonzero(region.alive[gene])
        gains = np.empty((len(rows), len(choices)), dtype=np.int64)
        expand(f, tables, level, whole.own[gene], choices, rows, gains)
        for r in range(12):
            alive = region.alive.copy()
            for held in order[:level]:
                alive[held] = np.arange(alive.shape[1]) == rows[r, held]
            before = settle(f, region.messages, alive, *state)
            if before == DEAD:
                continue
            for a, allele in enumerate(choices):
                alive[gene] = np.arange(alive.shape[1]) == allele
                after = settle(f, region.messages, alive, *state)
                assert gains[r, a] == after - before if after > DEAD else gains[r, a] < NOWHERE // 2
                compared += 1
    assert compared > 50


def test_regions_are_split_where_one_dive_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lissnas.predictors.certified_search._BUDGET", 20)
    monkeypatch.setattr("lissnas.predictors.certified_search._BLOCK", 16)
    space = cells()
    predictor = fit(space, trees=60, depth=5)
    rows = everyone(space)
    best = certified_best(space, predictor, 40)
    equals_brute_force(best, rows, predictor.predict(rows), 40)


def test_what_is_left_when_it_is_stopped_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped at any step: nothing is better than the bound, and what is said to be proven is the best there is."""
    monkeypatch.setattr("lissnas.predictors.certified_search._BUDGET", 200)
    monkeypatch.setattr("lissnas.predictors.certified_search._BLOCK", 16)
    space = plain()
    predictor = fit(space, trees=60, depth=5)
    scores = np.sort(predictor.predict(everyone(space)))[::-1]
    ends = set()
    for steps in (0, 1, 3, 10, 20, 25, 30, 40, 60, 100, 200):
        asked = iter(range(steps))
        best = certified_best(space, predictor, 20, stop=lambda asked=asked: next(asked, None) is None)  # type: ignore[misc]
        assert best.bound is not None
        assert len(best.scores)
        outside = scores[scores > best.scores[best.proven - 1]] if best.proven else scores
        assert outside.max(initial=-np.inf) <= best.bound + best.tolerance or best.is_proven
        assert np.array_equal(best.scores[: best.proven], scores[: best.proven])
        ends.add(best.stopped)
    assert "stopped" in ends


def test_time_and_memory_end_it() -> None:
    space = ProductSpace("wide", [Gene(f"op_{i}", ("k3", "k5", "k7", "x")) for i in range(20)])
    predictor = fit(space, trees=300, depth=6)
    began = time.perf_counter()
    best = certified_best(space, predictor, 5000, seconds=0.2)
    assert best.stopped == "0.2 seconds were over"
    assert best.scores[0] >= predictor.predict(space.sample(4096, np.random.default_rng(0))).max()
    assert time.perf_counter() - began < 60
    assert best.bound is not None
    assert best.bound >= best.scores[0]
    assert "MB" in str(certified_best(space, predictor, 5000, memory=0.001).stopped)


def test_the_whole_numbers_are_what_the_predictor_says(test_data: Path) -> None:
    """On 10^17 networks of DARTS the best 200 by search have no better among all neighbors of theirs."""
    pytest.importorskip("onnxruntime")
    from lissnas.evaluators import get_evaluator

    space = darts()
    surrogate = get_evaluator("nasbench301", space, data=test_data / "nasbench301" / "surrogate.onnx")
    x = space.sample(500, np.random.default_rng(0))
    predictor = XGBoostPredictor(trees=200, depth=3).fit(space, x, surrogate.evaluate(x))
    best = certified_best(space, predictor, 200)
    assert best.is_proven
    assert space.is_valid(best.genotypes).all()
    whole = whole_sum(space, predictor)
    assert best.bound == pytest.approx(best.scores[-1], abs=best.tolerance)
    assert whole.slack < 1e-9
    near = space.all_neighbors(best.genotypes[:50]).genotypes
    inside = {row.tobytes() for row in best.genotypes}
    outside = np.array([row.tobytes() not in inside for row in near])
    assert predictor.predict(near[outside]).max() <= best.scores[-1] + best.tolerance


def test_spaces_that_are_no_product_are_listed() -> None:
    space = plain()
    some = ExplicitSpace.of(space, space.sample(900, np.random.default_rng(2)))
    assert boxes_of(some) is None
    predictor = fit(space)
    best = certified_best(some, predictor, 7)
    assert best.method == "listed"
    assert best.looked_at == some.cardinality
    equals_brute_force(best, some.genotypes, predictor.predict(some.genotypes), 7)
    assert certified_best(some, predictor, some.cardinality).bound is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"n": 0}, "whole number >= 1"),
        ({"n": 5000}, "fewer than the 5,000 asked for"),
        ({"seconds": 0}, "seconds must be above 0"),
        ({"memory": -1}, "memory must be above 0"),
        ({"limits": ["flops <= 0.5"]}, "flops goes from"),
        ({"limits": ["flops"]}, "must compare"),
    ],
)
def test_mistakes_are_one_line(options: dict[str, object], said: str) -> None:
    space = plain()
    with pytest.raises(UserError, match=said):
        certified_best(space, fit(space), **options)  # type: ignore[arg-type]


def test_a_predictor_that_is_no_sum_of_trees_is_refused() -> None:
    space = plain()
    x = space.sample(100, np.random.default_rng(0))
    predictor = get_predictor("mlp", {"epochs": 1} if "epochs" in get_predictor("mlp")._settings() else {})
    predictor.fit(space, x, np.random.default_rng(1).normal(size=100))
    with pytest.raises(UserError, match="xgboost"):
        certified_best(space, predictor)
