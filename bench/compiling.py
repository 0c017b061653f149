"""``torch.compile`` on the CPU: a training step of a network beside the same uncompiled, and what a supernet's new path costs.

It takes minutes, nearly all of them compilation.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lissnas.oneshot import Supernet, build_network
from lissnas.oneshot.norm import set_ghost
from lissnas.spaces.shufflenetv2 import digits_shuffle

BATCH, STEPS, PATHS = 64, 40, 3


def run() -> list[dict[str, Any]]:
    """Rows of the table."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [*_network(), _supernet()]
    finally:
        torch.set_num_threads(threads)


def _step(forward: Callable[[], Tensor], labels: Tensor) -> float:
    started = time.perf_counter()
    functional.cross_entropy(forward(), labels).backward()  # type: ignore[no-untyped-call]
    return time.perf_counter() - started


def _batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(BATCH, 1, 8, 8, generator=generator).contiguous(memory_format=torch.channels_last)
    return images, torch.randint(10, (BATCH,), generator=generator)


def _network() -> list[dict[str, Any]]:
    space = digits_shuffle()
    network = build_network(space, space.sample(1, np.random.default_rng(0))[0], seed=0)
    network.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    set_ghost(network, None)
    images, labels = _batch()
    compiled = torch.compile(network)
    first = _step(lambda: compiled(images), labels)
    _step(lambda: compiled(images), labels)
    times = [(_step(lambda: compiled(images), labels), _step(lambda: network(images), labels)) for _ in range(STEPS)]
    ours, theirs = (median(column) for column in zip(*times, strict=True))
    work = f"step of a digits network, a batch of {BATCH}"
    return [
        {"work": f"{work}, compiled", "ours": ours, "theirs": theirs, "against": "not compiled", "ratio": theirs / ours},
        {"work": f"{work}: the first one", "ours": first, "theirs": theirs, "against": "not compiled", "ratio": theirs / first},
    ]


def _supernet() -> dict[str, Any]:
    space = digits_shuffle()
    supernet = Supernet(space, seed=0).to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    set_ghost(supernet, None)
    images, labels = _batch()
    compiled = torch.compile(supernet)
    times = []
    for path in space.sample(PATHS, np.random.default_rng(1)).tolist():
        ours = _step(lambda path=path: compiled(images, path), labels)  # type: ignore[misc]
        times.append((ours, min(_step(lambda path=path: supernet(images, path), labels) for _ in range(3))))  # type: ignore[misc]
    ours, theirs = (median(column) for column in zip(*times[1:], strict=True))
    work = "step of a compiled supernet on a path that it has not seen"
    return {"work": work, "ours": ours, "theirs": theirs, "against": "not compiled", "ratio": theirs / ours}


if __name__ == "__main__":
    for row in run():
        print({name: value for name, value in row.items() if name != "against"})
