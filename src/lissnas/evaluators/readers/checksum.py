"""CRC-32C (Castagnoli), eight bytes at a time, and TFRecord's masked form of it.

Source: RFC 3720 appendix B.4 for the polynomial; the slicing tables are Kounavis and Berry's; the mask is TensorFlow's
(``tensorflow/core/lib/hash/crc32c.h``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays.compiled import compiled

__all__ = ["TABLES", "crc32c", "masked", "masked_checksums"]

POLYNOMIAL = 0x82F63B78  # bits reversed
EMPTY = np.uint32(0xFFFFFFFF)
MASK = np.uint32(0xA282EAD8)


def _tables() -> NDArray[np.uint32]:
    """uint32[8, 256]: what a byte does to the checksum, 0 to 7 bytes before the end of a group of eight."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = (table >> np.uint32(1)) ^ np.where(table & np.uint32(1), np.uint32(POLYNOMIAL), np.uint32(0))
    tables = [table]
    for _ in range(7):
        tables.append((tables[-1] >> np.uint32(8)) ^ table[tables[-1] & np.uint32(255)])
    return np.array(tables, dtype=np.uint32)


TABLES = _tables()


@compiled
def crc32c(data: NDArray[np.uint8], start: int, stop: int, tables: NDArray[np.uint32]) -> np.uint32:
    """The checksum of ``data[start:stop]``; ``tables`` are :data:`TABLES`."""
    crc = EMPTY
    at = start
    while at + 8 <= stop:
        low = crc ^ (
            np.uint32(data[at])
            | (np.uint32(data[at + 1]) << np.uint32(8))
            | (np.uint32(data[at + 2]) << np.uint32(16))
            | (np.uint32(data[at + 3]) << np.uint32(24))
        )
        crc = (
            tables[7, low & np.uint32(255)]
            ^ tables[6, (low >> np.uint32(8)) & np.uint32(255)]
            ^ tables[5, (low >> np.uint32(16)) & np.uint32(255)]
            ^ tables[4, low >> np.uint32(24)]
            ^ tables[3, data[at + 4]]
            ^ tables[2, data[at + 5]]
            ^ tables[1, data[at + 6]]
            ^ tables[0, data[at + 7]]
        )
        at += 8
    while at < stop:
        crc = (crc >> np.uint32(8)) ^ tables[0, (crc ^ np.uint32(data[at])) & np.uint32(255)]
        at += 1
    return np.uint32(crc ^ EMPTY)


@compiled
def masked(crc: np.uint32) -> np.uint32:
    """The form in which a checksum is stored, so that a checksum of data that holds checksums stays a good one."""
    return np.uint32(((crc >> np.uint32(15)) | (crc << np.uint32(17))) + MASK)


@compiled
def masked_checksums(
    data: NDArray[np.uint8], starts: NDArray[np.int64], stops: NDArray[np.int64], tables: NDArray[np.uint32]
) -> NDArray[np.uint32]:
    """The masked checksum of each ``data[start:stop]``, uint32[n]."""
    result = np.empty(len(starts), dtype=np.uint32)
    for i in range(len(starts)):
        result[i] = masked(crc32c(data, starts[i], stops[i], tables))
    return result
