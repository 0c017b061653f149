"""How well supernets rank networks that were trained alone: each path sampler, and K-shot, at equal compute.

    python study.py truth --out truth.json
    python study.py run --truth truth.json --seeds 0-2 --out rows.jsonl
    python study.py table --truth truth.json rows.jsonl

Space and images are those of the digits job. The truth is the mean test accuracy of each network over its own trainings.

Compute is counted in passes: one forward and backward of one path on one batch. Every supernet gets as many passes. A step
with P paths is P passes, and scoring a candidate without gradient on a batch of held-out images is a third of one. All else is
equal: recipe, learning rate (the gradients of a step's paths are added up, as in FairNAS), images, first weights.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch
from scipy.stats import kendalltau

from lissnas import get_space, oneshot
from lissnas.arrays import Genotypes
from lissnas.oneshot.kshot import KShotSupernet
from lissnas.quality import rank_correlation
from lissnas.spaces import SearchSpace, sample_distinct

BATCH = 32
PASSES = 600  # of each supernet, if not said otherwise
FORWARD = 1 / 3  # of a pass
ALONE = oneshot.Recipe(epochs=25, batch_size=BATCH, ghost=None, label_smoothing=0.0)
SIGNS = {"accuracy": 1, "cross_entropy": -1}
SHOTS = {f"K-shot, K = {shots}": shots for shots in (2, 4)}


def arms(passes: int) -> dict[str, tuple[str, dict[str, Any], float]]:
    """Each arm's sampler, its settings, and the passes of a step, for trainings of so many passes."""
    greedy = round(passes / (5 + 10 * FORWARD))
    when = {"starts": round(greedy * 10_000 / 150_000), "ends": round(greedy * 144_360 / 150_000)}  # the published shares
    return {
        "uniform": ("uniform", {}, 1),
        "strictly-fair": ("strictly-fair", {}, 4),
        "balanced": ("balanced", {}, 1),
        "flops-bins": ("flops-bins", {}, 1),
        "greedy": ("greedy", {"pool": 200, "alpha": None, **when}, 5 + 10 * FORWARD),
        "sandwich": ("sandwich", {}, 4),
        **{name: ("uniform", {}, 1) for name in SHOTS},
    }


def train_alone(networks: int, trainings: int, out: Path) -> None:
    """Train networks alone, each with as many seeds, and write their test accuracies."""
    space, data = get_space("digits-shuffle"), oneshot.digits()
    x = sample_distinct(space, networks, np.random.default_rng(2024))
    accuracy: list[list[float]] = []
    for seed in range(trainings):
        accuracy.append([])
        for path in x:
            network = oneshot.build_network(space, path, seed=seed)
            oneshot.train_network(network, data, ALONE, seed=seed)
            accuracy[-1].append(oneshot.score_network(network, data, "test")[0])
        out.write_text(json.dumps({"networks": x.tolist(), "accuracy": accuracy}))


def train_supernet(space: SearchSpace, arm: str, seed: int, budget: int) -> tuple[oneshot.Supernet, float]:
    """A supernet of the arm, and the seconds of its training."""
    data = oneshot.digits()
    sampler, settings, passes = arms(budget)[arm]
    make: Callable[..., oneshot.Supernet] = KShotSupernet if arm in SHOTS else oneshot.Supernet
    supernet = make(space, seed=seed, **({"shots": SHOTS[arm]} if arm in SHOTS else {}))
    epochs = max(1, round(budget / passes / (len(data.train) // BATCH)))
    recipe = oneshot.Recipe(epochs=epochs, batch_size=BATCH, ghost=16, label_smoothing=0.0)
    began = time.perf_counter()
    oneshot.train_supernet(supernet, oneshot.get_sampler(sampler, space, **settings), data, recipe, seed=seed)
    return supernet, time.perf_counter() - began


def run(truth: Path, seeds: list[int], out: Path, passes: int) -> None:
    """All rows that are not in ``out`` yet."""
    space, data = get_space("digits-shuffle"), oneshot.digits()
    x: Genotypes = np.array(json.loads(truth.read_text())["networks"], dtype=np.uint8)
    for seed in seeds:
        for arm in arms(passes):
            if any(row["arm"] == arm and row["seed"] == seed for row in rows_of(out)):
                continue
            supernet, seconds = train_supernet(space, arm, seed, passes)
            scores = oneshot.score_subnets(supernet, x, data)
            row = {"arm": arm, "seed": seed, "passes": passes, "seconds": round(seconds, 1)}
            row |= {"accuracy": scores.accuracy.tolist(), "cross_entropy": scores.cross_entropy.tolist()}
            with out.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(arm, seed, f"{seconds:.0f} s", flush=True)


def rows_of(out: Path) -> list[dict[str, Any]]:
    """What was run already."""
    return [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []


def table(truth: Path, out: Path) -> None:
    """Print the table: mean and standard deviation over the seeds, and how far from ``uniform``, resampled over networks."""
    accuracy = np.array(json.loads(truth.read_text())["accuracy"])
    rng = np.random.default_rng(0)
    if len(accuracy) > 1:
        ceiling = rank_correlation(accuracy[0], accuracy[1], rng).kendall
        print(f"Two trainings of the {accuracy.shape[1]} networks agree with a Kendall tau of {ceiling.value:.2f}.\n")
    print("| supernet | seeds | tau by accuracy | less that of uniform | tau by cross entropy | mean accuracy | seconds |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    rows, target = rows_of(out), accuracy.mean(axis=0)
    drawn = rng.integers(len(target), size=(1000, len(target)))
    uniform: list[Any] = []
    for arm in arms(PASSES):
        own = [row for row in rows if row["arm"] == arm]
        if not own:
            continue
        taus = [[kendalltau(sign * np.array(row[score]), target)[0] for row in own] for score, sign in SIGNS.items()]
        cells = [f"{np.mean(tau):.3f}" + (f" ± {np.std(tau, ddof=1):.3f}" if len(tau) > 1 else "") for tau in taus]
        resampled = [np.mean([kendalltau(np.array(row["accuracy"])[i], target[i])[0] for row in own]) for i in drawn]
        uniform = resampled if arm == "uniform" else uniform
        low, high = np.percentile(np.subtract(resampled, uniform), [2.5, 97.5]) if uniform else (np.nan, np.nan)
        apart = "" if arm == "uniform" else f"{low:+.2f} to {high:+.2f}"
        mean = np.mean([row["accuracy"] for row in own])
        seconds = np.mean([row["seconds"] for row in own])
        print(f"| {arm} | {len(own)} | {cells[0]} | {apart} | {cells[1]} | {mean:.1f} | {seconds:.0f} |")


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["truth", "run", "table"])
    parser.add_argument("rows", nargs="?", type=Path)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--seeds", default="0-2")
    parser.add_argument("--networks", type=int, default=40)
    parser.add_argument("--trainings", type=int, default=2)
    parser.add_argument("--passes", type=int, default=PASSES)
    given = parser.parse_intermixed_args()
    needed = {"truth": (given.out,), "run": (given.truth, given.out), "table": (given.truth, given.rows)}[given.what]
    if None in needed:
        parser.error("truth takes --out FILE, run takes --truth FILE --out ROWS, table takes --truth FILE ROWS")
    torch.set_num_threads(1)
    if given.what == "truth":
        train_alone(given.networks, given.trainings, given.out)
    elif given.what == "run":
        first, _, last = given.seeds.partition("-")
        run(given.truth, list(range(int(first), int(last or first) + 1)), given.out, given.passes)
    else:
        table(given.truth, given.rows)


if __name__ == "__main__":
    main()
