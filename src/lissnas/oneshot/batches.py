"""From bytes in memory to normalised, augmented batches: whole batches at once, chance from the caller's generator."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lissnas.errors import UserError
from lissnas.oneshot.data import ImageData, Split

__all__ = ["Batches", "normalise"]


def normalise(images: Tensor, data: ImageData) -> Tensor:
    """uint8[n, C, H, W] -> float32, (pixel - mean) / deviation, channels last: on a CPU half the time for these blocks."""
    mean = torch.tensor(data.mean, device=images.device).view(-1, 1, 1)
    deviation = torch.tensor(data.deviation, device=images.device).view(-1, 1, 1)
    return images.to(torch.float32, memory_format=torch.channels_last).sub_(mean).div_(deviation)


def tensors(split: Split, data: ImageData, device: torch.device | None = None) -> tuple[Tensor, Tensor]:
    """All images of a split, normalised, and their labels."""
    images = normalise(torch.from_numpy(split.images).to(device), data)
    return images, torch.from_numpy(split.labels).to(device)


class Batches:
    """Training batches. Each epoch is a new order of the images; those that fill no whole batch are left out of it.

    Args:
        data: its training split is used, with its augmentation.
        batch_size: images in a batch.
        device: where the images are kept and the batches made.

    Raises:
        UserError: a batch larger than the split.
    """

    def __init__(self, data: ImageData, batch_size: int, device: torch.device | None = None) -> None:
        if not 1 <= batch_size <= len(data.train):
            raise UserError(f"a batch must be 1 to {len(data.train)} images (the training split), but got {batch_size}")
        self.data = data
        self.batch_size = batch_size
        self.per_epoch = len(data.train) // batch_size
        self.height, self.width = data.train.images.shape[2:]
        padded = functional.pad(torch.from_numpy(data.train.images), (data.shift,) * 4)
        self._row = padded.shape[3]
        self._pixels = padded.flatten(2).to(device)
        self._labels = torch.from_numpy(data.train.labels).to(device)
        rows, columns = torch.arange(self.height), torch.arange(self.width)
        self._window = (rows[:, None] * self._row + columns).flatten().to(device)
        self._mirrored = (rows[:, None] * self._row + columns.flip(0)).flatten().to(device)

    def epoch(self, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches of one epoch: images float32[b, C, H, W] and labels int64[b]."""
        count = self.per_epoch * self.batch_size
        order = rng.permutation(len(self._labels))[:count]
        corner = rng.integers(0, 2 * self.data.shift + 1, size=(count, 2))
        mirror = rng.random(count) < 0.5 if self.data.flip else np.zeros(count, dtype=bool)
        device = self._labels.device
        start = torch.from_numpy(corner[:, 0] * self._row + corner[:, 1]).to(device)
        chosen, flipped = torch.from_numpy(order).to(device), torch.from_numpy(mirror).to(device)
        for low in range(0, count, self.batch_size):
            part = slice(low, low + self.batch_size)
            index = chosen[part]
            window = torch.where(flipped[part, None], self._mirrored, self._window) + start[part, None]
            pixels = self._pixels[index]
            moved = pixels.gather(2, window[:, None].expand(-1, pixels.shape[1], -1))
            images = moved.view(*moved.shape[:2], self.height, self.width)
            yield normalise(images, self.data), self._labels[index]
