"""Supernets on a GPU: a bare step beside the same subnet as a plain module, and 1,000 subnets scored beside the plain loop.

    python bench/gpu/supernet.py

Steps are forward, backward and SGD on one batch that stays on the GPU, channels last: ImageNet's shape (1,024 images in bf16)
and CIFAR-10's (64 images), each space on one path of all live blocks. Whether a step or the scoring of a part of the images
makes the host wait for the GPU is looked at with ``torch.cuda.set_sync_debug_mode``. The loop around the step, with loading,
ghosts and moving averages, is measured by ``training.py`` beside this file. Needs a GPU, and refuses without one.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lissnas.oneshot import ImageData, Split, Supernet, recalibrate, score_subnets
from lissnas.oneshot.batches import calibration_images, evaluation_batches
from lissnas.oneshot.evaluate import arrange, walk
from lissnas.oneshot.norm import calibrating
from lissnas.spaces import SearchSpace, sample_distinct
from lissnas.spaces.nasbench101 import nasbench101
from lissnas.spaces.nasbench201 import nasbench201
from lissnas.spaces.shufflenetv2 import shufflenetv2, shufflenetv2_cifar

WARM, STEPS = 10, 50
SUBNETS, LOOPED, IMAGES = 1000, 50, 5000  # subnets, those that the plain loop takes, and images that each is scored on


@dataclass(frozen=True)
class Case:
    """A space, a batch of its images, and a step's goal: in steps of the plain module, at most."""

    name: str
    space: Callable[[], SearchSpace]
    batch: int
    bf16: bool
    goal: float


STEP_CASES = (
    Case("shufflenetv2, ImageNet shape, 1,024, bf16", shufflenetv2, 1024, True, 1.1),
    Case("shufflenetv2-cifar, 64, float32", shufflenetv2_cifar, 64, False, 1.25),
    Case("shufflenetv2-cifar, 64, bf16", shufflenetv2_cifar, 64, True, 1.25),
    Case("nasbench201, 64, float32", nasbench201, 64, False, 1.25),
    Case("nasbench101, 64, float32", nasbench101, 64, False, 1.25),
)
SCORED = {"shufflenetv2-cifar": shufflenetv2_cifar, "nasbench201": nasbench201}


def main() -> int:
    """Print the tables; 1 if a goal is missed, 2 without a GPU."""
    if not torch.cuda.is_available():
        print("this measures a GPU, and torch finds none here: run it where torch.cuda.is_available() is true", file=sys.stderr)
        return 2
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}\n")
    print("| step | supernet, ms | plain module, ms | ratio | goal | host waits |\n|---|---:|---:|---:|---:|---|")
    missed = [_step(case) for case in STEP_CASES]
    print(f"\n| {SUBNETS:,} subnets scored on {IMAGES:,} images | ours, s | one by one, s | ratio | host waits |")
    print("|---|---:|---:|---:|---|")
    missed += [_scores(name, space()) for name, space in SCORED.items()]
    return int(any(missed))


def _step(case: Case) -> bool:
    """A row of steps; whether something is not as it should be."""
    space = case.space()
    path = space.sample(1, np.random.default_rng(0))[0].tolist()
    layout = space.layout
    images = torch.randn(case.batch, layout.in_channels, layout.resolution, layout.resolution, device="cuda")
    images = images.to(memory_format=torch.channels_last)
    labels = torch.randint(layout.classes, (case.batch,), device="cuda")
    supernet = Supernet(space, seed=0).cuda().to(memory_format=torch.channels_last).train()
    plain = supernet.subnet(path).cuda().to(memory_format=torch.channels_last).train()

    def stepper(network: nn.Module, forward: Callable[[Tensor], Tensor]) -> Callable[[], None]:
        optimizer = torch.optim.SGD(network.parameters(), 0.01, 0.9)

        def step() -> None:
            optimizer.zero_grad()
            with torch.autocast("cuda", torch.bfloat16, enabled=case.bf16):
                loss = functional.cross_entropy(forward(images), labels)
            loss.backward()
            optimizer.step()

        return step

    ours, theirs = stepper(supernet, lambda x: supernet(x, path)), stepper(plain, plain)
    for step in (ours, theirs):
        for _ in range(WARM):
            step()
    waits = _waits(ours)
    times = [(_seconds(ours), _seconds(theirs)) for _ in range(STEPS)]
    mine, other = (1000 * median(column) for column in zip(*times, strict=True))
    print(f"| {case.name} | {mine:.2f} | {other:.2f} | {mine / other:.2f} | {case.goal} | {waits or 'never'} |", flush=True)
    return mine / other > case.goal or bool(waits)


def _scores(name: str, space: SearchSpace) -> bool:
    """A row of scores; whether the host waits where it should not."""
    data = _images(space)
    supernet = Supernet(space, seed=0).cuda().to(memory_format=torch.channels_last).eval()
    x = sample_distinct(space, SUBNETS, np.random.default_rng(0))
    score_subnets(supernet, x[:4], data)
    ours = _seconds(lambda: score_subnets(supernet, x, data))

    def loop() -> None:
        statistics = calibration_images(data, 256, torch.device("cuda"))
        for path in x[:: SUBNETS // LOOPED].tolist():  # they are sorted: the first ones are smaller than others
            recalibrate(supernet, path, statistics)
            for images, labels in evaluation_batches(data, "validation", 1024, torch.device("cuda")):
                with torch.no_grad():
                    functional.cross_entropy(supernet(images, path), labels, reduction="sum").item()

    theirs = _seconds(loop) * len(x) / LOOPED
    some = x[:: SUBNETS // 64][:64]
    order, _ = arrange(supernet, some)
    chains = [supernet.blocks(path) for path in some[order].tolist()]
    statistics = calibration_images(data, 256, torch.device("cuda"))

    def one_part() -> None:
        with calibrating(supernet, 128, keep=False):
            for _ in walk(supernet, chains, statistics):
                pass

    waits = _waits(one_part)
    print(f"| {name} | {ours:.1f} | {theirs:.1f} | {theirs / ours:.1f} | {waits or 'never'} |", flush=True)
    return bool(waits)


def _waits(work: Callable[[], object]) -> str:
    """What makes the host wait for the GPU within ``work``; nothing if nothing does."""
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        work()
    except RuntimeError as error:
        if "synchroniz" not in str(error):
            raise
        return str(error).splitlines()[0]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return ""


def _seconds(work: Callable[[], object]) -> float:
    """How long ``work`` takes, on the GPU too."""
    torch.cuda.synchronize()
    started = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - started


def _images(space: SearchSpace) -> ImageData:
    """Images of chance."""
    rng = np.random.default_rng(0)
    layout = space.layout
    shape = (IMAGES, layout.in_channels, layout.resolution, layout.resolution)
    split = Split(rng.integers(0, 256, size=shape, dtype=np.uint8), rng.integers(0, layout.classes, size=IMAGES))
    return ImageData("random", split, split, split, classes=layout.classes)


if __name__ == "__main__":
    sys.exit(main())
