"""Cells as text: the adjacency matrix row by row, a colon, the operations; or the official hash."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.nasbench101.drawings import EDGES, OPERATIONS, OUT
from lissnas.spaces.nasbench101.hashes import find_hash
from lissnas.spaces.nasbench101.reading import identify_drawings

__all__ = ["format_genotypes", "parse_texts"]

_HASH = re.compile("[0-9a-f]{32}")
_DRAWING = re.compile(r"(?P<bits>[01]+):(?P<operations>.*)")


def format_genotypes(genotypes: Genotypes, interior: NDArray[Any]) -> list[str]:
    """The text of each cell; ``interior`` [n]: how many vertices it has between IN and OUT."""
    texts = []
    for row, count in zip(genotypes.tolist(), interior.tolist(), strict=True):
        edges = {edge for edge, bit in zip(EDGES, row, strict=False) if bit}
        places = [*range(count + 1), OUT]
        bits = "".join(str(int((i, j) in edges)) for i in places for j in places)
        texts.append(f"{bits}:{','.join(OPERATIONS[code] for code in row[len(EDGES) : len(EDGES) + count])}")
    return texts


def parse_texts(texts: Sequence[str], space: str) -> NDArray[np.int64]:
    """int64[n]: the cell of each text; any drawing of a cell can be read, short names of operations too.

    Raises:
        UserError: what is no cell, with its row and the reason; ``space`` is named in it.
    """
    if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
        raise UserError(f"parse takes a list of architecture strings, but got {str(texts)[:60]!r}")
    ids = np.empty(len(texts), dtype=np.int64)
    drawn, matrices, operations = [], [], []
    for row, text in enumerate(texts):
        try:
            written = _DRAWING.fullmatch(text.strip())
            if written is None:
                ids[row] = _find(text.strip(), space)
                continue
            matrices.append(_square(written["bits"]))
        except UserError as error:
            raise UserError(f"row {row}: {error}") from None
        drawn.append(row)
        operations.append(written["operations"].split(",") if written["operations"] else [])
    try:
        ids[drawn] = identify_drawings(matrices, operations)
    except UserError as error:  # it counts the rows that are drawn
        raise UserError(re.sub(r"^row (\d+)", lambda found: f"row {drawn[int(found[1])]}", str(error))) from None
    return ids


def _find(text: str, space: str) -> int:
    if not _HASH.fullmatch(text):
        raise UserError(
            f"'{text}' is no cell of '{space}': its matrix row by row, a colon and its operations, like "
            f"'010001000:{OPERATIONS[0]}', or its official hash"
        )
    return find_hash(text)


def _square(bits: str) -> NDArray[np.uint8]:
    side = math.isqrt(len(bits))
    if side**2 != len(bits):
        raise UserError(f"'{bits}' has {len(bits)} bits, which fill no square matrix")
    return np.array(list(bits), dtype=np.uint8).reshape(side, side)
