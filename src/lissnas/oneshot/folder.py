"""Images in folders as ImageNet has them, ``{train,val}/<class>/*.jpeg``: names are read here, pixels when they are needed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError, require
from lissnas.oneshot.data import stratified_split

__all__ = ["FolderSplit", "ImageFolder", "image_folder"]

SUFFIXES = (".jpeg", ".jpg", ".png", ".webp")
MOST_HELD_OUT = 10_000  # as OFA holds out of ImageNet
MOST_DECODERS = 16
READERS = 16  # folders listed at a time: on a disk across a network each of them takes its time

# The usual figures of ImageNet's training images [facebook/fb.resnet.torch datasets/imagenet.lua], in pixels of 0 to 255.
MEAN = (123.675, 116.28, 103.53)
DEVIATION = (58.395, 57.12, 57.375)


@dataclass(frozen=True)
class FolderSplit:
    """Files bytes[n], relative to the root and as the file system writes them, and their labels int64[n]."""

    files: NDArray[np.bytes_]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class ImageFolder:
    """A data set whose images are files; batches of them come from ``oneshot.folder_batches``.

    Attributes:
        root: the folder.
        class_names: of the folders of the classes, sorted: the first is class 0.
        resolution: height and width of what a network sees, in pixels.
        min_area: the smallest share of an image that a training crop covers; 1 at most [RandomResizedCrop of SPOS: 0.08].
        jitter: brightness, contrast and saturation of training images change by up to this share [ShuffleNetV2, SPOS: 0.4].
        flip: whether training images are mirrored half of the time.
        workers: processes that decode, for each device, if given. Results do not depend on it.
        fingerprint: of the names of all files, the splits and the augmentation. Contents are not looked at: of all of ImageNet
            that would take as long as a few epochs, and an image that turns out to be damaged can be replaced on the way.
    """

    kind: ClassVar[str] = "folder"
    mean: ClassVar[tuple[float, ...]] = MEAN
    deviation: ClassVar[tuple[float, ...]] = DEVIATION

    name: str
    root: Path
    class_names: tuple[str, ...]
    train: FolderSplit
    validation: FolderSplit
    test: FolderSplit
    resolution: int
    min_area: float
    jitter: float
    flip: bool
    workers: int | None
    fingerprint: str

    @property
    def classes(self) -> int:
        return len(self.class_names)

    def decoders(self, devices: int = 1) -> int:
        """Processes that decode for one of so many devices."""
        return self.workers if self.workers is not None else min(max(1, (os.cpu_count() or 1) // devices), MOST_DECODERS)

    @property
    def shape(self) -> tuple[int, int, int]:
        return 3, self.resolution, self.resolution

    def split(self, name: str) -> FolderSplit:
        """The split called train, validation or test.

        Raises:
            UserError: another name.
        """
        splits = {"train": self.train, "validation": self.validation, "test": self.test}
        if name not in splits:
            raise UserError(f"a split is {', '.join(splits)}, but got '{name}'")
        return splits[name]


def image_folder(
    folder: str | Path,
    resolution: int = 224,
    train: int | None = None,
    validation: int | None = None,
    min_area: float = 0.08,
    jitter: float = 0.4,
    flip: bool = True,
    workers: int | None = None,
    seed: int = 0,
) -> ImageFolder:
    """The images in ``folder``: the classes are the folders in its ``train``, and those in its ``val`` are for the test.

    Validation images are taken off the training ones, each class as often as it is in the whole. Without a ``val``, the test
    images are taken off them too, as many as for validation.

    Args:
        train: training images; all that the other splits leave, if not given.
        validation: a tenth of the training images, at most 10,000, if not given.
        min_area, jitter, flip: the augmentation: see :class:`ImageFolder`.
        workers: processes that decode, for each device of a training; its share of the cores, at most 16, if not given.

    Raises:
        UserError: a folder that is missing, unreadable or holds no images; a class without images; ``train`` and ``val`` with
            different classes; splits that the images do not fill; a setting that makes no sense.
    """
    require("PIL", "oneshot")
    root = Path(folder)
    _require(resolution >= 8, "resolution", "8 pixels or more", resolution)
    _require(0 < min_area <= 1, "min_area", "more than 0 and at most 1", min_area)
    _require(0 <= jitter < 1, "jitter", "at least 0 and below 1", jitter)
    _require(workers is None or workers >= 0, "workers", "0 or more", workers)
    for part in ("", "train"):
        if not (root / part).is_dir():
            raise UserError(f"'{root / part}' is no folder: images are looked for as {root}/train/CLASS/IMAGE.jpeg")
    found = _scan(root, "train")
    digest = hashlib.sha256(found.digest)
    held = validation if validation is not None else max(1, min(len(found.labels) // 10, MOST_HELD_OUT))
    if (root / "val").is_dir():
        apart = _scan(root, "val")
        _require_same_classes(root, found.classes, apart.classes)
        digest.update(apart.digest)
        kept, chosen = stratified_split(found.labels, {"train": train, "validation": held}, seed)
        test = FolderSplit(apart.files, apart.labels)
    else:
        kept, chosen, last = stratified_split(found.labels, {"train": train, "validation": held, "test": held}, seed)
        test = FolderSplit(found.files[last], found.labels[last])
    digest.update(f"{resolution} {train} {held} {min_area} {jitter} {flip} {seed}".encode())
    return ImageFolder(
        root.name,
        root,
        found.classes,
        FolderSplit(found.files[kept], found.labels[kept]),
        FolderSplit(found.files[chosen], found.labels[chosen]),
        test,
        resolution,
        min_area,
        jitter,
        flip,
        workers,
        digest.hexdigest()[:16],
    )


class _Found(NamedTuple):
    classes: tuple[str, ...]
    files: NDArray[np.bytes_]
    labels: NDArray[np.int64]
    digest: bytes


def _scan(root: Path, part: str) -> _Found:
    """All images of ``root/part``, sorted by name."""
    classes = sorted(entry.name for entry in _listed(root / part) if entry.is_dir() and not entry.name.startswith("."))
    if not classes:
        raise UserError(f"'{root / part}' holds no folders of classes: put its images into {root / part}/CLASS/IMAGE.jpeg")
    with ThreadPoolExecutor(READERS) as pool:
        listed = list(pool.map(_images, [root / part / name for name in classes]))
    for name, images in zip(classes, listed, strict=True):
        if not images:
            raise UserError(
                f"the class '{root / part / name}' has no images ({', '.join(SUFFIXES)}): add some, or remove the folder"
            )
    digest = hashlib.sha256()
    files = []
    for name, images in zip(classes, listed, strict=True):
        for image in images:
            files.append(os.fsencode(f"{part}/{name}/{image}"))
            digest.update(files[-1] + b"\0")
    labels = np.repeat(np.arange(len(classes)), [len(images) for images in listed])
    return _Found(tuple(classes), np.array(files), labels, digest.digest())


def _images(folder: Path) -> list[str]:
    """The name of each image in ``folder``, sorted."""
    found = [entry for entry in _listed(folder) if entry.name.lower().endswith(SUFFIXES) and not entry.name.startswith(".")]
    return sorted(entry.name for entry in found if entry.is_file())


def _listed(folder: Path) -> Sequence[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise UserError(f"the folder '{folder}' cannot be read: {error.strerror}") from None


def _require_same_classes(root: Path, train: Sequence[str], val: Sequence[str]) -> None:
    for part, other, missing in (("train", "val", set(train) - set(val)), ("val", "train", set(val) - set(train))):
        if missing:
            some = ", ".join(sorted(missing)[:3]) + (" ..." if len(missing) > 3 else "")
            raise UserError(
                f"train and val must have the same classes, but of those in '{root / part}' {len(missing)} are not in "
                f"'{root / other}' ({some}): add or remove these folders"
            )


def _require(holds: bool, name: str, rule: str, value: object) -> None:
    if not holds:
        raise UserError(f"{name} must be {rule}, but got {value!r}")
