"""Loading a table benchmark and asking it for a million cells, beside reading its CSV file into a dict of strings."""

from __future__ import annotations

import csv
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow  # noqa: F401 - its own import, 0.1 s once in a process, is no part of loading

import lissnas
from lissnas.evaluators.benchmark import find_benchmark
from lissnas.evaluators.install import install

N = 1_000_000
PLAIN = 50_000  # plain Python is timed on fewer and scaled up


def run() -> list[dict[str, Any]]:
    """Rows of the table; none where the data is not here."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    source = Path(os.environ.get("LISSNAS_TEST_DATA", beside)) / "nasbench201" / "accuracy.csv"
    if not source.is_file():
        print(f"no rows for NAS-Bench-201: there is no {source}")
        return []
    before = os.environ.get("LISSNAS_DATA_DIR")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LISSNAS_DATA_DIR"] = folder
        try:
            install(find_benchmark("nasbench201"), source)
            return _rows(source)
        finally:
            del os.environ["LISSNAS_DATA_DIR"]
            if before is not None:
                os.environ["LISSNAS_DATA_DIR"] = before


def _rows(source: Path) -> list[dict[str, Any]]:
    def read() -> dict[str, float]:
        with source.open() as file:
            return {row["arch"]: float(row["c10_val"]) for row in csv.DictReader(file)}

    evaluator, table = lissnas.get_evaluator("nasbench201"), read()
    x = evaluator.space.sample(N, np.random.default_rng(0))
    evaluator.evaluate(x[:1])
    names = np.random.default_rng(0).choice(list(table), PLAIN).tolist()
    loads = _best(lambda: lissnas.get_evaluator("nasbench201")), _best(read)
    asked = _best(lambda: evaluator.evaluate(x)), _best(lambda: [table[name] for name in names]) * N / PLAIN
    return [
        _row("NAS-Bench-201: load", *loads, "its CSV file into a dict"),
        _row("NAS-Bench-201: 10^6 queries, genotypes checked", *asked, "that dict, by strings that are there already"),
    ]


def _row(work: str, ours: float, theirs: float, against: str) -> dict[str, Any]:
    return {"work": work, "ours": ours, "theirs": theirs, "against": against, "ratio": theirs / ours}


def _best(function: Callable[[], object], times: int = 5) -> float:
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return best
