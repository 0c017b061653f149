"""Exact means and soft boxes; beside each what sampling would need for the same error.

The predictor is fitted to a stated function (main effects of every gene, products of neighboring genes, noise), so that no data
is needed. Sampling has no error of 0: what stands beside an exact mean is the time for as many predictions as bring its
standard error under a thousandth of their deviation, a million draws; beside all conditional means, a million for each allele.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import lissnas
from lissnas.predictors import XGBoostPredictor
from lissnas.predictors.expectation import Expectation
from lissnas.shrinkers import HardBox, SoftBox
from lissnas.spaces import SearchSpace
from lissnas.spaces.laws import encodings_of

LABELLED = 1000
ERROR = 1e-3  # of the deviation of predictions
SCORED = 100_000  # that the fast scorer predicts, scaled up
REPEATS = 200


def run() -> list[dict[str, Any]]:
    """Rows of the table."""
    rows = []
    for name, trees, depth in (("darts", 1200, 3), ("darts", 800, 6), ("gpt-s", 800, 4), ("shufflenetv2", 800, 6)):
        space = lissnas.get_space(name)
        predictor = _fit(space, trees, depth)
        exact = Expectation(predictor)
        encodings = encodings_of(space)
        assert encodings is not None
        weights = encodings.allowed / encodings.allowed.sum(axis=1, keepdims=True)
        law = exact.law(weights)
        drawn = space.sample(SCORED, np.random.default_rng(0))
        predictor.predict(drawn[:1000])
        each = _time(lambda p=predictor, x=drawn: p.predict(x), 1) / SCORED  # type: ignore[misc]
        what = f"`{name}`, {trees:,} trees of depth {depth}, {len(exact.leaves.value):,} leaves"
        alleles = int(encodings.allowed.sum())
        rows.append(
            {
                "work": f"mean and all {alleles} derivatives: {what}",
                "ours": _time(lambda e=exact, w=law: e.slopes(w), REPEATS),  # type: ignore[misc]
                "theirs": alleles * each / ERROR**2,
                "against": "the fast scorer on a million draws for each allele, scaled",
            }
        )
        for kind, shrinker in (("soft", SoftBox(size=10**6)), ("hard", HardBox(size=10**6))):
            rows.append(
                {
                    "work": f"{kind} box at 10^6: {what}",
                    "ours": _time(lambda s=shrinker, w=space, p=predictor: s.shrink(w, p, np.random.default_rng(0)), 3),  # type: ignore[misc]
                    "theirs": _time(lambda w=space, p=predictor: _lissnas(w, p), 1),  # type: ignore[misc]
                    "against": "LISSNAS with 100,000 queries",
                }
            )
    space = lissnas.get_space("darts")
    exact = Expectation(_fit(space, 1200, 3))
    encodings = encodings_of(space)
    assert encodings is not None
    rows.append(
        {
            "work": "exact variance: `darts`, 1,200 trees of depth 3",
            "ours": _time(lambda: exact.variance(encodings.allowed), 1),
            "theirs": 0.5 * each / ERROR**2,
            "against": "a deviation to a thousandth of itself by the fast scorer, half a million draws, scaled",
        }
    )
    return [{**row, "ratio": row["theirs"] / row["ours"]} for row in rows]


def _lissnas(space: SearchSpace, predictor: XGBoostPredictor) -> None:
    lissnas.LISSNAS(queries=100_000).shrink(space, predictor, np.random.default_rng(0))


def _fit(space: SearchSpace, trees: int, depth: int) -> XGBoostPredictor:
    rng = np.random.default_rng(7)
    x = space.sample(LABELLED, np.random.default_rng(1))
    score = np.zeros(len(x))
    for index, gene in enumerate(space.genes):
        score += rng.normal(size=gene.radix)[x[:, index]]
        if index:
            score += 0.3 * rng.normal(size=(space.genes[index - 1].radix, gene.radix))[x[:, index - 1], x[:, index]]
    score += rng.normal(scale=0.3, size=len(x))
    return XGBoostPredictor(trees=trees, depth=depth, labels="raw", start="mean").fit(space, x, score)


def _time(work: Callable[[], Any], repeats: int) -> float:
    """The fastest of ``repeats``, after one that compiles where there are several."""
    if repeats > 1:
        work()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)
