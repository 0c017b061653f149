"""Pickles of plain data: arrays, numbers, strings and plain containers. Anything else is refused by name, and nothing is run.

A pickle is a program that may call whatever it names. Here it can name only what stands in ``_ALLOWED``: constructors of plain
data, each behind a check of its arguments. Files may be compressed with bzip2 (NATS-Bench's ``.pickle.pbz2``) or be torch's
``.pth``, in both of its formats; tensors are not read until they are asked for.

A hostile file can still be large: at most ``limit`` bytes are unpacked from a compressed one, and a pickle that asks for more
memory than there is is refused, but memory within that is not guarded.
"""

from __future__ import annotations

import bz2
import collections
import io
import pickle
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FunctionType
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from lissnas.disk import disk_errors
from lissnas.errors import UserError
from lissnas.evaluators.readers.torch_tensors import STORAGES, Storage, Tensor, read_legacy_storages, rebuild_tensor

__all__ = ["LIMIT", "Tensor", "load_pickle", "load_pickle_stream"]

LIMIT = 16 << 30  # bytes that a compressed file may unpack to

_TORCH_MAGIC = 0x1950A86A20F9469CFC6C  # the first object of torch's older format (torch/serialization.py)
_SIMPLE_DTYPE = re.compile(r"[<>|=]?([?bBhHiIlLqQefdFD]|[biufc]\d{1,2}|[SU]\d{1,9})")


class _RefusedError(Exception):
    """What a pickle holds that is not plain data."""


def load_pickle(path: str | Path, limit: int = LIMIT) -> Any:
    """The plain data in the file at ``path``: a pickle, one compressed with bzip2, or a file of ``torch.save``.

    Raises:
        UserError: no such file; a file of another kind, or a broken one; a pickle that names anything but plain data, with that
            name; one that unpacks to more than ``limit`` bytes.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"there is no file '{path}': check the path")
    with disk_errors(path), path.open("rb") as file:
        return load_pickle_stream(file, str(path), limit)


def load_pickle_stream(file: IO[bytes], name: str, limit: int = LIMIT) -> Any:
    """The plain data in an open file; ``name`` is what messages call it. Otherwise as :func:`load_pickle`."""
    head = file.read(4)
    file.seek(0)
    try:
        if head.startswith(b"PK\x03\x04"):
            return _load_torch_zip(file, name, limit)
        if head.startswith(b"BZh"):
            with bz2.BZ2File(file) as unpacked:
                return _Unpickler(_Limited(unpacked, name, limit), name).load()
        return _load_plain_or_torch(file, name)
    except _RefusedError as refused:
        raise UserError(
            f"the pickle '{name}' holds {refused}, which is no array, number, string or plain container: it is not read"
        ) from None
    except UserError:
        raise
    except (MemoryError, OverflowError):
        raise UserError(f"the pickle '{name}' asks for more memory than there is: is it broken?") from None
    except RecursionError:
        raise UserError(f"the pickle '{name}' is nested too deeply: it is not read") from None
    except (pickle.UnpicklingError, EOFError, zipfile.BadZipFile, *_BROKEN) as error:
        what = " ".join(str(error).split())[:100] or type(error).__name__
        raise UserError(f"'{name}' is no pickle that can be read, or a broken one ({what}): check the file") from None


# What the unpickler raises on bytes that are no pickle.
_BROKEN = (ValueError, TypeError, KeyError, IndexError, AttributeError, UnicodeDecodeError, OSError)


def _load_plain_or_torch(file: IO[bytes], name: str) -> Any:
    first = _Unpickler(file, name).load()
    if type(first) is not int or first != _TORCH_MAGIC:  # an array has no one answer
        return first
    for _ in range(2):  # the version of the protocol, and facts about the machine that wrote it
        _Unpickler(file, name).load()
    storages: dict[str, Storage] = {}
    content = _Unpickler(file, name, storages).load()
    keys = _Unpickler(file, name).load()
    read_legacy_storages(file, [str(key) for key in keys], storages)
    return content


def _load_torch_zip(file: IO[bytes], name: str, limit: int) -> Any:
    data = file.read() if not file.seekable() else None
    archive = zipfile.ZipFile(file if data is None else io.BytesIO(data))
    entry = next((entry for entry in archive.infolist() if entry.filename.endswith("/data.pkl")), None)
    if entry is None:
        raise UserError(f"'{name}' is a zip file, but none that torch.save wrote: check the file")
    if sum(part.file_size for part in archive.infolist()) > limit:
        raise UserError(f"'{name}' unpacks to more than {limit >> 20:,} MiB: it is not read")
    folder = entry.filename.removesuffix("data.pkl")
    storages: dict[str, Storage] = {}
    content = _Unpickler(io.BytesIO(archive.read(entry)), name, storages).load()
    for key, storage in storages.items():
        storage.read_from(Path(name), f"{folder}data/{key}")
    return content


class _Limited(io.RawIOBase):
    """The first ``limit`` bytes of a file; asking for more is refused."""

    def __init__(self, file: IO[bytes], name: str, limit: int) -> None:
        self._file, self._name, self._limit, self._left = file, name, limit, limit

    def read(self, size: int = -1) -> bytes:
        return self._count(self._file.read(self._left + 1 if size < 0 else size))

    def readline(self, size: int | None = -1) -> bytes:
        return self._count(self._file.readline(self._left + 1 if size is None or size < 0 else size))

    def readinto(self, buffer: Any) -> int:
        some = self.read(len(buffer))
        buffer[: len(some)] = some
        return len(some)

    def _count(self, some: bytes) -> bytes:
        self._left -= len(some)
        if self._left < 0:
            raise UserError(f"'{self._name}' unpacks to more than {self._limit >> 20:,} MiB: it is not read")
        return some


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: Any, name: str, storages: dict[str, Storage] | None = None) -> None:
        super().__init__(file, encoding="latin1")
        self._name, self._storages = name, storages

    def find_class(self, module: str, name: str) -> Any:
        module = {"__builtin__": "builtins"}.get(module, module).replace("numpy.core", "numpy._core")
        found = _ALLOWED.get((module, name))
        if found is None:
            raise _RefusedError(f"{module}.{name}")
        return _Maker(found) if isinstance(found, FunctionType) else found

    def persistent_load(self, pid: Any) -> Any:
        if self._storages is None or not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage":
            raise _RefusedError("a reference to something outside of it")
        _, dtype, key, _, size = pid[:5]
        if not isinstance(dtype, str) or not isinstance(key, str) or not isinstance(size, int):
            raise _RefusedError("a tensor of an unknown kind")
        return self._storages.setdefault(key, Storage(dtype, size))


# -- what a pickle may name ---------------------------------------------------------------------------------------------


def _is_plain(dtype: object) -> bool:
    # looked at where it is used, since a pickle can change a type after it is made
    return isinstance(dtype, np.dtype) and not dtype.hasobject and dtype.names is None and dtype.kind in "?biufcSU"


def _own_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    # a type that the pickle holds too could be given longer elements afterwards, beyond the array's memory
    return np.dtype(dtype.str)


class _PlainArray(np.ndarray[Any, Any]):
    """An array that takes its content from a pickle only if it holds no objects."""

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5 or not _is_plain(state[2]):
            raise _RefusedError("an array of objects")
        super().__setstate__((*state[:2], _own_dtype(state[2]), *state[3:]))


def _array(subtype: object, shape: object, code: object) -> NDArray[Any]:  # noqa: ARG001 - NumPy writes these three
    return _PlainArray((0,), dtype=np.int8)


def _array_of_buffer(data: Any, dtype: Any, shape: Any, order: Any) -> NDArray[Any]:
    if not isinstance(data, (bytes, bytearray)) or not _is_plain(dtype):
        raise _RefusedError("an array of objects")
    return np.frombuffer(bytes(data), dtype=_own_dtype(dtype)).reshape(shape, order="F" if order == "F" else "C")


def _dtype(code: Any, *_: Any) -> np.dtype[Any]:
    if not isinstance(code, str) or not _SIMPLE_DTYPE.fullmatch(code):
        raise _RefusedError(f"an array of '{code}'")
    return np.dtype(code, align=False, copy=True)  # a copy: what follows in the pickle sets its byte order


def _scalar(dtype: Any, data: Any = None) -> Any:
    if not _is_plain(dtype) or isinstance(data, str) is isinstance(data, bytes):
        raise _RefusedError("a NumPy scalar that is no number")
    raw = data.encode("latin1") if isinstance(data, str) else data  # Python 2 wrote bytes as text
    if len(raw) != dtype.itemsize:
        raise ValueError("a number of another size than its type has")
    return np.frombuffer(raw, dtype=dtype)[0]


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    """How protocol 2 writes bytes."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise _RefusedError("bytes of an unknown kind")
    return text.encode("latin1")


