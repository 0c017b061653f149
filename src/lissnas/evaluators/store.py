"""Where the data of benchmarks is kept: each converted once, checksummed, and there whole or not at all.

::

    <data_dir>/nasbench201/table-1f00aa52.arrow    one Arrow IPC file, memory-mapped: code words, then a column per metric
    <data_dir>/nasbench201/meta.json               what it was made from, sizes and sha256; written last: without it, nothing is
    <data_dir>/.locks/nasbench201                  always empty, never removed: one process at a time installs or removes
    <data_dir>/.downloads/nasbench201/             what a broken-off download goes on from

What is replaced gets a new name, so whoever has the old file open goes on reading it. Opening needs no lock and no right to
write, so one folder can serve many users.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Codes
from lissnas.disk import data_dir, disk_errors, write_bytes, writing
from lissnas.errors import UserError

__all__ = [
    "FileRecord",
    "Installed",
    "Origin",
    "Say",
    "Table",
    "downloads_dir",
    "file_record",
    "installed",
    "is_there",
    "keep_files",
    "kept_files",
    "locked",
    "open_table",
    "remove",
    "silent",
    "verify",
    "write_table",
]

META = "meta.json"
FORMAT = 1  # of the folder: its files, and the columns of a table

Say = Callable[[str], None]

_BLOCK = 1 << 20  # bytes that are hashed at a time


def silent(line: str) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class FileRecord:
    """A file by its content: its name, its size in bytes and its sha256 (hex)."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Origin:
    """What an installation was made from, and by which rules.

    Attributes:
        sources: the file that was read, and those beside it that were read too.
        version: of the benchmark's converter.
        genes: which genes the codes count (see ``benchmark.genes_key``).
    """

    sources: tuple[FileRecord, ...]
    version: int
    genes: str

    @property
    def source(self) -> FileRecord:
        """The file that was read."""
        return self.sources[0]


@dataclass(frozen=True)
class Installed:
    """What ``meta.json`` says: the ``origin``, the ``files`` beside it, and the ``rows`` of a table (None: files only)."""

    name: str
    origin: Origin
    files: tuple[FileRecord, ...]
    rows: int | None

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class Table:
    """A benchmark's table: ``codes`` uint64[n, W], a sorted set, and ``columns``, each float32[n] or float64[n] (NaN: missing).

    The arrays are read-only views of the file: nothing is read from the disk before it is asked for.
    """

    codes: Codes
    columns: Mapping[str, NDArray[np.floating[Any]]]


def downloads_dir(name: str) -> Path:
    """Where a download for ``name`` lies until it is whole."""
    return data_dir() / ".downloads" / name


# -- what is there ------------------------------------------------------------------------------------------------------


def installed(name: str) -> Installed | None:
    """What is installed as ``name``, or None. The files are not looked at.

    Raises:
        UserError: ``meta.json`` cannot be read.
    """
    path = data_dir() / name / META
    try:
        data = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UserError(f"cannot read '{path}' ({(error.strerror or str(error)).lower()}): check its rights") from None
    except ValueError:
        raise _damaged(name, f"'{path}' is not JSON") from None
    try:
        if data["format"] != FORMAT:
            raise UserError(
                f"the data of '{name}' was installed by another version of lissnas (format {data['format']}, not {FORMAT}): "
                f"lissnas data remove {name}, then add or fetch it again"
            )
        origin = Origin(tuple(FileRecord(**file) for file in data["sources"]), int(data["version"]), str(data["genes"]))
        return Installed(name, origin, tuple(FileRecord(**file) for file in data["files"]), data["rows"])
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        raise _damaged(name, f"'{path}' lacks what it must say") from None


def is_there(name: str) -> bool:
    """Whether anything is installed as ``name``, intact or not."""
    return (data_dir() / name / META).exists()


def open_table(name: str) -> Table:
    """The table installed as ``name``, memory-mapped.

    Raises:
        UserError: none is installed, or its file is not what was installed (by its size and structure; ``verify`` looks at
            every byte).
    """
    import pyarrow as pa

    path = _files(name)[0]
    try:
        with pa.memory_map(str(path)) as stream:
            reader = pa.ipc.open_file(stream)
            batch = reader.get_batch(0)
        arrays = {field: batch.column(field).to_numpy(zero_copy_only=True) for field in batch.schema.names}
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise _damaged(name, f"'{path}' is no whole Arrow file: {' '.join(str(error).split())[:80]}") from None
    words = [arrays.pop(field) for field in list(arrays) if field.startswith("code ")]
    codes = words[0][:, None] if len(words) == 1 else np.column_stack(words)
    return Table(codes, arrays)


def kept_files(name: str) -> list[Path]:
    """The files installed as ``name``.

    Raises:
        UserError: nothing is installed, or a file is not what was installed, by its size.
    """
    return _files(name)


def _needed(name: str) -> Installed:
    record = installed(name)
    if record is None:
        raise UserError(f"the data of '{name}' is not in {data_dir()}: lissnas data add {name} FILE")
    return record


