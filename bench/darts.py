"""DARTS cells and NAS-Bench-301's surrogate, beside a set of tuples, dictionaries one at a time, and the network on its own."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import lissnas
from lissnas.arrays import unique
from lissnas.errors import UserError
from lissnas.spaces import SearchSpace

N = 1_000_000
PLAIN = 20_000  # plain Python is timed on fewer and scaled up
QUERIES = 8_192
SINGLE = 200
LABELS = 10_000
BATCHES = (256, 512, 1024)


def run() -> list[dict[str, Any]]:
    """Rows of the table."""
    return [_distinct(), *_queries()]


def _distinct() -> dict[str, Any]:
    space = lissnas.get_space("darts")
    rng = np.random.default_rng(0)
    inputs = [[(a, b) for b in range(node) for a in range(b)] for node in range(2, 6)]

    def cell() -> tuple[tuple[int, int], ...]:
        return tuple((i, random.randrange(7)) for pairs in inputs for i in random.choice(pairs))

    ours = _best([lambda: unique(space.encode(space.sample(N, rng)))])[0]
    theirs = _best([lambda: {(cell(), cell()) for _ in range(PLAIN)}])[0] * N / PLAIN
    return _row("DARTS: sample + encode + dedupe 10^6 networks", ours, theirs, "a set of tuples of raw drawings, plain Python")


def _queries() -> list[dict[str, Any]]:
    space = lissnas.get_space("darts")
    try:
        evaluator: Any = lissnas.get_evaluator("nasbench301", data=_surrogate())
    except UserError as error:
        print(f"no row for NAS-Bench-301: {error}")
        return []
    x = space.sample(QUERIES, np.random.default_rng(0))
    session = evaluator.surrogate.session
    columns = evaluator.surrogate.columns(space, x)
    configs = space.to_config(x[:SINGLE])

    def bare(batch: int) -> Callable[[], object]:
        epochs = np.full((batch, 1), 98, dtype=np.float32)
        return lambda: [
            session.run(None, {"x_cat": columns[low : low + batch], "x_cont": epochs}) for low in range(0, QUERIES, batch)
        ]

    def one_at_a_time() -> object:
        return [evaluator.evaluate(space.from_config([config])) for config in configs]

    ours, *alone = _best([lambda: evaluator.evaluate(x), *(bare(batch) for batch in BATCHES)], repeats=9)
    single = _best([one_at_a_time])[0] / SINGLE
    work = "NB301 surrogate, a network"
    return [
        _row(work, ours / QUERIES, single, "one dictionary of ConfigSpace names at a time"),
        _row(work, ours / QUERIES, min(alone) / QUERIES, "the bare ONNX session's best batch"),
        _shrinking(space, evaluator),
    ]


def _shrinking(space: SearchSpace, evaluator: Any) -> dict[str, Any]:
    """LISSNAS with its defaults, besides the fit."""
    x = space.sample(LABELS, np.random.default_rng(1))
    predictor = lissnas.XGBoostPredictor().fit(space, x, evaluator.evaluate(x))
    predictor.predict(x[:1000])  # compiles
    shrinker = lissnas.LISSNAS(queries=100_000, size=10_000)
    ours = _best([lambda: shrinker.shrink(space, predictor, np.random.default_rng(0))])[0]
    return _row("LISSNAS on DARTS, 100,000 queries", ours, float("nan"), "")


def _surrogate() -> Path | None:
    """The installed network, or the one among the data for tests."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    path = Path(os.environ.get("LISSNAS_TEST_DATA", beside)) / "nasbench301" / "surrogate.onnx"
    return path if path.is_file() else None


def _row(work: str, ours: float, theirs: float, against: str) -> dict[str, Any]:
    return {"work": work, "ours": ours, "theirs": theirs, "against": against, "ratio": theirs / ours}


def _best(functions: list[Callable[[], object]], repeats: int = 3) -> list[float]:
    """The best time of each; they take turns, so that what else the machine does meets all of them."""
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(repeats):
        for function, measured in zip(functions, times, strict=True):
            began = time.perf_counter()
            function()
            measured.append(time.perf_counter() - began)
    return [min(measured) for measured in times]
