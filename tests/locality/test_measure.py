"""Everything of one space: the verdict is right on real spaces, on permuted labels and under noise; nothing is silently 0."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.evaluators import FunctionEvaluator, Noise, PermutedLabels, ScoresFile, get_evaluator
from lissnas.formats import get_space, write_architectures_csv
from lissnas.locality import assess_locality, edit_threshold, paper_threshold, planned_evaluations
from lissnas.locality.estimate import Estimate
from lissnas.spaces import ExplicitSpace, Gene, ProductSpace
from lissnas.testing.toys import Oracle, toy_space, toy_target

SPACE = ProductSpace("six", [Gene(f"g{i}", ("a", "b", "c", "d")) for i in range(6)])
WEIGHTS = np.random.default_rng(7).normal(size=(6, 4))


def additive(genotypes):
    return WEIGHTS[np.arange(6), genotypes].sum(axis=1)


def free(function=additive, space=SPACE, **options):
    evaluator = FunctionEvaluator(function, space=space, **options)
    evaluator.is_free = True
    return evaluator


@pytest.fixture(scope="module")
def measured():
    return assess_locality(SPACE, free(), samples=100)


def test_an_additive_score_has_the_correlation_of_theory(measured):
    """Of six equally weighted genes, d changed ones leave (6 - d) / 6 and what other alleles have in common."""
    variance = WEIGHTS.var(axis=1).sum()
    for d in range(1, 7):
        # a changed gene is uniform over the other three alleles: covariance -variance / 3
        expected = (6 - d) / 6 + d / 6 * -1 / 3
        estimate = measured.get("correlation", "distance", d)
        assert estimate.value == pytest.approx(expected)
        assert estimate.exact
        assert (estimate.low, estimate.high) == (estimate.value, estimate.value)
    assert variance > 0


def test_random_edits_and_exact_distances_differ(measured):
    one = measured.get("correlation", "random edits", 1)
    assert one.low <= measured.get("correlation", "distance", 1).value <= one.high  # one edit is one edit
    # six random edits lead back in part: a change of all six genes does not
    assert measured.get("correlation", "random edits", 6).low > measured.get("correlation", "distance", 6).value
    # one long walk and many short ones see the same
    walk, many = (measured.get("correlation", by, 3) for by in ("walk", "random edits"))
    assert walk.low <= many.high
    assert many.low <= walk.high


def test_differences_are_those_of_all_pairs(measured):
    x = np.concatenate(list(SPACE.enumerate()))
    y, n = additive(x), len(x)
    rows = np.argsort(-y)[: round(0.02 * n)]
    far = (x[rows][:, None] != x[None]).sum(axis=2)
    apart = np.abs(y[rows][:, None] - y)
    for d in (1, 3):
        assert measured.get("difference", "distance", d, "seeds").value == pytest.approx(apart[far == d].mean(), rel=0.02)
    assert [p.name for p in measured.populations] == ["uniform", "good", "seeds"]
    assert measured.populations[1].chance == pytest.approx(0.1, abs=0.005)


def test_the_yield_is_the_share_that_passes(measured):
    x = np.concatenate(list(SPACE.enumerate()))
    y = additive(x)
    good = y >= measured.populations[1].threshold
    near = SPACE.all_neighbors(x[good])
    assert measured.get("yield", "distance", 1, "good").value == pytest.approx(
        (additive(near.genotypes) >= measured.populations[1].threshold).mean()
    )


def test_the_verdict_on_a_local_score_is_yes(measured):
    assert measured.verdict.answer == "yes"
    assert measured.verdict.sentence.startswith("Shrinking by locality should work here")


def test_permuted_labels_say_no():
    found = assess_locality(SPACE, PermutedLabels(free()), samples=100)
    assert found.verdict.answer == "no"
    assert abs(found.get("rank correlation", "distance", 1).value) < 0.05


def test_little_noise_says_yes_and_much_says_so():
    spread = float(np.std(additive(np.concatenate(list(SPACE.enumerate())))))
    assert assess_locality(SPACE, Noise(free(), 0.1 * spread), samples=100).verdict.answer == "yes"
    loud = assess_locality(SPACE, Noise(free(), 4 * spread), samples=100)
    assert loud.verdict.answer == "noise"
    assert "Noise drowns" in loud.verdict.sentence
    assert loud.noise.source == "declared"
    assert loud.noise.rank_share > 0.8
    assert loud.noise.share == pytest.approx(16 / 17, abs=0.05)
    assert loud.noise.floor == pytest.approx(4 * spread * 2 / np.sqrt(np.pi))


def test_lower_is_better_is_the_same_upside_down(measured):
    found = assess_locality(SPACE, free(lambda g: -additive(g), higher_is_better=False), samples=100)
    for population in ("good", "seeds"):
        ours, theirs = (f.get("yield", "distance", 2, population).value for f in (found, measured))
        assert ours == pytest.approx(theirs)
    assert found.verdict.answer == "yes"


def test_a_large_space_is_sampled_with_intervals():
    space = toy_space()
    truth = free(lambda g: toy_target(space, g), space)
    found = assess_locality(space, truth, samples=300, predictor=Oracle.of(space))
    assert found.design == "sampled"
    estimate = found.get("correlation", "distance", 1)
    assert estimate.low < estimate.value < estimate.high
    assert estimate.pairs == 300
    # a predictor that is right says what is true
    for d in (1, 2):
        true, guess = (found.get("yield", "distance", d, "good", source=s) for s in ("true", "predicted"))
        assert true.low <= guess.high
        assert guess.low <= true.high
    assert [(t.population, t.source) for t in found.thresholds] == [
        ("seeds", "true"),
        ("good", "true"),
        ("seeds", "predicted"),
        ("good", "predicted"),
    ]
    assert found.sample_size is not None  # 18,144 networks cost nothing to score


def test_sampled_intervals_hold_what_all_pairs_say(measured, monkeypatch):
    monkeypatch.setattr("lissnas.locality.study.can_compare_all", lambda space: False)
    found = assess_locality(SPACE, free(), samples=500)
    assert found.design == "sampled"
    inside = [
        row.estimate.low <= measured.get(row.statistic, row.by, row.edits, row.population).value <= row.estimate.high
        for row in found.rows
        if row.by == "distance" and row.estimate.value is not None
    ]
    assert len(inside) > 30
    assert np.mean(inside) > 0.85


def test_a_partial_table_says_how_many_pairs_it_has(tmp_path, measured):
    x = ExplicitSpace.of(SPACE, SPACE.sample(900, np.random.default_rng(1))).genotypes
    write_architectures_csv(SPACE, x, tmp_path / "scores.csv", {"acc": additive(x)})
    found = assess_locality(SPACE, ScoresFile(tmp_path / "scores.csv", SPACE, "acc"), samples=100)
    assert found.design == "partial"
    assert found.scored == len(x)
    for statistic in ("correlation", "difference"):
        estimate = found.get(statistic, "distance", 1)
        assert estimate.low < measured.get(statistic, "distance", 1).value < estimate.high
        assert 1000 < estimate.pairs < 9000  # 18 neighbors, of which a fifth has a score; each pair once
    assert found.verdict.answer == "yes"
    assert found.get("correlation", "walk", 1).pairs > 0


def test_a_table_without_near_pairs_does_not_know():
    space = get_space("shufflenetv2")
    x = space.sample(400, np.random.default_rng(0))
    truth = free(lambda g: g.sum(axis=1).astype(float), space)
    type_known = property(lambda self: ExplicitSpace.of(space, x))
    truth.__class__ = type("Table", (FunctionEvaluator,), {"known": type_known})
    found = assess_locality(space, truth, samples=100)
    assert found.verdict.answer == "unknown"
    first = found.get("correlation", "distance", 1)
    assert first.value is None
    assert "only 0 pairs" in first.reason
    assert all(threshold.measured is None for threshold in found.thresholds if not threshold.yields[1].value)


def test_what_is_dear_is_asked_for_no_more_than_said():
    evaluator = FunctionEvaluator(additive, space=SPACE)
    planned = planned_evaluations(evaluator, 800)
    found = assess_locality(SPACE, evaluator, samples=800)
    assert planned is not None
    assert evaluator.evaluations <= planned
    assert found.design == "sampled"
    assert found.get("difference", "distance", 3).value is not None
    assert planned_evaluations(free(), 800) is None


class Restless(FunctionEvaluator):
    """It never says the same twice."""

    is_free = True

    def __init__(self, size):
        rng = np.random.default_rng(0)
        super().__init__(lambda g: additive(g) + size * rng.normal(size=len(g)), space=SPACE)


def test_noise_without_repeats_has_no_differences():
    found = assess_locality(SPACE, Restless(0.5), samples=100)
    assert found.noise.source == "measured"
    assert found.noise.must_repeat
    estimate = found.get("difference", "distance", 1)
    assert estimate.value is None
    assert "repeats" in estimate.reason
    assert found.get("correlation", "distance", 1).value is not None


def test_repeats_bring_differences_back():
    found = assess_locality(SPACE, Restless(0.5), samples=100, repeats=4)
    assert found.noise.size == pytest.approx(0.25, rel=0.5)
    assert found.get("difference", "distance", 1).value > found.noise.floor


def test_equal_scores_are_null_with_the_reason():
    found = assess_locality(SPACE, free(lambda g: np.full(len(g), 0.1)), samples=100)
    assert found.verdict.answer == "unknown"
    assert "all equal" in found.verdict.sentence
    assert found.get("correlation", "distance", 1).value is None
    assert "every network" in found.get("yield", "distance", 1, "good").reason
    assert found.get("difference", "distance", 1).value == 0
    json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.parametrize("score", [-1e9, 1e9, np.nan])
def test_a_threshold_that_nothing_or_everything_passes_is_refused(score):
    with pytest.raises(UserError, match="networks reach"):
        assess_locality(SPACE, free(), samples=100, good_above=score)


def test_a_threshold_of_ones_own():
    found = assess_locality(SPACE, free(), samples=100, good_above=1.0)
    assert found.populations[1].threshold == 1.0
    assert found.populations[1].networks == (additive(np.concatenate(list(SPACE.enumerate()))) >= 1.0).sum()


def test_too_few_samples_and_repeats_are_refused():
    with pytest.raises(UserError, match="at least 30"):
        assess_locality(SPACE, free(), samples=10)
    with pytest.raises(UserError, match="repeats"):
        assess_locality(SPACE, free(), repeats=0)


def test_a_seed_gives_the_same_bytes():
    space = toy_space()

    def run(seed):
        truth = free(lambda g: toy_target(space, g), space)
        return json.dumps(assess_locality(space, truth, samples=30, seed=seed).to_dict())

    assert run(3) == run(3) != run(4)


def test_thresholds_of_edits():
    def yields(*values):
        return {d: Estimate(v) if v is not None else Estimate.missing("none") for d, v in enumerate(values, 1)}

    assert [paper_threshold(n) for n in (2, 6, 9, 16, 20)] == [1, 2, 3, 5, 6]
    assert edit_threshold(yields(0.9, 0.6, 0.4, 0.7), "seeds", "true", 9).measured == 2
    assert edit_threshold(yields(0.4, 0.6), "seeds", "true", 9).measured == 0
    assert edit_threshold(yields(None, 0.6), "seeds", "true", 9).measured is None
    assert edit_threshold(yields(0.9, None), "seeds", "true", 9).measured == 1


REAL = [("nasbench201", "nasbench201/accuracy.csv", task) for task in ("cifar10-valid", "cifar100-valid", "imagenet16-valid")]
REAL += [
    (f"transnasbench101-{part}", f"transnasbench101/{part}.csv", task)  # the weakest of the seven tasks beside a usual one
    for part, tasks in (("macro", ("class_scene", "room_layout")), ("micro", ("class_scene", "jigsaw")))
    for task in tasks
]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LISSNAS_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.mark.parametrize(("name", "file", "task"), REAL)
def test_real_spaces_have_locality_and_permuted_ones_none(test_data, data_dir, name, file, task):
    truth = get_evaluator(name, task=task, data=test_data / file)
    assert assess_locality(truth.space, truth, samples=100).verdict.answer == "yes"
    if task in ("cifar10-valid", "class_scene"):
        assert assess_locality(truth.space, PermutedLabels(truth), samples=100).verdict.answer == "no"


def test_the_sample_of_nasbench101(test_data, data_dir):
    """All is said by pairs that both have a score, and by kind of edit (Table 8)."""
    truth = get_evaluator("nasbench101-sample", data=test_data / "nasbench101" / "sample20k.csv")
    found = assess_locality(truth.space, truth, samples=100)
    assert found.design == "partial"
    assert found.verdict.answer == "yes"
    assert found.get("difference", "distance", 1).pairs == 6929
    kinds = [found.get("difference", "distance", 1, kind=kind) for kind in ("operation", "edge")]
    assert sum(kind.pairs for kind in kinds) == 6929
    for kind in ("operation", "edge"):
        by_edits = [found.get("difference", "distance", d, "good", kind).value for d in (1, 2, 3)]
        assert by_edits == sorted(by_edits)


def test_the_surrogate_of_nasbench301(test_data, data_dir):
    pytest.importorskip("onnxruntime")
    truth = get_evaluator("nasbench301", data=test_data / "nasbench301")
    found = assess_locality(truth.space, truth, samples=30)
    assert found.design == "sampled"
    assert found.verdict.answer == "yes"
