"""Batches of images that are files: decoded by worker processes a few ahead, made into batches on the device."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from lissnas.errors import UserError
from lissnas.oneshot.augment import augment, draw_augmentation
from lissnas.oneshot.batches import channel_values, normalise
from lissnas.oneshot.decode import Decoder, Request
from lissnas.oneshot.folder import ImageFolder

__all__ = ["FolderBatches"]

AT_ONCE = 64  # images in a request: 10 MB at 224 pixels, so that the workers' answers fit into shared memory
KEPT_BYTES = 2 << 30  # of evaluation images that are kept once they were decoded

_kept: dict[tuple[str, str, int], Tensor] = {}


class FolderBatches:
    """Batches of an :class:`~lissnas.oneshot.folder.ImageFolder`: see ``oneshot.batches.open_batches``.

    Crops are drawn from a seed for each image, and made where it is decoded, since a crop of a whole image has more detail than
    one of an image that was made small first. Mirroring and colours are done to batches on the device. Neither depends on the
    number of workers.
    """

    def __init__(self, data: ImageFolder, batch_size: int, device: torch.device | None, rank: int, world: int) -> None:
        self.data = data
        self.batch_size = batch_size
        self.per_epoch = len(data.train) // batch_size
        self._share = slice(rank * batch_size // world, (rank + 1) * batch_size // world)
        self._device = device
        self._labels = torch.from_numpy(data.train.labels).to(device)
        self._channels = channel_values(data, device)
        self._requests = _Requests()
        self._loader = _loader(data, "train", self._requests, data.decoders(world), device)

    def epoch(self, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches of one epoch: images float32[b, 3, H, W] and labels int64[b]."""
        count = self.per_epoch * self.batch_size
        order = rng.permutation(len(self.data.train))[:count]
        seeds = rng.integers(np.iinfo(np.int64).max, size=count, dtype=np.uint64)
        chance = draw_augmentation(count, rng, flip=self.data.flip, jitter=self.data.jitter, device=self._device)
        chosen = torch.from_numpy(order).to(self._device)
        parts = [slice(low + self._share.start, low + self._share.stop) for low in range(0, count, self.batch_size)]
        requests = [[Request(order[cut], seeds[cut]) for cut in _cuts(part)] for part in parts]
        self._requests.now = [request for batch in requests for request in batch]
        decoded = _decoded(self._loader, self._device)
        for part, batch in zip(parts, requests, strict=True):
            pixels = torch.cat([next(decoded) for _ in batch])
            images = augment(pixels, chance.of(part))
            yield normalise(images, *self._channels), self._labels[chosen[part]]

    @staticmethod
    def in_order(
        data: ImageFolder, split: str, n: int, batch_size: int, device: torch.device | None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """The first ``n`` images of a split, their centres."""
        channels = channel_values(data, device)
        labels = torch.from_numpy(data.split(split).labels[:n]).to(device)
        parts = [slice(low, min(low + batch_size, n)) for low in range(0, n, batch_size)]
        for part, pixels in zip(parts, _centres(data, split, parts, device), strict=True):
            yield normalise(pixels, *channels), labels[part]


def _centres(data: ImageFolder, split: str, parts: list[slice], device: torch.device | None) -> Iterator[Tensor]:
    """uint8[m, 3, H, W] of each part of a split. Thousands of subnets are scored on the same images: they are decoded once in
    a process, and kept as bytes where there is room.
    """
    n = parts[-1].stop
    key = (data.fingerprint, split, n)
    if key in _kept:
        yield from (_kept[key][part].to(device) for part in parts)
        return
    requests = [[Request(np.arange(cut.start, cut.stop)) for cut in _cuts(part)] for part in parts]
    each = _Requests([request for part in requests for request in part])
    decoded = _decoded(_loader(data, split, each, min(data.decoders(), n // (4 * AT_ONCE)), device), device)
    fits = n * 3 * data.resolution**2 + sum(images.numel() for images in _kept.values()) <= KEPT_BYTES
    seen = []
    for part in requests:
        pixels = torch.cat([next(decoded) for _ in part])
        if fits:
            seen.append(pixels.cpu())
        yield pixels
    if fits:
        _kept[key] = torch.cat(seen)


class _Requests(Sampler[Request]):
    """What the loader's workers are asked for, in this order; another list for each epoch."""

    def __init__(self, now: Sequence[Request] = ()) -> None:
        self.now = now

    def __iter__(self) -> Iterator[Request]:
        return iter(self.now)

    def __len__(self) -> int:
        return len(self.now)


def _cuts(part: slice) -> list[slice]:
    """``part`` in pieces that are decoded together."""
    return [slice(low, min(low + AT_ONCE, part.stop)) for low in range(part.start, part.stop, AT_ONCE)]


def _loader(
    data: ImageFolder, split: str, requests: _Requests, workers: int, device: torch.device | None
) -> DataLoader[Tensor | str]:
    if multiprocessing.current_process().daemon:  # one of our own workers, which may not have any
        workers = 0
    return DataLoader(
        Decoder(str(data.root), data.split(split).files, data.resolution, data.min_area),  # type: ignore[arg-type]
        batch_size=None,
        sampler=requests,
        num_workers=workers,
        pin_memory=device is not None and device.type == "cuda",
        # processes that are forked from a clean one: OpenMP and CUDA do not survive a fork of this one
        multiprocessing_context="forkserver" if workers else None,
        persistent_workers=workers > 0,
    )


def _decoded(loader: DataLoader[Tensor | str], device: torch.device | None) -> Iterator[Tensor]:
    """The answers, uint8[m, 3, H, W], on ``device``. To a GPU they are copied on a stream of their own, while it computes.

    Raises:
        UserError: an image that cannot be read, or a worker that died.
    """
    gpu = device is not None and device.type == "cuda"
    stream = torch.cuda.Stream(device) if gpu else None  # type: ignore[no-untyped-call]
    for answer in _answers(loader):
        if isinstance(answer, str):
            raise UserError(answer)
        with torch.cuda.stream(stream):
            pixels = answer.to(device, non_blocking=True).permute(0, 3, 1, 2)
        if stream is not None:
            present = torch.cuda.current_stream(device)
            present.wait_stream(stream)
            pixels.record_stream(present)
        yield pixels


def _answers(loader: DataLoader[Tensor | str]) -> Iterator[Tensor | str]:
    try:
        yield from loader
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise UserError(
            f"a process that decodes images died ({str(error).partition(chr(10))[0]}): give it more shared memory or memory, "
            "or set fewer workers of the data, 0 to decode without"
        ) from None
