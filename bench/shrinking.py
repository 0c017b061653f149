"""LISSNAS on ShuffleNetV2 with 100,000 queries of an 800-tree predictor: where the time goes, and beside it the same method
written with sets of tuples and one XGBoost call per generation."""

from __future__ import annotations

import cProfile
import pstats
import resource
import time
from typing import Any

import numpy as np

import lissnas
from lissnas.predictors import XGBoostPredictor
from lissnas.spaces import SearchSpace

QUERIES = 100_000


def run() -> list[dict[str, Any]]:
    """Rows of the table."""
    space = lissnas.get_space("shufflenetv2")
    rng = np.random.default_rng(0)
    x = space.sample(1000, rng)
    weights = rng.normal(size=(20, 4))
    scores = 60 + weights[np.arange(20), x].sum(axis=1) + rng.normal(size=1000)
    predictor = XGBoostPredictor(trees=800, depth=6).fit(space, x, scores)
    predictor.predict(space.sample(1000, rng))  # compiles

    profile = cProfile.Profile()
    began = time.perf_counter()
    profile.enable()
    result = lissnas.LISSNAS(queries=QUERIES).shrink(space, predictor, np.random.default_rng(0))
    profile.disable()
    ours = time.perf_counter() - began
    began = time.perf_counter()
    _with_tuples(space, predictor, result.ledger.queries)
    theirs = time.perf_counter() - began
    rows = [
        {
            "work": f"LISSNAS, {result.ledger.queries:,} queries, 800 trees",
            "ours": ours,
            "theirs": theirs,
            "against": "sets of tuples, XGBoost in batches",
            "ratio": theirs / ours,
        }
    ]
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    spent = {(file.rsplit("/", 1)[-1], name): row[3] for (file, _, name), row in stats.items()}
    for work, key in (
        ("predicting", ("base.py", "predict")),
        ("drawing neighbors", ("base.py", "neighbors")),
        ("sorting codes", ("codes.py", "unique")),
    ):
        if key in spent:
            rows.append(
                {"work": f"  of which {work}", "ours": spent[key], "theirs": float("nan"), "against": "", "ratio": float("nan")}
            )
    began = time.perf_counter()
    million = lissnas.LISSNAS(queries=2_000_000, size=1_000_000, draws=40, min_diversity=0.0).shrink(
        space, predictor, np.random.default_rng(0)
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows.append(
        {
            "work": f"{million.space.cardinality:,} networks from {million.ledger.queries:,} queries (peak {peak:.0f} MB)",
            "ours": time.perf_counter() - began,
            "theirs": float("nan"),
            "against": "",
            "ratio": float("nan"),
        }
    )
    return rows


def _with_tuples(space: SearchSpace, predictor: XGBoostPredictor, queries: int) -> None:
    """Seeds and neighbors as a script would write them: dictionaries of tuples, features built for each batch."""
    import random

    booster = predictor.booster
    scored: dict[tuple[int, ...], float] = {}

    def query(rows: list[tuple[int, ...]]) -> None:
        new = [row for row in dict.fromkeys(rows) if row not in scored]
        if new:
            values = booster.inplace_predict(space.features(np.array(new, dtype=np.uint8)))
            scored.update(zip(new, values.tolist(), strict=True))

    query([tuple(random.randrange(4) for _ in range(20)) for _ in range(10_000)])
    while len(scored) < queries:
        seeds = sorted(scored, key=scored.__getitem__, reverse=True)[:600]
        proposals = []
        for seed in seeds:
            for _ in range(20):
                gene = random.randrange(20)
                proposals.append((*seed[:gene], (seed[gene] + random.randrange(1, 4)) % 4, *seed[gene + 1 :]))
        before = len(scored)
        query(proposals)
        if len(scored) - before < 100:  # the neighborhood is exhausted: look wider
            query([tuple(random.randrange(4) for _ in range(20)) for _ in range(5_000)])
