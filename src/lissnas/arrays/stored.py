"""Tables that are computed once, and from then on mapped into memory from the folder for caches.

A file holds all tables of one kind, with their version and a sha256 of every byte. What is missing, broken, half-written or of
another version is computed again and never trusted; a folder that cannot be written to is no error.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.disk import data_dir, writing
from lissnas.errors import UserError

__all__ = ["stored_tables"]

Tables = dict[str, NDArray[Any]]

_MAGIC = b"lissnas-tables-1"
_ALIGN = 64  # bytes: each table begins at a cache line


def stored_tables(name: str, version: int, build: Callable[[], Tables]) -> Tables:
    """The tables called ``name``, read-only: mapped from the cache, or built and left there for the next time.

    Args:
        version: to be raised whenever ``build`` gives something else than before.
        build: computes them.
    """
    path = data_dir() / "tables" / f"{name}.tables"
    tables = _read(path, version)
    if tables is not None:
        return tables
    built = build()
    try:
        _write(path, version, built)
    except (UserError, OSError):  # no place to write to: the tables are good without
        return {key: _read_only(table) for key, table in built.items()}
    return _read(path, version) or {key: _read_only(table) for key, table in built.items()}


def _write(path: Path, version: int, tables: Mapping[str, NDArray[Any]]) -> None:
    entries, offset = [], 0
    digest = hashlib.sha256()
    pieces = []
    for name, table in tables.items():
        data = np.ascontiguousarray(table).tobytes()
        padding = b"\0" * (-len(data) % _ALIGN)
        entries.append({"name": name, "dtype": table.dtype.str, "shape": list(table.shape), "offset": offset})
        pieces += [data, padding]
        offset += len(data) + len(padding)
    for piece in pieces:
        digest.update(piece)
    header = json.dumps({"version": version, "sha256": digest.hexdigest(), "bytes": offset, "tables": entries}).encode()
    header += b" " * (-(len(_MAGIC) + 8 + len(header)) % _ALIGN)
    with writing(path) as temporary, temporary.open("wb") as file:
        file.write(_MAGIC + len(header).to_bytes(8, "little") + header)
        for piece in pieces:
            file.write(piece)


def _read(path: Path, version: int) -> Tables | None:
    """The tables in the file, or None if it does not hold exactly what was once written."""
    try:
        whole = np.memmap(path, dtype=np.uint8, mode="r")
        begin = len(_MAGIC) + 8
        if len(whole) < begin or whole[: len(_MAGIC)].tobytes() != _MAGIC:
            return None
        end = begin + int.from_bytes(whole[len(_MAGIC) : begin].tobytes(), "little")
        header = json.loads(whole[begin:end].tobytes())
        data = np.asarray(whole)[end:]
        if (
            header["version"] != version
            or header["bytes"] != len(data)
            or header["sha256"] != hashlib.sha256(data.data).hexdigest()
        ):
            return None
        tables = {}
        for entry in header["tables"]:
            dtype, shape = np.dtype(entry["dtype"]), tuple(entry["shape"])
            size = dtype.itemsize * int(np.prod(shape))
            tables[entry["name"]] = data[entry["offset"] : entry["offset"] + size].view(dtype).reshape(shape)
    except (OSError, ValueError, KeyError, TypeError):  # not there, empty, cut off, or no header
        return None
    return tables


def _read_only(table: NDArray[Any]) -> NDArray[Any]:
    # Mapped tables are read-only: with the same kind of array, compiled loops are compiled once for both.
    table = np.ascontiguousarray(table)
    table.flags.writeable = False
    return table
