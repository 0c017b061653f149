"""NAS-Bench-101 from official files: the records that are there, written in the official format and read back."""

from __future__ import annotations

import csv
import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lissnas import get_space
from lissnas.errors import UserError
from lissnas.evaluators import get_evaluator
from lissnas.evaluators.nasbench101 import NASBENCH101, read_nasbench101
from lissnas.evaluators.readers.nasbench101_payload import Payload, write_payload
from lissnas.evaluators.readers.protobuf import Metrics
from lissnas.evaluators.readers.tfrecord import write_records
from lissnas.testing import EvaluatorContract

SPACE = get_space("nasbench101")
CYCLE = [[0, 1, 0, 0], [0, 0, 1, 0], [0, 1, 0, 1], [0, 0, 0, 0]]
FIELDS = ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")


def training(measured: dict[str, float], params: int, epochs: int = 108) -> Metrics:
    evaluations = [{"current_epoch": 0.0, **dict.fromkeys(FIELDS, 0.1)}]
    for name, epoch in (("halfway", epochs / 2), ("final", float(epochs))):
        evaluations.append({"current_epoch": epoch, **{field: measured[f"{name}_{field}"] for field in FIELDS}})
    return Metrics(evaluations, params, {"total_time": 1.0})


def payloads(records: dict[str, Any], epochs: int = 108) -> list[bytes]:
    return [
        write_payload(
            Payload(name, epochs, cell["adjacency"], cell["operations"], training(run, cell["trainable_parameters"], epochs))
        )
        for name, cell in records.items()
        for run in cell["metrics"]["108"]
    ]


@pytest.fixture
def records(test_data: Path) -> dict[str, Any]:
    """The 52 complete official records that are there."""
    found: dict[str, Any] = json.loads((test_data / "nasbench101" / "records.json").read_text())
    return found


def test_the_complete_records_come_back_exactly(records: dict[str, Any], tmp_path: Path, data_folder: Path) -> None:
    source = tmp_path / "nasbench_only108.tfrecord"
    assert write_records(source, payloads(records)) == 156
    cells = SPACE.from_matrix([r["adjacency"] for r in records.values()], [r["operations"] for r in records.values()])
    finals = {
        field: 100 * np.array([[run[f"final_{field}"] for run in r["metrics"]["108"]] for r in records.values()])
        for field in ("validation_accuracy", "test_accuracy", "train_accuracy", "training_time")
    }
    readings = {
        "test_max_108": finals["test_accuracy"].max(axis=1),
        "test_mean_108": finals["test_accuracy"].mean(axis=1),
        "val_max_108": finals["validation_accuracy"].max(axis=1),
        "val_mean_108": finals["validation_accuracy"].mean(axis=1),
        "train_mean_108": finals["train_accuracy"].mean(axis=1),
        "seconds_108": finals["training_time"].mean(axis=1) / 100,
        "val_mean_108_halfway": np.array(
            [100 * np.mean([run["halfway_validation_accuracy"] for run in r["metrics"]["108"]]) for r in records.values()]
        ),
    }
    for task, expected in readings.items():
        evaluator = get_evaluator("nasbench101", task=task, data=source)
        np.testing.assert_allclose(evaluator.evaluate(cells), expected, rtol=1e-14, err_msg=task)
    assert get_evaluator("nasbench101").metric == NASBENCH101.metrics["test_max_108"]
    known = evaluator.known
    assert known is not None
    assert known.cardinality == len(records)
    assert SPACE.official_hash(cells) == list(records)
    params = evaluator.measured(cells)["official_params"]
    assert params.tolist() == [r["trainable_parameters"] for r in records.values()]


