"""Boxes found by exact means, against methods that query: true mean, diversity, costs covered, time and queries.

    python study.py run darts --seeds 0-4 --out rows.jsonl
    python study.py table rows.jsonl

Subjects: ``darts`` (NAS-Bench-301's surrogate is the truth; ``darts-300`` ... ``darts-10000`` labels, 1,000 else),
``nasbench201``, ``transnas-micro``, ``gpt-s``, and ``mobilenet`` and ``shufflenetv2`` with a synthetic truth (``synthetic``).
The data of the benchmarks is installed before (``lissnas data add NAME FILE``).

Every method has one predictor per seed. Boxes are made at a ladder of sizes, with no query. A method that gives a list is
judged by it, a box by 10,000 draws (``judged`` of each). The table compares at equal diversity: the true mean of boxes is
interpolated on their ladder, per seed, at the diversity that the other method's result has.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np

import lissnas
from lissnas import get_space
from lissnas.arrays import Genotypes
from lissnas.evaluators import get_evaluator
from lissnas.predictors import XGBoostPredictor
from lissnas.predictors.drawings import fit_on_drawings
from lissnas.quality import cost_coverage
from lissnas.shrinkers import ABS, LISSNAS, HardBox, Shrinker, SoftBox
from lissnas.shrinkers.frontier import Frontier
from lissnas.spaces import ExplicitSpace, SearchSpace, sample_distinct

PAIRS = 20_000
JUDGED = 2000  # members whose true score is asked
REFERENCE = 20_000  # draws whose costs are the bins
BOXES = 8  # of a union
RIVALS = ("lissnas", "lissnas from a box", "frontier", "frontier from a box", "abs", "best of soft")


def synthetic(space: SearchSpace, seed: int = 7) -> Callable[[Genotypes], np.ndarray]:
    """A stated truth, in percent: each allele of each gene adds a normal number (deviation .3), and each pair of neighboring
    genes one for each pair of alleles (deviation .3); drawn once from ``seed``. An inactive gene is an allele of its own.
    """
    rng = np.random.default_rng(seed)
    alone = [rng.normal(0, 0.3, gene.radix) for gene in space.genes]
    pairs = [rng.normal(0, 0.3, (a.radix, b.radix)) for a, b in zip(space.genes[:-1], space.genes[1:], strict=True)]

    def score(x: Genotypes) -> np.ndarray:
        total = np.full(len(x), 70.0)
        for gene, worth in enumerate(alone):
            total += worth[x[:, gene]]
        for gene, worth in enumerate(pairs):
            total += worth[x[:, gene], x[:, gene + 1]]
        return total

    return score


def open_subject(name: str) -> tuple[SearchSpace, Callable[[Genotypes], np.ndarray], bool, dict[str, int]]:
    """The space, the truth, whether higher is better, and labels, queries and size."""
    if name.startswith("darts"):
        truth = get_evaluator("nasbench301")
        labels = int(name.partition("-")[2] or 1000)
        return truth.space, truth.evaluate, True, {"labels": labels, "queries": 100_000, "size": 10_000}
    if name in ("mobilenet", "shufflenetv2"):
        space = get_space(name)
        return space, synthetic(space), True, {"labels": 1000, "queries": 100_000, "size": 10_000}
    if name == "gpt-s":  # too few of the space are measured: a predictor of all of them is the truth
        truth = get_evaluator("gpt-s")
        space = truth.space.root
        known = truth.known.genotypes
        second = XGBoostPredictor().fit(space, known, truth.evaluate(known), higher_is_better=False, seed=99)
        return space, second.predict, False, {"labels": 1000, "queries": 100_000, "size": 10_000}
    benchmark = {"nasbench201": "nasbench201", "transnas-micro": "transnasbench101-micro"}[name]
    truth = get_evaluator(benchmark)
    n = truth.space.cardinality
    sizes = {"labels": max(100, n // 20), "queries": max(2000, n // 5), "size": n // 20}
    return truth.space, truth.evaluate, truth.metric.higher_is_better, sizes


def methods(space: SearchSpace, sizes: dict[str, int]) -> dict[str, Shrinker]:
    """What is compared."""
    asked = {"queries": sizes["queries"], "size": sizes["size"]}
    found: dict[str, Shrinker] = {
        "lissnas": LISSNAS(**asked, min_diversity=0.0),
        "lissnas from a box": LISSNAS(**asked, min_diversity=0.0, start="soft-box"),
        "frontier": Frontier(**asked),
        "frontier from a box": Frontier(**asked, start="soft-box"),
        "abs": ABS(queries=min(sizes["queries"], 20_000), size=max(sizes["size"], min(10**6, space.cardinality // 20))),
    }
    ladder = [10.0**power for power in (4, 7, 10, 13)] if space.cardinality > 10**6 else []
    ladder = [size for size in ladder if size < space.cardinality / 2]
    ladder = ladder or [space.cardinality / share for share in (160, 80, 40, 20, 10, 5)]
    for size in ladder:
        found[f"soft {size:.3g}"] = SoftBox(size=round(size))
        found[f"soft diverse {size:.3g}"] = SoftBox(size=round(size), diversity_weight=0.1)
        found[f"hard {size:.3g}"] = HardBox(size=round(size))
        if size <= 10**8:
            found[f"union {size:.3g}"] = HardBox(size=round(size), boxes=BOXES)
    if space.cardinality > 10**6:
        found["best of soft"] = SoftBox(size=10**8, best=sizes["size"], queries=sizes["queries"])
    return found


def run_subject(name: str, seeds: list[int], out: Path, only: str) -> None:
    """One line for each seed and method that is not in ``out`` yet."""
    space, score, higher, sizes = open_subject(name)
    done = {(row["subject"], row["seed"], row["method"]) for row in read_rows(out)}
    for seed in seeds:
        rng = np.random.default_rng([seed, 1])
        learned = sample_distinct(space, sizes["labels"], rng)
        predictor = fit_on_drawings(
            XGBoostPredictor(), space, learned, score(learned), copies=4, higher_is_better=higher, seed=seed
        )
        costs = space.cost(space.sample(REFERENCE, np.random.default_rng([seed, 2])))
        for method, shrinker in methods(space, sizes).items():
            if (name, seed, method) in done or not any(method.startswith(start) for start in only.split(",")):
                continue
            row: dict[str, Any] = {"subject": name, "seed": seed, "method": method, "higher_is_better": higher}
            began = time.perf_counter()
            try:
                result = shrinker.shrink(space, predictor, np.random.default_rng([seed, 3]))
            except lissnas.UserError as error:
                row["failed"] = str(error)
            else:
                row["seconds"] = round(time.perf_counter() - began, 2)
                row |= judge(space, result.space, score, costs, np.random.default_rng([seed, 4]))
                row |= {"queries": result.ledger.queries, "stopped": result.stopped}
                row["predicted"] = float(predictor.predict(result.space.sample(JUDGED, np.random.default_rng(5))).mean())
            with out.open("a") as file:
                file.write(json.dumps(row) + "\n")


def judge(space: SearchSpace, shrunk: SearchSpace, score: Any, costs: Any, rng: np.random.Generator) -> dict[str, Any]:
    """What comes out, by draws of it."""
    drawn = shrunk.sample(10_000, rng)
    pairs = shrunk.sample(PAIRS, rng)
    own = space.cost(drawn)
    true = score(drawn[:JUDGED])
    return {
        "size": shrunk.cardinality,
        "kind": "list" if isinstance(shrunk, ExplicitSpace) else type(shrunk).__name__,
        "true": float(true.mean()),
        "error": float(true.std() / JUDGED**0.5),
        "best": float(true.max()),
        "diversity": float(space.distance(pairs[: PAIRS // 2], pairs[PAIRS // 2 :]).mean()),
        "coverage": {c: round(20 * cost_coverage(own[c], costs[c])) for c in space.cost_names[:2]},
    }


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows that were written so far."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


# -- the tables ---------------------------------------------------------------------------------------------------------


def interpolate(ladder: list[dict[str, Any]], diversity: float) -> float | None:
    """The true mean of boxes at a diversity, between two of the ladder; None beyond its ends."""
    steps = sorted((row["diversity"], row["true"]) for row in ladder if "true" in row)
    if len(steps) < 2 or not steps[0][0] <= diversity <= steps[-1][0]:
        return None
    return float(np.interp(diversity, *zip(*steps, strict=True)))


def table(rows: list[dict[str, Any]]) -> str:
    """Per subject: each method that queries, and each kind of box at its diversity, as Markdown."""
    lines = [
        "| subject | against | its true mean | diversity | queries | "
        + " | ".join(f"{kind} at that diversity" for kind in ("soft", "soft diverse", "hard", "union"))
        + " |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for subject in dict.fromkeys(row["subject"] for row in rows):
        own = [row for row in rows if row["subject"] == subject]
        for method in RIVALS:
            group = [row for row in own if row["method"] == method and "true" in row]
            if not group:
                continue
            cells = [subject, method, _spread([row["true"] for row in group])]
            cells += [f"{np.mean([row['diversity'] for row in group]):.2f}", f"{np.mean([r['queries'] for r in group]):,.0f}"]
            for kind in ("soft", "soft diverse", "hard", "union"):
                gains = []
                for row in group:
                    ladder = [r for r in own if r["seed"] == row["seed"] and r["method"].rpartition(" ")[0] == kind]
                    at = interpolate(ladder, row["diversity"])
                    if at is not None:
                        gains.append((at - row["true"]) * (1 if row["higher_is_better"] else -1))
                cells.append(
                    f"{_spread(gains, sign=True)} ({sum(g > 0 for g in gains)} of {len(gains)})" if gains else "out of reach"
                )
            lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "| subject | method | size | true mean | diversity | bins | seconds | queries |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for subject in dict.fromkeys(row["subject"] for row in rows):
        for method in dict.fromkeys(row["method"] for row in rows if row["subject"] == subject):
            group = [row for row in rows if (row["subject"], row["method"]) == (subject, method)]
            good = [row for row in group if "true" in row]
            if not good:
                lines.append(f"| {subject} | {method} | {group[0]['failed'][:60]} | | | | | |")
                continue
            bins = " / ".join(f"{np.mean([r['coverage'][c] for r in good]):.1f}" for c in good[0]["coverage"])
            cells = [subject, method, f"{np.mean([float(r['size']) for r in good]):.3g}", _spread([r["true"] for r in good])]
            cells += [f"{np.mean([r['diversity'] for r in good]):.2f}", bins, f"{np.median([r['seconds'] for r in good]):.1f}"]
            cells += [f"{np.mean([r['queries'] for r in good]):,.0f}"]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def picture(rows: list[dict[str, Any]], subject: str) -> str:
    """The front of a subject as SVG: true mean over diversity, boxes as lines along their ladder, the others as points."""
    own = [row for row in rows if row["subject"] == subject and "true" in row]
    points = {}
    for method in dict.fromkeys(row["method"] for row in own):
        group = [row for row in own if row["method"] == method]
        points[method] = tuple(float(np.mean([row[key] for row in group])) for key in ("diversity", "true"))
    if not points:
        raise SystemExit(f"there are no rows of {subject}")
    low, high = (np.array([pick(c) for c in zip(*points.values(), strict=True)]) for pick in (min, max))
    low, high = low - 0.08 * (high - low), high + 0.08 * (high - low)

    def place(point: tuple[float, ...]) -> tuple[float, float]:
        x, y = (np.array(point) - low) / np.where(high > low, high - low, 1)
        return round(60 + 520 * float(x), 1), round(300 - 270 * float(y), 1)

    out = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 350" font-family="sans-serif" font-size="12">',
        '<rect width="640" height="350" fill="#fff"/><path d="M60 30V300H580" fill="none" stroke="#444"/>',
        f'<text x="320" y="338" text-anchor="middle">diversity: mean edit distance of two networks ({subject})</text>',
        '<text x="18" y="165" text-anchor="middle" transform="rotate(-90 18 165)">true mean</text>',
    ]
    for axis, end in ((0, low), (0, high), (1, low), (1, high)):
        x, y = place((end[0], low[1]) if axis == 0 else (low[0], end[1]))
        anchor, shift = ("middle", (0, 16)) if axis == 0 else ("end", (-6, 4))
        out.append(f'<text x="{x + shift[0]}" y="{y + shift[1]}" text-anchor="{anchor}">{end[axis]:.2f}</text>')
    legend = 40
    for kind, color in (("soft", "#1b6ca8"), ("soft diverse", "#2a9d8f"), ("hard", "#b5651d"), ("union", "#8e44ad")):
        line = sorted(place(p) for m, p in points.items() if m.rpartition(" ")[0] == kind)
        if line:
            path = " ".join(f"{x},{y}" for x, y in line)
            out.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
            out += [f'<circle cx="{x}" cy="{y}" r="3" fill="{color}"/>' for x, y in line]
            out.append(f'<text x="620" y="{legend}" text-anchor="end" fill="{color}">{kind} box, no query</text>')
            legend += 16
    lowest = -math.inf
    for x, y, method in sorted(((*place(points[m]), m) for m in RIVALS if m in points), key=lambda point: point[1]):
        lowest = max(lowest + 14, y)  # labels one under the other
        out.append(f'<rect x="{x - 4}" y="{y - 4}" width="8" height="8" fill="#444"/>')
        out.append(f'<text x="{x + 8}" y="{lowest + 4}">{method}</text>')
    return "\n".join([*out, "</svg>", ""])


def _spread(values: list[float], sign: bool = False) -> str:
    mean = np.mean(values)
    plus = "+" if sign else ""
    deviation = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{mean:{plus}.3f}{deviation}"


def main() -> None:
    """Run, or print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run")
    run.add_argument("subjects", nargs="+")
    run.add_argument("--seeds", default="0-4")
    run.add_argument("--only", default="", help="beginnings of methods, with commas between them")
    run.add_argument("--out", type=Path, default=Path("rows.jsonl"))
    shown = commands.add_parser("table")
    shown.add_argument("rows", type=Path)
    drawn = commands.add_parser("picture")
    drawn.add_argument("rows", type=Path)
    drawn.add_argument("--subject", default="darts")
    drawn.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    if arguments.command == "picture":
        arguments.out.write_text(picture(read_rows(arguments.rows), arguments.subject))
        return
    if arguments.command == "table":
        print(table(read_rows(arguments.rows)))
        return
    low, _, high = arguments.seeds.partition("-")
    for subject in arguments.subjects:
        run_subject(subject, list(range(int(low), int(high or low) + 1)), arguments.out, arguments.only)


if __name__ == "__main__":
    main()
