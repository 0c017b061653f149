"""Chains of blocks: costs of a million networks by table beside walking their layers, and sampling past 2^64 beside tuples."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import lissnas
from lissnas.arrays import unique

N = 1_000_000
WALKED = 500  # networks whose layers are walked; plain Python is timed on fewer and scaled up
PLAIN = 50_000


def run() -> list[dict[str, Any]]:
    """Rows of the table."""
    rows = [_costs(name) for name in ("shufflenetv2", "fairnas", "mobilenet", "mobilenet-se", "proxyless")]
    return [*rows, *_sampling("mobilenet-se")]


def _costs(name: str) -> dict[str, Any]:
    space: Any = lissnas.get_space(name)
    x = space.sample(N, np.random.default_rng(0))
    walked = x[:WALKED].tolist()
    ours = _best(lambda: space.cost(x))
    theirs = _best(lambda: [_walk(space.layout, row) for row in walked]) * N / WALKED
    return _row(f"10^6 networks of {name}: FLOPs and parameters", ours, theirs, "walking the layers of each, in Python")


def _sampling(name: str) -> list[dict[str, Any]]:
    """Sample, encode, drop duplicates: one set of tuples drawn in plain Python, another made of the same array of genotypes."""
    space: Any = lissnas.get_space(name)
    rng = np.random.default_rng(0)
    states = [[tuple(state) for state in part.states().tolist()] for part in space.parts[:-1]]
    free = space.parts[-1].counts.tolist()

    def plain() -> set[tuple[int, ...]]:
        drawn = set()
        for _ in range(PLAIN):
            row: tuple[int, ...] = tuple(random.randrange(count) for count in free)
            for group in states:
                row += random.choice(group)
            drawn.add(row)
        return drawn

    ours = _best(lambda: unique(space.encode(space.sample(N, rng))))
    theirs = _best(plain) * N / PLAIN
    same = _best(lambda: set(map(tuple, space.sample(N, rng).tolist())))
    work = f"10^6 networks of {name}: sample, encode, drop duplicates"
    return [
        _row(work, ours, theirs, "a set of tuples, drawn in Python from tables of each stage"),
        _row(work, ours, same, "a set of tuples, made from the same array of draws"),
    ]


def _walk(layout: Any, row: list[int]) -> tuple[float, float]:
    """FLOPs and parameters by walking the layers of one network, as a tool without tables does."""
    from lissnas.spaces.chain import Conv
    from lissnas.spaces.chain_blocks import block_branches, sum_branches

    side = layout.resolution
    flops, params = sum_branches([[Conv(3, layout.in_channels, *layout.stem)]], side, layout.counts_norms)
    side = (side - 1) // layout.stem[1] + 1
    alleles = iter(row)
    for site in layout.sites:
        kind = site.kinds[next(alleles)] if len(site.kinds) > 1 else site.kinds[0]
        branches = block_branches(kind, site.in_channels, site.out_channels, site.stride)
        more = sum_branches(branches, side, layout.counts_norms)
        flops, params = flops + more[0], params + more[1]
        side = (side - 1) // site.stride + 1
    more = sum_branches([[Conv(1, layout.sites[-1].out_channels, layout.head)]], side, layout.counts_norms)
    classifier = layout.head * layout.classes
    return flops + more[0] + classifier, params + more[1] + classifier + layout.classes * layout.classifier_bias


def _row(work: str, ours: float, theirs: float, against: str) -> dict[str, Any]:
    return {"work": work, "ours": ours, "theirs": theirs, "against": against, "ratio": theirs / ours}


def _best(function: Callable[[], object], repeats: int = 3) -> float:
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)
