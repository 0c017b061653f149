"""``lissnas reproduce``: the list, a run, wrong input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Command


def test_without_an_argument_it_lists_what_there_is(lissnas: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISSNAS_DATA_DIR", str(folder / "data"))
    said = lissnas("reproduce")
    assert said.code == 0
    assert "table10" in said.out
    assert "missing: nasbench101 or nasbench101-sample" in said.out
    rows = json.loads(lissnas("reproduce", "--json").out)
    assert next(row for row in rows if row["name"] == "theorem1")["missing"] == []


def test_a_run_is_gone_on_with(lissnas: Command, folder: Path) -> None:
    said = lissnas("reproduce", "Theorem1", "--out", "r", "--markdown", "r.md")
    assert said.code == 0, said.err
    assert "contradicts" in said.out
    assert "# The paper's numbers beside ours" in (folder / "r.md").read_text()
    said = lissnas("reproduce", "appendix-h3", "--out", "r", "--json")
    (result,) = json.loads(said.out)["experiments"]
    assert result["claims"][0]["verdict"] == "contradicts"
    assert {"theorem1", "appendix-h3"} == set(json.loads((folder / "r/metrics.json").read_text())["experiments"])
    assert "<h2" in (folder / "r/report.html").read_text()
    assert lissnas("resume", "r").code == 0


MISTAKES = [
    ("reproduce tabel9", "unknown experiment 'tabel9': did you mean table9", "lissnas reproduce"),
    ("reproduce theorem1 --scale big", "a scale must be small or paper, but got 'big'"),
    ("reproduce theorem1 --seeds 0", "'--seeds'", "but got '0'"),
    ("reproduce theorem1 --seed -1", "'--seed'", "but got '-1'"),
    ("reproduce table9 --data nowhere", "--data names a folder", "'nowhere' is none: check the path"),
    ("reproduce table9 --data .", "'.' holds none of the files that are needed here", "sample20k.csv", "name another folder"),
    ("reproduce table3 --space darts", "Table 3 has supernets of nasbench201, nasbench101, shufflenetv2, but got 'darts'"),
    ("reproduce table4 --proxy imagenet", "a proxy is digits, but got 'imagenet'"),
    ("reproduce theorem1 --markdown r.txt", "--markdown names a .md file, but got 'r.txt'"),
    ("reproduce theorem1 --out run", "'run' is a run of another kind (shrink): choose another --out"),
    ("reproduce theorem1 --out measured.csv", "'measured.csv'", "choose another --out"),
]


@pytest.mark.parametrize(("command", "parts"), [(first, rest) for first, *rest in MISTAKES])
def test_a_mistake_is_one_line(lissnas: Command, run: Path, command: str, parts: list[str]) -> None:
    said = lissnas(*command.split())
    assert said.code == 2
    assert len(said.err) == 1, said.err
    for part in parts:
        assert part in said.err[0]


def test_another_size_needs_another_directory(lissnas: Command, folder: Path) -> None:
    assert lissnas("reproduce", "theorem1", "--out", "r").code == 0
    said = lissnas("reproduce", "theorem1", "--out", "r", "--seeds", "9")
    assert (said.code, len(said.err)) == (2, 1)
    assert "was begun with --seeds 3, but got 9" in said.err[0]
