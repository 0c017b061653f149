"""Two spaces of a million networks side by side, and their pockets; beside NumPy, SciPy and Python written for the occasion."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import lissnas
from lissnas.quality import compare_spaces, pockets
from lissnas.spaces import ExplicitSpace, SearchSpace

N = 1_000_000
PLAIN = 20_000  # networks that plain code is timed on; pairs are scaled up by the square, the rest in proportion
LEARNED = 3000


def run() -> list[dict[str, Any]]:
    """Rows of the table."""
    space = lissnas.get_space("shufflenetv2")
    rng = np.random.default_rng(0)
    spaces = [_million(space, rng, around) for around in (N, N // 100)]
    genotypes = space.sample(LEARNED, rng)
    weight = rng.normal(size=space.length)
    predictor = lissnas.XGBoostPredictor(trees=300).fit(space, genotypes, _toy(genotypes, weight))
    truth = lissnas.FunctionEvaluator(lambda x: _toy(x, weight), space=space)

    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    compare_spaces(spaces, spaces[0], predictor, truth)
    ours = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"quality of two spaces of 10^6: {ours:.2f} s, peak of the process {peak / 2**20:.2f} GB ({before / 2**20:.2f} before)"
    )
    few = [ExplicitSpace(space, s.codes[:: N // PLAIN]) for s in spaces]
    plainly = _timed(lambda: _plain_quality(few, predictor, truth))
    pairs = _timed(lambda: _pockets_by_pairs(few[1].genotypes[:4000])) * (N / 4000) ** 2
    graph = _timed(lambda: _pockets_by_sets(few[1].genotypes)) * (N / PLAIN)
    fast = [_timed(lambda s=s: pockets(s)) for s in spaces]
    return [
        _row("quality of two spaces of 10^6 networks", ours, plainly * N / PLAIN, "plain Python on tuples"),
        _row("pockets of 10^6 networks, drawn anywhere", fast[0], graph, "sets of tuples and union-find"),
        _row("pockets of 10^6 networks around 10^4", fast[1], graph, "sets of tuples and union-find"),
        _row("the same", fast[1], pairs, "all pairs in NumPy"),
    ]


def _row(work: str, ours: float, theirs: float, against: str) -> dict[str, Any]:
    return {"work": work, "ours": ours, "theirs": theirs, "against": against, "ratio": theirs / ours}


def _million(space: SearchSpace, rng: np.random.Generator, around: int) -> ExplicitSpace:
    """A million networks: ``around`` centers with their neighbors."""
    centers = space.sample(around, rng)
    found = [centers]
    while sum(map(len, found)) < 1.2 * N and around < N:
        found.append(space.neighbors(centers, int(rng.integers(1, 5)), rng).genotypes)
    codes = ExplicitSpace.of(space, np.concatenate(found)).codes
    if len(codes) < N:
        codes = ExplicitSpace(space, np.concatenate([codes, space.encode(space.sample(N - len(codes), rng))])).codes
    return ExplicitSpace(space, rng.choice(codes, min(N, len(codes)), replace=False, shuffle=False))


def _toy(genotypes: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return genotypes @ weight


def _plain_quality(spaces: list[ExplicitSpace], predictor: Any, truth: Any) -> None:
    """What a script would do: XGBoost and SciPy on arrays, the rest with tuples and dictionaries."""
    import xgboost
    from scipy import stats

    scores = []
    for space in spaces:
        x = space.genotypes
        predicted = predictor.booster.predict(xgboost.DMatrix(space.features(x)))
        scores.append((predicted, truth.evaluate(x)))
        rows = [tuple(row) for row in x.tolist()]
        for gene in range(len(rows[0])):
            counted: dict[int, int] = {}
            for row in rows:
                counted[row[gene]] = counted.get(row[gene], 0) + 1
        _pockets_by_sets(x)
        space.cost(x)
    for ours, theirs in zip(*scores, strict=True):
        stats.ks_2samp(ours, theirs, method="asymp")
        np.quantile(ours, [0.05, 0.5, 0.95])


def _pockets_by_sets(genotypes: np.ndarray) -> int:
    """Every neighbor of every network looked up in a set."""
    rows = {tuple(row): i for i, row in enumerate(genotypes.tolist())}
    home = list(range(len(rows)))

    def find(i: int) -> int:
        while home[i] != i:
            home[i] = home[home[i]]
            i = home[i]
        return i

    for row, i in rows.items():
        for gene, allele in enumerate(row):
            for other in range(4):
                if other != allele and (j := rows.get((*row[:gene], other, *row[gene + 1 :]))) is not None:
                    home[find(i)] = find(j)
    return len({find(i) for i in home})


def _pockets_by_pairs(genotypes: np.ndarray) -> int:
    from scipy.sparse import coo_array, csgraph

    one = [np.flatnonzero((genotypes != row).sum(axis=1) == 1) for row in genotypes]
    source = np.repeat(np.arange(len(one)), [len(o) for o in one])
    graph = coo_array((np.ones(len(source)), (source, np.concatenate(one))), shape=(len(one), len(one)))
    return int(csgraph.connected_components(graph, directed=False)[0])


def _timed(function: Callable[[], object]) -> float:
    began = time.perf_counter()
    function()
    return time.perf_counter() - began
