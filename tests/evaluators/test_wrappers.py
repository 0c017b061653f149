"""Evaluators around an evaluator: other scores, and scores that are harder to get."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.evaluators import (
    CostLimit,
    Delay,
    Evaluator,
    FailureRate,
    FunctionEvaluator,
    Infeasible,
    Noise,
    PermutedLabels,
    ScoresFile,
    get_evaluator,
)
from lissnas.formats import get_space, write_architectures_csv
from lissnas.spaces import ExplicitSpace, Gene, ProductSpace, SearchSpace
from lissnas.testing import EvaluatorContract

WIDE = ProductSpace("wide", [Gene(f"g{i}", tuple(range(9))) for i in range(22)])  # codes of two words


def total(genotypes: np.ndarray) -> np.ndarray:
    return genotypes.sum(axis=1)


@pytest.fixture(params=["digits-shuffle", "wide"])
def space(request: pytest.FixtureRequest) -> SearchSpace:
    return WIDE if request.param == "wide" else get_space(request.param)


def test_noise_belongs_to_the_architecture(space: SearchSpace, rng: np.random.Generator) -> None:
    x = space.sample(200, rng)
    evaluator = FunctionEvaluator(total, space=space, name="acc", higher_is_better=False)
    noisy = Noise(evaluator, 0.5, seed=3)
    together = noisy.evaluate(x)
    apart = np.concatenate([noisy.evaluate(x[i : i + 7]) for i in range(0, 200, 7)])
    assert (together == apart).all()
    assert (noisy.evaluate(x[::-1]) == together[::-1]).all()
    assert noisy.evaluations == evaluator.evaluations == 600
    assert (noisy.metric.name, noisy.higher_is_better) == ("noisy acc", False)
    assert (Noise(evaluator, 0.5, seed=4).evaluate(x) != together).any()
    assert (Noise(evaluator, 0.0).evaluate(x) == total(x)).all()


def test_noise_is_standard_normal(space: SearchSpace, rng: np.random.Generator) -> None:
    x = ExplicitSpace.of(space, space.sample(40_000, rng)).genotypes
    noise = Noise(FunctionEvaluator(lambda x: np.zeros(len(x)), space=space), 2.0).evaluate(x) / 2
    n = len(noise)
    assert abs(noise.mean()) < 5 / np.sqrt(n)
    assert abs(noise.std() - 1) < 5 / np.sqrt(2 * n)
    assert abs((np.abs(noise) < 1.96).mean() - 0.95) < 5 * np.sqrt(0.05 * 0.95 / n)
    # architectures that differ in one gene have unrelated noise
    assert abs(np.corrcoef(noise[1:], noise[:-1])[0, 1]) < 5 / np.sqrt(n)


def test_the_size_of_noise() -> None:
    for size in (-1.0, float("nan"), float("inf")):
        with pytest.raises(UserError, match="size of noise must be a finite number >= 0"):
            Noise(FunctionEvaluator(total, space=WIDE), size)


def test_labels_of_an_explicit_space_are_permuted_exactly(space: SearchSpace, rng: np.random.Generator) -> None:
    small = ExplicitSpace.of(space, space.sample(500, rng))
    # scores that hardly repeat, so that a permutation shows
    evaluator = FunctionEvaluator(lambda x: x.astype(np.int64) @ 7 ** np.arange(x.shape[1]) % 10007, space=small)
    truth = evaluator.evaluate(small.genotypes)
    permuted = PermutedLabels(evaluator, seed=1)
    scores = permuted.evaluate(small.genotypes)
    assert (np.sort(scores) == np.sort(truth)).all()
    assert (scores != truth).mean() > 0.9
    assert abs(np.corrcoef(scores, truth)[0, 1]) < 5 / np.sqrt(len(truth))
    assert (np.concatenate([permuted.evaluate(small.genotypes[i : i + 1]) for i in range(20)]) == scores[:20]).all()
    assert (PermutedLabels(evaluator, seed=2).evaluate(small.genotypes) != scores).any()


def test_labels_of_a_file_are_permuted_exactly(tmp_path: Path, space: SearchSpace, rng: np.random.Generator) -> None:
    x = ExplicitSpace.of(space, space.sample(100, rng)).genotypes
    write_architectures_csv(space, x, tmp_path / "m.csv", {"s": rng.random(len(x))})
    file = ScoresFile(tmp_path / "m.csv", space)
    permuted = PermutedLabels(file)
    assert (np.sort(permuted.evaluate(file.genotypes)) == np.sort(file.scores)).all()
    absent = space.sample(200, np.random.default_rng(9))
    with pytest.raises(UserError, match="holds no score for the architecture"):
        permuted.evaluate(absent)


def test_labels_of_a_whole_table_are_permuted_exactly(data_folder: Path, micro_csv: Path) -> None:
    table = get_evaluator("transnasbench101-micro", data=micro_csv)
    x = table.genotypes
    assert table.known is None
    assert (np.sort(PermutedLabels(table, seed=3).evaluate(x)) == np.sort(table.evaluate(x))).all()
    half = get_evaluator("transnasbench101-micro", ExplicitSpace.of(table.space, x[::2]))
    assert (np.sort(PermutedLabels(half).evaluate(x[::2])) == np.sort(table.evaluate(x[::2]))).all()


def test_elsewhere_each_architecture_has_a_partner(space: SearchSpace, rng: np.random.Generator) -> None:
    permuted = PermutedLabels(FunctionEvaluator(total, space=space), seed=5)
    x = space.sample(300, rng)
    scores = permuted.evaluate(x)
    assert (np.concatenate([permuted.evaluate(x[i : i + 50]) for i in range(0, 300, 50)]) == scores).all()
    assert abs(np.corrcoef(scores, total(x))[0, 1]) < 5 / np.sqrt(300)


def flops(space: SearchSpace) -> FunctionEvaluator:
    return FunctionEvaluator(lambda x, space: -space.cost(x).flops / 1e6, space=space, name="speed")


def digits() -> SearchSpace:
    return get_space("digits-shuffle")


MEDIAN = float(np.median(digits().cost(digits().sample(1000, np.random.default_rng(0))).flops))


class TestInfeasibleContract(EvaluatorContract):
    def evaluator(self) -> Evaluator:
        return Infeasible(flops(digits()), penalty=-100.0, region=f"flops > {MEDIAN}", share=0.2)


class TestCostLimitContract(EvaluatorContract):
    def evaluator(self) -> Evaluator:
        return CostLimit(flops(digits()), evaluations=1000, limits="flops > 0")


class TestDelayContract(EvaluatorContract):
    def evaluator(self) -> Evaluator:
        return Delay(flops(digits()), 1.0, sleep=lambda seconds: None)


class TestFailureRateContract(EvaluatorContract):
    def evaluator(self) -> Evaluator:
        return FailureRate(flops(digits()), 0.5, retries=60)


class TestNestedContract(EvaluatorContract):
    """All of them around one another."""

    def evaluator(self) -> Evaluator:
        inside = PermutedLabels(Noise(FailureRate(flops(digits()), 0.3, retries=60), 0.5))
        return Delay(CostLimit(Infeasible(inside, -100.0, share=0.3), 1000), 0.1, sleep=lambda seconds: None)


class TestNestedTheOtherWayContract(EvaluatorContract):
    def evaluator(self) -> Evaluator:
        inside = Infeasible(CostLimit(Delay(flops(digits()), 0.1, sleep=lambda seconds: None), 1000), -100.0, share=0.3)
        return FailureRate(Noise(PermutedLabels(inside), 0.5), 0.3, retries=60)


def test_an_infeasible_region(rng: np.random.Generator) -> None:
    space = digits()
    x = space.sample(500, rng)
    inside = flops(space)
    evaluator = Infeasible(inside, penalty=-7.0, region=[f"flops > {MEDIAN}", "block_0 == 'k3'"])
    lost = (space.cost(x).flops > MEDIAN) | (x[:, 0] == 3)
    assert (evaluator.infeasible(x) == lost).all()
    scores = evaluator.evaluate(x)
    assert (scores[lost] == -7).all()
    assert (scores[~lost] == inside.evaluate(x[~lost])).all()
    assert evaluator.evaluations == 500
    assert inside.evaluations == 2 * (~lost).sum()
    assert evaluator.metric == inside.metric


def test_an_infeasible_share_is_chosen_by_architecture(space: SearchSpace, rng: np.random.Generator) -> None:
    x = space.sample(4_000, rng)
    evaluator = Infeasible(FunctionEvaluator(total, space=space), -1.0, share=0.25, seed=1)
    lost = evaluator.infeasible(x)
    assert abs(lost.mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / 4_000)
    assert (np.concatenate([evaluator.infeasible(x[i : i + 500]) for i in range(0, 4_000, 500)]) == lost).all()
    assert (Infeasible(FunctionEvaluator(total, space=space), -1.0, share=0.25, seed=2).infeasible(x) != lost).any()
    assert not Infeasible(FunctionEvaluator(total, space=space), -1.0).infeasible(x).any()


def test_a_limit_of_evaluations() -> None:
    x = WIDE.sample(10, np.random.default_rng(0))
    inside = FunctionEvaluator(total, space=WIDE)
    evaluator = CostLimit(inside, evaluations=7)
    assert (evaluator.evaluate(x[:5]) == total(x[:5])).all()
    with pytest.raises(UserError, match=r"at most 7 .*: 5 were, and 3 more .* the architecture g0=.*: ask for 2 or raise"):
        evaluator.evaluate(x[5:8])
    assert (evaluator.evaluations, inside.evaluations, evaluator.left) == (5, 5, 2)
    evaluator.evaluate(x[5:7])
    assert evaluator.left == 0
    assert len(evaluator.evaluate(x[:0])) == 0
    with pytest.raises(UserError, match="at most 7"):
        evaluator.evaluate(x[:1])
    assert CostLimit(inside).left is None


def test_a_limit_of_costs(rng: np.random.Generator) -> None:
    space = digits()
    x = space.sample(200, rng)
    evaluator = CostLimit(flops(space), limits=[f"flops <= {MEDIAN}"])
    cheap = space.cost(x).flops <= MEDIAN
    assert len(evaluator.evaluate(x[cheap])) == cheap.sum()
    first = space.format(x[np.flatnonzero(~cheap)[:1]])[0]
    with pytest.raises(UserError) as caught:
        evaluator.evaluate(x)
    message = str(caught.value)
    assert message.startswith(
        f"only architectures with flops <= {MEDIAN} may be evaluated, but not the architecture {first} and"
    )
    assert "\n" not in message
    assert evaluator.evaluations == cheap.sum()


def test_a_delay_is_slept_for_each_architecture() -> None:
    slept: list[float] = []
    evaluator = Delay(FunctionEvaluator(total, space=WIDE), 0.5, sleep=slept.append)
    x = WIDE.sample(4, np.random.default_rng(0))
    assert (evaluator.evaluate(x) == total(x)).all()
    evaluator.evaluate(x[:1])
    evaluator.evaluate(x[:0])
    assert slept == [2.0, 0.5]


def refusal(evaluator: Evaluator, x: np.ndarray) -> str | None:
    try:
        evaluator.evaluate(x)
    except UserError as error:
        return str(error)
    return None


def test_failures_name_the_architecture_and_end(space: SearchSpace, rng: np.random.Generator) -> None:
    x = ExplicitSpace.of(space, space.sample(2_000, rng)).genotypes
    inside = FunctionEvaluator(total, space=space)
    evaluator = FailureRate(inside, 0.3, seed=1)
    failed = np.zeros(len(x), dtype=int)
    for row, name in enumerate(space.format(x)):
        while (message := refusal(evaluator, x[row : row + 1])) is not None:
            failed[row] += 1
            assert name in message
            assert f"failed (attempt {failed[row]})" in message
    assert evaluator.evaluations == inside.evaluations == len(x)
    assert evaluator.failures == failed.sum()
    # geometric: a share of 0.3 fails at least once, of those again 0.3
    for times in (1, 2, 3):
        share = (failed >= times).mean()
        assert abs(share - 0.3**times) < 5 * np.sqrt(0.3**times / len(x))
    # as a batch: each attempt at the batch is one at every architecture that failed before, so all end together
    batch = FailureRate(inside, 0.3, seed=1)
    for _ in range(failed.max()):
        assert "more of the batch failed" in (refusal(batch, x) or "") or (failed == failed.max()).sum() == 1
    assert (batch.evaluate(x) == total(x)).all()
    assert batch.failures == failed.sum()
    # made good by retries
    retried = FailureRate(inside, 0.3, seed=1, retries=int(failed.max()))
    assert (retried.evaluate(x) == total(x)).all()
    assert retried.failures == failed.sum()
    assert (FailureRate(inside, 0.0).evaluate(x) == total(x)).all()


def test_what_wrappers_are_given() -> None:
    inside = FunctionEvaluator(total, space=digits())
    for make, message in (
        (lambda: Infeasible(inside, float("nan")), "penalty .* must be a finite number, but got nan"),
        (lambda: Infeasible(inside, 0.0, region="speed > 3"), "'speed', which 'digits-shuffle' does not have"),
        (lambda: Infeasible(inside, 0.0, region="flops"), "a limit must compare"),
        (lambda: Infeasible(inside, 0.0, share=1.0), "infeasible share must be a number from 0 to below 1, but got 1.0"),
        (lambda: CostLimit(inside, evaluations=-1), "a limit of evaluations must be a whole number >= 0, but got -1"),
        (lambda: CostLimit(inside, evaluations=1.5), "must be a whole number >= 0, but got 1.5"),
        (lambda: CostLimit(inside, limits="speed < 3"), "'speed', which 'digits-shuffle' does not have"),
        (lambda: Delay(inside, -1), "a delay must be a finite number of seconds >= 0, but got -1"),
        (lambda: FailureRate(inside, 1.0), "a failure rate must be a number from 0 to below 1, but got 1.0"),
        (lambda: FailureRate(inside, float("nan")), "a failure rate must be"),
        (lambda: FailureRate(inside, 0.5, retries=-1), "retries must be a whole number >= 0, but got -1"),
        (lambda: Noise(FunctionEvaluator(total), 1.0), "made without a space"),
        (lambda: Noise(inside, 1.0, seed=-1), "a seed must be a whole number >= 0, but got -1"),
        (lambda: PermutedLabels(inside, seed=0.5), "a seed must be a whole number >= 0, but got 0.5"),
    ):
        with pytest.raises(UserError, match=message):
            make()


def test_wrappers_say_what_is_inside(tmp_path: Path, rng: np.random.Generator) -> None:
    space = digits()
    x = ExplicitSpace.of(space, space.sample(100, rng)).genotypes
    write_architectures_csv(space, x, tmp_path / "m.csv", {"s": rng.random(len(x))})
    file = ScoresFile(tmp_path / "m.csv", space)
    nested = PermutedLabels(CostLimit(Infeasible(file, -1.0), 100))
    assert nested.unwrapped is file
    assert (nested.known is None) == (file.known is None)
    assert (np.sort(nested.evaluate(file.genotypes)) == np.sort(file.scores)).all()  # still an exact permutation
    assert Noise(Delay(file, 1.0, sleep=print), 1.0).is_free is False
    assert Noise(file, 1.0).is_free == file.is_free
