"""Tensors in torch's files, as NumPy arrays that are read when they are asked for. Torch itself is not needed.

``torch/serialization.py``: since torch 1.6 a file is a zip of ``data.pkl`` and one file per storage; before, the storages stand
behind the pickle, in the order of a list of their keys, each after its length as an int64.
"""

from __future__ import annotations

import math
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError

__all__ = ["STORAGES", "Storage", "Tensor", "read_legacy_storages", "rebuild_tensor"]

# torch's names of storages, and what an element is. bfloat16 has no NumPy type: its 16 bits are given.
STORAGES: Mapping[str, str] = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "BFloat16Storage": "<u2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


class Storage:
    """A row of numbers that tensors look at: their type and count, and where in which file they are."""

    def __init__(self, dtype: str, size: int) -> None:
        self.dtype, self.size = np.dtype(dtype), size
        self._read: Callable[[], bytes] | None = None

    def __setstate__(self, state: object) -> None:
        raise ValueError("a storage that is changed after it is made")

    def read_from(self, path: Path, entry: str) -> None:
        """It is the file ``entry`` in the zip file at ``path``."""

        def read() -> bytes:
            with zipfile.ZipFile(path) as archive:
                return archive.read(entry)

        self._read = read

    def read_bytes(self, content: bytes) -> None:
        """It is ``content``."""
        self._read = lambda: content

    def numpy(self) -> NDArray[Any]:
        """Its numbers, [size]."""
        if self._read is None:
            raise UserError("a tensor's numbers are not in the file: is it whole?")
        return np.frombuffer(self._read(), dtype=self.dtype)[: self.size]


@dataclass(frozen=True)
class Tensor:
    """A view of a storage; ``numpy()`` reads it."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    def __setstate__(self, state: object) -> None:
        raise ValueError("a tensor that is changed after it is made")

    def numpy(self) -> NDArray[Any]:
        """The tensor's numbers as an array of its shape.

        Raises:
            UserError: it looks beyond its storage.
        """
        numbers = self.storage.numpy()
        last = self.offset + sum((size - 1) * step for size, step in zip(self.shape, self.stride, strict=True))
        if 0 not in self.shape and not (last < len(numbers) and math.prod(self.shape) <= len(numbers)):
            raise UserError("a tensor's numbers are not in the file: is it whole?")
        bytes_apart = [step * numbers.itemsize for step in self.stride]
        return np.lib.stride_tricks.as_strided(numbers[self.offset :], self.shape, bytes_apart, writeable=False).copy()


def rebuild_tensor(storage: Any, offset: Any, shape: Any, stride: Any, *_: Any) -> Tensor:
    """What a pickle calls ``torch._utils._rebuild_tensor_v2``."""
    sizes, steps = tuple(shape), tuple(stride)
    if not isinstance(storage, Storage) or not all(isinstance(part, int) and part >= 0 for part in (offset, *sizes, *steps)):
        raise ValueError("a tensor of an unknown kind")
    return Tensor(storage, offset, sizes, steps)


def read_legacy_storages(file: IO[bytes], keys: Sequence[str], storages: Mapping[str, Storage]) -> None:
    """Give ``storages`` what stands behind the pickle in torch's older format.

    Raises:
        UserError: the file ends before.
    """
    for key in keys:
        storage = storages.get(key)
        head = file.read(8)
        if storage is None or len(head) < 8:
            raise UserError("the file of tensors ends before its last one: download it again")
        size = struct.unpack("<q", head)[0]
        content = file.read(size * storage.dtype.itemsize) if size == storage.size else b""
        if len(content) < storage.size * storage.dtype.itemsize:
            raise UserError("the file of tensors ends before its last one: download it again")
        storage.read_bytes(content)
