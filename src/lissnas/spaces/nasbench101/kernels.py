"""Compiled loops over drawings: which cell each is, and the ways from IN to OUT."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays.compiled import compiled

__all__ = [
    "NOT_BITS",
    "NOT_FORWARD",
    "NOT_OPERATIONS",
    "NO_CELL",
    "count_paths",
    "find_canonical",
    "identify_genotypes",
    "identify_matrices",
]

Array = NDArray[Any]

# What is no cell, and why
NO_CELL = -1
NOT_FORWARD = -2
NOT_BITS = -3
NOT_OPERATIONS = -4

BACKWARD = 1 << 21  # beside the bits of a mask

_NO_SHAPE = 0xFFFFFFFF
_OPERATIONS = 3
_BLOCK = 1024  # rows whose intermediate values stay in the first-level cache


@compiled
def _cell_of(mask: int, packed: int, drawings: Array, cells: Array) -> Any:
    """The cell of a drawing; ``packed``: four bits for each operation, first lowest, and 0 behind the fifth."""
    drawing = np.int64(drawings[mask])
    if drawing == _NO_SHAPE:
        return NO_CELL
    labeling: Any = 0
    for place in range(5):
        source = (drawing >> (16 + 3 * place)) & 7
        operation = (packed >> (4 * source)) & 15
        if operation >= _OPERATIONS:
            return NO_CELL
        labeling = labeling * _OPERATIONS + operation
    return np.int64(cells[drawing & 0xFFFF, labeling])


@compiled
def _eight_columns(rows: Array, row: int, column: int) -> Any:
    """Eight columns as one word, which the compiler reads at once."""
    word = np.uint64(0)
    for byte in range(8):
        word |= np.uint64(rows[row, column + byte]) << np.uint64(8 * byte)
    return word


@compiled
def _bits_of(word: Any) -> Any:
    """A word of eight bytes that are 0 or 1 as a number below 256, first byte highest: one product brings them together."""
    return np.int64((word * np.uint64(0x8040201008040201)) >> np.uint64(56))


@compiled
def identify_genotypes(genotypes: Array, drawings: Array, cells: Array, codes: Array, ids: Array) -> None:
    """Fill ``ids`` int64[n] with the cell of each genotype uint8[n, 26], canonical or not, or ``NO_CELL``.

    A cell must be drawn with nothing to prune: an operation at each vertex that has edges, and at no other. Alleles are known
    to be there.
    """
    for row in range(len(genotypes)):
        mask = (
            _bits_of(_eight_columns(genotypes, row, 0)) << 13
            | _bits_of(_eight_columns(genotypes, row, 8)) << 5
            | _bits_of(_eight_columns(genotypes, row, 13)) & 31
        )
        code: Any = mask
        packed: Any = 0
        for column in range(21, 26):
            operation = np.int64(genotypes[row, column])
            code = code << 2 | operation
            packed |= operation << (4 * (column - 21))
        cell = _cell_of(mask, packed, drawings, cells)
        if cell >= 0:
            own = np.int64(codes[cell])
            # nothing was pruned: as many edges and as many operations as the cell has
            difference = 0
            for bit in range(10, 31):
                difference += (code >> bit & 1) - (own >> bit & 1)
            for place in range(5):
                difference += 32 * ((code >> 2 * place & 3 == 3) - (own >> 2 * place & 3 == 3))
            if difference != 0:
                cell = NO_CELL
        ids[row] = cell


@compiled
def find_canonical(genotypes: Array, drawings: Array, cells: Array, codes: Array, ids: Array) -> None:
    """Fill ``ids`` int64[n] with the cell that each genotype uint8[n, 26] stands for, or ``NO_CELL``; any bytes may be given.

    A block of rows at a time, one table after the other: gathers that do not wait for one another overlap, and the tables stay
    in the cache. Three times faster than row by row.
    """
    code, place, drawing = np.empty((3, _BLOCK), dtype=np.uint32)
    strange = np.empty(_BLOCK, dtype=np.bool_)
    flat = genotypes.reshape(-1)
    product, top = np.uint64(0x8040201008040201), np.uint64(56)
    for low in range(0, len(genotypes), _BLOCK):
        count = min(_BLOCK, len(genotypes) - low)
        for r in range(count):
            at = np.uint64(26) * np.uint64(low + r)  # unsigned: no index counts from the end
            first, second, third = np.uint64(0), np.uint64(0), np.uint64(0)
            for byte in range(np.uint64(8)):
                first |= np.uint64(flat[at + byte]) << np.uint64(8 * byte)
                second |= np.uint64(flat[at + np.uint64(8) + byte]) << np.uint64(8 * byte)
                third |= np.uint64(flat[at + np.uint64(13) + byte]) << np.uint64(8 * byte)
            mask = ((first * product) >> top) << np.uint64(13) | ((second * product) >> top) << np.uint64(5)
            packed = np.uint32(mask | ((third * product) >> top) & np.uint64(31))
            every, labeling = np.uint32(0), np.uint32(0)
            for column in range(np.uint64(21), np.uint64(26)):
                operation = np.uint32(flat[at + column])
                every |= operation
                packed = np.uint32(packed << np.uint32(2)) | operation
                # an inactive place counts as 0 in a labeling
                labeling = labeling * np.uint32(_OPERATIONS) + operation * np.uint32(operation < _OPERATIONS)
            code[r] = packed
            place[r] = labeling
            strange[r] = (first | second | third) & np.uint64(0xFEFEFEFEFEFEFEFE) != 0 or every > _OPERATIONS
        for r in range(count):
            drawing[r] = np.uint32(_NO_SHAPE) if strange[r] else drawings[code[r] >> np.uint32(10)]
        for r in range(count):
            if drawing[r] == _NO_SHAPE:
                ids[low + r] = NO_CELL
            else:
                ids[low + r] = cells[drawing[r] & np.uint32(0xFFFF), place[r]]
        for r in range(count):
            cell = ids[low + r]
            if cell >= 0 and codes[cell] != code[r]:
                ids[low + r] = NO_CELL


@compiled
def identify_matrices(matrices: Array, operations: Array, row_masks: Array, drawings: Array, cells: Array, ids: Array) -> None:
    """Fill ``ids`` int64[n] with the cell of each raw drawing with seven places, or with what is wrong.

    Args:
        matrices: uint8[n, 49].
        operations: uint8[n, 5].
        row_masks: int64[7, 128], what each row of a matrix, read as a number with the first column highest, adds to a mask;
            ``BACKWARD`` where it has an entry on or below the diagonal.
    """
    for row in range(len(matrices)):
        mask: Any = 0
        every = np.uint64(0)
        for line in range(6):  # with the first byte of the next line
            word = _eight_columns(matrices, row, 7 * line)
            every |= word
            mask |= row_masks[line, (_bits_of(word) >> 1) & 127]
        word = _eight_columns(matrices, row, 41)  # with the last byte of the line before
        every |= word
        mask |= row_masks[6, _bits_of(word) & 127]
        packed: Any = 0
        most: Any = 0
        for place in range(5):
            operation = np.int64(operations[row, place])
            most = max(most, operation)
            packed |= operation << (4 * place)
        if every & np.uint64(0xFEFEFEFEFEFEFEFE):
            ids[row] = NOT_BITS
        elif most >= _OPERATIONS:
            ids[row] = NOT_OPERATIONS
        elif mask & BACKWARD:
            ids[row] = NOT_FORWARD
        else:
            ids[row] = _cell_of(mask, packed, drawings, cells)


@compiled
def count_paths(codes: Array, counts: Array) -> None:
    """Add to ``counts`` float32[n, 364] the ways from IN to OUT of each cell, by the operations on them.

    Columns: ways of no vertex, of one, ..., of five, each in the order of its operations read as a number in base 3.
    """
    place = np.empty(8, dtype=np.int64)
    number = np.empty(8, dtype=np.int64)
    next_vertex = np.empty(8, dtype=np.int64)
    begin = np.zeros(6, dtype=np.int64)
    for length in range(1, 6):
        begin[length] = begin[length - 1] + 3 ** (length - 1)
    for row in range(len(codes)):
        code = np.int64(codes[row])
        depth = 0
        place[0] = number[0] = 0
        next_vertex[0] = 1
        while depth >= 0:
            vertex = place[depth]
            target = next_vertex[depth]
            if target > 6:
                depth -= 1
                continue
            next_vertex[depth] = target + 1
            if not code >> (10 + target * (target - 1) // 2 + vertex) & 1:
                continue
            if target == 6:
                counts[row, begin[depth] + number[depth]] += 1
                continue
            depth += 1
            place[depth] = target
            number[depth] = number[depth - 1] * _OPERATIONS + (code >> (2 * (5 - target)) & 3)
            next_vertex[depth] = target + 1
