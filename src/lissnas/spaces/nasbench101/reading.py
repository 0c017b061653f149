"""Raw drawings of cells, as files and people have them: any size, any order of vertices, stranded vertices included."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError
from lissnas.spaces.nasbench101.drawings import (
    INTERIOR,
    MAX_EDGES,
    OPERATIONS,
    OUT,
    PLACES,
    SHIFT,
    adjacency_of,
    count_edges,
    mask_of,
    prune,
    reachability,
    sort_vertices,
)
from lissnas.spaces.nasbench101.kernels import BACKWARD, NO_CELL, NOT_BITS, NOT_FORWARD, NOT_OPERATIONS, identify_matrices
from lissnas.spaces.nasbench101.tables import cell_tables

__all__ = ["Drawings", "identify", "identify_drawings", "read_drawings"]

INPUT, OUTPUT = "input", "output"
_CODES = {name: code for code, name in enumerate(OPERATIONS)} | {
    name.removesuffix("-bn-relu"): code for code, name in enumerate(OPERATIONS)
}


class Drawings:
    """Drawings of one size.

    Attributes:
        rows: intp[n], where each stands in the batch.
        matrices: uint8[n, V, V].
        operations: uint8[n, V - 2], the interior vertices' operations.
    """

    def __init__(self, rows: NDArray[np.intp], matrices: NDArray[np.uint8], operations: NDArray[np.uint8]) -> None:
        self.rows = rows
        self.matrices = matrices
        self.operations = operations

    def placed(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The matrices uint8[n, 7, 7] with OUT at the last place, and operations uint8[n, 5] (0 where there is no vertex)."""
        vertices = self.matrices.shape[1]
        if vertices == PLACES:
            return self.matrices, self.operations
        place = [*range(vertices - 1), OUT]
        matrices = np.zeros((len(self.matrices), PLACES, PLACES), dtype=np.uint8)
        matrices[:, np.array(place)[:, None], np.array(place)] = self.matrices
        operations = np.zeros((len(matrices), INTERIOR), dtype=np.uint8)
        operations[:, : vertices - 2] = self.operations
        return matrices, operations


def read_drawings(adjacency: Any, operations: Any) -> list[Drawings]:
    """Sort one drawing or a batch by size.

    Args:
        adjacency: one matrix, an array [n, V, V], or a list of matrices of any sizes; entries 0 and 1, the first vertex IN,
            the last OUT.
        operations: for each drawing the names of its interior vertices' operations, or of all with "input" and "output"
            around them; or integers [n, V - 2], the official labels 0, 1, 2.

    Raises:
        UserError: what is wrong, and in which row.
    """
    if isinstance(adjacency, np.ndarray) and adjacency.ndim == 3 and isinstance(operations, np.ndarray):
        if operations.dtype.kind in "iu":
            return [_read_arrays(adjacency, operations)]
        operations = operations.tolist()
    if _depth(adjacency) == 2:
        adjacency, operations = [adjacency], [operations]
    are_lists = all(isinstance(given, (Sequence, np.ndarray)) for given in (adjacency, operations))
    if not are_lists or _depth(adjacency) not in (0, 3) or len(adjacency) != len(operations):
        raise UserError(
            f"a batch of drawings is a list of matrices and a list of their operations, but got {_size(adjacency)} and "
            f"{_size(operations)}: one list of operations for each matrix"
        )
    read = [_read_one(matrix, names, row) for row, (matrix, names) in enumerate(zip(adjacency, operations, strict=True))]
    sizes = np.array([len(matrix) for matrix, _ in read], dtype=np.intp)
    groups = []
    for size in np.unique(sizes):
        rows = np.flatnonzero(sizes == size)
        matrices = np.stack([read[row][0] for row in rows])
        groups.append(Drawings(rows, matrices, np.array([read[row][1] for row in rows], dtype=np.uint8)))
    return groups


def identify_drawings(adjacency: Any, operations: Any) -> NDArray[np.int64]:
    """int64[n]: the cell of each drawing; arguments and errors as those of :func:`read_drawings` and :func:`identify`."""
    groups = read_drawings(adjacency, operations)
    ids = np.empty(sum(len(group.rows) for group in groups), dtype=np.int64)
    for group in groups:
        ids[group.rows] = identify(group)
    return ids