def _bytearray(content: Any = b"", encoding: Any = "latin1") -> bytearray:
    return bytearray(_encode(content, encoding) if isinstance(content, str) else _container(bytes)(content))


def _container(kind: Callable[..., Any]) -> Callable[..., Any]:
    def make(*content: Any) -> Any:
        if len(content) > 1 or not all(isinstance(part, (list, tuple, set, dict, bytes, str)) for part in content):
            raise _RefusedError(f"a {kind.__name__} made of something else")
        return kind(*content)

    return make


class _Maker:
    """A function that a pickle may call, but not change: its defaults would stay changed."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise _RefusedError("a change of what makes its data")


def _array_class(*_: Any) -> None:
    """Stands for the class that pickles of arrays pass on."""
    raise _RefusedError("an array made in an unknown way")


_ALLOWED: Mapping[tuple[str, str], Any] = {
    ("numpy._core.multiarray", "_reconstruct"): _array,
    ("numpy._core.multiarray", "scalar"): _scalar,
    ("numpy._core.numeric", "_frombuffer"): _array_of_buffer,
    ("numpy", "ndarray"): _array_class,
    ("numpy", "dtype"): _dtype,
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): _container(collections.OrderedDict),
    **{("builtins", kind.__name__): _container(kind) for kind in (list, dict, set, frozenset, tuple, bytes)},
    ("builtins", "complex"): complex,
    ("builtins", "bytearray"): _bytearray,
    ("torch._utils", "_rebuild_tensor_v2"): rebuild_tensor,
    **{("torch", name): dtype for name, dtype in STORAGES.items()},
}
