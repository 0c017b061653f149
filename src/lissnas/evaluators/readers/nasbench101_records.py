"""All records of a file in NAS-Bench-101's format as arrays, a block at a time.

A compiled reader (:mod:`.nasbench101_bytes`) takes records that are written as the official files are, 3 us each; whatever else
JSON and protobuf allow goes through :mod:`.nasbench101_payload`, which also says what is wrong with a record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError
from lissnas.evaluators.readers.nasbench101_bytes import BASE64, NAMES, read_all
from lissnas.evaluators.readers.nasbench101_payload import OPERATIONS, VERTICES, Payload, read_payload
from lissnas.evaluators.readers.protobuf import EVALUATION_FIELDS, MODEL_FIELDS
from lissnas.evaluators.readers.tfrecord import Block, Records

__all__ = ["CellRecords", "read_cell_records"]

EVALUATIONS = 3  # at the start, halfway, at the end
EVALUATION_WIDTH = max(EVALUATION_FIELDS.values()) + 1
MODEL_WIDTH = max(MODEL_FIELDS.values()) + 1


@dataclass(frozen=True)
class CellRecords:
    """Some consecutive records.

    Attributes:
        first: the number of the first one in the file, from 0.
        hashes: uint64[n, 2], the two halves of the official hashes.
        epochs: int64[n].
        vertices: uint8[n], 2 to 7.
        matrices: uint8[n, 7, 7], drawings as they stand in the file, in the upper left; 0 beyond their vertices.
        operations: uint8[n, 7], indices into ``OPERATIONS``; 0 beyond their vertices.
        parameters: int64[n], weights of the network.
        evaluations: float64[n, 3, 15], doubles by field number at the start, halfway and at the end; NaN where there is none.
        totals: float64[n, 9], doubles by field number of the whole training; NaN where there is none.
    """

    first: int
    hashes: NDArray[np.uint64]
    epochs: NDArray[np.int64]
    vertices: NDArray[np.uint8]
    matrices: NDArray[np.uint8]
    operations: NDArray[np.uint8]
    parameters: NDArray[np.int64]
    evaluations: NDArray[np.float64]
    totals: NDArray[np.float64]

    def at(self, moment: int, name: str) -> NDArray[np.float64]:
        """float64[n]: ``name`` of ``EVALUATION_FIELDS`` at the start (0), halfway (1) or at the end (2)."""
        return self.evaluations[:, moment, EVALUATION_FIELDS[name]]

    def total(self, name: str) -> NDArray[np.float64]:
        """float64[n]: ``name`` of ``MODEL_FIELDS``."""
        return self.totals[:, MODEL_FIELDS[name]]

    def drawings(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The drawings in one size: uint8[n, 7, 7] with the output as the last vertex, and the labels 0 to 2 of uint8[n, 5]."""
        rows, last = np.arange(len(self.vertices)), self.vertices.astype(np.intp) - 1
        matrices = self.matrices.copy()
        into = matrices[rows, :, last]
        matrices[rows, :, last] = 0
        matrices[:, :, -1] = into
        inner = self.operations[:, 1:-1]
        labels = np.where((inner > 0) & (inner < len(OPERATIONS) - 1), inner - 1, 0).astype(np.uint8)
        return matrices, labels

    def hash_text(self, row: int) -> str:
        """The hash of one record as its 32 digits."""
        return f"{int(self.hashes[row, 0]):016x}{int(self.hashes[row, 1]):016x}"


def read_cell_records(path: str | Path, records: int = 1 << 14) -> Iterator[CellRecords]:
    """The records of the file at ``path``, in order, at most ``records`` at a time (2 kB each).

    Raises:
        UserError: a file that is no TFRecord, is truncated or fails a checksum (with the byte), or holds a record that is none
            of NAS-Bench-101 (with its number and byte).
    """
    file = Records(path)
    for block in file.blocks(records):
        yield _read_block(file.path, block)


def _read_block(path: Path, block: Block) -> CellRecords:
    n = len(block.starts)
    found = CellRecords(
        block.first,
        np.zeros((n, 2), dtype=np.uint64),
        np.zeros(n, dtype=np.int64),
        np.zeros(n, dtype=np.uint8),
        np.zeros((n, VERTICES, VERTICES), dtype=np.uint8),
        np.zeros((n, VERTICES), dtype=np.uint8),
        np.zeros(n, dtype=np.int64),
        np.full((n, EVALUATIONS, EVALUATION_WIDTH), np.nan),
        np.full((n, MODEL_WIDTH), np.nan),
    )
    longest = int((block.stops - block.starts).max()) if n else 0
    scratch = np.zeros(longest, dtype=np.uint8)
    read = np.zeros(n, dtype=np.bool_)
    read_all(
        block.data,
        block.starts,
        block.stops,
        scratch,
        NAMES,
        BASE64,
        found.hashes,
        found.epochs,
        found.vertices,
        found.matrices,
        found.operations,
        found.parameters,
        found.evaluations.view(np.uint64),
        found.totals.view(np.uint64),
        read,
    )
    for row in np.flatnonzero(~read).tolist():
        start, stop = int(block.starts[row]), int(block.stops[row])
        try:
            payload = read_payload(block.data[start:stop].tobytes())
            if len(payload.metrics.evaluations) != EVALUATIONS:
                raise ValueError(f"it holds {len(payload.metrics.evaluations)} evaluations, where {EVALUATIONS} must be")
        except (ValueError, RecursionError) as error:
            raise UserError(
                f"record {block.first + row} of '{path}', at byte {start - 12}, is none of NAS-Bench-101: "
                f"{' '.join(str(error).split())[:200]}: is it the right file?"
            ) from None
        _store(payload, found, row)
    return found


def _store(payload: Payload, found: CellRecords, row: int) -> None:
    vertices = len(payload.operations)
    found.hashes[row] = int(payload.module_hash[:16], 16), int(payload.module_hash[16:], 16)
    found.epochs[row] = payload.epochs
    found.vertices[row] = vertices
    found.matrices[row] = found.operations[row] = 0
    found.matrices[row, :vertices, :vertices] = payload.adjacency
    found.operations[row, :vertices] = [OPERATIONS.index(name) for name in payload.operations]
    found.parameters[row] = payload.metrics.trainable_parameters
    found.evaluations[row] = found.totals[row] = np.nan
    for moment, evaluation in enumerate(payload.metrics.evaluations):
        for name, value in evaluation.items():
            found.evaluations[row, moment, EVALUATION_FIELDS[name]] = value
    for name, value in payload.metrics.totals.items():
        found.totals[row, MODEL_FIELDS[name]] = value
