"""Table 3's supernets, the originals and the proxy: on digits, trained for seconds; stopped, gone on with, the same bytes."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

pytest.importorskip("torch")

from lissnas import UserError  # only where torch is
from lissnas.experiments import all_stages, original_runs, proxy, stages, supernets
from lissnas.experiments.images import averaged, find_images
from lissnas.experiments.job import KIND, config_of, run_experiment
from lissnas.experiments.paired import paired_p, spread
from lissnas.experiments.supernet_stages import BALANCED, FULL, stage_of_space
from lissnas.experiments.supernets import read_supernets
from lissnas.experiments.work import Wanted
from lissnas.formats import get_space
from lissnas.oneshot.data import digits
from lissnas.oneshot.recipe import Recipe
from lissnas.quality import correlation
from lissnas.runs import Progress, Run, RunInterrupted

TINY = Recipe(epochs=8, batch_size=32, ghost=None, label_smoothing=0.0)
NAME = "supernets-shufflenetv2-0"


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LISSNAS_DATA_DIR", str(tmp_path / "data"))  # stages of benchmarks are left out, whatever is installed
    small = replace(stages.SCALES["small"], seeds=1, queries=2_500, pairs=60, truths=60, starts=40, trees=10)
    monkeypatch.setitem(stages.SCALES, "small", small)
    stage = stage_of_space("shufflenetv2")
    methods = {key: stage.sizes["small"].methods[key] for key in ("padnas", "lissnas")}
    sizes = replace(
        stage.sizes["small"],
        recipe=TINY,
        alone=TINY,
        methods=methods,
        train=96,
        validation=100,
        queries=2_500,
        pairs=60,
        judged=8,
        calibration=16,
        population=4,
        generations=2,
        trees=10,
    )
    monkeypatch.setitem(stage.sizes, "small", sizes)  # type: ignore[arg-type]  # a dict, declared as something to read
    monkeypatch.setattr(supernets, "RETRAINED", 2)
    monkeypatch.setattr(correlation, "BOOTSTRAPS", 50)


class Stopped(Progress):
    """Stops the job at a line."""

    def __init__(self, at: str = "") -> None:
        self.at = at

    def say(self, line: str) -> None:
        if self.at and self.at in line:
            raise KeyboardInterrupt


def ask(directory: Path, *names: str, wanted: Wanted | None = None, workers: int = 1, stop: str = "") -> list[dict[str, Any]]:
    config = config_of("small", None, 0, names)
    with Run.open(directory) if directory.exists() else Run.create(directory, KIND, config) as run:
        return [run_experiment(run, name, Stopped(stop), workers, wanted) for name in names]


def files(directory: Path) -> dict[str, str]:
    paths = [path for part in ("stages", "supernets", "spaces", "results") for path in (directory / part).rglob("*")]
    return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.is_file()}


def test_table3_is_made_where_it_is_asked_for_and_resumed_to_the_same_bytes(tmp_path: Path) -> None:
    wanted = Wanted(spaces=("shufflenetv2",))
    (before,) = ask(tmp_path / "run", "table3")
    assert {claim["verdict"] for claim in before["claims"]} == {"needs DATA"}
    assert "--space shufflenetv2" in before["missing"][-1]
    with pytest.raises(RunInterrupted):
        ask(tmp_path / "run", "table3", wanted=wanted, stop="LISSNAS")  # two supernets are trained, no space is made yet
    (result,) = ask(tmp_path / "run", "table3", wanted=wanted)
    ask(tmp_path / "other", "table3", wanted=wanted)
    assert files(tmp_path / "run") == files(tmp_path / "other")

    found = read_supernets(tmp_path / "run", "supernets-shufflenetv2", 0)
    assert list(found.rows) == [FULL, BALANCED, "padnas", "lissnas"]
    assert found.rows[FULL].size == 4**9
    assert 0 < found.rows["lissnas"].size <= 1_000
    for row in found.rows.values():
        assert row.own["n"] >= 5
        assert -1 <= row.common["kendall"]["value"] <= 1
        assert row.found["evaluations"] <= 8
        assert row.holds_best is None  # no table knows the best
    claims = {claim["key"]: claim for claim in result["claims"]}
    assert claims["shufflenetv2/lissnas/pearson"]["verdict"] == "needs DATA"  # shown, and not judged by digits
    assert claims["shufflenetv2/lissnas/pearson"]["value"] is not None
    assert claims["shufflenetv2/highest/pearson"]["verdict"] == "differs"  # one seed has no interval
    assert [table["title"].partition(":")[0] for table in result["tables"]] == ["shufflenetv2, digits"] * 2

    stamp = (tmp_path / f"run/stages/{NAME}.json").stat().st_mtime_ns
    (again,) = ask(tmp_path / "run", "table3")  # not asked for any more, and shown all the same
    assert again == result
    assert (tmp_path / f"run/stages/{NAME}.json").stat().st_mtime_ns == stamp


def test_the_proxy_judges_shufflenetv2_by_a_supernets_evaluations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy, "_RECIPE", TINY)
    monkeypatch.setattr(proxy, "CALIBRATION", 16)
    monkeypatch.setattr(proxy, "digits", lambda: digits(train=192, validation=100))
    for name in (stages.PROXY, "shufflenetv2"):
        stage: Any = all_stages.STAGES[name]
        few = {key: stage.methods[key] for key in ("lissnas", "padnas")}
        monkeypatch.setitem(all_stages.STAGES, name, replace(stage, methods=few))  # type: ignore[arg-type]
    wanted = Wanted(proxies=("digits",))
    table7, figure2 = ask(tmp_path / "run", "table7", "figure2", wanted=wanted)
    claims = {claim["key"]: claim for result in (table7, figure2) for claim in result["claims"]}
    assert claims["shufflenetv2-digits/highest"]["value"] is not None
    assert claims["shufflenetv2-digits/rwa"]["value"] is not None
    assert claims["nasbench101/rwa"]["verdict"] == "needs DATA"
    space = get_space("digits-shuffle")
    known = proxy.SupernetProxy(space, tmp_path / "run" / proxy.PROXY_WEIGHTS)
    for name in ("shufflenetv2-digits-0", "locality-shufflenetv2-digits-0"):
        asked = pq.read_table(tmp_path / f"run/stages/{name}-evaluations.parquet").to_pydict()
        assert len(set(asked["architecture"])) == len(asked["architecture"]) >= 40
        assert known.evaluate(space.parse(asked["architecture"][:3])).tolist() == asked["accuracy"][:3]


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(UserError, match="Table 3 has supernets of nasbench201, nasbench101, shufflenetv2, but got 'darts'"):
        Wanted(spaces=("darts",))
    with pytest.raises(UserError, match="a proxy is digits, but got 'imagenet'"):
        Wanted(proxies=("imagenet",))
    with pytest.raises(UserError, match=r"trained on CIFAR-10 .* but no folder was given"):
        find_images("cifar10", None)


def test_images_are_averaged_over_squares() -> None:
    data = digits(train=20, validation=20)
    small = averaged(data, 4)
    assert small.train.images.shape == (20, 1, 4, 4)
    square = data.train.images[0, 0, :2, 2:4].astype(float)
    assert small.train.images[0, 0, 0, 1] == np.rint(square.mean())
    assert np.array_equal(small.train.labels, data.train.labels)
    with pytest.raises(UserError, match="cannot be averaged down to 3"):
        averaged(data, 3)


def test_students_paired_test_by_hand() -> None:
    # mean 2, standard error 1 / sqrt(3): t = 3.4641 at 2 degrees of freedom
    assert paired_p([1.0, 2.0, 3.0]) == pytest.approx(0.0741799, abs=1e-6)
    assert paired_p([1.0]) is None
    assert paired_p([1.0, 1.0]) is None
    assert spread([1.0, 2.0, 3.0], 2) == "2.00 ± 1.00"


def test_the_rivals_in_both_forms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(original_runs, "METHODS", ("padnas",))
    name = "originals-shufflenetv2"
    stage = replace(all_stages.STAGES[name], epochs=1, later=1, judged=6)  # type: ignore[call-arg]
    monkeypatch.setitem(all_stages.STAGES, name, stage)  # type: ignore[arg-type]
    (result,) = ask(tmp_path / "run", "originals", wanted=Wanted(spaces=("shufflenetv2",)))
    rows = {(row[0], row[1]): row for row in result["tables"][0]["rows"]}
    assert set(rows) == {("given", "-"), ("padnas", "original"), ("padnas", "predictor")}
    assert rows["padnas", "original"][2] == 2**9
    assert "trainings" in str(rows["padnas", "original"][-1])
