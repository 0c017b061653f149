"""Experiments in a run directory: with real data on a tiny scale, without it, and once it is there."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lissnas import UserError
from lissnas.experiments import all_stages, stages
from lissnas.experiments.data import install_from
from lissnas.experiments.job import KIND, config_of, run_experiment
from lissnas.experiments.stand_in import StandIn
from lissnas.runs import Progress, Run
from lissnas.spaces import SPACES

TINY = replace(stages.SCALES["small"], queries=5_000, pairs=200, trees=20, truths=100, starts=60, seeds=1)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(stages.SCALES, "small", TINY)
    monkeypatch.setenv("LISSNAS_DATA_DIR", str(tmp_path / "data"))
    stage: Any = all_stages.STAGES["nasbench101"]
    few = {key: method for key, method in stage.methods.items() if key.startswith("top-")}
    monkeypatch.setitem(all_stages.STAGES, "nasbench101", replace(stage, methods=few))  # type: ignore[arg-type]


def ask(directory: Path, *names: str) -> list[dict[str, Any]]:
    """The results of experiments in a run directory, new or not."""
    config = config_of("small", None, 0, names)
    with Run.open(directory) if directory.exists() else Run.create(directory, KIND, config) as run:
        return [run_experiment(run, name, Progress()) for name in names]


def verdicts(result: dict[str, Any]) -> dict[str, str]:
    return {claim["key"]: claim["verdict"] for claim in result["claims"]}


def test_arithmetic_needs_no_data(tmp_path: Path) -> None:
    theorem, years, table2 = ask(tmp_path / "run", "theorem1", "appendix-h3", "table2")
    assert verdicts(theorem)["10-2-0.2"] == "reproduced"
    assert verdicts(theorem)["largest-with-20"] == "contradicts"
    assert verdicts(years) == {"years": "contradicts"}
    assert verdicts(table2)["plain-holds-params"] == "contradicts"
    assert verdicts(table2)["LISSNAS/top-1"] == "needs DATA"


def test_what_only_we_claim_is_left_out_until_it_is_measured(tmp_path: Path) -> None:
    table3, originals = ask(tmp_path / "run", "table3", "originals")
    assert len(table3["claims"]) == 21  # the paper's numbers, which need a GPU
    assert originals["claims"] == []
    assert any("--space nasbench201" in line for line in originals["missing"])


def test_what_lacks_data_says_which_and_runs_once_it_is_there(tmp_path: Path, test_data: Path) -> None:
    (before,) = ask(tmp_path / "run", "table9")
    assert set(verdicts(before).values()) == {"needs DATA"}
    assert "lissnas data fetch nasbench101" in before["claims"][0]["why"]
    assert install_from(test_data / "nasbench101", ["nasbench101", "nasbench101-sample"], print) == ["nasbench101-sample"]
    after, told = ask(tmp_path / "run", "table9", "contradictions")
    assert verdicts(after)["top-30/mean"] == "differs"  # the naive rows do not hold
    assert verdicts(after)["full/best"] == "needs DATA"  # a maximum cannot be judged from a sample
    assert "99% quantile" in next(c["note"] for c in after["claims"] if c["key"] == "full/best")
    states = {row[0]: row[-1] for row in told["tables"][0]["rows"]}
    assert states["F15"] == "settled"
    assert states["F22"] == "open"

    other = tmp_path / "other"
    ask(other, "table9")
    for file in ("results/table9.json", "stages/nasbench101-0.parquet", "stages/nasbench101-0.json"):
        first, second = (hashlib.sha256((at / file).read_bytes()).hexdigest() for at in (tmp_path / "run", other))
        assert first == second, file

    stamp = (other / "results/table9.json").stat().st_mtime_ns
    ask(other, "table9")
    assert (other / "results/table9.json").stat().st_mtime_ns == stamp  # done is done


def test_a_complete_table_judges_exactly(tmp_path: Path, test_data: Path) -> None:
    install_from(test_data, ["transnasbench101-macro"], print)
    (result,) = ask(tmp_path / "run", "figure1")
    claim = next(c for c in result["claims"] if c["key"] == "transnas-macro-class-scene/abs")
    assert 0 <= claim["value"] <= 1
    assert verdicts(result)["nasbench101/abs"] == "needs DATA"


def test_a_folder_without_the_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds none of the files that are needed here"):
        install_from(tmp_path, ["nasbench301"], print)
    with pytest.raises(UserError, match="is none: check the path"):
        install_from(tmp_path / "nowhere", ["nasbench301"], print)


def test_the_stand_in_is_the_same_each_time_and_local(rng: np.random.Generator) -> None:
    space = SPACES.get("shufflenetv2")()
    genotypes = space.sample(500, rng)
    scores = StandIn(space).evaluate(genotypes)
    assert np.array_equal(scores, StandIn(space).evaluate(genotypes))
    near = space.neighbors(genotypes, 1, rng)
    apart = np.abs(scores[near.parents] - StandIn(space).evaluate(near.genotypes)).mean()
    assert apart < np.abs(scores - rng.permutation(scores)).mean()
