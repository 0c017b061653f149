"""A supernet's training step beside the same subnet as a plain nn.Sequential, and subnets scored together beside one by one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lissnas.oneshot import ImageData, Recipe, Split, Supernet, digits, recalibrate, score_network, score_subnets
from lissnas.oneshot.batches import Batches, tensors
from lissnas.oneshot.norm import set_ghost
from lissnas.spaces.shufflenetv2 import digits_shuffle, shufflenetv2

BATCH = 64
SUBNETS = 200


def run() -> list[dict[str, Any]]:
    """Rows of the table."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        small = digits_shuffle()
        return [
            _step("digits, 1x8x8, a batch of 64", small, digits(), ghost=None, steps=150),
            _step("digits, ghost batches of 32", small, digits(), ghost=32, steps=150),
            _step("CIFAR-10 shape, 3x32x32, a batch of 64", shufflenetv2(32, 10, stem_stride=1), _cifar_shape(), None, steps=8),
            _scores(small, digits()),
        ]
    finally:
        torch.set_num_threads(threads)


def _step(work: str, space: Any, data: ImageData, ghost: int | None, steps: int) -> dict[str, Any]:
    """Seconds of a step, data loading included; the two take turns, so that what else the machine does meets both."""
    path = space.sample(1, np.random.default_rng(0))[0].tolist()
    supernet = Supernet(space, seed=0).to(memory_format=torch.channels_last).train()
    plain = supernet.subnet(path).to(memory_format=torch.channels_last)
    for network in (supernet, plain):
        set_ghost(network, ghost)
    ours = _steps(supernet, lambda images: supernet(images, path), data)
    theirs = _steps(plain, plain, data)
    times: list[tuple[float, float]] = []
    for _ in range(steps + 3):
        times.append((next(ours), next(theirs)))
    mine, other = (median(column) for column in zip(*times[3:], strict=True))
    return {"work": f"step, {work}", "ours": mine, "theirs": other, "against": "plain nn.Sequential", "ratio": other / mine}


def _steps(network: nn.Module, forward: Callable[[Tensor], Tensor], data: ImageData) -> Iterator[float]:
    recipe = Recipe()
    optimizer = torch.optim.SGD(network.parameters(), recipe.learning_rate, recipe.momentum, weight_decay=recipe.weight_decay)
    batches = Batches(data, BATCH)
    rng = np.random.default_rng(0)
    loader = batches.epoch(rng)
    while True:
        started = time.perf_counter()
        batch = next(loader, None)
        if batch is None:
            loader = batches.epoch(rng)
            batch = next(loader)
        optimizer.zero_grad()
        functional.cross_entropy(forward(batch[0]), batch[1]).backward()
        optimizer.step()
        yield time.perf_counter() - started


def _scores(space: Any, data: ImageData) -> dict[str, Any]:
    """Seconds to score subnets: recalibrated and scored in one pass with shared prefixes, beside the plain loop."""
    supernet = Supernet(space, seed=0).to(memory_format=torch.channels_last)
    x = space.sample(SUBNETS, np.random.default_rng(0))
    images = tensors(data.train, data)[0][:256]
    started = time.perf_counter()
    score_subnets(supernet, x, data, calibration=256)
    ours = time.perf_counter() - started
    started = time.perf_counter()
    for row in x:
        recalibrate(supernet, row, images)
        score_network(supernet.subnet(row), data)
    theirs = time.perf_counter() - started
    work = f"{SUBNETS} random subnets of digits-shuffle recalibrated and scored"
    return {"work": work, "ours": ours, "theirs": theirs, "against": "one by one", "ratio": theirs / ours}


def _cifar_shape() -> ImageData:
    rng = np.random.default_rng(0)
    split = Split(rng.integers(0, 256, size=(1024, 3, 32, 32), dtype=np.uint8), rng.integers(0, 10, size=1024))
    return ImageData("cifar-10 shape", split, split, split, classes=10, shift=4, flip=True)
