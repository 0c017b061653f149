"""What all tests share."""

from __future__ import annotations

import os

# Before the first import of a library with threads: OpenMP threads that spin on shared cores cost far more than they give.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def rng() -> np.random.Generator:
    """A random generator that starts the same in every test."""
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of benchmark data, which is not part of the repository."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("LISSNAS_TEST_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no benchmark data at {folder}: set LISSNAS_TEST_DATA to the folder that holds it")
    return folder
