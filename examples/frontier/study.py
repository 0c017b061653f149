"""``frontier`` against LISSNAS and naive on real benchmarks, at equal labels, queries and size.

    python study.py run darts nasbench201/c10_val --seeds 0-4 --out rows.jsonl
    python study.py table rows.jsonl

One line is written per subject, seed and method; what is there already is not run again. A subject is a space, or a space and
a metric. The data of the benchmarks is installed before (``lissnas data add NAME FILE``).

First naive, ``frontier`` as it comes and every setting of LISSNAS run on all seeds. The setting with the highest true mean over
the seeds is LISSNAS's best, chosen on the very benchmark. Then ``frontier`` is asked for the diversity that this setting had
with each seed, so that the two can be compared by their mean, with and without the bins of a cost.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np

import lissnas
from lissnas.arrays import Codes, Genotypes, locate
from lissnas.evaluators import get_evaluator
from lissnas.predictors import XGBoostPredictor
from lissnas.quality import cost_coverage
from lissnas.shrinkers import LISSNAS, NaiveTop, Shrinker
from lissnas.shrinkers.frontier import Frontier
from lissnas.spaces import ExplicitSpace, SearchSpace, sample_distinct

PAIRS = 20_000  # of a set's members, whose mean distance is its diversity
ENOUGH = 50  # labelled members; a mean of fewer is no result
MARGIN = 1.005  # more diversity is asked for than is compared with, for both are measured on random pairs

# The settings of LISSNAS that are compared with; the floor of diversity is taken off, so that each goes where it leads.
GRID: dict[str, dict[str, Any]] = {
    "4 iterations": {"iterations": 4},
    "8 iterations": {"iterations": 8},
    "12 iterations": {"iterations": 12},
    "8 iterations, 5 draws": {"iterations": 8, "draws": 5},
}
# What frontier is asked for beside the diversity of LISSNAS's best setting.
FRONTIER_AT = "frontier, matched to "  # each setting
MATCHED: dict[str, dict[str, Any]] = {"frontier, matched": {}, "frontier, matched, no bins": {"bins": 1}}


@dataclass
class Subject:
    """A benchmark and the sizes of the experiment on it.

    Attributes:
        space: what is shrunk.
        known: codes of the architectures that have a score.
        score: their scores, by genotype.
        higher_is_better: of the score.
        labels, queries, size: of the experiment.
        held_out: whether a space is judged by those members alone that the predictor did not learn from.
    """

    space: SearchSpace
    known: Codes | None
    score: Callable[[Genotypes], np.ndarray]
    higher_is_better: bool
    labels: int
    queries: int
    size: int
    held_out: bool = False


def open_subject(name: str) -> Subject:
    """``darts``, ``darts-1000``, ``nasbench101``, ``gpt-s``, ``gpt-s-whole``, or a complete table and its metric."""
    benchmark, _, task = name.partition("/")
    if benchmark.startswith("darts"):
        truth = get_evaluator("nasbench301")
        labels = 1000 if benchmark == "darts-1000" else 10_000
        return Subject(truth.space, None, truth.evaluate, True, labels, 100_000, 10_000)
    if benchmark == "nasbench101":
        truth = get_evaluator("nasbench101-sample")
        known = truth.space.encode(truth.known.genotypes)
        return Subject(truth.space, known, truth.evaluate, True, 10_000, 100_000, 10_000, held_out=True)
    if benchmark == "gpt-s":
        truth = get_evaluator("gpt-s")
        measured = ExplicitSpace(truth.space.root, truth.known.codes, "gpt-s-measured")
        return Subject(measured, None, truth.evaluate, False, 500, 2000, 500)
    if benchmark == "gpt-s-whole":
        truth = get_evaluator("gpt-s")
        return Subject(truth.space.root, truth.known.codes, truth.evaluate, False, 5000, 100_000, 10_000, held_out=True)
    truth = get_evaluator(benchmark, task=task or None)
    n = truth.space.cardinality
    return Subject(
        truth.space,
        None,
        truth.evaluate,
        truth.metric.higher_is_better,
        max(100, n // 20),
        max(2000, n // 5),
        n // 20,
    )


class Experiment:
    """One subject and seed: what is learned and how a result is judged are the same for every method."""

    def __init__(self, name: str, subject: Subject, seed: int) -> None:
        self.name, self.subject, self.seed = name, subject, seed
        space = subject.space
        label_rng, reference_rng = (np.random.default_rng([seed, k]) for k in (1, 2))
        if subject.known is None:
            learned = sample_distinct(space, subject.labels, label_rng)
        else:
            learned = space.decode(subject.known[label_rng.permutation(len(subject.known))[: subject.labels]])
        self.predictor = XGBoostPredictor().fit(
            space, learned, subject.score(learned), higher_is_better=subject.higher_is_better, seed=seed
        )
        self.judge = _judge(name, subject, learned, seed)
        reference = space.sample(20_000, reference_rng)
        self.costs = space.cost(reference)
        self.whole = _diversity(space, reference)

    def run(self, method: str, shrinker: Shrinker) -> dict[str, Any]:
        """The row of a method."""
        row: dict[str, Any] = {"subject": self.name, "seed": self.seed, "method": method}
        space = self.subject.space
        began = time.perf_counter()
        try:
            result = shrinker.shrink(space, self.predictor, np.random.default_rng([self.seed, 3]))
        except lissnas.UserError as error:
            return {**row, "failed": str(error)}
        seconds = time.perf_counter() - began
        x = result.space.genotypes
        true, judged = self.judge(x)
        own = space.cost(x)
        return {
            **row,
            "size": len(x),
            "queries": result.ledger.queries,
            "true": true,
            "judged": judged,
            "predicted": float(self.predictor.predict(x).mean()),
            "diversity": _diversity(space, x),
            "whole": self.whole,
            "coverage": {cost: round(20 * cost_coverage(own[cost], self.costs[cost])) for cost in space.cost_names[:2]},
            "higher_is_better": self.subject.higher_is_better,
            "seconds": round(seconds, 2),
            "stopped": result.stopped,
        }


def run_subject(name: str, seeds: list[int], out: Path, everywhere: bool = False) -> None:
    """All rows of a subject that are not in ``out`` yet; with ``everywhere`` ``frontier`` is matched to each setting."""
    subject = open_subject(name)
    sizes = {"queries": subject.queries, "size": subject.size}
    plain: dict[str, Shrinker] = {"naive": NaiveTop(**sizes), "frontier": Frontier(**sizes)}
    plain |= {f"lissnas: {setting}": LISSNAS(**sizes, min_diversity=0.0, **given) for setting, given in GRID.items()}
    experiments: dict[int, Experiment] = {}

    def run(seed: int, method: str, shrinker: Shrinker) -> None:
        if not any(row["seed"] == seed and row["method"] == method for row in rows_of(name, out)):
            if seed not in experiments:
                experiments[seed] = Experiment(name, subject, seed)
            row = experiments[seed].run(method, shrinker)
            with out.open("a") as file:
                file.write(json.dumps(row) + "\n")

    for seed in seeds:
        for method, shrinker in plain.items():
            run(seed, method, shrinker)
    best = best_setting(rows_of(name, out))
    at = {row["seed"]: row for row in rows_of(name, out) if row["method"] == best}
    for seed in seeds:
        asked = min(1.0, MARGIN * at[seed]["diversity"] / at[seed]["whole"])
        for method, given in MATCHED.items():
            run(seed, method, Frontier(queries=subject.queries, size=at[seed]["size"], diversity=asked, **given))
    for row in rows_of(name, out) if everywhere else []:
        if row["method"].startswith("lissnas: ") and "failed" not in row:
            asked = min(1.0, MARGIN * row["diversity"] / row["whole"])
            at_setting = row["method"].replace("lissnas: ", FRONTIER_AT)
            run(row["seed"], at_setting, Frontier(queries=subject.queries, size=row["size"], diversity=asked))


def rows_of(name: str, path: Path) -> list[dict[str, Any]]:
    """The rows of a subject that were written so far."""
    return [row for row in read_rows(path) if row["subject"] == name]


def best_setting(rows: list[dict[str, Any]]) -> str:
    """LISSNAS with the best true mean over the seeds, of the settings that gave the size asked for with every seed."""
    size = {row["size"] for row in rows if row["method"] == "naive"}
    means = {}
    for method in dict.fromkeys(row["method"] for row in rows if row["method"].startswith("lissnas")):
        group = [row for row in rows if row["method"] == method]
        if all(row.get("true") is not None and {row["size"]} == size for row in group):
            means[method] = np.mean([row["true"] for row in group]) * (1 if group[0]["higher_is_better"] else -1)
    if not means:
        raise SystemExit(f"no setting of LISSNAS gave the size asked for: {rows[0]['subject']}")
    return max(means, key=means.__getitem__)


def _judge(name: str, subject: Subject, learned: Genotypes, seed: int) -> Callable[[Genotypes], tuple[float | None, int]]:
    """The true mean of a set, and from how many of its members it was taken."""
    if not subject.held_out:
        return lambda x: (float(subject.score(x).mean()), len(x))
    known = subject.known
    assert known is not None
    rest = known[locate(np.sort(subject.space.encode(learned), axis=0), known) < 0]
    if name == "gpt-s-whole":  # the measured networks are too few of the space to be met: a second predictor stands in
        others = subject.space.decode(rest)
        second = XGBoostPredictor().fit(subject.space, others, subject.score(others), higher_is_better=False, seed=seed + 1)
        return lambda x: (float(second.predict(x).mean()), len(x))

    def judge(x: Genotypes) -> tuple[float | None, int]:
        codes = subject.space.encode(x)
        met = rest[locate(codes, rest) >= 0]
        if len(met) < ENOUGH:
            return None, len(met)
        return float(subject.score(subject.space.decode(met)).mean()), len(met)

    return judge


def _diversity(space: SearchSpace, x: Genotypes) -> float:
    """The mean edit distance of two different members; 0 where there is only one."""
    if len(x) < 2:
        return 0.0
    rng = np.random.default_rng(0)
    one = rng.integers(0, len(x), PAIRS)
    other = (one + rng.integers(1, len(x), PAIRS)) % len(x)
    return float(space.distance(x[one], x[other]).mean())


# -- the tables ---------------------------------------------------------------------------------------------------------


def table(rows: list[dict[str, Any]]) -> str:
    """The comparison of each subject, as Markdown."""
    from scipy.stats import ttest_rel

    lines = [
        "| subject | method | true mean | diversity | bins | queries | gain over LISSNAS's best | p | seeds won |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for subject in dict.fromkeys(row["subject"] for row in rows):
        own = [row for row in rows if row["subject"] == subject]
        best = best_setting(own)
        reference = {row["seed"]: row for row in own if row["method"] == best}
        for method in ("naive", best, *MATCHED, "frontier"):
            group = {row["seed"]: row for row in own if row["method"] == method and row.get("true") is not None}
            seeds = sorted(set(group) & set(reference))
            if len(seeds) < 2:
                continue

            def mean_of(key: Callable[[dict[str, Any]], float], group: Any = group, seeds: Any = seeds) -> float:
                return float(np.mean([key(group[seed]) for seed in seeds]))

            true, against = (np.array([g[seed]["true"] for seed in seeds]) for g in (group, reference))
            costs = group[seeds[0]]["coverage"]
            digits = 3 if abs(true.mean()) > 1 else 5
            cells = [
                subject,
                method,
                f"{true.mean():.{digits}f} ± {true.std(ddof=1):.{digits}f}",
                f"{mean_of(lambda row: row['diversity']):.2f}",
                " / ".join(f"{mean_of(lambda row, cost=cost: row['coverage'][cost]):.1f}" for cost in costs),
                f"{mean_of(lambda row: row['queries']):,.0f}",
            ]
            if method == best:
                cells += ["", "", ""]
            else:
                gain = (true - against) * (1 if own[0]["higher_is_better"] else -1)
                p = ttest_rel(true, against).pvalue
                cells += [
                    f"{gain.mean():+.{digits}f} ± {gain.std(ddof=1):.{digits}f}",
                    f"{p:.2g}",
                    f"{(gain > 0).sum()} of {len(seeds)}",
                ]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def curve(rows: list[dict[str, Any]]) -> str:
    """Each setting of LISSNAS beside ``frontier`` at its diversity, where that was run, as Markdown."""
    lines = [
        "| subject | setting | LISSNAS: mean / diversity / bins | frontier: mean / diversity / bins | gain | seeds won |",
        "|---|---|---|---|---:|---:|",
    ]
    for subject in dict.fromkeys(row["subject"] for row in rows):
        for setting in GRID:
            pair = [
                {row["seed"]: row for row in rows if row["subject"] == subject and row["method"] == kind + setting}
                for kind in ("lissnas: ", FRONTIER_AT)
            ]
            seeds = sorted(set(pair[0]) & set(pair[1]))
            if len(seeds) < 2:
                continue
            shown = []
            for group in pair:
                own = [group[seed] for seed in seeds]
                bins = " and ".join(f"{np.mean([row['coverage'][c] for row in own]):.1f}" for c in own[0]["coverage"])
                mean, diversity = (np.mean([row[key] for row in own]) for key in ("true", "diversity"))
                shown.append(f"{mean:.3f} / {diversity:.2f} / {bins}")
            gain = np.array([pair[1][seed]["true"] - pair[0][seed]["true"] for seed in seeds])
            gain *= 1 if pair[0][seeds[0]]["higher_is_better"] else -1
            cells = [
                subject,
                setting,
                *shown,
                f"{gain.mean():+.3f} ± {gain.std(ddof=1):.3f}",
                f"{(gain > 0).sum()} of {len(seeds)}",
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows that were written so far."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def main() -> None:
    """Run, or print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run")
    run.add_argument("subjects", nargs="+")
    run.add_argument("--seeds", default="0-4")
    run.add_argument("--out", type=Path, required=True)
    run.add_argument(
        "--everywhere", action="store_true", help="match frontier to every setting of LISSNAS, not to the best alone"
    )
    show = commands.add_parser("table")
    show.add_argument("rows", type=Path, nargs="+")
    asked = parser.parse_args()
    if asked.command == "table":
        rows = [row for path in asked.rows for row in read_rows(path)]
        print(table(rows), curve(rows), sep="\n\n")
        return
    low, _, high = asked.seeds.partition("-")
    for name in asked.subjects:
        run_subject(name, list(range(int(low), int(high or low) + 1)), asked.out, asked.everywhere)


if __name__ == "__main__":
    main()
