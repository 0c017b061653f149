"""A training step of K-shot supernets beside the plain one's: what it costs to mix the weights of a path."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lissnas.oneshot import Supernet
from lissnas.oneshot.kshot import KShotSupernet
from lissnas.spaces import SearchSpace
from lissnas.spaces.nasbench201 import nasbench201
from lissnas.spaces.shufflenetv2 import digits_shuffle, shufflenetv2_cifar

BATCH = 64
SHOTS = (1, 2, 4, 8)


def run() -> list[dict[str, Any]]:
    """Rows of the table; mixing costs, so ratios are below 1."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [
            *_steps("digits, 1x8x8", digits_shuffle(), steps=100),
            *_steps("NAS-Bench-201 cells, 3x32x32", nasbench201(), steps=3),
            *_steps("shufflenetv2-cifar, 3x32x32", shufflenetv2_cifar(), steps=3),
        ]
    finally:
        torch.set_num_threads(threads)


def _steps(work: str, space: SearchSpace, steps: int) -> Iterator[dict[str, Any]]:
    """Seconds of a step; all of them take turns, so that what else the machine does meets each."""
    layout = space.layout
    images = torch.randn(BATCH, layout.in_channels, layout.resolution, layout.resolution)
    images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.arange(BATCH) % layout.classes
    networks = [Supernet(space, seed=0), *(KShotSupernet(space, shots=shots, seed=0) for shots in SHOTS)]
    for network in networks:
        network.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimizers = [torch.optim.SGD(network.parameters(), 0.1, 0.9) for network in networks]
    times = []
    for path in space.sample(steps + 2, np.random.default_rng(0)).tolist():
        pairs = zip(networks, optimizers, strict=True)
        times.append([_step(network, optimizer, images, labels, path) for network, optimizer in pairs])
    plain, *mixed = (median(column) for column in zip(*times[2:], strict=True))
    for shots, seconds in zip(SHOTS, mixed, strict=True):
        name = f"K-shot step, K = {shots}, {work}, a batch of {BATCH}"
        yield {"work": name, "ours": seconds, "theirs": plain, "against": "a plain supernet", "ratio": plain / seconds}


def _step(network: Supernet, optimizer: torch.optim.Optimizer, images: Tensor, labels: Tensor, path: list[int]) -> float:
    started = time.perf_counter()
    optimizer.zero_grad()
    functional.cross_entropy(network(images, path), labels).backward()
    optimizer.step()
    return time.perf_counter() - started
