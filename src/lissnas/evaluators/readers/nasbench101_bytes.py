"""NAS-Bench-101's records, byte by byte: JSON, base64 and protobuf in one compiled pass.

Only what the official files hold is understood: no escape but a line break, no number but a small integer, three evaluations.
Each step returns where it stopped reading, or -1 where it meets what it does not know; a record with a -1 is left to the
general reader.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays.compiled import compiled
from lissnas.evaluators.readers.nasbench101_payload import OPERATIONS
from lissnas.evaluators.readers.protobuf import PARAMETERS

__all__ = ["BASE64", "NAMES", "read_all"]

NAMES = np.zeros((len(OPERATIONS), 16), dtype=np.uint8)
for _row, _name in enumerate(OPERATIONS):
    NAMES[_row, : len(_name)] = np.frombuffer(_name.encode(), dtype=np.uint8)

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
BASE64 = np.full(256, 255, dtype=np.uint8)
BASE64[np.frombuffer(_ALPHABET, dtype=np.uint8)] = np.arange(64, dtype=np.uint8)

DOUBLE, VARINT, BYTES = 1, 0, 2


@compiled
def read_all(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    scratch: NDArray[np.uint8],
    names: NDArray[np.uint8],
    base64: NDArray[np.uint8],
    hashes: NDArray[np.uint64],
    epochs: NDArray[np.int64],
    vertices: NDArray[np.uint8],
    matrices: NDArray[np.uint8],
    operations: NDArray[np.uint8],
    parameters: NDArray[np.int64],
    evaluations: NDArray[np.uint64],
    totals: NDArray[np.uint64],
    read: NDArray[np.bool_],
) -> None:
    """Fill the arrays; ``read`` says for each record whether it was one that could be read here.

    Doubles are taken over as their bits. ``scratch`` holds one decoded message at a time.
    """
    for i in range(len(starts)):
        at, stop = starts[i], stops[i]
        at = _hash(data, _open(data, at, stop, 91), stop, hashes[i])
        at = _number(data, _comma(data, at, stop), stop, epochs, i)
        at = _matrix(data, _comma(data, at, stop), stop, matrices[i], vertices, i)
        at = _operations(data, _comma(data, at, stop), stop, names, operations[i], vertices[i])
        at, length = _decode(data, _comma(data, at, stop), stop, base64, scratch)
        if at < 0 or _skip(data, at, stop) != stop - 1 or data[stop - 1] != 93:
            continue
        read[i] = _message(scratch, length, parameters, i, evaluations[i], totals[i])


@compiled
def _skip(data: NDArray[np.uint8], at: int, stop: int) -> Any:
    while 0 <= at < stop and (data[at] == 32 or data[at] == 10 or data[at] == 13 or data[at] == 9):
        at += 1
    return at


@compiled
def _open(data: NDArray[np.uint8], at: int, stop: int, sign: int) -> Any:
    """Behind ``sign`` and the blanks around it."""
    at = _skip(data, at, stop)
    if at < 0 or at >= stop or data[at] != sign:
        return -1
    return _skip(data, at + 1, stop)


@compiled
def _comma(data: NDArray[np.uint8], at: int, stop: int) -> int:
    return _open(data, at, stop, 44) if at >= 0 else -1


@compiled
def _hash(data: NDArray[np.uint8], at: int, stop: int, halves: NDArray[np.uint64]) -> int:
    if at < 0 or at + 34 > stop or data[at] != 34 or data[at + 33] != 34:
        return -1
    for half in range(2):
        value = np.uint64(0)
        for digit in range(16):
            c = data[at + 1 + 16 * half + digit]
            if 48 <= c <= 57:
                c -= 48
            elif 97 <= c <= 102:
                c -= 87
            else:
                return -1
            value = (value << np.uint64(4)) | np.uint64(c)
        halves[half] = value
    return at + 34


@compiled
def _number(data: NDArray[np.uint8], at: int, stop: int, values: NDArray[np.int64], i: int) -> int:
    if at < 0 or at >= stop or not 49 <= data[at] <= 57:
        return -1
    first = at
    value: Any = 0
    while at < stop and 48 <= data[at] <= 57 and at - first < 9:
        value = 10 * value + np.int64(data[at] - 48)
        at += 1
    values[i] = value
    return at


@compiled
def _matrix(data: NDArray[np.uint8], at: int, stop: int, matrix: NDArray[np.uint8], vertices: NDArray[np.uint8], i: int) -> int:
    if at < 0 or at >= stop or data[at] != 34:
        return -1
    first = at + 1
    at = first
    while at < stop and (data[at] == 48 or data[at] == 49) and at - first < 50:
        at += 1
    if at >= stop or data[at] != 34:
        return -1
    n = 0
    for size in range(2, 8):
        if size * size == at - first:
            n = size
    if n == 0:
        return -1
    vertices[i] = n
    for row in range(n):
        for column in range(n):
            matrix[row, column] = data[first + row * n + column] - 48
    return at + 1


@compiled
def _operations(
    data: NDArray[np.uint8], at: int, stop: int, names: NDArray[np.uint8], operations: NDArray[np.uint8], vertices: int
) -> int:
    if at < 0 or at >= stop or data[at] != 34:
        return -1
    at += 1
    for vertex in range(vertices):
        found = -1
        for name in range(len(names)):
            length = 0
            while names[name, length] != 0 and at + length < stop and data[at + length] == names[name, length]:
                length += 1
            if names[name, length] == 0 and at + length < stop and (data[at + length] == 44 or data[at + length] == 34):
                operations[vertex] = name
                found = length
        if found < 0 or (data[at + found] == 34) != (vertex == vertices - 1):
            return -1
        at += found + 1
    return at


@compiled
def _decode(
    data: NDArray[np.uint8], at: int, stop: int, base64: NDArray[np.uint8], scratch: NDArray[np.uint8]
) -> tuple[int, int]:
    """A string of base64 with escaped line breaks; also how many bytes it holds."""
    if at < 0 or at >= stop or data[at] != 34:
        return -1, 0
    at += 1
    length, bits, count, padding = 0, np.uint32(0), 0, 0
    while at < stop and data[at] != 34:
        c = data[at]
        if c == 92:  # a backslash
            if at + 1 >= stop or data[at + 1] != 110:
                return -1, 0
            at += 2
            continue
        at += 1
        if c == 61:
            padding += 1
            continue
        if base64[c] == 255 or padding > 0:
            return -1, 0
        bits = np.uint32((bits << np.uint32(6)) | np.uint32(base64[c]))
        count += 1
        if count == 4:
            scratch[length] = (bits >> np.uint32(16)) & np.uint32(255)
            scratch[length + 1] = (bits >> np.uint32(8)) & np.uint32(255)
            scratch[length + 2] = bits & np.uint32(255)
            length += 3
            count, bits = 0, np.uint32(0)
    if at >= stop or (count + padding) % 4 != 0 or count == 1:
        return -1, 0
    if count == 2:
        scratch[length] = (bits >> np.uint32(4)) & np.uint32(255)
        length += 1
    elif count == 3:
        scratch[length] = (bits >> np.uint32(10)) & np.uint32(255)
        scratch[length + 1] = (bits >> np.uint32(2)) & np.uint32(255)
        length += 2
    return at + 1, length


@compiled
def _varint(data: NDArray[np.uint8], at: int, stop: int) -> tuple[int, int]:
    value: Any = 0
    shift = 0
    while at < stop and shift < 63:
        byte = np.int64(data[at])
        value |= (byte & 127) << shift
        at += 1
        shift += 7
        if byte < 128:
            return at, value
    return -1, 0


@compiled
def _message(
    scratch: NDArray[np.uint8],
    stop: int,
    parameters: NDArray[np.int64],
    i: int,
    evaluations: NDArray[np.uint64],
    totals: NDArray[np.uint64],
) -> bool:
    at, count = 0, 0
    while at < stop:
        at, key = _varint(scratch, at, stop)
        if at < 0:
            return False
        number = key >> 3
        if number == 1 and key & 7 == BYTES:
            at, size = _varint(scratch, at, stop)
            if at < 0 or size > stop - at or count == len(evaluations):
                return False
            if not _doubles(scratch, at, at + size, evaluations[count]):
                return False
            count += 1
            at += size
        elif number == PARAMETERS and key & 7 == VARINT:
            at, parameters[i] = _varint(scratch, at, stop)
        else:
            at = _field(scratch, at, stop, key, totals)
        if at < 0:
            return False
    return count == len(evaluations)


@compiled
def _doubles(scratch: NDArray[np.uint8], at: int, stop: int, values: NDArray[np.uint64]) -> bool:
    while at < stop:
        at, key = _varint(scratch, at, stop)
        if at < 0:
            return False
        at = _field(scratch, at, stop, key, values)
        if at < 0:
            return False
    return True


@compiled
def _field(scratch: NDArray[np.uint8], at: int, stop: int, key: int, values: NDArray[np.uint64]) -> int:
    """Keep a double that has a place, skip anything else."""
    number, kind = key >> 3, key & 7
    if kind == DOUBLE:
        if at + 8 > stop:
            return -1
        if number < len(values):
            bits = np.uint64(0)
            for byte in range(8):
                bits |= np.uint64(scratch[at + byte]) << np.uint64(8 * byte)
            values[number] = bits
        return at + 8
    if kind == VARINT:
        at, _ = _varint(scratch, at, stop)
        return at
    if kind == BYTES:
        at, size = _varint(scratch, at, stop)
        return at + size if at >= 0 and size <= stop - at else -1
    return at + 4 if kind == 5 and at + 4 <= stop else -1
