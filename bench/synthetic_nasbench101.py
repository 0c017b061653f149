"""A TFRecord file as large as NAS-Bench-101's, with made-up metrics: what loading takes can be measured without the real one.

python bench/synthetic_nasbench101.py FILE [--full] [--cells N]      all 423,624 cells, three trainings of 108 epochs each
                                                                     (0.5 GB); --full: of 4, 12, 36 and 108 epochs (2 GB)

All but the numbers is as in the official files: the framing, the JSON list, hashes, matrices, operations, the message.
"""

from __future__ import annotations

import argparse
import base64
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

import lissnas
from lissnas.evaluators.readers.tfrecord import write_records

REPEATS = 3
BLOCK = 4096  # cells at a time
EPOCHS = (4, 12, 36, 108)


def write_synthetic(path: str | Path, epochs: Sequence[int] = (108,), cells: int | None = None, seed: int = 0) -> int:
    """Write the first ``cells`` cells (all if not given); returns how many records there are."""
    return write_records(path, _payloads(epochs, cells, np.random.default_rng(seed)))


def _payloads(epochs: Sequence[int], cells: int | None, rng: np.random.Generator) -> Iterator[bytes]:
    space = lissnas.get_space("nasbench101")
    count = space.cardinality if cells is None else cells
    hashes = space.official_hash(space.genotypes_of(np.arange(count)))
    for low in range(0, count, BLOCK):
        genotypes = space.genotypes_of(np.arange(low, min(low + BLOCK, count)))
        params = space.cost(genotypes).params.astype(np.int64).tolist()
        texts = space.format(genotypes)
        trainings = len(epochs) * REPEATS
        # three moments: epoch, seconds, and three accuracies each; accuracies are single precision in the official files too
        numbers = rng.random((len(genotypes), trainings, 3, 5)).astype(np.float32).astype(np.float64)
        for row, text in enumerate(texts):
            matrix, _, operations = text.partition(":")
            names = ",".join(["input", *(operations.split(",") if operations else []), "output"])
            for training, budget in enumerate(np.repeat(epochs, REPEATS).tolist()):
                head = f'["{hashes[low + row]}", {budget}, "{matrix}", "{names}", "'
                message = _message(numbers[row, training], budget, params[row])
                body = base64.encodebytes(message).replace(b"\n", b"\\n")
                yield b"".join((head.encode(), body, b'"]'))


_EVALUATION = struct.Struct("<BB" + "Bd" * 5)


def _message(numbers: np.ndarray, epochs: int, params: int) -> bytes:
    parts = []
    for moment, row in enumerate(numbers.tolist()):
        done = epochs * moment / 2
        values = (done, 11.0 * done + row[1], *row[2:])
        fields = [part for number, value in enumerate(values, 1) for part in (number << 3 | 1, value)]
        parts.append(_EVALUATION.pack(1 << 3 | 2, 45, *fields))
    varint = bytearray()
    while params > 127:
        varint.append(params & 127 | 128)
        params >>= 7
    varint.append(params)
    return b"".join((*parts, bytes([2 << 3]), varint, struct.pack("<Bd", 3 << 3 | 1, 13.0 * epochs)))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--cells", type=int)
    given = parser.parse_args()
    count = write_synthetic(given.file, EPOCHS if given.full else (108,), given.cells)
    print(f"{count:,} records, {given.file.stat().st_size / 1e6:,.0f} MB: {given.file}")


if __name__ == "__main__":
    main()
