"""The certified best and the streaming scan on an idle machine; beside each what a user would do otherwise.

Predictors are fitted to stated functions, so that no data is needed: main effects of every gene, products of neighboring genes
at ``STRENGTH`` of their size, and noise. Beside a proof stands the time that XGBoost would need for as many uniform draws as
meet the best network once on average: a sample never proves anything, but that many are the least.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import resource
import time
from typing import Any

import numpy as np

import lissnas
from lissnas.predictors import XGBoostPredictor
from lissnas.predictors.certified import certified_best
from lissnas.predictors.scan import top_of_sample
from lissnas.spaces import SearchSpace

STRENGTH = 0.3
THREADS = 2
SECONDS = 90.0  # after which a search is stopped, and its gap is the row
DRAWS, KEEP = 100_000_000, 1_000_000
QUERIES = 10_000_000
XGBOOST_ROWS = 200_000  # that XGBoost scores, scaled up


def run() -> list[dict[str, Any]]:
    """Rows of the table."""
    rows = []
    for name, trees, depth, n in (
        ("darts", 1200, 3, 10_000),
        ("shufflenetv2", 800, 3, 10_000),
        ("shufflenetv2", 800, 4, 10_000),
        ("shufflenetv2", 800, 6, 10_000),
        ("gpt-s", 800, 4, 10_000),
        ("mobilenet", 800, 4, 10_000),
    ):
        space = lissnas.get_space(name)
        predictor = _fit(space, trees, depth, STRENGTH)
        rows.append(_certified(space, predictor, n, f"{trees} trees of depth {depth}"))
    strong = lissnas.get_space("shufflenetv2")
    rows.append(_certified(strong, _fit(strong, 1000, 6, 3.0), 10_000, "1,000 trees of depth 6, strong interactions"))
    space = lissnas.get_space("shufflenetv2")
    predictor = _fit(space, 800, 6, STRENGTH)
    predictor.threads = 1  # chunks are in threads themselves
    began = time.perf_counter()
    top_of_sample(space, predictor, DRAWS, KEEP, workers=THREADS)
    rows.append(
        {
            "work": f"best {KEEP:,} of {DRAWS:,} draws of 4^20, 800 trees of depth 6 (peak {_peak():.0f} MB)",
            "ours": time.perf_counter() - began,
            "theirs": _xgboost(space, predictor) * DRAWS,
            "against": f"XGBoost on the same rows, features included ({XGBOOST_ROWS:,} rows, scaled)",
        }
    )
    predictor.threads = THREADS
    began = time.perf_counter()
    found = lissnas.LISSNAS(queries=QUERIES).shrink(space, predictor, np.random.default_rng(0))
    rows.append(
        {
            "work": f"LISSNAS, {found.ledger.queries:,} queries, 800 trees of depth 6 (peak {_peak():.0f} MB)",
            "ours": time.perf_counter() - began,
            "theirs": _xgboost(space, predictor) * found.ledger.queries,
            "against": "XGBoost for the queries alone, scaled",
        }
    )
    return [{**row, "ratio": row["theirs"] / row["ours"]} for row in rows]


def _fit(space: SearchSpace, trees: int, depth: int, strength: float) -> XGBoostPredictor:
    """Fitted to 2,000 networks of a synthetic function."""
    rng = np.random.default_rng(0)
    widest = max(gene.radix for gene in space.genes)
    main, pair = rng.normal(size=(space.length, widest)), strength * rng.normal(size=(space.length, widest, widest))
    x = space.sample(2_000, rng)
    total = sum(main[g][x[:, g]] for g in range(space.length))
    total = total + sum(pair[g][x[:, g], x[:, g + 1]] for g in range(space.length - 1))
    predictor = XGBoostPredictor(trees=trees, depth=depth, start="mean", threads=THREADS)
    return predictor.fit(space, x, total + rng.normal(size=len(x)))


def _certified(space: SearchSpace, predictor: XGBoostPredictor, n: int, what: str) -> dict[str, Any]:
    """One row: the certificate, or the gap that is left."""
    certified_best(space, predictor, 1, seconds=2.0)  # compiles
    best = certified_best(space, predictor, n, seconds=SECONDS, threads=THREADS)
    found = "proven" if best.is_proven else f"best {best.scores[0]:.4g}, none above {best.bound:.4g}, {best.proven:,} proven"
    return {
        "work": f"best {n:,} of {space.name} ({space.cardinality:.2e}), {what}: {found} (peak {_peak():.0f} MB)",
        "ours": best.seconds,
        "theirs": _xgboost(space, predictor) * float(space.cardinality),
        "against": "XGBoost on as many draws as the space has networks, scaled",
    }


def _xgboost(space: SearchSpace, predictor: XGBoostPredictor) -> float:
    """Seconds a row, features included, with as many threads."""
    rows = space.sample(XGBOOST_ROWS, np.random.default_rng(1))
    predictor.booster.set_param({"nthread": THREADS})
    began = time.perf_counter()
    predictor.booster.inplace_predict(space.features(rows))
    return (time.perf_counter() - began) / len(rows)


def _peak() -> float:
    """Megabytes that this process took at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    for line in run():
        print(f"{line['work']}: {line['ours']:.2f} s; {line['against']}: {line['theirs']:.3g} s")
