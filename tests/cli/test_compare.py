"""``lissnas compare``: what it prints, and every way to ask for it wrongly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ASKED = (
    "compare",
    "toy.yaml",
    "--scores",
    "measured.csv",
    "--trees",
    "5",
    "--budget",
    "2000",
    "--seeds",
    "2",
    "--evaluations",
    "30",
)


def test_it_prints_tables_and_what_does_not_apply(lissnas, folder):
    said = lissnas(*ASKED, "--methods", "lissnas,naive,query-all", "--sizes", "50", "--out", "run", "--workers", "1")
    assert said.code == 0, said.err
    assert "At each method's own size" in said.out
    assert "At 50 networks" in said.out
    assert "query-all does not apply: 'toy' has 2,187 architectures" in said.out
    assert "Nemenyi" in said.out
    assert (folder / "run/metrics.json").exists()


def test_json_is_one_object(lissnas, folder):
    arguments = ("--methods", "lissnas,naive", "--vary", "draws=5", "--sizes", "none", "--workers", "1", "--json")
    said = lissnas(*ASKED, *arguments)
    assert said.code == 0, said.err
    found = json.loads(said.out)
    assert found["kind"] == "compare"
    assert [row["value"] for row in found["compare"]["sensitivity"]] == [5, 20]
    assert found["run"] == str(Path("runs/compare-toy-1"))


def test_a_setting_of_one_method(lissnas, folder):
    said = lissnas(
        *ASKED, "--methods", "naive,lissnas", "--set", "naive.share=0.5", "--sizes", "none", "--json", "--workers", "1"
    )
    assert said.code == 0, said.err
    rows = json.loads(said.out)["compare"]["tables"][0]["rows"]
    assert int(rows[0]["size"]) > 400


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--methods", "lisnas"), "lissnas"),
        (("--methods", ","), "methods are different names"),
        (("--methods", "naive,naive"), "methods are different names"),
        (("--methods", "query-all"), "no method applies to 'toy'"),
        (("--set", "draws=3"), "a setting is given as method.name=value, but got 'draws=3'"),
        (("--set", "lissnas.drows=3"), "has no setting 'drows': did you mean draws"),
        (("--set", "lissnas.size=3"), "--sizes"),
        (("--methods", "naive", "--set", "lissnas.draws=3"), "a method that is not compared"),
        (("--vary", "draws"), "what is varied is given as name=value,value, but got 'draws'"),
        (("--vary", "drows=1"), "none of the methods has a setting 'drows' to vary"),
        (("--methods", "lissnas", "--vary", "draws=many"), "the setting 'draws' is wrong"),
        (("--vary", "labels=2"), "labels must be whole numbers from 20 on, but got 2"),
        (("--vary", "predictor=oracle"), "oracle"),
        (("--sizes", "small"), "sizes are whole numbers with commas between them, or none, but got 'small'"),
        (("--sizes", "1.5"), "sizes are whole numbers"),
        (("--sizes", "9999"), "an equal size must be from 1 to 2,186"),
        (("--evaluations", "61"), "61 pairs were asked for"),
        (("--seeds", "1"), "--seeds"),
        (("--limit", "size <= 0"), "no architecture"),
        (("--predictor", "oracle"), "oracle"),
        (("--score", "accurcy"), "accurcy"),
        (("--predictor-set", "labels"), "a setting is given as name=value, but got 'labels': --predictor-set"),
        (("--predictor-set", "deepness=3"), "deepness"),
        (("--evaluator", "bad_evaluators:good"), "give one"),
    ],
)
def test_a_mistake_is_one_line(lissnas, folder, arguments, said):
    answer = lissnas(*ASKED, *arguments)
    assert answer.code == 2
    lines = [line for line in answer.err if line.startswith("lissnas: ")]
    assert len(lines) == 1
    assert said in lines[0]
    assert not answer.out
    assert not (folder / "runs").exists()


def test_no_scores_at_all(lissnas, folder):
    answer = lissnas("compare", "toy.yaml")
    assert answer.code == 2
    assert "give one" in answer.err[-1]


def test_a_costly_evaluator_is_asked_once_for_all_seeds(lissnas, folder):
    asked = ("compare", "toy.yaml", "--evaluator", "bad_evaluators:good", "--evaluations", "40", "--trees", "5")
    said = lissnas(
        *asked, "--budget", "2000", "--seeds", "2", "--methods", "lissnas,naive,weaknas", "--sizes", "50", "--workers", "1"
    )
    assert said.code == 0, said.err
    assert any("40 true evaluations, which all seeds share" in line for line in said.err)
    assert "weaknas does not apply: it spends true evaluations of its own" in said.out
    assert "No true scores" in said.out
