"""Normalised, augmented batches of any images: whole batches at once, chance from the caller's generator.

How images get from where they are to a batch is the affair of their loader, one class per kind of data, named in ``LOADERS``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lissnas.errors import UserError
from lissnas.oneshot.data import ImageData, Images, Split
from lissnas.oneshot.network import layout_of
from lissnas.registry import Registry
from lissnas.spaces.base import SearchSpace

__all__ = [
    "LOADERS",
    "Batches",
    "TrainingBatches",
    "calibration_images",
    "evaluation_batches",
    "normalise",
    "open_batches",
    "require_batch",
    "require_images_fit",
]

# Kind of data -> the class of its training batches, which also reads a split in order: see ``Loader``.
LOADERS = Registry(
    "kind of images",
    {"memory": "lissnas.oneshot.batches:Batches", "folder": "lissnas.oneshot.folder_batches:FolderBatches"},
)

Batch = tuple[Tensor, Tensor]


class TrainingBatches(Protocol):
    """Batches to train on: ``per_epoch`` of them, in a new order and augmented anew in each epoch."""

    per_epoch: int

    def epoch(self, rng: np.random.Generator) -> Iterator[Batch]:
        """The batches of one epoch: images float32[b, C, H, W], normalised, and labels int64[b]."""
        ...


def open_batches(
    data: Images, batch_size: int, device: torch.device | None = None, rank: int = 0, world: int = 1
) -> TrainingBatches:
    """The training batches of ``data``. Those images that fill no whole batch are left out of an epoch.

    Args:
        batch_size: images in a batch, those of all ranks together.
        device: where batches are wanted.
        rank, world: of several processes, each gets its share of the same batches.

    Raises:
        UserError: a batch larger than the split.
    """
    require_batch(data, batch_size)
    batches: TrainingBatches = LOADERS.get(data.kind)(data, batch_size, device, rank, world)
    return batches


def require_batch(data: Images, batch_size: int) -> None:
    """Refuse a batch that the training split does not fill.

    Raises:
        UserError: the sizes.
    """
    if not 1 <= batch_size <= len(data.train):
        raise UserError(f"a batch must be 1 to {len(data.train)} images (the training split), but got {batch_size}")


def require_images_fit(space: SearchSpace, data: Images) -> None:
    """Refuse images that the networks of ``space`` do not take.

    Raises:
        UserError: another size, or another number of classes; or a space without networks.
    """
    layout = layout_of(space)
    wanted = (layout.in_channels, layout.resolution, layout.resolution)
    if data.shape != wanted or data.classes != layout.classes:
        raise UserError(
            f"the networks of '{space.name}' take images of {_times(wanted)} in {layout.classes} classes, but {data.name} has "
            f"{_times(data.shape)} in {data.classes}: choose other data, or a space that is made for it"
        )


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def evaluation_batches(data: Images, split: str, batch_size: int, device: torch.device | None = None) -> Iterator[Batch]:
    """All images of a split, always in the same order: images float32[b, C, H, W], normalised, and labels int64[b].

    Raises:
        UserError: not one image at a time, or no such split.
    """
    if batch_size < 1:
        raise UserError(f"batch_size must be 1 or more, but got {batch_size}")
    in_order: Iterator[Batch] = LOADERS.get(data.kind).in_order(data, split, len(data.split(split)), batch_size, device)
    return in_order


def calibration_images(data: Images, n: int, device: torch.device | None = None) -> Tensor:
    """The first ``n`` training images (all, where there are fewer) without augmentation: float32[n, C, H, W], normalised."""
    n = min(n, len(data.train))
    ((images, _),) = LOADERS.get(data.kind).in_order(data, "train", n, n, device)
    calibration: Tensor = images
    return calibration


def normalise(images: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """uint8[n, C, H, W] -> float32, (pixel - mean) / deviation, channels last: on a CPU half the time for these blocks."""
    return images.to(torch.float32, memory_format=torch.channels_last).sub_(mean).div_(deviation)


def channel_values(data: Images, device: torch.device | None) -> tuple[Tensor, Tensor]:
    """Mean and deviation, float32[C, 1, 1]. They are put on the device once: a copy for each batch would make a GPU wait."""
    values = torch.tensor([data.mean, data.deviation], device=device)[..., None, None]
    return values[0], values[1]


def tensors(split: Split, data: ImageData, device: torch.device | None = None) -> tuple[Tensor, Tensor]:
    """All images of a split, normalised, and their labels."""
    images = normalise(torch.from_numpy(split.images).to(device), *channel_values(data, device))
    return images, torch.from_numpy(split.labels).to(device)


class Batches:
    """Batches of images that are in memory. They are kept on ``device``, where whole batches are shifted and mirrored."""

    def __init__(
        self, data: ImageData, batch_size: int, device: torch.device | None = None, rank: int = 0, world: int = 1
    ) -> None:
        self.data = data
        self.batch_size = batch_size
        self._share = slice(rank * batch_size // world, (rank + 1) * batch_size // world)
        self.per_epoch = len(data.train) // batch_size
        self.height, self.width = data.train.images.shape[2:]
        padded = functional.pad(torch.from_numpy(data.train.images), (data.shift,) * 4)
        self._row = padded.shape[3]
        self._pixels = padded.flatten(2).to(device)
        self._labels = torch.from_numpy(data.train.labels).to(device)
        rows, columns = torch.arange(self.height), torch.arange(self.width)
        self._window = (rows[:, None] * self._row + columns).flatten().to(device)
        self._mirrored = (rows[:, None] * self._row + columns.flip(0)).flatten().to(device)
        self._channels = channel_values(data, device)

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
            part = slice(low + self._share.start, low + self._share.stop)
            index = chosen[part]
            window = torch.where(flipped[part, None], self._mirrored, self._window) + start[part, None]
            pixels = self._pixels[index]
            moved = pixels.gather(2, window[:, None].expand(-1, pixels.shape[1], -1))
            images = moved.view(*moved.shape[:2], self.height, self.width)
            yield normalise(images, *self._channels), self._labels[index]

    @staticmethod
    def in_order(
        data: ImageData, split: str, n: int, batch_size: int, device: torch.device | None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """The first ``n`` images of a split as they are."""
        part = data.split(split)
        images, labels = tensors(Split(part.images[:n], part.labels[:n]), data, device)
        for low in range(0, n, batch_size):
            yield images[low : low + batch_size], labels[low : low + batch_size]
