"""Data of benchmarks, in a folder of each test's own."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a test's data is kept: nothing is there yet."""
    monkeypatch.setenv("LISSNAS_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture(scope="session")
def installed_folder(tmp_path_factory: pytest.TempPathFactory, test_data: Path) -> Path:
    """The real tables, installed once for all tests that only read them."""
    from lissnas.evaluators.benchmark import find_benchmark
    from lissnas.evaluators.install import install

    folder = tmp_path_factory.mktemp("installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LISSNAS_DATA_DIR", str(folder))
        for name, source in (
            ("nasbench201", "nasbench201"),
            ("transnasbench101-macro", "transnasbench101"),
            ("transnasbench101-micro", "transnasbench101"),
            ("gpt-s", "hwgpt"),
        ):
            install(find_benchmark(name), test_data / source)
    return folder


@pytest.fixture
def real_data(installed_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The real tables are installed."""
    monkeypatch.setenv("LISSNAS_DATA_DIR", str(installed_folder))
    return installed_folder


@pytest.fixture(scope="session")
def micro_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole table of TransNAS-Bench-101 micro, 4,096 cells with made-up scores, in the form of the plain file."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("micro") / "micro.csv"
    lines = ["arch,class_scene_final,jigsaw_final,class_scene_best"]
    for digits in itertools.product("0123", repeat=6):
        scene, jigsaw = rng.random(2) * 50
        best = f"{scene + 1:.6f}" if digits[0] == "3" else ""
        lines.append(f"{''.join(digits)},{scene:.6f},{jigsaw:.6f},{best}")
    path.write_text("\n".join(lines) + "\n")
    return path
