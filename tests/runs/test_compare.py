"""The job that compares methods: one rule for all, the same bytes for any worker count and after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.evaluators import ScoresFile
from lissnas.formats import get_space
from lissnas.quality import good_threshold
from lissnas.runs import resume, start
from lissnas.runs.compare import check_config, evaluations_that_fit
from lissnas.runs.compare_config import CompareConfig, compared_methods, equal_sizes, method_names
from lissnas.runs.compare_summary import summarize_rows

MAY_DIFFER = {"journal.jsonl", "timings.json"}
SPACE = """\
name: toy
genes:
  op: {alleles: [conv, pool, skip], repeat: 6}
  width: [8, 16, 32]
costs: {size: width * 2}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A space of 2,187 networks that are all measured."""
    folder = tmp_path_factory.mktemp("compare")
    (folder / "toy.yaml").write_text(SPACE)
    space = get_space(folder / "toy.yaml")
    x = np.concatenate(list(space.enumerate()))
    lines = [",".join([gene.name for gene in space.genes] + ["accuracy"])]
    for row, score in zip(space.to_dicts(x), truth(x), strict=True):
        lines.append(",".join([*map(str, row.values()), f"{score:.5f}"]))
    (folder / "all.csv").write_text("\n".join(lines) + "\n")
    return folder


def truth(x: np.ndarray) -> np.ndarray:
    scores: np.ndarray = (x == 0) @ np.arange(1.0, 8.0) + np.random.default_rng(0).normal(size=len(x))
    return scores


def config(folder: Path, **changes: Any) -> CompareConfig:
    asked: dict[str, Any] = {
        "space": str(folder / "toy.yaml"),
        "scores": str(folder / "all.csv"),
        "evaluations": 200,
        "queries": 2000,
        "methods": ["lissnas", "naive", "abs", "none", "query-all", "weaknas"],
        "sizes": [100, 400],
        "trees": 20,
        "seeds": 2,
    }
    return CompareConfig(**{**asked, **changes})


@pytest.fixture(scope="module")
def finished(folder: Path) -> Path:
    """One finished comparison."""
    return start(folder / "one", "compare", config(folder).model_dump()).directory


def files(directory: Path) -> dict[str, bytes]:
    found = (p for p in sorted(directory.rglob("*")) if p.is_file() and p.name not in MAY_DIFFER)
    return {str(p.relative_to(directory)): p.read_bytes() for p in found}


def metrics(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory / "metrics.json").read_text())
    return found


def test_two_workers_make_the_same_bytes_as_one(folder: Path, finished: Path) -> None:
    other = start(folder / "two", "compare", config(folder).model_dump(), workers=2).directory
    assert files(other) == files(finished)


def test_a_kill_in_the_middle_changes_nothing(folder: Path, finished: Path) -> None:
    directory = folder / "killed"
    code = (
        "import json, sys; from lissnas.runs import start; "
        "start(sys.argv[1], 'compare', json.loads(sys.argv[2])) if __name__ == '__main__' else None"
    )
    arguments = [sys.executable, "-c", code, str(directory), json.dumps(config(folder).model_dump())]
    process = subprocess.Popen(arguments, env={**os.environ, "OMP_NUM_THREADS": "1"})
    deadline = time.monotonic() + 120
    checkpoint = directory / "checkpoints" / "compare"
    while process.poll() is None and time.monotonic() < deadline and len(list(checkpoint.glob("*.npy"))) < 3:
        time.sleep(0.002)
    assert process.poll() is None, "it ended before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (directory / "rows.json").exists()
    resume(directory)
    assert files(directory) == files(finished)


def test_clock_times_are_in_timings_only(finished: Path) -> None:
    parts = json.loads((finished / "timings.json").read_text())["parts"]
    assert parts.keys() >= {"lissnas, seed 0, its own size", "abs, seed 1, 400 networks", "predictor xgboost 200, seed 1"}
    assert b"seconds" not in (finished / "rows.json").read_bytes() + (finished / "metrics.json").read_bytes()


def test_what_does_not_apply_says_why(finished: Path) -> None:
    reasons = {row["method"]: row["reason"] for row in metrics(finished)["compare"]["methods"]}
    assert "2,187 architectures, more than the 2,000 queries" in reasons["query-all"]
    assert "not all have one" in reasons["weaknas"]
    assert reasons["lissnas"] is None
    assert {row["method"] for row in metrics(finished)["compare"]["tables"][0]["rows"]} == {"lissnas", "naive", "abs", "none"}


def test_at_an_equal_size_all_have_it_or_are_in_no_test(finished: Path) -> None:
    own, *equal = metrics(finished)["compare"]["tables"]
    assert {row["method"]: row["size"] for row in own["rows"]}["none"] == "2187"
    for table, size in zip(equal, (100, 400), strict=True):
        assert table["asked"] == size
        for row in table["rows"]:
            assert row["method"] != "none"  # it has the given space's size and no other
            assert (int(row["size"]) == size) == (row["left_out"] is None)
        assert table["ranking"]["blocks"] == 2


def test_true_scores_leave_out_what_was_learned_from(folder: Path, finished: Path) -> None:
    rows = json.loads((finished / "rows.json").read_text())
    full = next(row for row in rows if row["method"] == "none" and row["seed"] == 0)
    assert full["judged_truly"] == 2187 - 200
    space = get_space(folder / "toy.yaml")
    scores = ScoresFile(folder / "all.csv", space).scores
    assert full["statistics"]["true_mean"] == pytest.approx(scores.mean(), abs=0.2)
    share = np.mean(scores >= good_threshold(scores))
    assert full["statistics"]["p_good"] == pytest.approx(share, abs=0.02)


def test_all_methods_share_pairs_and_fit(finished: Path) -> None:
    assert sorted(p.name for p in (finished / "evaluations").iterdir()) == ["seed-00.parquet", "seed-01.parquet"]
    assert sorted(p.name for p in (finished / "predictors").iterdir()) == [
        "seed-00-xgboost-200.ubj",
        "seed-01-xgboost-200.ubj",
    ]
    assert (finished / "evaluations/seed-00.parquet").read_bytes() != (finished / "evaluations/seed-01.parquet").read_bytes()


def test_too_few_labelled_members_are_no_result(folder: Path) -> None:
    run = start(folder / "few", "compare", config(folder, methods=["naive", "none"], sizes=[30]).model_dump())
    (row,) = metrics(run.directory)["compare"]["tables"][1]["rows"]
    assert row["true_mean"]["mean"] is None
    assert "50 are needed" in row["true_mean"]["reason"]
    assert row["predicted_mean"]["mean"] is not None


def test_what_is_varied_has_a_row_for_each_value(folder: Path) -> None:
    vary = {"draws": [5, 20], "labels": [50, 200], "predictor": ["linear"]}
    asked = config(folder, methods=["lissnas", "naive"], vary=vary, sizes=[])
    names = [method.name for method in compared_methods(asked)]
    assert names == [  # 20 draws and 200 labels are what they have anyway
        *("lissnas", "lissnas draws=5", "lissnas labels=50", "lissnas predictor=linear"),
        *("naive", "naive labels=50", "naive predictor=linear"),
    ]
    run = start(folder / "varied", "compare", asked.model_dump())
    rows = [row for row in metrics(run.directory)["compare"]["sensitivity"] if row["method"] == "lissnas"]
    assert [(row["setting"], row["value"], row["default"]) for row in rows] == [
        ("draws", 5, False),
        ("draws", 20, True),
        ("labels", 50, False),
        ("labels", 200, True),
        ("predictor", "linear", False),
        ("predictor", "xgboost", True),
    ]


def test_a_predictor_that_learned_nothing_stops_it(folder: Path) -> None:
    lines = (folder / "all.csv").read_text().splitlines()
    shuffled = np.random.default_rng(0).permutation([line.rpartition(",")[2] for line in lines[1:]])
    noise = [f"{line.rpartition(',')[0]},{score}" for line, score in zip(lines[1:], shuffled, strict=True)]
    (folder / "noise.csv").write_text("\n".join([lines[0], *noise]) + "\n")
    asked = config(folder, scores=str(folder / "noise.csv"), methods=["lissnas", "naive"], sizes=[100])
    with pytest.raises(UserError, match=r"learned next to nothing: its mean Kendall tau over 2 seeds is .*--min-kendall 0"):
        start(folder / "noise", "compare", asked.model_dump())
    run = start(folder / "anyway", "compare", asked.model_copy(update={"min_kendall": 0.0}).model_dump())
    for row in metrics(run.directory)["compare"]["tables"][1]["rows"]:  # by permuted labels nobody gains
        assert abs(row["true_mean"]["mean"] - 28 / 3) < 2


def test_sizes_and_pairs_of_a_space(folder: Path) -> None:
    space = get_space(folder / "toy.yaml")
    assert equal_sizes(space) == [22, 109, 437]
    assert equal_sizes(get_space("darts")) == [1000, 10_000, 100_000]
    scores = ScoresFile(folder / "all.csv", space)
    assert evaluations_that_fit(space, scores) == 109
    assert evaluations_that_fit(space, scores, 500) == 500
    assert method_names()[-1] == "lissnas-paper"


def test_mistakes_are_answered_before_a_run_begins(folder: Path) -> None:
    wrong = {
        "there is no shrinker|unknown shrinker|no shrinker": {"methods": ["lisnas"]},
        "has no setting 'drows'": {"settings": {"lissnas": {"drows": 3}}},
        "is for a method that is not compared": {"methods": ["naive"], "settings": {"lissnas": {"draws": 3}}},
        "none of the methods has a setting 'drows' to vary": {"vary": {"drows": [1]}},
        "labels must be whole numbers from 20 on": {"vary": {"labels": [3]}},
        "an equal size must be from 1 to 2,186": {"sizes": [5000]},
        "no method applies": {"methods": ["query-all"]},
        "pairs were asked for": {"evaluations": 3000},
        "scores come from a file": {"scores": None},
    }
    for message, changes in wrong.items():
        with pytest.raises(UserError, match=message):
            check_config(config(folder, **changes))


def test_a_method_that_gives_nothing_with_a_seed_is_in_no_test(folder: Path) -> None:
    asked = config(folder, methods=["lissnas", "naive"], sizes=[])
    methods = [(method, "") for method in compared_methods(asked)]
    statistics = {"predicted_mean": 1.0, "true_mean": 2.0, "true_best": 3.0, "diversity": 4.0}
    there = {"missing": None, "size": "7", "cut_from": None, "queries": 5, "evaluations": 0, "stopped": "", "reasons": {}}
    rows = [
        {"method": name, "seed": seed, "asked": None, **there, "statistics": statistics}
        for name in ("lissnas", "naive")
        for seed in (0, 1)
    ]
    rows[3] = {"method": "naive", "seed": 1, "asked": None, "missing": "it could not"}
    table = summarize_rows(rows, methods, asked, get_space(asked.space), True, True)["tables"][0]
    assert [row["left_out"] for row in table["rows"]] == [None, "1 of 2 seeds gave nothing: it could not"]
    assert table["rows"][1]["true_mean"]["mean"] is None
    assert table["ranking"] is None
    assert "it takes 2" in table["why_no_tests"]
