"""Images, split once: train, validation (all search and selection happens here), test (touched for final numbers only)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sized
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError, require
from lissnas.registry import Registry

__all__ = ["DATA", "ImageData", "Images", "Split", "cifar10", "digits", "stratified_split"]


class Images(Protocol):
    """What every data set tells, wherever its images are; batches are made from it by ``oneshot.batches``.

    Attributes:
        kind: where the images are, a name in ``oneshot.batches.LOADERS``.
        name: what it is called.
        shape: channels, height and width of what a network sees.
        classes: how many.
        mean, deviation: per channel, of pixels of 0 to 255: a network sees (pixel - mean) / deviation.
        fingerprint: 16 hex digits that identify images, labels, splits and augmentation.
        train, validation, test: the splits; each has a length.
    """

    kind: ClassVar[str]

    @property
    def name(self) -> str: ...
    @property
    def classes(self) -> int: ...
    @property
    def shape(self) -> tuple[int, int, int]: ...
    @property
    def mean(self) -> tuple[float, ...]: ...
    @property
    def deviation(self) -> tuple[float, ...]: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def train(self) -> Sized: ...
    @property
    def validation(self) -> Sized: ...
    @property
    def test(self) -> Sized: ...
    def split(self, name: str) -> Sized:
        """The split called train, validation or test."""
        ...


@dataclass(frozen=True)
class Split:
    """Images uint8[n, C, H, W] and labels int64[n]."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class ImageData:
    """A data set whose images are bytes in memory.

    Attributes:
        name: what it is called.
        mean, deviation: per channel, of the training images' pixels: a network sees (pixel - mean) / deviation.
        classes: how many.
        shift: training images are moved by up to so many pixels, zeros moving in.
        flip: whether training images are mirrored half of the time.
    """

    kind: ClassVar[str] = "memory"

    name: str
    train: Split
    validation: Split
    test: Split
    classes: int
    shift: int = 0
    flip: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        channels, height, width = self.train.images.shape[1:]
        return channels, height, width

    @cached_property
    def mean(self) -> tuple[float, ...]:
        return tuple(float(v) for v in self.train.images.mean(axis=(0, 2, 3), dtype=np.float64))

    @cached_property
    def deviation(self) -> tuple[float, ...]:
        return tuple(float(v) for v in self.train.images.std(axis=(0, 2, 3), dtype=np.float64))

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits that identify images, labels and augmentation."""
        digest = hashlib.sha256(f"{self.name} {self.classes} {self.shift} {self.flip}".encode())
        for split in (self.train, self.validation, self.test):
            digest.update(split.images.tobytes())
            digest.update(split.labels.tobytes())
        return digest.hexdigest()[:16]

    def split(self, name: str) -> Split:
        """The split called ``name``.

        Raises:
            UserError: not train, validation or test.
        """
        match name:
            case "train":
                return self.train
            case "validation":
                return self.validation
            case "test":
                return self.test
        raise UserError(f"a split is train, validation or test, but got '{name}'")


def stratified_split(labels: NDArray[np.int64], sizes: Mapping[str, int | None], seed: int) -> list[NDArray[np.intp]]:
    """Disjoint random index sets of the given sizes, each class in each of them as often as it is in the whole.

    Args:
        sizes: by the name of the split; one may be None: what the others leave.

    Raises:
        UserError: more images asked for than there are.
    """
    asked = sum(size for size in sizes.values() if size is not None)
    full = [len(labels) - asked if size is None else size for size in sizes.values()]
    given = {name: size for name, size in sizes.items() if size is not None}
    for name, size in given.items():
        if size < 1:
            raise UserError(f"{name} must be 1 image or more, but got {size}")
    if sum(full) > len(labels) or min(full) < 1:
        said = ", ".join(f"{name} {size}" for name, size in given.items())
        rest = "" if len(given) == len(sizes) else ", and some must be left for the test"
        raise UserError(f"there are {len(labels)} images to split{rest}, but got {said}: make one of them smaller")
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    # Deal the classes out evenly: images sorted by their rank within their class, so that any run holds all classes alike.
    rank = np.empty(len(labels))
    for label in np.unique(labels):
        members = order[labels[order] == label]
        rank[members] = (np.arange(len(members)) + rng.random()) / len(members)
    dealt = np.argsort(rank, kind="stable")
    parts = np.split(dealt, np.cumsum(full))[: len(full)]
    return [rng.permutation(part) for part in parts]


def digits(train: int = 320, validation: int = 738, seed: int = 0) -> ImageData:
    """1,797 handwritten digits of 8x8 pixels, shipped with scikit-learn; what is not train or validation is test.

    Raises:
        UserError: scikit-learn is not installed, or the sizes leave no test images.
    """
    datasets = require("sklearn.datasets", "oneshot")
    images, labels = datasets.load_digits(return_X_y=True)
    images = images.astype(np.uint8).reshape(-1, 1, 8, 8)
    labels = labels.astype(np.int64)
    parts = stratified_split(labels, {"train": train, "validation": validation, "test": None}, seed)
    kept, held, last = (Split(images[part], labels[part]) for part in parts)
    return ImageData("digits", kept, held, last, classes=10, shift=1)


RECORD = 1 + 3 * 32 * 32


def cifar10(folder: str | Path, validation: int = 5_000, train: int | None = None, seed: int = 0) -> ImageData:
    """CIFAR-10 from its official binary files (``cifar-10-batches-bin``, or the folder that holds it).

    Args:
        train: training images, as many of each class; None: all that validation leaves.

    Raises:
        UserError: a file that is missing, or not made of records of 3,073 bytes.
    """
    folder = Path(folder)
    if (folder / "cifar-10-batches-bin").is_dir():
        folder = folder / "cifar-10-batches-bin"
    batches = [_read_cifar10(folder / f"data_batch_{index}.bin") for index in range(1, 6)]
    images = np.concatenate([batch.images for batch in batches])
    labels = np.concatenate([batch.labels for batch in batches])
    kept, held = stratified_split(labels, {"train": train, "validation": validation}, seed)
    test = _read_cifar10(folder / "test_batch.bin")
    return ImageData(
        "cifar10", Split(images[kept], labels[kept]), Split(images[held], labels[held]), test, classes=10, shift=4, flip=True
    )


def _read_cifar10(path: Path) -> Split:
    if not path.is_file():
        raise UserError(f"'{path}' is missing: unpack cifar-10-binary.tar.gz and give the folder cifar-10-batches-bin")
    data = np.fromfile(path, dtype=np.uint8)
    if not len(data) or len(data) % RECORD:
        raise UserError(f"'{path}' has {len(data):,} bytes, not records of {RECORD:,}: it is cut off, so download it again")
    records = data.reshape(-1, RECORD)
    labels = records[:, 0].astype(np.int64)
    if labels.max() > 9:
        raise UserError(f"'{path}' holds the label {labels.max()}, but CIFAR-10 has 0 to 9: it is another file")
    return Split(records[:, 1:].reshape(-1, 3, 32, 32), labels)


# Name -> function(its settings, seed) -> the images, split. What a configuration calls ``data``.
DATA = Registry(
    "images",
    {
        "digits": "lissnas.oneshot.data:digits",
        "cifar10": "lissnas.oneshot.data:cifar10",
        "imagenet-folder": "lissnas.oneshot.folder:image_folder",
    },
)
