"""Which predictor a job fits, and when it stops rather than shrinking to noise."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.runs import resume, start
from lissnas.runs.predicting import PredictorConfig, make_predictor, require_trust
from lissnas.runs.shrink import ShrinkConfig, check_config

SPACE = """
name: toy
genes:
  op: {alleles: [conv, pool, skip], repeat: 8}
"""
MAY_DIFFER = {"journal.jsonl", "timings.json", "report.html"}


def measured(folder: Path, permuted: bool = False, n: int = 300) -> dict[str, Any]:
    """A job on a space of 6,561 networks, ``n`` of them measured: a sum of what each operation is worth, or permuted."""
    rng = np.random.default_rng(3)
    (folder / "toy.yaml").write_text(SPACE)
    x = rng.choice(3**8, n, replace=False)[:, None] // 3 ** np.arange(8) % 3
    y = x @ np.arange(1.0, 9.0)
    rows = zip(x.tolist(), (rng.permutation(y) if permuted else y).tolist(), strict=True)
    text = "\n".join(",".join([*(["conv", "pool", "skip"][a] for a in row), f"{score:g}"]) for row, score in rows)
    (folder / "measured.csv").write_text(",".join([*(f"op_{i}" for i in range(8)), "top1"]) + f"\n{text}\n")
    return {"space": str(folder / "toy.yaml"), "scores": str(folder / "measured.csv"), "queries": 4000, "size": 100}


def begin(folder: Path, name: str, **settings: Any) -> Path:
    run = folder / name
    start(run, "shrink", ShrinkConfig(**settings).model_dump())
    return run


def files(run: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(run.rglob("*")) if p.is_file() and p.name not in MAY_DIFFER}


@pytest.mark.parametrize("seed", [0, 1])
def test_permuted_labels_stop_the_job_and_keep_what_was_measured(tmp_path: Path, seed: int) -> None:
    job = measured(tmp_path, permuted=True)
    with pytest.raises(UserError, match=r"held-out Kendall tau is -?0\.0\d .*300 networks\), below 0\.1") as found:
        begin(tmp_path, "r", **job, trees=40, seed=seed)
    assert "\n" not in str(found.value)
    assert "--min-kendall 0" in str(found.value)
    assert {"evaluations.parquet", "predictor.ubj", "predictor.json"} <= {p.name for p in (tmp_path / "r").iterdir()}
    assert not (tmp_path / "r" / "shrunk.parquet").exists()
    with pytest.raises(UserError, match="held-out Kendall tau"):  # it stays so however often it is resumed
        resume(tmp_path / "r")
    # what was measured is read as any scores, and the line can be lowered
    again = {**job, "scores": str(tmp_path / "r" / "evaluations.parquet"), "score": "score", "min_kendall": 0.0}
    assert (begin(tmp_path, "all-the-same", **again, trees=40) / "shrunk.parquet").exists()


def test_labels_that_mean_something_pass(tmp_path: Path) -> None:
    run = begin(tmp_path, "r", **measured(tmp_path), trees=40)
    row = json.loads((run / "metrics.json").read_text())["predictor"]
    assert row["kind"] == "xgboost"
    assert 0.5 < row["kendall_low"] < row["kendall"] < row["kendall_high"]
    assert row["top_5"] > 0.3
    assert row["top_1"] is None  # of 300 networks that are 3


@pytest.mark.parametrize(
    ("kind", "settings"),
    [("linear", {"labels": "raw"}), ("mlp", {"width": 16, "epochs": 10}), ("ensemble", {"member": "linear", "members": 3})],
)
def test_any_kind_ends_in_the_same_bytes_after_a_resume(tmp_path: Path, kind: str, settings: dict[str, Any]) -> None:
    job = {**measured(tmp_path), "predictor": kind, "predictor_settings": settings}
    one, two = begin(tmp_path, "one", **job), begin(tmp_path, "two", **job)
    for name in ("shrunk.parquet", "metrics.json", "predictor.npz"):
        (two / name).unlink()
    resume(two)
    assert files(one) == files(two)
    assert json.loads((one / "metrics.json").read_text())["predictor"]["kind"] == kind


def test_settings_are_checked_before_anything_is_done() -> None:
    for config, line in (
        ({"predictor": "liner"}, "unknown predictor 'liner': did you mean linear"),
        ({"predictor": "linear", "trees": 30}, "trees are for the predictor xgboost, but got 30 with 'linear'"),
        ({"trees": 30, "predictor_settings": {"trees": 40}}, "trees are given twice, 30 and 40"),
        ({"predictor_settings": {"dept": 3}}, "the predictor 'xgboost' has no setting 'dept': did you mean depth"),
    ):
        with pytest.raises(UserError, match=line):
            make_predictor(PredictorConfig(**config))
    made = make_predictor(PredictorConfig(trees=30, predictor_settings={"depth": 3}), workers=2)
    assert (made.trees, made.depth, made.threads) == (30, 3, 2)  # type: ignore[attr-defined]


def test_features_that_the_space_does_not_have_are_refused_before_the_run(tmp_path: Path) -> None:
    job = measured(tmp_path)
    for predictor, settings in (
        ("linear", {"features": "path"}),
        ("mlp", {"features": "path"}),
        ("ensemble", {"member": "linear", "settings": {"features": "path"}}),
    ):
        with pytest.raises(UserError, match="'toy' has no features 'path': it has one-hot"):
            check_config(ShrinkConfig(**job, predictor=predictor, predictor_settings=settings))


def test_zero_lets_a_predictor_pass_that_is_worse_than_chance(tmp_path: Path) -> None:
    held_out = {"kendall": -0.3, "kendall_low": -0.5, "kendall_high": -0.1, "n": 40}
    (tmp_path / "predictor.json").write_text(json.dumps(held_out))
    run: Any = SimpleNamespace(path=lambda name: tmp_path / name, kind="shrink", directory=tmp_path)
    require_trust(run, 0)
    with pytest.raises(UserError, match=r"is -0\.30"):
        require_trust(run, 0.01)
