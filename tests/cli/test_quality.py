"""`lissnas quality`: any spaces side by side, and each way to ask for what cannot be."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lissnas.formats import load_space, read_space, save_space
from lissnas.spaces import RestrictedSpace


@pytest.fixture(autouse=True)
def store(tmp_path_factory, monkeypatch) -> Path:
    """An empty store of benchmark data."""
    path: Path = tmp_path_factory.mktemp("store")
    monkeypatch.setenv("LISSNAS_DATA_DIR", str(path))
    return path


def test_a_table_of_a_space_and_the_run_that_shrunk_it(lissnas, run):
    said = lissnas("quality", "toy.yaml", "run", "--scores", "measured.csv")
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert any(re.fullmatch(r" +toy\.yaml +run", line) for line in lines)
    assert any(line.startswith("networks") and "2,187" in line for line in lines)
    for label in ("shrink index", "pockets", "kept of the reference's best 1%", "hypervolume, score and size", "KS distance"):
        assert any(line.startswith(label) for line in lines), label
    assert any("predicted by run/predictor.ubj" in line for line in said.err)


def test_one_object_on_stdout_with_every_number_or_its_reason(lissnas, run):
    restricted = RestrictedSpace(read_space("toy.yaml"), {"width": [1, 2]}, "wide")
    save_space(restricted, "wide.parquet")
    said = lissnas("quality", "run", "wide.parquet", "--scores", "measured.csv", "--score", "accuracy", "--json")
    assert said.code == 0, said.err
    numbers = json.loads(said.out)
    assert [space["name"] for space in numbers["spaces"]] == [
        "toy",
        "run",
        "wide.parquet",
    ]  # the root is what they are parts of
    assert numbers["reference"] == "toy"
    assert numbers["spaces"][2]["cardinality"] == str(restricted.cardinality)
    assert set(numbers["scales"]) == {"true", "predicted"}
    for space in numbers["spaces"]:
        for group in (space["size"], space["spread"], *space["scores"].values()):
            assert all((s["value"] is None) == bool(s["reason"]) for s in group.values())
    assert numbers["spaces"][0]["scores"]["true"]["mean"]["n"] == 60
    again = lissnas("quality", "run", "wide.parquet", "--scores", "measured.csv", "--score", "accuracy", "--json")
    assert again.out == said.out


def test_a_saved_predictor_and_a_threshold(lissnas, run):
    said = lissnas(
        "quality",
        "run/shrunk.parquet",
        "--predictor",
        "run/predictor.ubj",
        "--reference",
        "toy.yaml",
        "--threshold",
        "4",
        "--json",
    )
    assert said.code == 0, said.err
    scale = json.loads(said.out)["scales"]["predicted"]
    assert (scale["threshold"], scale["quantile"]) == (4, None)


def test_without_scores_there_is_size_and_diversity(lissnas, folder):
    said = lissnas("quality", "toy.yaml")
    assert said.code == 0
    assert "mean edit distance" in said.out
    assert "shrink index" not in said.out
    assert any("give --evaluator" in line for line in said.err)


def test_a_function_says_what_it_will_be_asked(lissnas, folder, monkeypatch):
    monkeypatch.syspath_prepend(str(folder))
    said = lissnas("quality", "toy.yaml", "--evaluator", "bad_evaluators:good", "--json")
    assert said.code == 0, said.err
    assert any("up to 1,000 evaluations of each space" in line for line in said.err)
    mean = json.loads(said.out)["spaces"][0]["scores"]["true"]["mean"]
    assert (mean["n"], mean["exact"]) == (1000, False)
    few = lissnas("quality", "toy.yaml", "--evaluator", "bad_evaluators:good", "--evaluations", "60", "--json")
    assert json.loads(few.out)["spaces"][0]["scores"]["true"]["mean"]["n"] == 60


def test_a_page_that_needs_no_network(lissnas, run):
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    said = lissnas("quality", "toy.yaml", "run", "--scores", "measured.csv", "--out", "page.html")
    assert said.code == 0, said.err
    page = Path("page.html").read_text("utf-8")
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", page)
    for heading in ("Side by side", "True scores where they lie", "Predicted scores against cost", "Entropy of each gene"):
        assert heading in page
    assert page.count("<figure>") >= 4
    first = Path("page.html").read_bytes()
    lissnas("quality", "toy.yaml", "run", "--scores", "measured.csv", "--out", "page.html")
    assert Path("page.html").read_bytes() == first


def test_a_benchmark_by_default_and_by_name(lissnas, folder, test_data):
    data = str(test_data / "nasbench201" / "accuracy.csv")
    save_space(RestrictedSpace(load_nasbench201(), {load_nasbench201().genes[0].name: [0, 2]}), "small.parquet")
    absent = lissnas("quality", "nasbench201", "small.parquet")
    assert absent.code == 0
    assert any("its data is not here" in line for line in absent.err)
    said = lissnas("quality", "nasbench201", "small.parquet", "--data", data, "--json")
    assert said.code == 0, said.err
    numbers = json.loads(said.out)
    full = numbers["spaces"][0]["scores"]["true"]
    assert full["mean"]["exact"]
    assert full["mean"]["value"] == pytest.approx(83.35, abs=0.01)
    task = lissnas("quality", "nasbench201", "--task", "cifar100-valid", "--evaluator", "nasbench201", "--json")
    assert json.loads(task.out)["scales"]["true"]["metric"] == "cifar100-valid"


def load_nasbench201():
    from lissnas.formats import get_space

    return get_space("nasbench201")


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("toy.yaml tiny.yaml", "only parts of one space can be compared"),
        ("toy.yaml --reference tiny.yaml", "only parts of one space can be compared"),
        ("nosuch", "unknown space 'nosuch'"),
        (".", "holds no shrunk.parquet"),
        ("toy.yaml --quantile 1", "between 0 and 1"),
        ("toy.yaml --draws 1", "0 < k <= n"),
        ("toy.yaml --samples 5", "at least 1,000"),
        ("toy.yaml --interval 1 1", "two different finite scores"),
        ("toy.yaml --score accuracy", "without a file"),
        ("toy.yaml --lower-is-better", "none are given"),
        ("toy.yaml --scores measured.csv --evaluator bad_evaluators:good", "both --scores and --evaluator"),
        ("toy.yaml --scores measured.csv --task a", "--task is for a benchmark"),
        ("toy.yaml --scores measured.csv --score nosuch", "nosuch"),
        ("toy.yaml --evaluator nasbench201", "nasbench201"),
        ("toy.yaml --evaluator measured.csv", "given by --scores"),
        ("toy.yaml --out page.txt", "written as .html"),
        ("toy.yaml --predictor nosuch.ubj", "cannot be read"),
        ("toy.yaml --predictor toy.yaml", "no predictor"),
        ("torn.parquet", "truncated or damaged"),
        ("", "Missing argument"),
    ],
)
def test_a_mistake_is_one_line(lissnas, folder, typed, says):
    said = lissnas("quality", *typed.split())
    assert said.code == 2
    assert said.out == ""
    assert says in said.err[-1]
    assert not any("Traceback" in line for line in said.err)


def test_a_predictor_of_another_space(lissnas, run):
    said = lissnas("quality", "tiny.yaml", "--predictor", "run")
    assert said.code == 2
    assert "predicts for the space 'toy'" in said.err[-1]


def test_thresholds_that_nothing_or_everything_passes(lissnas, run):
    for threshold, reason in (("1e9", "no architecture of either space"), ("-1e9", "every architecture of the reference")):
        said = lissnas("quality", "toy.yaml", "run", "--threshold", threshold, "--json")
        assert said.code == 0, said.err
        index = json.loads(said.out)["spaces"][1]["scores"]["predicted"]["shrink_index"]
        assert index["value"] is None
        assert reason in index["reason"]


def test_the_shrunk_space_of_the_run_is_the_one_measured(lissnas, run):
    said = lissnas("quality", "toy.yaml", "run", "--json")
    assert json.loads(said.out)["spaces"][1]["cardinality"] == str(load_space("run/shrunk.parquet").cardinality)
