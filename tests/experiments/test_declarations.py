"""Each experiment's declaration is complete."""

from __future__ import annotations

import pytest

from lissnas import UserError
from lissnas.evaluators import BENCHMARKS
from lissnas.experiments import EXPERIMENTS, list_experiments
from lissnas.experiments.all_stages import STAGES, find_stage
from lissnas.experiments.contradictions import CONTRADICTIONS
from lissnas.experiments.experiment import Experiment
from lissnas.experiments.job import benchmarks_of_experiment, config_of
from lissnas.experiments.outcomes import shrinker_of
from lissnas.experiments.stages import SCALES, ShrinkStage
from lissnas.experiments.supernet_stages import SupernetStage
from lissnas.experiments.verdict import holds
from lissnas.spaces import SPACES


def test_every_table_and_figure_is_there() -> None:
    names = list_experiments()
    assert {f"table{n}" for n in range(1, 11)} | {f"figure{n}" for n in range(1, 7)} <= set(names)
    assert names[-1] == "contradictions"  # which reads the others


@pytest.mark.parametrize("name", list_experiments())
def test_declarations_are_complete(name: str) -> None:
    experiment: Experiment = EXPERIMENTS.get(name)
    assert experiment.name == name
    assert experiment.title
    assert experiment.paper
    assert experiment.how
    assert all(find_stage(stage) for stage in experiment.stages)
    assert set(benchmarks_of_experiment(experiment)) <= set(BENCHMARKS.names())
    for claim in experiment.claims:
        assert claim.says
        # a number, a statement, or a number that is lost: exactly one of them
        assert (claim.published is not None) + (claim.rule.kind == "holds") + claim.lost == 1, claim.key


@pytest.mark.parametrize("name", list(STAGES))
def test_stages_name_what_there_is(name: str) -> None:
    stage = STAGES[name]
    if not isinstance(stage, SupernetStage):
        assert stage.space in SPACES
    if isinstance(stage, ShrinkStage):
        assert (bool(stage.benchmarks), stage.stand_in, stage.proxy is not None).count(True) == 1
        for scale in SCALES.values():
            for method in stage.methods.values():
                assert shrinker_of(method, scale).queries == round(method.budget * scale.queries)


def test_contradictions_point_at_claims() -> None:
    assert [one.number for one in CONTRADICTIONS] == list(range(1, 23))
    for one in CONTRADICTIONS:
        for experiment, key in one.evidence:
            assert key in {claim.key for claim in EXPERIMENTS.get(experiment).claims}, (one.number, key)


def test_two_claims_of_one_key_are_refused() -> None:
    first: Experiment = EXPERIMENTS.get("theorem1")
    with pytest.raises(ValueError, match="different keys"):
        Experiment("x", "x", "x", "x", (first.claims[0], first.claims[0]), first.measure)
    assert holds().kind == "holds"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("big", None, 0), "a scale must be small or paper, but got 'big'"),
        (("small", 0, 0), "at least 1 seed is needed, but got 0"),
        (("small", None, 0, ["tabel9"]), "unknown experiment 'tabel9': did you mean table9"),
    ],
)
def test_a_configuration_that_cannot_be(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        config_of(*arguments)  # type: ignore[arg-type]
