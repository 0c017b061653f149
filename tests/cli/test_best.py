"""`lissnas best`: a proven list from scores, a benchmark or a saved predictor; the gap where it does not close; bad input."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lissnas.formats import get_space, read_space, write_architectures_csv
from lissnas.predictors import XGBoostPredictor, load

WIDE = "name: wide\ngenes:\n  op: {alleles: [a, b, c, d], repeat: 20}\n"


@pytest.fixture(autouse=True)
def store(tmp_path_factory, monkeypatch) -> Path:
    """An empty store of benchmark data."""
    path: Path = tmp_path_factory.mktemp("store")
    monkeypatch.setenv("LISSNAS_DATA_DIR", str(path))
    return path


def test_the_best_by_measured_networks_with_the_limits_met(lissnas, folder):
    said = lissnas(
        "best", "toy.yaml", "--scores", "measured.csv", "--limit", "size <= 32", "-n", "7", "--trees", "30", "--json"
    )
    assert said.code == 0, said.err
    numbers = json.loads(said.out)
    assert numbers["is_proven"]
    assert numbers["proven"] == numbers["found"] == 7
    assert numbers["method"] == "listed"
    assert all(row["costs"]["size"] <= 32 for row in numbers["best"])
    scores = [row["predicted"] for row in numbers["best"]]
    assert scores == sorted(scores, reverse=True)
    assert any("held-out Kendall tau" in line for line in said.err)


def test_the_whole_list_as_a_file_from_a_saved_predictor(lissnas, folder):
    Path("wide.yaml").write_text(WIDE)
    space = read_space("wide.yaml")
    x = space.sample(300, np.random.default_rng(0))
    XGBoostPredictor(trees=40, depth=2).fit(space, x, x.sum(axis=1) + x[:, 0] * x[:, 1]).save("saved.ubj")
    said = lissnas("best", "wide.yaml", "--predictor", "saved.ubj", "-n", "40", "--out", "best.csv")
    assert said.code == 0, said.err
    assert "The best 40 of 1.100e+12 networks, proven" in said.out
    assert "a certificate, not a goal" in said.out
    lines = Path("best.csv").read_text().splitlines()
    assert len(lines) == 41
    assert lines[0].endswith("predicted")
    predictor = load("saved.ubj", space)
    best = float(lines[1].rsplit(",", 1)[1])
    assert best >= predictor.predict(space.sample(5000, np.random.default_rng(1))).max()


def test_a_run_directory_means_its_shrunk_space_and_its_predictor(lissnas, run):
    said = lissnas("best", "run", "-n", "3", "--json")
    assert said.code == 0, said.err
    numbers = json.loads(said.out)
    assert int(numbers["cardinality"]) == get_space("run/shrunk.parquet").cardinality
    assert any("predicted by run" in line for line in said.err)


def hard(folder: Path) -> None:
    """A space and scores whose best 50,000 nobody proves in a moment."""
    (folder / "wide.yaml").write_text(WIDE)
    space = read_space(folder / "wide.yaml")
    rng = np.random.default_rng(0)
    x = space.sample(500, rng)
    pairs = rng.normal(size=(19, 4, 4))
    write_architectures_csv(space, x, folder / "hard.csv", {"score": sum(pairs[g][x[:, g], x[:, g + 1]] for g in range(19))})


def test_out_of_time_the_gap_is_told(lissnas, folder):
    hard(Path())
    said = lissnas("best", "wide.yaml", "--scores", "hard.csv", "--trees", "200", "-n", "50000", "--seconds", "0.5")
    assert said.code == 0, said.err
    assert "Not proven, because 0.5 seconds were over" in said.out
    assert "No network is predicted better than" in said.out


def test_ctrl_c_gives_what_was_found(tmp_path):
    hard(tmp_path)
    words = ["best", "wide.yaml", "--scores", "hard.csv", "--trees", "200", "-n", "50000", "--json"]
    command = [sys.executable, "-m", "lissnas", *words]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "predicted by trees" in process.stderr.readline()
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    numbers = json.loads(out)
    assert numbers["stopped"] == "stopped"
    assert not numbers["is_proven"]
    assert len(numbers["best"]) == 10
    if numbers["bound"] is not None:  # it is there from the first sweep on
        assert numbers["bound"] >= numbers["best"][0]["predicted"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["best", "toy.yaml"], "nothing says which networks are good"),
        (["best", "toy.yaml", "--scores", "measured.csv", "-n", "0"], "-n"),
        (["best", "toy.yaml", "--scores", "measured.csv", "-n", "3000"], "has 2,187 networks, fewer than the 3,000"),
        (["best", "toy.yaml", "--scores", "measured.csv", "--limit", "size < 1"], "size goes from"),
        (["best", "toy.yaml", "--scores", "measured.csv", "--limit", "sighs < 1"], "sighs"),
        (["best", "toy.yaml", "--scores", "measured.csv", "--seconds", "0"], "seconds must be above 0"),
        (["best", "toy.yaml", "--scores", "measured.csv", "--out", "best.txt"], "written as .csv or .parquet"),
        (["best", "toy.yaml", "--scores", "measured.csv", "--out", "measured.csv"], "there already"),
        (["best", "toy.yaml", "--predictor", "nowhere.ubj"], "nowhere.ubj"),
        (["best", "toy.yaml", "--predictor", "nowhere.ubj", "--trees", "5"], "leave them out"),
        (["best", "toy.yaml", "--scores", "measured.csv", "--evaluator", "x:y"], "one place"),
        (["best", "."], "holds no shrunk.parquet"),
    ],
)
def test_a_mistake_is_one_line(lissnas, folder, words, said):
    answer = lissnas(*words)
    assert answer.code == 2
    assert said in answer.err[-1]
