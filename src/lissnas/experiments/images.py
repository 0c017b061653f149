"""The images that an experiment trains on: digits, or CIFAR-10 from a folder, fewer of them and averaged down."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lissnas.errors import UserError
from lissnas.experiments.supernet_stages import SupernetSizes
from lissnas.oneshot.data import ImageData, Split, cifar10, digits

__all__ = ["averaged", "find_images", "load_images"]

_CIFAR = "cifar-10-batches-bin"


def find_images(name: str, folder: Path | None) -> Path | None:
    """Where in ``folder``, or below it, the images called ``name`` are; None where they need no folder.

    Raises:
        UserError: they are not there.
    """
    if name == "digits":
        return None
    places = [] if folder is None else [folder / _CIFAR, *sorted(folder.rglob("data_batch_1.bin"))]
    for place in places:
        found = place if place.is_dir() else place.parent
        if (found / "data_batch_1.bin").is_file():
            return found
    where = "no folder was given" if folder is None else f"'{folder}' does not hold it"
    raise UserError(
        f"these supernets are trained on CIFAR-10 ({_CIFAR}, as in cifar-10-binary.tar.gz), but {where}: --data FOLDER"
    )


def load_images(sizes: SupernetSizes, folder: Path | None) -> ImageData:
    """The images of ``sizes``, split in the same way for all seeds.

    Raises:
        UserError: they are not in ``folder``.
    """
    place = find_images(sizes.images, folder)
    if place is None:
        train = {} if sizes.train is None else {"train": sizes.train}
        return digits(validation=sizes.validation, **train)
    data = cifar10(place, validation=sizes.validation, train=sizes.train)
    return data if sizes.side is None else averaged(data, sizes.side)


def averaged(data: ImageData, side: int) -> ImageData:
    """``data`` at ``side`` x ``side`` pixels, each the mean of a square of the pixels that were.

    Raises:
        UserError: the squares do not come out even.
    """
    factor, rest = divmod(data.train.images.shape[2], side)
    if rest or not factor:
        raise UserError(f"images of {data.train.images.shape[2]} pixels cannot be averaged down to {side}: choose a divisor")

    def small(part: Split) -> Split:
        n, channels = part.images.shape[:2]
        squares = part.images.reshape(n, channels, side, factor, side, factor)
        return Split(np.rint(squares.mean(axis=(3, 5), dtype=np.float32)).astype(np.uint8), part.labels)

    train, validation, test = small(data.train), small(data.validation), small(data.test)
    return ImageData(f"{data.name}-{side}", train, validation, test, data.classes, -(-data.shift // factor), data.flip)
