"""Does loading images ever hold the GPU? The same training step with batches that wait on the GPU, and with the real loader.

python bench/gpu/data.py [FOLDER]        FOLDER: images as ImageNet has them, for the second table; CIFAR-10's shape otherwise
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lissnas.errors import UserError
from lissnas.oneshot import ImageData, Split, Supernet
from lissnas.oneshot.batches import open_batches
from lissnas.oneshot.data import Images
from lissnas.oneshot.devices import own_chance
from lissnas.oneshot.folder import image_folder
from lissnas.spaces.base import SearchSpace
from lissnas.spaces.shufflenetv2 import shufflenetv2, shufflenetv2_cifar

STEPS, WARM = 60, 15


def main(folder: str | None) -> None:
    """Print a table for CIFAR-10's shape, and one for the folder."""
    if not torch.cuda.is_available():
        sys.exit("bench/gpu/data.py: this measures a GPU, and torch sees none here: run it on a machine with one")
    print(torch.cuda.get_device_name(), "\n")
    print("| images | batch | images/s, batches wait on the GPU | images/s, real loader | utilisation |")
    print("|---|---:|---:|---:|---:|")
    rng = np.random.default_rng(0)
    split = Split(rng.integers(0, 256, size=(50_000, 3, 32, 32), dtype=np.uint8), rng.integers(0, 10, size=50_000))
    memory = ImageData("CIFAR-10 shape, in memory", split, split, split, classes=10, shift=4, flip=True)
    for batch in (64, 1024):
        _row(memory, shufflenetv2_cifar(), batch)
    if folder is not None:
        try:
            data = image_folder(folder)
        except UserError as error:
            sys.exit(f"bench/gpu/data.py: {error}")
        for batch in (256, 1024):
            _row(data, shufflenetv2(classes=data.classes), batch)


def _row(data: Images, space: SearchSpace, batch: int) -> None:
    device = torch.device("cuda")
    real = open_batches(data, batch, device)
    first = next(real.epoch(np.random.default_rng(0)))
    waiting = _images_per_second(space, itertools.repeat(first), batch)
    loaded = _images_per_second(space, _forever(real), batch)
    print(f"| {data.name} | {batch} | {waiting:,.0f} | {loaded:,.0f} | {loaded / waiting:.1%} |", flush=True)


def _forever(batches: object) -> Iterator[tuple[Tensor, Tensor]]:
    for epoch in itertools.count(1):
        yield from batches.epoch(np.random.default_rng(epoch))  # type: ignore[attr-defined]


def _images_per_second(space: SearchSpace, batches: Iterator[tuple[Tensor, Tensor]], batch: int) -> float:
    """Steps of a supernet on random paths. Torch warns where the host waits for the GPU; where an epoch begins, it waits."""
    supernet = Supernet(space, seed=0).to("cuda", memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(supernet.parameters(), 0.1, 0.9)
    paths = space.sample(WARM + STEPS, np.random.default_rng(0)).tolist()
    with own_chance(torch.device("cuda")):
        for step, path in enumerate(paths):
            if step == WARM:
                torch.cuda.synchronize()
                torch.cuda.set_sync_debug_mode("warn")
                start = time.perf_counter()
            images, labels = next(batches)
            optimizer.zero_grad()
            with torch.autocast("cuda", torch.bfloat16):
                logits = supernet(images, path)
            functional.cross_entropy(logits.float(), labels).backward()
            optimizer.step()
        torch.cuda.set_sync_debug_mode("default")
        torch.cuda.synchronize()
        return STEPS * batch / (time.perf_counter() - start)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
