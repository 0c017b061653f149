"""From the file of an image to the pixels that a network sees: decoded, cropped and resized in one go, by whoever has a core.

A worker is told which files, and a seed for each; nothing else that chance depends on is its own, so it does not matter which
of them does what. What can be done to a whole batch at once is left to :mod:`lissnas.oneshot.augment`, on the device.
"""

from __future__ import annotations

import math
import os
import struct
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from lissnas.errors import UserError

__all__ = ["Box", "Decoder", "Request", "centre_box", "decode", "random_box"]

RATIO = 3 / 4  # a crop's sides differ by no more than this [RandomResizedCrop of torchvision]
SHARE = 0.875  # of the shorter side, that the centre crop takes: 224 of 256
TRIES = 10


class Box(NamedTuple):
    """A part of an image, in pixels."""

    left: float
    top: float
    width: float
    height: float


class Request(NamedTuple):
    """Images to decode: their rows in the split, and for training a seed for each crop."""

    rows: NDArray[np.int64]
    seeds: NDArray[np.uint64] | None = None


@dataclass(frozen=True)
class Decoder:
    """Answers a request: uint8[m, resolution, resolution, 3], or in one line what is wrong with an image.

    Args:
        root: the folder that file names are relative to.
        files: bytes[n] of a split.
    """

    root: str
    files: NDArray[np.bytes_]
    resolution: int
    min_area: float

    def __getitem__(self, request: Request) -> Tensor | str:
        pixels = np.empty((len(request.rows), self.resolution, self.resolution, 3), np.uint8)
        for index, row in enumerate(request.rows.tolist()):
            path = os.path.join(self.root, os.fsdecode(self.files[row]))
            rng = None if request.seeds is None else np.random.Generator(np.random.PCG64(int(request.seeds[index])))
            try:
                pixels[index] = decode(path, self.resolution, rng, self.min_area)
            except UserError as error:  # as an answer: raised here, it would reach the user wrapped in a traceback
                return str(error)
        return torch.from_numpy(pixels)


def decode(path: str, resolution: int, rng: np.random.Generator | None, min_area: float) -> NDArray[np.uint8]:
    """uint8[resolution, resolution, 3]: the image in a file, RGB, cropped and resized to ``resolution`` squared.

    A JPEG is decoded at a half, a quarter or an eighth of its size where that is still as large as what is wanted of it.

    Args:
        rng: draws the crop; the centre if None.

    Raises:
        UserError: no whole image; the file is named.
    """
    try:
        with Image.open(path) as image:
            width, height = image.size
            box = centre_box(width, height) if rng is None else random_box(width, height, rng, min_area)
            image.draft("RGB", (math.ceil(resolution * width / box.width), math.ceil(resolution * height / box.height)))
            across, down = image.width / width, image.height / height
            right, bottom = min((box.left + box.width) * across, image.width), min((box.top + box.height) * down, image.height)
            part = (box.left * across, box.top * down, right, bottom)
            resized = image.convert("RGB").resize((resolution, resolution), Image.Resampling.BILINEAR, box=part)
            return np.asarray(resized)
    # what Pillow's readers raise for files that are cut off, of another kind, or made to exhaust memory
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError) as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            f"the image '{path}' cannot be read ({said}): replace it and go on, or remove it and start a new run"
        ) from None


def random_box(width: int, height: int, rng: np.random.Generator, min_area: float) -> Box:
    """A crop of ``min_area`` to all of the image's area and 3:4 to 4:3, anywhere in it [RandomResizedCrop of torchvision].

    Of ten draws the first that fits; else as much of the centre as has such sides.
    """
    for _ in range(TRIES):
        area = width * height * rng.uniform(min_area, 1)
        ratio = math.exp(rng.uniform(math.log(RATIO), -math.log(RATIO)))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            return Box(int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1)), w, h)
    w, h = min(width, round(height / RATIO)), min(height, round(width / RATIO))
    return Box((width - w) // 2, (height - h) // 2, w, h)


def centre_box(width: int, height: int) -> Box:
    """The square in the middle, of 7/8 of the shorter side: as if that was resized to 256 and the middle 224 were taken."""
    side = SHARE * min(width, height)
    return Box((width - side) / 2, (height - side) / 2, side, side)