def identify(drawings: Drawings) -> NDArray[np.int64]:
    """int64[n]: the cell of each drawing.

    Raises:
        UserError: what is no cell, with its row in the batch and the reason.
    """
    ids = _look_up(*drawings.placed())
    unsorted = np.flatnonzero(ids == NOT_FORWARD)
    if len(unsorted):
        some = Drawings(drawings.rows[unsorted], drawings.matrices[unsorted], drawings.operations[unsorted])
        ids[unsorted] = _identify_unsorted(some)
    bad = np.flatnonzero(ids < 0)
    if len(bad):
        row = bad[np.argmin(drawings.rows[bad])]
        raise UserError(f"row {drawings.rows[row]}: {_reason(drawings, int(row), int(ids[row]))}")
    return ids


def _identify_unsorted(drawings: Drawings) -> NDArray[np.int64]:
    """The same where edges lead backward: draw them so that all lead forward first."""
    matrices, operations = drawings.placed()
    cyclic = np.flatnonzero(reachability(matrices.astype(bool))[:, np.arange(PLACES), np.arange(PLACES)].any(axis=1))
    if len(cyclic):
        row = cyclic[np.argmin(drawings.rows[cyclic])]
        raise UserError(f"row {drawings.rows[row]}: {_name_cycle(drawings.matrices[row])}")
    masks, order = sort_vertices(matrices.astype(bool))
    operations = np.take_along_axis(operations, order[:, 1:OUT] - 1, axis=1)
    return _look_up(adjacency_of(masks).view(np.uint8), operations)


def _look_up(matrices: NDArray[np.uint8], operations: NDArray[np.uint8]) -> NDArray[np.int64]:
    tables = cell_tables()
    ids = np.empty(len(matrices), dtype=np.int64)
    flat = np.ascontiguousarray(matrices).reshape(len(ids), PLACES**2)
    identify_matrices(flat, np.ascontiguousarray(operations), _row_masks(), tables.drawings, tables.cells, ids)
    return ids


@cache
def _row_masks() -> NDArray[np.int64]:
    """int64[7, 128], see :func:`identify_matrices`."""
    numbers = np.arange(1 << PLACES)
    masks = np.zeros((PLACES, len(numbers)), dtype=np.int64)
    for i in range(PLACES):
        for j in range(PLACES):
            masks[i] |= (numbers >> (PLACES - 1 - j) & 1) << (SHIFT[i, j] if i < j else BACKWARD.bit_length() - 1)
    return masks


def _reason(drawings: Drawings, row: int, problem: int) -> str:
    one = Drawings(drawings.rows[row : row + 1], drawings.matrices[row : row + 1], drawings.operations[row : row + 1])
    if problem == NOT_BITS:
        return f"entries of an adjacency matrix are 0 or 1, but got {one.matrices.max()}"
    if problem == NOT_OPERATIONS:
        return f"operations are 0 to {len(OPERATIONS) - 1} ({', '.join(OPERATIONS)}), but got {one.operations.max()}"
    assert problem == NO_CELL
    matrices, _ = one.placed()
    masks = sort_vertices(matrices.astype(bool))[0] if mask_of(matrices.transpose(0, 2, 1))[0] else mask_of(matrices)
    left, _ = prune(masks)
    if left[0] == 0:
        return "no way leads from the first vertex, the input, to the last, the output"
    return f"a cell has at most {MAX_EDGES} edges, but {count_edges(left)[0]} are left here after pruning"


def _name_cycle(matrix: NDArray[np.uint8]) -> str:
    """Follow edges within a cycle until a vertex comes again."""
    vertices = len(matrix)
    padded = np.zeros((1, PLACES, PLACES), dtype=bool)
    padded[0, :vertices, :vertices] = matrix
    reach = reachability(padded)[0]
    start = int(np.flatnonzero(np.diag(reach))[0])
    way = [start]
    while True:
        following = next(v for v in range(vertices) if matrix[way[-1], v] and (reach[v, start] or v == start))
        if following in way:
            way = [*way[way.index(following) :], following]
            return f"the edges {' -> '.join(map(str, way))} are a cycle, but a cell has none"
        way.append(following)


