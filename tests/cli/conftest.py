"""A new user's folder: a space of 2,187 networks, 60 of them measured, and ways to get each of these wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from lissnas.cli import main

SPACE = """\
name: toy
genes:
  op: {alleles: [conv, pool, skip], repeat: 6}
  width: [8, 16, 32]
costs: {size: width * 2}
"""
EVALUATORS = """\
import numpy as np

def good(genotypes):
    return genotypes @ np.arange(1.0, 8.0)

def raises(genotypes):
    if (genotypes[:, 0] == 1).any():
        raise ZeroDivisionError("no such\\nlayer")
    return good(genotypes)

def short(genotypes):
    return good(genotypes)[1:]

def nan(genotypes):
    return np.where(genotypes[:, 0] == 1, np.nan, good(genotypes))

def leaves(genotypes):
    raise SystemExit(3)

def texts(genotypes):
    return ["good"] * len(genotypes)

number = 3
"""


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: list[str]


Command = Callable[..., Said]


@pytest.fixture
def lissnas(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command line, in this process."""

    def run(*arguments: str) -> Said:
        monkeypatch.setattr("sys.argv", ["lissnas", *arguments])
        capsys.readouterr()
        code = main(list(arguments))
        said = capsys.readouterr()
        return Said(code, said.out, said.err.splitlines())

    return run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder, which is also the current one."""
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path)
    return tmp_path


def write_files(folder: Path) -> None:
    """``toy.yaml``, ``measured.csv`` and their wrong siblings."""
    (folder / "toy.yaml").write_text(SPACE)
    (folder / "learned.yaml").write_text(SPACE.replace("width * 2}", "width * 2, latency: {learn: latency}}"))
    (folder / "bad_evaluators.py").write_text(EVALUATORS)
    wrong_spaces = {
        "key": SPACE.replace("genes:", "geens:"),
        "empty": "name: a\ngenes:\n  op: []\n",
        "twice": "name: a\ngenes:\n  op: [a, b]\n  op: [c, d]\n",
        "cycle": "name: a\ngenes:\n  a: {alleles: [1, 2], active: b > 1}\n  b: {alleles: [1, 2], active: a > 1}\n",
        "nothing": SPACE + "constraints: ['size <= 1']\n",
        "tiny": "name: a\ngenes:\n  op: [a, b]\n",
    }
    for name, text in wrong_spaces.items():
        (folder / f"{name}.yaml").write_text(text)

    rng = np.random.default_rng(0)
    rows: dict[tuple[str, ...], float] = {}
    while len(rows) < 60:
        genes = (*rng.choice(["conv", "pool", "skip"], 6), str(rng.choice([8, 16, 32])))
        rows[genes] = genes.count("conv") + int(genes[-1]) / 100 + len(rows) / 1e4
    header = ",".join([*(f"op_{i}" for i in range(6)), "width", "accuracy"])
    lines = [",".join([*genes, f"{score:.4f}"]) for genes, score in rows.items()]
    tables = {
        "measured": [header, *lines],
        "few": [header, *lines[:12]],
        "column": [header.replace("op_3", "opp_3"), *lines],
        "allele": [header, *lines[:7], "konv" + lines[7][lines[7].index(",") :], *lines[8:]],
        "nan": [header, *lines[:5], lines[5].rpartition(",")[0] + ",nan", *lines[6:]],
        "two": [header, *lines, lines[2].rpartition(",")[0] + ",99"],
        "equal": [header, *(line.rpartition(",")[0] + ",1" for line in lines)],
        "scores": [header + ",loss", *(f"{line},{i}" for i, line in enumerate(lines))],
        "latencies": [header + ",latency", *(f"{line},{i if i < 9 else ''}" for i, line in enumerate(lines))],
    }
    for name, table in tables.items():
        (folder / f"{name}.csv").write_text("\n".join(table) + "\n")
    (folder / "torn.parquet").write_bytes(b"PAR1 and no more")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was finished once, for all tests; they take copies."""
    folder = tmp_path_factory.mktemp("finished")
    write_files(folder)
    space, scores, run = (str(folder / name) for name in ("toy.yaml", "measured.csv", "run"))
    assert main(["shrink", space, "--scores", scores, "--budget", "2000", "--trees", "5", "--out", run]) == 0
    return folder / "run"


@pytest.fixture
def run(finished: Path, folder: Path) -> Path:
    """A finished run in the user's folder."""
    shutil.copytree(finished, folder / "run")
    return Path("run")
