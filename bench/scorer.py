"""The tree scorer on ShuffleNetV2, beside XGBoost's own ``inplace_predict`` on the same trees, one thread each.

XGBoost gets its features ready-made, so that only prediction is timed. Times are nanoseconds per row (or neighbor) and tree.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from lissnas.predictors import XGBoostPredictor
from lissnas.spaces import SPACES, SearchSpace

ROWS = 50_000
PARENTS = 1_000
TREES = 800
REPEATS = 7


def run() -> list[dict[str, Any]]:
    """Rows ``{work, ours, theirs, against, ratio}`` of the table."""
    space: SearchSpace = SPACES.get("shufflenetv2")()
    rng = np.random.default_rng(0)
    x = space.sample(2_000, rng)
    predictor = XGBoostPredictor(trees=TREES, depth=6).fit(space, x, _scores(x, rng))
    fast, booster = predictor._fast, predictor.booster
    if fast is None:
        raise SystemExit(f"nothing to measure: {predictor.scorer_reason}")

    rows, parents = space.sample(ROWS, rng), space.sample(PARENTS, rng)
    near = space.all_neighbors(parents)
    features, near_features = space.features(rows), space.features(near.genotypes)
    booster.set_param({"nthread": 1})
    work: list[tuple[str, int, Callable[[], object], Callable[[], object], str]] = [
        (
            f"{ROWS:,} rows",
            ROWS,
            lambda: fast.predict(rows),
            lambda: booster.inplace_predict(features),
            "inplace_predict, features ready",
        ),
        (
            "256 rows",
            256,
            lambda: fast.predict(rows[:256]),
            lambda: booster.inplace_predict(features[:256]),
            "inplace_predict, features ready",
        ),
        (
            f"all neighbors of {PARENTS:,} rows, scored",
            len(near_features),
            lambda: fast.predict_neighbors(parents, near),
            lambda: booster.inplace_predict(near_features),
            "inplace_predict, features ready",
        ),
        (
            f"predict_neighbors of {PARENTS:,} rows, listing included",
            len(near_features),
            lambda: predictor.predict_neighbors(parents),
            lambda: booster.inplace_predict(space.features(space.all_neighbors(parents).genotypes)),
            "all_neighbors, features, inplace_predict",
        ),
    ]
    table = []
    for name, count, ours, theirs, against in work:
        mine, other = _best_of_both(ours, theirs)
        scale = 1e9 / count / TREES
        table.append(
            {
                "work": f"{TREES} trees of depth 6: {name} (ns per row and tree)",
                "ours": mine * scale,
                "theirs": other * scale,
                "against": against,
                "ratio": other / mine,
            }
        )
    return table


def _scores(x: np.ndarray[Any, np.dtype[np.uint8]], rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Main effects, products of neighboring blocks and noise: trees grow to their full size."""
    main, pair = rng.normal(size=(20, 4)), rng.normal(size=(19, 4, 4)) * 0.3
    total = sum(main[g][x[:, g]] for g in range(20)) + sum(pair[g][x[:, g], x[:, g + 1]] for g in range(19))
    return np.asarray(total + rng.normal(size=len(x)))


def _best_of_both(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float]:
    """The shortest of several times of each, taken in turns so that both meet the same neighbors on the machine."""
    ours()  # compiles
    best = [np.inf, np.inf]
    for _ in range(REPEATS):
        for index, function in enumerate((ours, theirs)):
            start = time.perf_counter()
            function()
            best[index] = min(best[index], time.perf_counter() - start)
    return best[0], best[1]


if __name__ == "__main__":
    print(f"{'work':<95} {'ours':>7} {'theirs':>7} {'ratio':>6}")
    for row in run():
        print(f"{row['work']:<95} {row['ours']:7.2f} {row['theirs']:7.2f} {row['ratio']:5.1f}x  ({row['against']})")