def _read_arrays(adjacency: NDArray[Any], operations: NDArray[Any]) -> Drawings:
    """A batch of one size with operations as numbers: nothing is looked at one by one."""
    n, vertices, columns = adjacency.shape
    _check_size(vertices, columns, "")
    if operations.shape != (n, vertices - 2):
        raise UserError(
            f"operations of {n} drawings with {vertices} vertices are integers [{n}, {vertices - 2}], "
            f"but got {list(operations.shape)}"
        )
    return Drawings(np.arange(n), _as_bytes(adjacency, "adjacency"), _as_bytes(operations, "operations"))


def _as_bytes(values: NDArray[Any], what: str) -> NDArray[np.uint8]:
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind not in "iub":
        raise UserError(f"{what} must be whole numbers, but got {values.dtype}")
    if values.dtype != bool and values.size and (values.min() < 0 or values.max() > 255):
        row = int(np.argmax(((values < 0) | (values > 255)).reshape(len(values), -1).any(axis=1)))
        raise UserError(
            f"row {row}: {what} must be small whole numbers >= 0, but got {values[row].min()} to {values[row].max()}"
        )
    return values.astype(np.uint8)


def _read_one(matrix: Any, names: Any, row: int) -> tuple[NDArray[np.uint8], list[int]]:
    try:
        array = np.asarray(matrix)
    except ValueError:
        raise UserError(f"row {row}: an adjacency matrix must be square, but its rows have different lengths") from None
    if array.ndim != 2:
        raise UserError(f"row {row}: an adjacency matrix must be square, but got shape {list(array.shape)}")
    _check_size(array.shape[0], array.shape[1], f"row {row}: ")
    if array.dtype.kind not in "iub" or array.min() < 0 or array.max() > 1:
        raise UserError(
            f"row {row}: entries of an adjacency matrix are 0 or 1, but got {array.dtype} {array.min()} to {array.max()}"
        )
    return array.astype(np.uint8), _read_operations(names, len(array), row)


def _check_size(vertices: int, columns: int, where: str) -> None:
    if vertices != columns:
        raise UserError(f"{where}an adjacency matrix must be square, but got {vertices} x {columns}")
    if not 2 <= vertices <= PLACES:
        raise UserError(f"{where}a cell has 2 to {PLACES} vertices, but the matrix has {vertices}")


def _read_operations(names: Any, vertices: int, row: int) -> list[int]:
    if isinstance(names, str) or not isinstance(names, (Sequence, np.ndarray)):
        raise UserError(f"row {row}: operations are a list of names, but got {names!r}")
    inner = list(names)
    if len(inner) == vertices and inner[0] == INPUT and inner[-1] == OUTPUT:
        inner = inner[1:-1]
    if len(inner) != vertices - 2:
        raise UserError(
            f"row {row}: {vertices} vertices need {vertices - 2} operations, or {vertices} with '{INPUT}' first and '{OUTPUT}' "
            f"last, but got {len(names)}: {', '.join(map(str, names))}"
        )
    codes = []
    for name in inner:
        if isinstance(name, (int, np.integer)) and not isinstance(name, bool) and 0 <= name < len(OPERATIONS):
            codes.append(int(name))
        elif isinstance(name, str) and name in _CODES:
            codes.append(_CODES[name])
        else:
            raise UserError(f"row {row}: unknown operation {name!r}: there are {', '.join(OPERATIONS)}")
    return codes


def _depth(value: Any) -> int:
    """How many lists are within one another; 0: an empty batch."""
    depth = 0
    while isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, str):
        if len(value) == 0:
            return 0 if depth == 0 else depth + 1
        depth += 1
        value = value[0]
    return depth


def _size(value: Any) -> str:
    return f"{len(value)} of them" if isinstance(value, (Sequence, np.ndarray)) else type(value).__name__