def _files(name: str) -> list[Path]:
    for attempt in range(2):
        record = _needed(name)
        paths = [data_dir() / name / file.name for file in record.files]
        wrong = [str(path) for path, file in zip(paths, record.files, strict=True) if _size(path) != file.size]
        if not wrong:
            return paths
        if attempt == 0:  # another process may have put newer data in its place since meta.json was read
            continue
    raise _damaged(name, f"'{wrong[0]}' has another size than what was installed")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def verify(name: str) -> Installed:
    """Read every byte of what is installed as ``name`` and compare it with its sha256.

    Raises:
        UserError: nothing is installed, or a file differs.
    """
    paths, record = _files(name), _needed(name)
    for path, file in zip(paths, record.files, strict=True):
        if file_record(path).sha256 != file.sha256:
            raise _damaged(name, f"the sha256 of '{path}' is not the one that was installed")
    return record


def _damaged(name: str, what: str) -> UserError:
    return UserError(f"the data of '{name}' is damaged ({what}): lissnas data remove {name}, then add or fetch it again")


def file_record(path: Path) -> FileRecord:
    """Size and sha256 of a file; of a folder, those of the names, sizes and sha256 of its files.

    Raises:
        UserError: it cannot be read.
    """
    digest, size = hashlib.sha256(), 0
    if path.is_dir():
        for inside in sorted(found for found in path.iterdir() if found.is_file()):
            record = file_record(inside)
            digest.update(f"{record.name} {record.size} {record.sha256}\n".encode())
            size += record.size
        return FileRecord(path.name, size, digest.hexdigest())
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
    except OSError as error:
        raise UserError(f"cannot read '{path}' ({(error.strerror or str(error)).lower()}): check the path") from None
    return FileRecord(path.name, size, digest.hexdigest())


# -- installing ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def locked(name: str, say: Say = silent) -> Iterator[None]:
    """Alone with ``name``: another process that installs, fetches or removes it is waited for.

    Raises:
        UserError: the folder cannot be written to, or is on a disk without locks.
    """
    path = data_dir() / ".locks" / name
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another process is working on the data of '{name}': waiting for it")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            raise UserError(
                f"'{data_dir()}' is on a disk without locks ({error.strerror}): set LISSNAS_DATA_DIR to a folder elsewhere"
            ) from None
        yield
    finally:
        os.close(descriptor)


def write_table(name: str, origin: Origin, codes: Codes, columns: Mapping[str, NDArray[np.floating[Any]]]) -> Installed:
    """Install a table. The caller holds the lock.

    Args:
        codes: uint64[n, W], sorted, each once.
        columns: float32[n] or float64[n] by name.

    Raises:
        UserError: the disk refuses.
    """
    import pyarrow as pa

    arrays = {f"code {word}": np.ascontiguousarray(codes[:, word]) for word in range(codes.shape[1])} | dict(columns)
    batch = pa.record_batch({field: pa.array(values) for field, values in arrays.items()})
    path = data_dir() / name / f"table-{secrets.token_hex(4)}.arrow"
    with writing(path) as temporary, pa.OSFile(str(temporary), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return _commit(name, origin, [path], len(codes))


def keep_files(name: str, origin: Origin, paths: Sequence[Path]) -> Installed:
    """Install copies of ``paths``, in this order; each keeps its name behind a prefix. The caller holds the lock.

    Raises:
        UserError: the disk refuses.
    """
    copies = []
    for path in paths:
        copy = data_dir() / name / f"{secrets.token_hex(4)}-{path.name}"
        with writing(copy) as temporary:
            shutil.copyfile(path, temporary)
        copies.append(copy)
    return _commit(name, origin, copies, None)


def _commit(name: str, origin: Origin, paths: Sequence[Path], rows: int | None) -> Installed:
    """From here on ``paths`` are what is installed, and what was before is gone."""
    files = [file_record(path) for path in paths]
    meta = {
        "format": FORMAT,
        "sources": [asdict(file) for file in origin.sources],
        "version": origin.version,
        "genes": origin.genes,
        "files": [asdict(file) for file in files],
        "rows": rows,
    }
    folder = data_dir() / name
    write_bytes(folder / META, json.dumps(meta, indent=1).encode() + b"\n")
    _clear(folder, {META, *(file.name for file in files)})
    return Installed(name, origin, tuple(files), rows)


def remove(name: str) -> bool:
    """Remove what is installed as ``name`` and what was downloaded of it; whether there was any. The caller holds the lock.

    Raises:
        UserError: the disk refuses.
    """
    folder, downloads = data_dir() / name, downloads_dir(name)
    found = folder.exists() or downloads.exists()
    with disk_errors(folder):
        (folder / META).unlink(missing_ok=True)  # first: what is left after an interruption looks like nothing
    _clear(folder, set())
    _clear(downloads, set())
    with contextlib.suppress(OSError):
        folder.rmdir()
        downloads.rmdir()
    return found


def _clear(folder: Path, keep: set[str]) -> None:
    """Remove the files of ``folder`` but those to ``keep``: older data, and what killed processes left."""
    with disk_errors(folder):
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.name not in keep and path.is_file():
                path.unlink()
