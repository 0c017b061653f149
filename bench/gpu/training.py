"""Training on a GPU: images per second, time of a step, how busy the GPU is, and that no step waits for it.

    python bench/gpu/training.py

Everything goes through the loop that users run (``train_supernet``, ``train_network``), on random images of two shapes:
ImageNet's (3x224x224, a batch of 1,024 in bf16, ghost batches of 128) and CIFAR-10's (3x32x32, a batch of 64, ghosts of 32).
Beside a supernet stands the same subnet as a network of its own, with and without ``torch.compile``, all on one path. With
several GPUs the supernet is trained on one, and on the largest power of two that there are. Needs a GPU, and refuses without.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from lissnas.oneshot import ImageData, KShotSupernet, Progress, Recipe, Split, Supernet, train_network, train_supernet
from lissnas.oneshot.samplers import PathSampler, get_sampler
from lissnas.spaces import SearchSpace
from lissnas.spaces.shufflenetv2 import shufflenetv2, shufflenetv2_cifar

WARM, TIMED = 2, 4  # epochs before the clock counts, and that it counts


@dataclass(frozen=True)
class Case:
    """A shape of images and how they are trained on."""

    name: str
    space: Callable[[], SearchSpace]
    resolution: int
    classes: int
    steps: int  # of an epoch
    recipe: Recipe
    goal: float  # a supernet's step in steps of the plain network, at most


CASES = (
    Case("ImageNet shape, 1,024, bf16", shufflenetv2, 224, 1000, 8, Recipe(batch_size=1024, ghost=128, precision="bf16"), 1.1),
    Case("CIFAR-10 shape, 64, float32", shufflenetv2_cifar, 32, 10, 100, Recipe(batch_size=64, ghost=32), 1.25),
    Case("CIFAR-10 shape, 64, bf16", shufflenetv2_cifar, 32, 10, 100, Recipe(batch_size=64, ghost=32, precision="bf16"), 1.25),
)


class Noise(ImageData):
    """Images of chance, whose mean and deviation need no counting: of so many that would take 20 GB for a moment."""

    mean = (127.5,) * 3  # type: ignore[assignment]
    deviation = (73.9,) * 3  # type: ignore[assignment]


class OnePath(PathSampler):
    """The same path at each step, so that supernet and network compute the same."""

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self.path = space.sample(1, np.random.default_rng(0))

    def draw(self, steps: int, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.uint8]]:  # noqa: ARG002
        return np.repeat(self.path[None], steps, axis=0)


def main() -> int:
    """Print a table for each case; 1 if a goal is missed, 2 without a GPU."""
    if not torch.cuda.is_available():
        print("this measures a GPU, and torch finds none here: run it where torch.cuda.is_available() is true", file=sys.stderr)
        return 2
    print(f"{torch.cuda.device_count()} x {torch.cuda.get_device_name()}, torch {torch.__version__}\n")
    failed = False
    for case in CASES:
        print(f"## {case.name}\n\n| what | ms a step | images/s | GPU busy | GiB | |\n|---|---:|---:|---:|---:|---|")
        failed |= _one(case)
        print(flush=True)
    return int(failed)


def _one(case: Case) -> bool:
    """The table of one case; whether something is not as it should be."""
    space = case.space()
    data = _images(case)
    sampler = OnePath(space)
    path = sampler.path[0].tolist()

    def supernet(recipe: Recipe, told: Callable[[Progress], None], paths: PathSampler = sampler, devices: int = 1) -> None:
        network = Supernet(space, seed=0).cuda()
        train_supernet(network, paths, data, recipe, seed=0, on_progress=told, devices=devices)

    def network(recipe: Recipe, told: Callable[[Progress], None]) -> None:
        train_network(Supernet(space, seed=0).subnet(path).cuda(), data, recipe, seed=0, on_progress=told)

    recipe = case.recipe
    plain = _row("network of its own", case, network, recipe)
    ours = _row("supernet, the same path", case, supernet, recipe)
    print(f"| supernet / network | {ours / plain:.2f} | | | | goal: {case.goal} or less |")
    _row("supernet, uniform paths", case, lambda *a: supernet(*a, get_sampler("uniform", space)), recipe)
    _row("supernet, moving average of weights", case, supernet, replace(recipe, ema=0.9999))
    _row("network of its own, torch.compile", case, network, replace(recipe, compile=True))
    _row("network of its own, not channels_last", case, network, replace(recipe, channels_last=False))
    if torch.cuda.device_count() > 1:
        shared = replace(recipe, ghost=None)
        n = 1 << (torch.cuda.device_count().bit_length() - 1)  # a power of two, which divides a batch
        _row(f"supernet on {n} GPUs", case, lambda *a: supernet(*a, get_sampler("uniform", space), n), shared, busy=False)
    else:
        print("| supernet on several GPUs | | | | | there is one |")
    waits = {name: _waits(case, Supernet(space, seed=0), data, change) for name, change in _VARIANTS.items()}
    waits["K-shot"] = _waits(case, KShotSupernet(space, shots=2, seed=0), data, {})
    for name, where in waits.items():
        print(f"| host waits within a step, {name} | | | | | {where or 'never'} |")
    return ours / plain > case.goal or any(waits.values())


_VARIANTS: dict[str, dict[str, Any]] = {
    "as above": {},
    "clipped, averaged, accumulated": {"clip_norm": 1.0, "clip_value": 1.0, "ema": 0.999, "accumulate": 2},
    "fp16": {"precision": "fp16"},
    "rmsprop": {"optimizer": "rmsprop", "learning_rate": 0.01},
}


def _row(name: str, case: Case, train: Callable[..., None], recipe: Recipe, busy: bool = True) -> float:
    """Print a row; milliseconds of a step."""
    seen: list[Progress] = []
    torch.cuda.reset_peak_memory_stats()
    train(replace(recipe, epochs=WARM + TIMED), seen.append)
    images = seen[0].images_per_second * seen[0].seconds  # of an epoch
    speed = TIMED * images / (seen[-1].seconds - seen[WARM - 1].seconds)
    step = 1000 * case.recipe.batch_size / speed
    share = f"{_busy(train, recipe):.0%}" if busy else ""
    memory = torch.cuda.max_memory_allocated() / 2**30
    print(f"| {name} | {step:.2f} | {speed:,.0f} | {share} | {memory:.1f} | |", flush=True)
    return step


def _busy(train: Callable[..., None], recipe: Recipe) -> float:
    """The share of the time, in the second of two epochs, in which the GPU computes something."""
    watch = profile(activities=[ProfilerActivity.CUDA])

    def told(progress: Progress) -> None:
        if progress.epoch == 1:
            watch.start()

    train(replace(recipe, epochs=2), told)
    watch.stop()
    spans = sorted(
        (event.time_range.start, event.time_range.end)
        for event in watch.events()
        if event.device_type == torch.autograd.DeviceType.CUDA
    )
    computing, reached = 0.0, spans[0][0]
    for start, end in spans:
        computing += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return computing / (reached - spans[0][0])


def _waits(case: Case, supernet: Supernet, data: ImageData, change: dict[str, Any]) -> str:
    """Where a step waits for the GPU; nothing if it never does. Looked at from the third step of an epoch to its last."""
    recipe = replace(case.recipe, epochs=1, ghost=None, **change)
    supernet = supernet.cuda()
    calls = 0

    def watch(_: nn.Module, __: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 3 * recipe.accumulate:
            torch.cuda.set_sync_debug_mode("error")
        if calls == case.steps * recipe.accumulate:  # behind the last step losses are looked at
            torch.cuda.set_sync_debug_mode("default")

    supernet.register_forward_pre_hook(watch)
    try:
        train_supernet(supernet, supernet.space, data, recipe, seed=0)
    except RuntimeError as error:
        torch.cuda.set_sync_debug_mode("default")
        if "synchroniz" not in str(error):
            raise
        frames = [f for f in traceback.extract_tb(error.__traceback__) if "lissnas" in f.filename]
        return f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else str(error)
    return ""


def _images(case: Case) -> ImageData:
    """Random images, enough for an epoch; large ones are few, and seen again and again."""
    rng = np.random.default_rng(0)
    n = case.steps * case.recipe.batch_size
    distinct = min(n, 4096)
    shape = (distinct, 3, case.resolution, case.resolution)
    images = rng.integers(0, 256, size=shape, dtype=np.uint8)
    labels = rng.integers(0, case.classes, size=n)
    rows = np.arange(n) % distinct
    split = Split(images[rows], labels)
    few = Split(images[:64], labels[:64])
    return Noise(case.name, split, few, few, classes=case.classes, shift=4, flip=True)


if __name__ == "__main__":
    sys.exit(main())
