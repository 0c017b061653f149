"""TFRecord files without TensorFlow.

A record is its length as a little-endian uint64, the masked CRC-32C of those 8 bytes, the payload, and the payload's masked
CRC-32C (``tensorflow/core/lib/io/record_writer.cc``). Files that are compressed as a whole are not read.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays.compiled import compiled
from lissnas.disk import disk_errors, writing
from lissnas.errors import UserError
from lissnas.evaluators.readers.checksum import TABLES, crc32c, masked, masked_checksums

__all__ = ["Block", "Records", "write_records"]

BLOCK = 1 << 15  # records that are looked at together
WHOLE, FULL, CUT, LENGTH_SUM, DATA_SUM = range(5)


class Block(NamedTuple):
    """Some consecutive records.

    Attributes:
        data: uint8[N], all bytes of the file, memory-mapped.
        starts, stops: int64[n]: the payloads are ``data[start:stop]``.
        first: the number of the first one in the file, from 0.
    """

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    first: int


class Records:
    """The records of the file at ``path``, in order. Each is checked against its checksums before it is given out.

    Raises:
        UserError: no such file, or one that is no TFRecord; while reading: a file that ends within a record or a checksum that
            does not fit, with the byte at which the record begins.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise UserError(f"there is no file '{self.path}': check the path")
        if self.path.stat().st_size == 0:
            raise UserError(f"the TFRecord file '{self.path}' is empty: download it again")
        with disk_errors(self.path):
            self.data: NDArray[np.uint8] = np.memmap(self.path, dtype=np.uint8, mode="r").view(np.ndarray)
        head, _, status, _ = self._scan(0, 1, verify=False)
        if not len(head) and status == LENGTH_SUM:
            raise UserError(f"'{self.path}' is no TFRecord file (its first 8 bytes do not fit their checksum): check the path")

    def blocks(self, records: int = BLOCK) -> Iterator[Block]:
        """The records, ``records`` at a time."""
        at = count = 0
        while at < len(self.data):
            starts, stops, status, at = self._scan(at, records)
            if status >= CUT:
                what = {
                    CUT: f"ends within it, after {len(self.data):,} bytes",
                    LENGTH_SUM: "holds a length there that does not fit its checksum",
                    DATA_SUM: "holds data there that do not fit their checksum",
                }[status]
                raise UserError(
                    f"record {count + len(starts)} of '{self.path}', at byte {at}, is broken: the file {what}: "
                    "download it again"
                )
            yield Block(self.data, starts, stops, count)
            count += len(starts)

    def __iter__(self) -> Iterator[bytes]:
        """The payloads one by one."""
        for block in self.blocks():
            for start, stop in zip(block.starts.tolist(), block.stops.tolist(), strict=True):
                yield self.data[start:stop].tobytes()

    def _scan(self, at: int, records: int, verify: bool = True) -> tuple[NDArray[np.int64], NDArray[np.int64], int, int]:
        starts, stops = np.empty((2, records), dtype=np.int64)
        count, status, at = _scan(self.data, at, verify, TABLES, starts, stops)
        return starts[:count], stops[:count], status, at


@compiled
def _scan(
    data: NDArray[np.uint8],
    at: int,
    verify: bool,
    tables: NDArray[np.uint32],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
) -> tuple[int, int, int]:
    """Find the next records from byte ``at``: how many, how it ended, and where the next (or the broken) one begins."""
    for i in range(len(starts)):
        if at == len(data):
            return i, WHOLE, at
        if at + 12 > len(data):
            return i, CUT, at
        if _word(data, at + 8) != masked(crc32c(data, at, at + 8, tables)):
            return i, LENGTH_SUM, at
        length: Any = 0
        for byte in range(8):
            length |= np.int64(data[at + byte]) << (8 * byte)
        start = at + 12
        if length < 0 or length > len(data) - start - 4:
            return i, CUT, at
        if verify and _word(data, start + length) != masked(crc32c(data, start, start + length, tables)):
            return i, DATA_SUM, at
        starts[i] = start
        stops[i] = start + length
        at = start + length + 4
    return len(starts), FULL, at


@compiled
def _word(data: NDArray[np.uint8], at: int) -> np.uint32:
    return np.uint32(
        np.uint32(data[at])
        | (np.uint32(data[at + 1]) << np.uint32(8))
        | (np.uint32(data[at + 2]) << np.uint32(16))
        | (np.uint32(data[at + 3]) << np.uint32(24))
    )


def write_records(path: str | Path, payloads: Iterable[bytes]) -> int:
    """Write ``payloads`` as a TFRecord file, whole or not at all; returns how many there were.

    Raises:
        UserError: the disk refuses.
    """
    count = 0
    payloads = iter(payloads)
    with writing(path) as temporary, temporary.open("wb") as file:
        while some := list(itertools.islice(payloads, BLOCK)):
            sizes = np.array([len(payload) for payload in some], dtype="<u8")
            heads, bodies = _checksums(sizes.tobytes(), np.full(len(some), 8)), _checksums(b"".join(some), sizes)
            for size, head, payload, body in zip(sizes, heads.tolist(), some, bodies.tolist(), strict=True):
                file.write(b"".join((size.tobytes(), head.to_bytes(4, "little"), payload, body.to_bytes(4, "little"))))
            count += len(some)
    return count


def _checksums(data: bytes, sizes: NDArray[np.uint64] | NDArray[np.int64]) -> NDArray[np.uint32]:
    stops = np.cumsum(sizes, dtype=np.int64)
    array = np.frombuffer(data or b"\0", dtype=np.uint8)
    sums: NDArray[np.uint32] = masked_checksums(array, stops - sizes.astype(np.int64), stops, TABLES)
    return sums
