"""`lissnas locality` as a new user types it, and each way to get it wrong."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

FUNCTION = """\
import numpy as np

def local(genotypes):
    return genotypes @ np.array([1.0, 2.0, 4.0, 1.0, 3.0, 2.0, 1.0])

def restless(genotypes):
    return local(genotypes) + np.random.normal(size=len(genotypes))
"""


OPTIONS = ["--scores", "--score", "--lower-is-better", "--evaluator", "--task", "--data", "--samples", "--repeats"]
OPTIONS += ["--good-above", "--tolerance", "--predictor", "--seed", "--plot", "--out", "--json"]


@pytest.fixture
def toy(folder, monkeypatch):
    Path("score_locally.py").write_text(FUNCTION)
    monkeypatch.syspath_prepend(str(folder))
    return "toy.yaml"


def test_help_names_every_option(lissnas):
    said = lissnas("locality", "--help")
    assert said.code == 0
    for option in OPTIONS:
        assert option in said.out
    assert "locality" in lissnas("--help").out


def test_a_function_is_measured(toy, lissnas):
    said = lissnas("locality", toy, "--evaluator", "score_locally:local")
    assert said.code == 0, said.err
    assert "up to 1,016 evaluations" in "\n".join(said.err)
    assert "Correlation of the scores" in said.out
    assert "Mean absolute difference of the scores (AAD)" in said.out
    assert "2 by the paper's third of 7" in said.out
    assert said.out.strip().splitlines()[-1].startswith("Shrinking by locality should work here")


def test_measured_networks_are_measured_and_the_same_twice(folder, lissnas):
    arguments = ("locality", "toy.yaml", "--scores", "measured.csv", "--json", "--seed", "3")
    first, second = lissnas(*arguments), lissnas(*arguments)
    assert first.code == 0, first.err
    assert first.out == second.out
    found = json.loads(first.out)
    assert found["design"] == "partial"
    assert found["scored"] == 60
    assert found["seed"] == 3
    near = next(r for r in found["rows"] if (r["statistic"], r["by"], r["edits"]) == ("difference", "distance", 1))
    assert near["value"] is None
    assert "pairs of scored networks" in near["reason"]


def test_a_plain_file_for_each_use(toy, lissnas):
    arguments = ("locality", toy, "--evaluator", "score_locally:local", "--samples", "240")
    said = lissnas(*arguments, "--out", "found", "--plot", "plots/l.svg")
    assert said.code == 0, said.err
    found = json.loads(Path("found/locality.json").read_text())
    with open("found/locality.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(found["rows"])
    assert [r["statistic"] for r in rows] == [r["statistic"] for r in found["rows"]]
    assert Path("plots/l.svg").read_text().startswith("<svg")
    assert lissnas(*arguments, "--plot", "plots/l.html").code == 0
    page = Path("plots/l.html").read_text()
    assert found["verdict"]["sentence"].split(":")[0] in page
    assert "http://" not in page
    assert "https://" not in page


def test_noise_without_repeats_is_told(toy, lissnas):
    said = lissnas("locality", toy, "--evaluator", "score_locally:restless", "--samples", "400")
    assert said.code == 0
    assert "the evaluator is noisy" in said.out
    assert "AAD" not in said.out
    said = lissnas("locality", toy, "--evaluator", "score_locally:restless", "--samples", "400", "--repeats", "3")
    assert "AAD" in said.out
    assert "Noise alone (measured) makes a difference of" in said.out


WRONG = {
    "no scores": (["toy.yaml"], "nothing scores 'toy'"),
    "both": (["toy.yaml", "--scores", "measured.csv", "--evaluator", "score_locally:local"], "leave one out"),
    "task of a file": (["toy.yaml", "--scores", "measured.csv", "--task", "x"], "--task and --data are for a benchmark"),
    "task of a function": (["toy.yaml", "--evaluator", "score_locally:local", "--task", "x"], "are for a benchmark"),
    "column without file": (["toy.yaml", "--score", "accuracy"], "give --scores"),
    "unknown space": (["toi", "--scores", "measured.csv"], "toi"),
    "unknown evaluator": (["toy.yaml", "--evaluator", "nasbench2001"], "nasbench201"),
    "direction of a benchmark": (["nasbench201", "--lower-is-better"], "leave --lower-is-better out"),
    "few samples": (["toy.yaml", "--scores", "measured.csv", "--samples", "3"], "3"),
    "plot": (["toy.yaml", "--scores", "measured.csv", "--plot", "l.png"], "locality.svg"),
    "out": (["toy.yaml", "--scores", "measured.csv", "--out", "toy.yaml"], "is a file"),
    "nothing passes": (["toy.yaml", "--scores", "measured.csv", "--good-above", "1e9"], "none of 60 networks reaches that"),
    "everything passes": (
        ["toy.yaml", "--scores", "measured.csv", "--good-above", "-9"],
        "every one of 60 networks reaches that",
    ),
    "tolerance": (["toy.yaml", "--scores", "measured.csv", "--tolerance", "2"], "between 0 and 1"),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_is_one_line(toy, lissnas, mistake):
    arguments, part = WRONG[mistake]
    said = lissnas("locality", *arguments)
    assert said.code == 2
    assert said.out == ""
    assert part in said.err[-1]
    assert said.err[-1].startswith("lissnas: ")


def test_equal_scores_are_refused_with_the_file(folder, lissnas):
    said = lissnas("locality", "toy.yaml", "--scores", "equal.csv")
    assert said.code == 2
    assert "equal.csv" in said.err[-1]
