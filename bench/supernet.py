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

from lissnas.oneshot import ImageData, Recipe, Split, Supernet, digits, recalibrate, score_subnets
from lissnas.oneshot.batches import Batches, calibration_images, evaluation_batches
from lissnas.oneshot.norm import set_ghost
from lissnas.spaces import sample_distinct
from lissnas.spaces.nasbench101 import nasbench101
from lissnas.spaces.nasbench201 import nasbench201
from lissnas.spaces.shufflenetv2 import digits_shuffle, shufflenetv2, shufflenetv2_cifar

BATCH = 64
SUBNETS, LOOPED = 1000, 100  # those that the plain loop takes


def run() -> list[dict[str, Any]]:
    """Rows of the table."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        small = digits_shuffle()
        return [
            _step("digits, 1x8x8, a batch of 64", small, digits(), ghost=None, steps=150),
            _step("digits, ghost batches of 32", small, digits(), ghost=32, steps=150),
            _step("shufflenetv2, 3x32x32, a batch of 64", shufflenetv2_cifar(), _random(32, 1024), None, steps=8),
            _step("nasbench201, 3x32x32, a batch of 64", nasbench201(), _random(32, 1024), None, steps=8),
            _step(
                "nasbench101 of 32 channels, 3x32x32, a batch of 64",
                nasbench101(stem_channels=32),
                _random(32, 1024),
                None,
                steps=8,
            ),
            _scores("digits-shuffle", small, digits(), 256),
            _scores("shufflenetv2 on 16x16", shufflenetv2(16, 10, stem_stride=1), _random(16, 16), 16),
            _scores("nasbench201 on 8x8", nasbench201(resolution=8), _random(8, 32), 32),
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


def _scores(name: str, space: Any, data: ImageData, calibration: int) -> dict[str, Any]:
    """Seconds to score subnets, recalibrated and scored in one pass with what they share computed once, beside the plain loop.

    The plain loop takes a part of them, and its time is scaled up.
    """
    supernet = Supernet(space, seed=0).to(memory_format=torch.channels_last)
    x = sample_distinct(space, SUBNETS, np.random.default_rng(0))
    some = slice(None, None, SUBNETS // LOOPED)  # they are sorted: the first ones are smaller than others
    plain = x[some]
    statistics = calibration_images(data, calibration)
    score_subnets(supernet, x[:2], data, calibration=calibration)  # not the first of its kind
    started = time.perf_counter()
    scores = score_subnets(supernet, x, data, calibration=calibration)
    ours = time.perf_counter() - started
    started = time.perf_counter()
    looped = [_score_one(supernet, row, statistics, data) for row in plain.tolist()]
    theirs = (time.perf_counter() - started) * len(x) / len(plain)
    difference = float(np.abs(np.array(looped) / scores.cross_entropy[some] - 1).max())
    assert difference < 1e-4, f"cross entropies differ by {difference:.2g} of their size"
    images = f"{calibration} calibration and {len(data.validation)} other images"
    work = f"{len(x):,} random subnets of {name} recalibrated and scored, {images}"
    return {"work": work, "ours": ours, "theirs": theirs, "against": "one by one", "ratio": theirs / ours}


@torch.no_grad()
def _score_one(supernet: Supernet, path: list[int], statistics: Tensor, data: ImageData) -> float:
    """Cross entropy by the plain loop's way: one pass sets the statistics, another scores."""
    recalibrate(supernet, path, statistics)
    total = 0.0
    for images, labels in evaluation_batches(data, "validation", 1024):
        total += float(functional.cross_entropy(supernet.eval()(images, path).double(), labels, reduction="sum"))
    return total / len(data.validation)


def _random(resolution: int, images: int) -> ImageData:
    """Images of chance, in three channels."""
    rng = np.random.default_rng(0)
    shape = (images, 3, resolution, resolution)
    split = Split(rng.integers(0, 256, size=shape, dtype=np.uint8), rng.integers(0, 10, size=images))
    return ImageData(f"random, {resolution} pixels", split, split, split, classes=10, shift=4, flip=True)
