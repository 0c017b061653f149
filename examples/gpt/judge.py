"""Is the shrunk language-model space better? Two judges on HW-GPT-Bench's 10,000 measured GPT-S subnets.

    python examples/gpt/judge.py path/to/gpt_s.csv [--seeds 5]

1,000 of the measured networks are given to the predictor; the other 9,000 are kept from it.

Judge 1: the 9,000 as a space of their own, whose truth is known for every member. What do LISSNAS, the naive best of a sample,
a random choice and a list sorted by parameters keep and pick, at equal latency, over all widths and within one?
Judge 2: the whole space of 1.9e12 networks. A second predictor, fitted to the 9,000 only, judges what the first one chose.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import lissnas
from lissnas.predictors.costs import attach_costs, learn_costs
from lissnas.shrinkers import NaiveTop
from lissnas.spaces import ExplicitSpace, SearchSpace, meets_limits

TRAINED = 1000  # networks the predictor learns from
KEPT = 100  # networks each method keeps in the first judge


def main() -> None:
    """Print both judges' tables, mean and standard deviation over the seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scores", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    space = lissnas.get_space("gpt-s")
    measured = lissnas.read_scores(options.scores, space, "perplexity")
    tables = [one_seed(space, measured, seed) for seed in range(options.seeds)]
    for judge in tables[0]:
        print(f"\n{judge}")
        print(f"  {'method':28} {'mean perplexity':>18} {'best perplexity':>18}")
        for method in tables[0][judge]:
            values = np.array([table[judge][method] for table in tables])
            mean, spread = values.mean(axis=0), values.std(axis=0)
            print(f"  {method:28} {mean[0]:10.2f} ± {spread[0]:4.2f} {mean[1]:11.2f} ± {spread[1]:4.2f}")


def one_seed(space: SearchSpace, measured: object, seed: int) -> dict[str, dict[str, tuple[float, float]]]:
    """Judge -> method -> (mean, best) true (or second-predictor) perplexity."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(measured.scores))
    train, test = order[:TRAINED], order[TRAINED:]
    x, y, columns = measured.genotypes, measured.scores, measured.columns
    models, _ = learn_costs(space, x[train], {k: v[train] for k, v in columns.items()}, seed=seed)
    space = attach_costs(space, models)
    predictor = lissnas.XGBoostPredictor().fit(space, x[train], y[train], higher_is_better=False, seed=seed)

    latency = columns["latency_ms"]
    tables = {}
    for width in (None, 384):
        inside = test if width is None else test[x[test, 0] == [192, 384, 768].index(width)]
        # the true latency is known here, so the limit is applied to it: half of the networks, the same for every method
        inside = inside[latency[inside] <= np.median(latency[inside])]
        where = "9,000 measured networks" if width is None else f"those of width {width}"
        title = f"Judge 1: the faster half of {where}: the {KEPT} kept, true perplexity"
        tables[title] = judge_measured(space, predictor, x[inside], y[inside], columns["params"][inside], rng)
    limit = f"latency_ms <= {np.median(latency):.0f}"
    title = f"Judge 2: the whole space, {limit} (learned), perplexity by a second predictor"
    tables[title] = judge_whole(space, predictor, x[test], y[test], limit, rng, seed)
    return tables


def judge_measured(
    space: SearchSpace,
    predictor: lissnas.XGBoostPredictor,
    x: np.ndarray,
    y: np.ndarray,
    params: np.ndarray,
    rng: np.random.Generator,
) -> dict[str, tuple[float, float]]:
    """What each method keeps, judged by the truth."""
    pool = ExplicitSpace.of(space, x)
    truth = dict(zip(map(bytes, x), y, strict=True))

    def judged(genotypes: np.ndarray) -> tuple[float, float]:
        scores = np.array([truth[bytes(g)] for g in genotypes])
        return float(scores.mean()), float(scores.min())

    budget = len(pool.codes) // 2
    by_size = np.argsort(-params)[:KEPT]
    lissnas_kept = lissnas.LISSNAS(queries=len(pool.codes), size=KEPT).shrink(pool, predictor, rng).space
    naive = NaiveTop(queries=budget, size=KEPT).shrink(pool, predictor, rng).space
    return {
        "all of them": judged(x),
        "LISSNAS (asks for all)": judged(lissnas_kept.genotypes),
        "naive, best of half of them": judged(naive.genotypes),
        "the largest by parameters": judged(x[by_size]),
        "random": judged(x[rng.permutation(len(x))[:KEPT]]),
    }


def judge_whole(
    space: SearchSpace,
    predictor: lissnas.XGBoostPredictor,
    x: np.ndarray,
    y: np.ndarray,
    limit: str,
    rng: np.random.Generator,
    seed: int,
) -> dict[str, tuple[float, float]]:
    """The whole space, judged by a predictor that has never seen what the first one learned from."""
    judge = lissnas.XGBoostPredictor().fit(space, x, y, higher_is_better=False, seed=seed + 1000)
    limits = [limit]
    print(f"seed {seed}: the second predictor's held-out Kendall tau is {judge.assess().kendall:.3f}")
    shrunk = lissnas.LISSNAS(queries=100_000, size=10_000).shrink(space, predictor, rng, limits).space
    naive = NaiveTop(queries=100_000, size=10_000).shrink(space, predictor, rng, limits).space
    drawn = space.sample(20_000, rng)
    drawn = drawn[meets_limits(space, drawn, limits)]

    def judged(genotypes: np.ndarray) -> tuple[float, float]:
        scores = judge.predict(genotypes)
        return float(scores.mean()), float(scores.min())

    largest = drawn[np.argsort(-space.cost(drawn)["params"])[: len(drawn) // 10]]
    return {
        "the given space": judged(drawn),
        "LISSNAS, 10,000 networks": judged(shrunk.genotypes),
        "naive, best of 100,000": judged(naive.genotypes),
        "the largest by parameters": judged(largest),
    }


if __name__ == "__main__":
    main()