def test_means_are_those_of_another_source(records: dict[str, Any], tmp_path: Path, test_data: Path, data_folder: Path) -> None:
    """NASLib's means of the same cells, in drawings of its own."""
    source = tmp_path / "nasbench_only108.tfrecord"
    write_records(source, payloads(records))
    with (test_data / "nasbench101" / "labelled_cells.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["hash"] in records and row["val_runs"]]
    assert len(rows) > 40
    sizes = [round(len(row["adj"]) ** 0.5) for row in rows]
    drawings = [np.array(list(row["adj"]), dtype=int).reshape(n, n) for row, n in zip(rows, sizes, strict=True)]
    cells = SPACE.from_matrix(drawings, [row["ops"].split(",") for row in rows])
    for task, column in (("val_mean_108", "val"), ("test_mean_108", "test")):
        found = get_evaluator("nasbench101", task=task, data=source).evaluate(cells)
        np.testing.assert_allclose(found, [100 * float(row[column]) for row in rows], rtol=1e-12)


def test_the_synthetic_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ``bench/`` measures with is a file that the official loader would take."""
    bench = Path(__file__).resolve().parents[2] / "bench"
    if not bench.is_dir():
        pytest.skip("bench/ is not beside these tests")
    monkeypatch.syspath_prepend(str(bench))
    synthetic = importlib.import_module("synthetic_nasbench101")
    assert synthetic.write_synthetic(tmp_path / "made.tfrecord", epochs=(4, 108), cells=40) == 240
    columns = read_nasbench101(tmp_path / "made.tfrecord", SPACE, lambda _: None)
    assert columns["genotypes"].tolist() == SPACE.genotypes_of(np.arange(40)).tolist()
    assert (columns["test_max_4"] >= columns["test_mean_4"]).all()
    assert columns["official_params"].tolist() == SPACE.cost(columns["genotypes"]).params.tolist()


def test_budgets_and_what_is_missing(records: dict[str, Any], tmp_path: Path, data_folder: Path) -> None:
    source = tmp_path / "nasbench_full.tfrecord"
    some = dict(list(records.items())[:3])
    short = payloads(some, epochs=4)[:-1]
    write_records(source, payloads(records) + short)
    said: list[str] = []
    columns = read_nasbench101(source, SPACE, said.append)
    assert np.isfinite(columns["test_max_4"]).sum() == 3
    assert np.isfinite(columns["test_max_108"]).all()
    assert "423,572 of 423,624 cells have no training of 108 epochs" in said[0]
    assert any("1 cells were trained for 4 epochs another number of times than 3" in line for line in said)
    get_evaluator("nasbench101", data=source)
    evaluator = get_evaluator("nasbench101", task="val_mean_4")
    assert evaluator.known is not None
    assert evaluator.known.cardinality == 3
    other = list(records.values())[10]
    absent = SPACE.from_matrix([other["adjacency"]], [other["operations"]])
    with pytest.raises(UserError, match="holds no val_mean_4 of the architecture"):
        evaluator.evaluate(absent)


def test_a_metric_that_the_file_or_the_benchmark_lacks(records: dict[str, Any], tmp_path: Path, data_folder: Path) -> None:
    source = tmp_path / "only108.tfrecord"
    write_records(source, payloads(records))
    get_evaluator("nasbench101", data=source)
    with pytest.raises(UserError, match="has no 'val_mean_36': it has test_max_108"):
        get_evaluator("nasbench101", task="val_mean_36")
    with pytest.raises(UserError, match="has no metric 'f1': it has test_max_108"):
        get_evaluator("nasbench101", task="f1")


def test_without_the_file_nothing_stands_in(data_folder: Path) -> None:
    with pytest.raises(UserError, match=r"is not here: lissnas data fetch nasbench101 \(523 MB\)"):
        get_evaluator("nasbench101")


def changed(records: dict[str, Any], **changes: Any) -> list[bytes]:
    """Three records, of which the second is not as it should be."""
    name, cell = next(iter(records.items()))
    run = cell["metrics"]["108"][0]
    good = Payload(name, 108, cell["adjacency"], cell["operations"], training(run, cell["trainable_parameters"]))
    odd = Payload(**{**vars(good), **changes})
    return [write_payload(good), write_payload(odd), write_payload(good)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"epochs": 7}, "trained for 7 epochs"),
        ({"module_hash": "0" * 32}, "under another hash"),
        ({"operations": ["input", "maxpool3x3", "output"], "adjacency": [[0] * 3] * 3}, "no cell of NAS-Bench-101: no way"),
        ({"operations": ["input", *["maxpool3x3"] * 2, "output"], "adjacency": CYCLE}, "cycle"),
    ],
)
def test_inconsistent_records_are_named(records: dict[str, Any], tmp_path: Path, change: dict[str, Any], words: str) -> None:
    source = tmp_path / "odd.tfrecord"
    write_records(source, changed(records, **change))
    with pytest.raises(UserError, match="record 1 of") as refused:
        read_nasbench101(source, SPACE, lambda _: None)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_hash_that_is_not_the_cells(records: dict[str, Any], tmp_path: Path) -> None:
    source = tmp_path / "odd.tfrecord"
    write_records(source, changed(records, module_hash="0" * 32)[1:2])
    with pytest.raises(UserError, match=f"gives the hash {'0' * 32} to the cell whose hash is {next(iter(records))}"):
        read_nasbench101(source, SPACE, lambda _: None)


def test_missing_accuracies_and_other_benchmarks(records: dict[str, Any], tmp_path: Path, test_data: Path) -> None:
    metrics = training(next(iter(records.values()))["metrics"]["108"][0], 1)
    del metrics.evaluations[2]["test_accuracy"]
    source = tmp_path / "odd.tfrecord"
    write_records(source, changed(records, metrics=metrics))
    with pytest.raises(UserError, match=r"record 1 of .* holds no test_accuracy"):
        read_nasbench101(source, SPACE, lambda _: None)
    with pytest.raises(UserError, match="lissnas data add ecnas"):
        read_nasbench101(test_data / "ecnas" / "energy_5V9E.tfrecord", SPACE, lambda _: None)


def test_a_truncated_download_leaves_nothing(records: dict[str, Any], tmp_path: Path, data_folder: Path) -> None:
    source = tmp_path / "nasbench_only108.tfrecord"
    write_records(source, payloads(records))
    source.write_bytes(source.read_bytes()[:-100])
    with pytest.raises(UserError, match=r"record 155 of .*, at byte \d+, is broken"):
        get_evaluator("nasbench101", data=source)
    with pytest.raises(UserError, match="is not here"):
        get_evaluator("nasbench101")


class TestContract(EvaluatorContract):
    """With the real records."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _data(cls, test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
        folder = tmp_path_factory.mktemp("contract")
        records = json.loads((test_data / "nasbench101" / "records.json").read_text())
        write_records(folder / "only108.tfrecord", payloads(records))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LISSNAS_DATA_DIR", str(folder))
            cls.evaluator = get_evaluator("nasbench101", data=folder / "only108.tfrecord")
            yield
