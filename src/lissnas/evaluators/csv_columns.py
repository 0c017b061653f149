"""A CSV file with a column of architecture strings and a column per number, as columns for a benchmark's table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.formats import Table, read_table

__all__ = ["is_csv", "read_architectures", "read_numbers"]

ARCHITECTURE = "arch"


def is_csv(path: Path) -> bool:
    """Whether a file begins as a CSV file does: a line of text with commas. Its name does not matter."""
    if path.is_dir():
        return False
    try:
        with path.open("rb") as file:
            head = file.read(4096).partition(b"\n")[0]
    except OSError as error:
        raise UserError(f"cannot read '{path}' ({(error.strerror or str(error)).lower()}): check the path") from None
    return b"," in head and all(byte >= 32 or byte in b"\t\r" for byte in head)


def read_architectures(path: Path, parse: Callable[[Sequence[str]], Genotypes]) -> tuple[Table, Genotypes]:
    """The table in ``path``, and the genotypes uint8[n, L] that ``parse`` makes of its column ``arch``.

    Raises:
        UserError: no such column, or an architecture that ``parse`` refuses, named by its line.
    """
    table = read_table(path)
    if ARCHITECTURE not in table.columns:
        raise UserError(f"{path} has no column '{ARCHITECTURE}': it has {', '.join(table.columns)}")
    texts, place = table.distinct(ARCHITECTURE)
    cells = [str(text) for text in texts]
    try:
        return table, parse([cells[index] for index in place])
    except UserError:
        for row, index in enumerate(place.tolist()):
            try:
                parse([cells[index]])
            except UserError as error:
                raise UserError(f"{table.place(row)}: {str(error).removeprefix('row 0: ')}") from None
        raise


def read_numbers(table: Table, names: Iterable[str]) -> dict[str, NDArray[np.float64]]:
    """The columns called ``names``, float64[n], NaN where a cell is empty.

    Raises:
        UserError: a column is missing, or holds something else than numbers, with its line.
    """
    columns = {}
    for name in names:
        if name not in table.columns:
            raise UserError(f"{table.path} has no column '{name}': it has {', '.join(table.columns)}")
        values, strange = table.numbers(name)
        if strange.any():
            row = int(np.flatnonzero(strange)[0])
            raise UserError(f"{table.place(row)}: '{name}' must be a number or empty: check this cell")
        columns[name] = values
    return columns
