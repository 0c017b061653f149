"""`lissnas shrink NAME` with a real benchmark behind it, in one command; and what a benchmark is asked for wrongly."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lissnas.evaluators import benchmarks_of, get_evaluator
from lissnas.formats import get_space, load_space

SMALL = ("--budget", "2000", "--evaluations", "150", "--trees", "30", "--json")

# what is typed after `lissnas shrink`, and the benchmark's file in the test data
BENCHMARKS = {
    "nasbench201 --task cifar100-valid": "nasbench201/accuracy.csv",
    "transnasbench101-macro --task jigsaw": "transnasbench101/macro.csv",
    "transnasbench101-micro": "transnasbench101",
    "nasbench301": "nasbench301/surrogate.onnx",
    "darts": "nasbench301",
    "nasbench101-sample": "nasbench101/sample20k.csv",
    "nasbench101 --evaluator nasbench101-sample --task val_36": "nasbench101/sample20k.csv",
    "ecnas": "ecnas/energy_5V9E.tfrecord",
    "gpt-s --limit latency_ms<=139": "hwgpt/gpt_s.csv",
}


@pytest.fixture(autouse=True)
def store(tmp_path_factory, monkeypatch) -> Path:
    """An empty store of benchmark data."""
    path: Path = tmp_path_factory.mktemp("store")
    monkeypatch.setenv("LISSNAS_DATA_DIR", str(path))
    return path


@pytest.mark.parametrize("typed", BENCHMARKS)
def test_a_benchmark_shrinks_its_space_in_one_command(lissnas, folder, test_data, typed):
    said = lissnas("shrink", *typed.split(), "--data", str(test_data / BENCHMARKS[typed]), *SMALL, "--out", "r")
    assert said.code == 0, said.err
    metrics = json.loads(said.out)
    assert metrics["predictor"]["n"] == 150
    shrunk = load_space("r/shrunk.parquet")
    assert shrunk.cardinality == int(metrics["shrink"]["shrunk"]["cardinality"])
    truth = metrics["shrink"]["truth"]
    assert truth["full"]["source"] == "true"
    higher = metrics["metric"]["higher_is_better"]
    if "shrunk" in truth and truth["shrunk"]["scored"] >= 200:
        assert (truth["shrunk"]["mean"] > truth["full"]["mean"]) == higher


def test_what_is_installed_needs_no_file_again_and_gives_the_same_bytes(lissnas, folder, test_data):
    data = str(test_data / "nasbench201" / "accuracy.csv")
    first = lissnas("shrink", "nasbench201", "--data", data, *SMALL, "--out", "a")
    second = lissnas("shrink", "nasbench201", *SMALL, "--out", "b")
    assert first.code == second.code == 0
    assert Path("a/shrunk.parquet").read_bytes() == Path("b/shrunk.parquet").read_bytes()
    assert any("scored by the benchmark 'nasbench201'" in line for line in second.err)


def test_true_scores_are_the_benchmark_s(lissnas, folder, test_data):
    data = str(test_data / "nasbench201" / "accuracy.csv")
    said = lissnas("shrink", "nasbench201", "--data", data, *SMALL, "--size", "300", "--out", "r")
    metrics = json.loads(said.out)
    shrunk = load_space("r/shrunk.parquet")
    evaluator = get_evaluator("nasbench201")
    scores = evaluator.evaluate(np.concatenate(list(shrunk.enumerate())))
    assert metrics["shrink"]["truth"]["shrunk"]["mean"] == pytest.approx(scores.mean())
    best = evaluator.evaluate(shrunk.root.parse([metrics["best"]["architecture"]]))
    assert metrics["best"]["measured"] == best[0]


def test_a_shrunk_space_is_shrunk_again_by_the_same_benchmark(lissnas, folder, test_data):
    data = str(test_data / "nasbench201" / "accuracy.csv")
    assert lissnas("shrink", "nasbench201", "--data", data, *SMALL, "--size", "800", "--out", "a").code == 0
    said = lissnas("shrink", "a/shrunk.parquet", *SMALL, "--size", "100", "--out", "b")
    assert said.code == 0, said.err
    assert load_space("b/shrunk.parquet").cardinality == 100


@pytest.mark.parametrize(
    ("name", "benchmarks"),
    [
        ("nasbench101", ["nasbench101", "nasbench101-sample"]),
        ("ecnas", ["ecnas"]),
        ("nasbench201-unique", ["nasbench201"]),
        ("nasbench101-stranding", ["nasbench101", "nasbench101-sample", "ecnas"]),
        ("fairnas", []),
        ("digits-shuffle", []),
    ],
)
def test_a_space_knows_its_benchmarks(name, benchmarks):
    assert benchmarks_of(get_space(name)) == benchmarks


WRONG = {
    "nasbench201": ["nasbench201", "lissnas data"],
    "nasbench101": ["several benchmarks", "--evaluator nasbench101", "nasbench101-sample"],
    "nasbench201 --task cifar11 --data DATA/nasbench201/accuracy.csv": ["cifar11", "cifar100-valid"],
    "nasbench201 --data nowhere.csv": ["nowhere.csv"],
    "nasbench201 --data DATA/nasbench301/checks.csv": ["checks.csv"],
    "toy.yaml --evaluator bad_evaluators:good --task top1": ["--task", "nasbench201"],
    "toy.yaml --scores measured.csv --score accuracy --data measured.csv": ["--data", "measured.csv"],
    "toy.yaml --evaluator nasbench201 --data DATA/nasbench201/accuracy.csv": ["nasbench201", "toy"],
    "nasbench201 --lower-is-better --evaluator nasbench201": ["nasbench201", "--lower-is-better"],
}


@pytest.mark.parametrize("typed", WRONG)
def test_a_mistake_is_one_line_and_leaves_nothing(lissnas, folder, test_data, typed):
    words = [word.replace("DATA", str(test_data)) for word in typed.split()]
    said = lissnas("shrink", *words, "--out", "r")
    assert said.code == 2
    assert said.out == ""
    mistakes = [line for line in said.err if line.startswith("lissnas:")]
    assert len(mistakes) == 1
    for part in WRONG[typed]:
        assert part in mistakes[0]
    assert not Path("r").exists()
