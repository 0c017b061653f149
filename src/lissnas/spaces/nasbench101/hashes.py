"""The official hash of a cell (nasbench lib/graph_util.py, ``hash_module``), compiled, MD5 included.

Every vertex begins with the MD5 of ``(out_degree, in_degree, label)``; as many times as there are vertices each takes the MD5
of its sorted in-neighbors' hashes, ``|``, its sorted out-neighbors', ``|`` and its own; the cell's hash is that of the list of
all, sorted. Labels: IN -1, OUT -2, operations 0 to 2. The hash does not depend on the drawing.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays.compiled import compiled
from lissnas.arrays.stored import stored_tables
from lissnas.errors import UserError
from lissnas.spaces.nasbench101.tables import VERSION, cell_tables

__all__ = ["find_hash", "hash_cells", "official_hashes"]

Array = NDArray[Any]

_HASHED_AT_ONCE = 4096  # more cells than these are worth the table of all hashes

_SINES = np.array([int(abs(np.sin(i + 1)) * 2**32) for i in range(64)], dtype=np.uint32)
_TURNS = np.array([*[7, 12, 17, 22] * 4, *[5, 9, 14, 20] * 4, *[4, 11, 16, 23] * 4, *[6, 10, 15, 21] * 4], dtype=np.uint32)
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8).copy()


@compiled
def _turn(
    a: np.uint32, b: np.uint32, c: np.uint32, d: np.uint32, mixed: np.uint32, word: np.uint32, step: int
) -> tuple[np.uint32, np.uint32, np.uint32, np.uint32]:
    total = np.uint32(mixed + a + _SINES[step] + word)
    turn = _TURNS[step]
    turned = np.uint32(np.uint32(total << turn) | np.uint32(total >> np.uint32(np.uint32(32) - turn)))
    return d, np.uint32(b + turned), b, c


@compiled
def md5(message: Array, length: int, digest: Array) -> None:
    """Fill ``digest`` uint8[16] with the MD5 of ``message[:length]``, which is padded in place: 72 bytes behind are needed."""
    blocks = (length + 8) // 64 + 1
    message[length] = 0x80
    message[length + 1 : blocks * 64] = 0
    for index in range(8):
        message[blocks * 64 - 8 + index] = (length * 8) >> (8 * index) & 255
    a0, b0, c0, d0 = np.uint32(0x67452301), np.uint32(0xEFCDAB89), np.uint32(0x98BADCFE), np.uint32(0x10325476)
    words = np.empty(16, dtype=np.uint32)
    for block in range(blocks):
        for word in range(16):
            at = block * 64 + word * 4
            words[word] = (
                np.uint32(message[at])
                | np.uint32(message[at + 1]) << np.uint32(8)
                | np.uint32(message[at + 2]) << np.uint32(16)
                | np.uint32(message[at + 3]) << np.uint32(24)
            )
        a, b, c, d = a0, b0, c0, d0
        for step in range(16):
            mixed = np.uint32(d ^ (b & (c ^ d)))
            a, b, c, d = _turn(a, b, c, d, mixed, words[step], step)
        for step in range(16, 32):
            mixed = np.uint32(c ^ (d & (b ^ c)))
            a, b, c, d = _turn(a, b, c, d, mixed, words[(5 * step + 1) & 15], step)
        for step in range(32, 48):
            mixed = np.uint32(b ^ c ^ d)
            a, b, c, d = _turn(a, b, c, d, mixed, words[(3 * step + 5) & 15], step)
        for step in range(48, 64):
            mixed = np.uint32(c ^ (b | ~d))
            a, b, c, d = _turn(a, b, c, d, mixed, words[(7 * step) & 15], step)
        a0, b0, c0, d0 = np.uint32(a0 + a), np.uint32(b0 + b), np.uint32(c0 + c), np.uint32(d0 + d)
    for index, value in enumerate((a0, b0, c0, d0)):
        for byte in range(4):
            digest[4 * index + byte] = (value >> np.uint32(8 * byte)) & np.uint32(255)


@compiled
def _write_hex(message: Array, at: int, digest: Array) -> int:
    for byte in range(16):
        message[at + 2 * byte] = _HEX[digest[byte] >> 4]
        message[at + 2 * byte + 1] = _HEX[digest[byte] & 15]
    return at + 32


@compiled
def _precedes(a: Array, b: Array) -> bool:
    for byte in range(16):
        if a[byte] != b[byte]:
            return bool(a[byte] < b[byte])
    return False


@compiled
def _write_sorted(message: Array, at: int, digests: Array, chosen: Array, count: int) -> int:
    """Write the hashes of the ``count`` vertices ``chosen``, which is put in order."""
    for index in range(1, count):
        vertex = chosen[index]
        place = index
        while place > 0 and _precedes(digests[vertex], digests[chosen[place - 1]]):
            chosen[place] = chosen[place - 1]
            place -= 1
        chosen[place] = vertex
    for index in range(count):
        at = _write_hex(message, at, digests[chosen[index]])
    return at


@compiled
def hash_cells(codes: Array, hashes: Array) -> None:
    """Fill ``hashes`` uint8[n, 16] with the official hash of each cell, given by its code int64[n]."""
    message = np.empty(1024, dtype=np.uint8)
    digests, fresh = np.empty((7, 16), dtype=np.uint8), np.empty((7, 16), dtype=np.uint8)
    edge = np.empty((7, 7), dtype=np.bool_)
    chosen, present = np.empty(7, dtype=np.int64), np.empty(7, dtype=np.int64)
    for row in range(len(codes)):
        edge[:] = False
        bit = 10
        for j in range(7):
            for i in range(j):
                edge[i, j] = codes[row] >> bit & 1
                bit += 1
        vertices = 0
        for v in range(7):
            label = -1 if v == 0 else (-2 if v == 6 else codes[row] >> (2 * (5 - v)) & 3)
            if label == 3:  # inactive
                continue
            present[vertices] = v
            vertices += 1
            out_degree, in_degree = edge[v].sum(), edge[:, v].sum()
            # "(2, 1, 0)"
            length = 0
            for byte in (40, 48 + out_degree, 44, 32, 48 + in_degree, 44, 32):
                message[length] = byte
                length += 1
            if label < 0:
                message[length] = 45
                length += 1
            message[length] = 48 + abs(label)
            message[length + 1] = 41
            md5(message, length + 2, digests[v])
        for _ in range(vertices):
            for index in range(vertices):
                v = present[index]
                at = 0
                for direction in range(2):
                    count = 0
                    for other in range(vertices):
                        w = present[other]
                        if edge[w, v] if direction == 0 else edge[v, w]:
                            chosen[count] = w
                            count += 1
                    at = _write_sorted(message, at, digests, chosen, count)
                    message[at] = 124  # "|"
                    at += 1
                at = _write_hex(message, at, digests[v])
                md5(message, at, fresh[v])
            digests, fresh = fresh, digests
        # "['...', '...']"
        chosen[:vertices] = present[:vertices]
        _write_sorted(message, 0, digests, chosen, vertices)
        at = 0
        for index in range(vertices):
            message[at] = 91 if index == 0 else 44
            message[at + 1] = 39 if index == 0 else 32
            at += 2
            if index > 0:
                message[at] = 39
                at += 1
            at = _write_hex(message, at, digests[chosen[index]])
            message[at] = 39
            at += 1
        message[at] = 93
        md5(message, at + 1, hashes[row])


def official_hashes(ids: NDArray[np.int64]) -> list[str]:
    """The hash of each cell, 32 hexadecimal digits; more than a few thousand are taken from the table of all."""
    if len(ids) > _HASHED_AT_ONCE:
        hashes = _all_hashes()["hashes"][ids]
    else:
        hashes = np.empty((len(ids), 16), dtype=np.uint8)
        hash_cells(cell_tables().codes[ids].astype(np.int64), hashes)
    digits = hashes.tobytes().hex()
    return [digits[at : at + 32] for at in range(0, len(digits), 32)]


def find_hash(text: str) -> int:
    """The cell of an official hash.

    Raises:
        UserError: it is the hash of none.
    """
    hashes, order = _all_hashes()["hashes"], _all_hashes()["order"]
    wanted, low, high = bytes.fromhex(text), 0, len(order)
    while low < high:
        middle = (low + high) // 2
        if hashes[order[middle]].tobytes() < wanted:
            low = middle + 1
        else:
            high = middle
    if low == len(order) or hashes[order[low]].tobytes() != wanted:
        raise UserError(f"'{text}' is the official hash of no cell")
    return int(order[low])


@cache
def _all_hashes() -> dict[str, NDArray[Any]]:
    """``hashes`` uint8[N, 16] and ``order`` int32[N], the cells in the order of their hashes; ten seconds to make, once."""

    def build() -> dict[str, NDArray[Any]]:
        codes = cell_tables().codes
        hashes = np.empty((len(codes), 16), dtype=np.uint8)
        hash_cells(codes.astype(np.int64), hashes)
        return {"hashes": hashes, "order": np.lexsort(hashes.view(">u8").T[::-1]).astype(np.int32)}

    return stored_tables("nasbench101-hashes", VERSION, build)
