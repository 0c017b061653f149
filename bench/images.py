"""Images decoded and augmented, per core, beside what one would write otherwise: Pillow's steps, image by image in a loop."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageEnhance
from torch.nn import functional

from lissnas.oneshot.augment import augment, draw_augmentation
from lissnas.oneshot.batches import Batches
from lissnas.oneshot.data import ImageData, Split
from lissnas.oneshot.decode import decode, random_box

IMAGES, SIDE, MIN_AREA = 128, 224, 0.08
SMALL = 8_192


def run() -> list[dict[str, Any]]:
    """Rows of the table: seconds for so many images, and what a core does in a second."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with tempfile.TemporaryDirectory() as folder:
            paths = _photographs(Path(folder))
            return [_decoding(paths), _augmentation(paths), _in_memory()]
    finally:
        torch.set_num_threads(threads)


def _photographs(folder: Path) -> list[str]:
    """JPEGs of 500 x 375 pixels, ImageNet's usual size: smooth, with some noise, so that they are as large as photographs."""
    rng = np.random.default_rng(0)
    paths = []
    for index in range(IMAGES):
        coarse = Image.fromarray(rng.integers(0, 256, size=(12, 16, 3), dtype=np.uint8)).resize(
            (500, 375), Image.Resampling.BICUBIC
        )
        noisy = np.asarray(coarse).astype(np.int16) + rng.integers(-12, 13, size=(375, 500, 3))
        paths.append(str(folder / f"{index}.jpeg"))
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(paths[-1], quality=90)
    return paths


def _decoding(paths: list[str]) -> dict[str, Any]:
    """A random crop of each file: decoded at a fraction of its size where that will do, beside decoding all of it."""

    def ours() -> None:
        rng = np.random.default_rng(0)
        for path in paths:
            decode(path, SIDE, rng, MIN_AREA)

    def plain() -> None:
        rng = np.random.default_rng(0)
        for path in paths:
            _plain_crop(path, rng)

    mine, other = _turns(ours, plain)
    return _row(f"decode and crop {IMAGES} JPEGs to {SIDE} pixels", IMAGES, mine, other, "Pillow: decode, crop, resize")


def _augmentation(paths: list[str]) -> dict[str, Any]:
    """Mirror and colours, a batch at once, beside Pillow's enhancers image by image."""
    images = [_plain_crop(path, np.random.default_rng(1)) for path in paths]
    batch = torch.from_numpy(np.stack([np.asarray(image) for image in images])).permute(0, 3, 1, 2)

    def ours() -> None:
        augment(batch, draw_augmentation(IMAGES, np.random.default_rng(0), flip=True, jitter=0.4))

    def plain() -> None:
        rng = np.random.default_rng(0)
        for image in images:
            changed = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else image
            for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
                changed = enhance(changed).enhance(rng.uniform(0.6, 1.4))
            torch.from_numpy(np.array(changed)).permute(2, 0, 1).float()

    mine, other = _turns(ours, plain)
    return _row(f"mirror and jitter {IMAGES} images of {SIDE} pixels", IMAGES, mine, other, "Pillow, image by image")


def _in_memory() -> dict[str, Any]:
    """CIFAR-10's augmentation, shifts by up to 4 pixels and mirrors, in batches of 64, beside image by image."""
    rng = np.random.default_rng(0)
    some = Split(rng.integers(0, 256, size=(SMALL, 3, 32, 32), dtype=np.uint8), np.arange(SMALL) % 10)
    data = ImageData("noise", some, some, some, classes=10, shift=4, flip=True)
    batches = Batches(data, 64)
    mean, deviation = (torch.tensor(values)[:, None, None] for values in (data.mean, data.deviation))

    def ours() -> None:
        for _ in batches.epoch(np.random.default_rng(0)):
            pass

    def plain() -> None:
        rng = np.random.default_rng(0)
        for low in range(0, SMALL, 64):
            batch = []
            for image in some.images[low : low + 64]:
                x = functional.pad((torch.from_numpy(image).float() - mean) / deviation, (4, 4, 4, 4))
                top, left = rng.integers(0, 9, size=2).tolist()
                x = x[:, top : top + 32, left : left + 32]
                batch.append(x.flip(2) if rng.random() < 0.5 else x)
            torch.stack(batch)

    mine, other = _turns(ours, plain)
    return _row(
        f"an epoch of {SMALL:,} images of 32 pixels: normalise, shift, mirror", SMALL, mine, other, "torch, image by image"
    )


def _plain_crop(path: str, rng: np.random.Generator) -> Image.Image:
    with Image.open(path) as image:
        whole = image.convert("RGB")
    left, top, width, height = random_box(*whole.size, rng, MIN_AREA)
    part = whole.crop((int(left), int(top), int(left + width), int(top + height)))
    return part.resize((SIDE, SIDE), Image.Resampling.BILINEAR)


def _turns(ours: Callable[[], None], theirs: Callable[[], None], rounds: int = 5) -> tuple[float, float]:
    """Median seconds of each; they take turns, so that what else the machine does meets both."""
    times: list[list[float]] = [[], []]
    for _ in range(rounds + 1):
        for kept, work in zip(times, (ours, theirs), strict=True):
            start = time.perf_counter()
            work()
            kept.append(time.perf_counter() - start)
    return median(times[0][1:]), median(times[1][1:])


def _row(work: str, images: int, mine: float, other: float, against: str) -> dict[str, Any]:
    return {
        "work": f"{work} ({images / mine:,.0f} a second)",
        "ours": mine,
        "theirs": other,
        "against": against,
        "ratio": other / mine,
    }
