"""A million ShuffleNetV2 architectures: draw, encode, drop duplicates, one neighbor each; beside plain Python on tuples."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import lissnas
from lissnas.arrays import unique

N = 1_000_000
PLAIN = 20_000  # plain Python is timed on fewer and scaled up


def run() -> list[dict[str, Any]]:
    """Rows of the table."""
    space = lissnas.get_space("shufflenetv2")
    rng = np.random.default_rng(0)
    x = space.sample(N, rng)
    codes = space.encode(x)
    plain = [tuple(row) for row in x[:PLAIN].tolist()]

    def one_by_one() -> list[tuple[int, ...]]:
        result = []
        for row in plain:
            gene = random.randrange(20)
            other = random.choice([a for a in range(4) if a != row[gene]])
            result.append((*row[:gene], other, *row[gene + 1 :]))
        return result

    pairs: list[tuple[str, Callable[[], object], Callable[[], object]]] = [
        ("sample", lambda: space.sample(N, rng), lambda: [tuple(random.randrange(4) for _ in range(20)) for _ in range(PLAIN)]),
        ("encode", lambda: space.encode(x), lambda: [sum(a << 2 * g for g, a in enumerate(row)) for row in plain]),
        ("drop duplicates", lambda: unique(codes), lambda: set(plain)),
        ("one neighbor each, 1 edit", lambda: space.neighbors(x, 1, rng), one_by_one),
        ("costs (FLOPs, params)", lambda: space.cost(x), lambda: [_walk(space, row) for row in plain[:2000]]),
    ]
    rows = []
    for work, ours, theirs in pairs:
        scale = N / (2000 if work.startswith("costs") else PLAIN)
        mine, other = _best(ours), _best(theirs) * scale
        rows.append(
            {
                "work": f"10^6 networks of 4^20: {work}",
                "ours": mine,
                "theirs": other,
                "against": "plain Python on tuples",
                "ratio": other / mine,
            }
        )
    total = sum(row["ours"] for row in rows[:4])
    rows.append(
        {
            "work": "the first four together",
            "ours": total,
            "theirs": sum(r["theirs"] for r in rows[:4]),
            "against": "plain Python on tuples",
            "ratio": sum(r["theirs"] for r in rows[:4]) / total,
        }
    )
    return rows


def _walk(space: Any, row: tuple[int, ...]) -> float:
    """FLOPs by walking the layers of one network, as a tool without tables does."""
    from lissnas.spaces.chain import BLOCK_KINDS

    layout, side, total = space.layout, 112, 0.0
    for site, allele in zip(layout.sites, row, strict=True):
        for branch in BLOCK_KINDS[site.kinds[allele]](site.in_channels, site.out_channels, site.stride):
            resolution = side
            for conv in branch:
                total += conv.cost(resolution)[0]
                resolution = conv.out_resolution(resolution)
        side = (side - 1) // site.stride + 1
    return total


def _best(function: Callable[[], object], repeats: int = 3) -> float:
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)
