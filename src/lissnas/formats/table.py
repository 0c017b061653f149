"""Tables of measured networks: CSV and Parquet, as columns that remember where each row stands in the file."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lissnas.errors import UserError

__all__ = ["Table", "read_table"]

_BLOCK = 1 << 16  # rows that are held as Python objects at a time
_INDEX_COLUMNS = ("", "__index_level_0__")  # the row numbers that pandas writes


@dataclass(frozen=True)
class Table(Mapping[str, NDArray[Any]]):
    """Columns by name. ``table["score"]`` is float64[n] where every cell is a number or empty (NaN), else the texts, object[n].

    Attributes:
        path: the file.
        columns: name -> pyarrow array. Cells of a CSV are text, so that alleles match by value however they are written.
        lines: int64[n], where each row stands: its line in a CSV (the header is line 1), its row in a Parquet file (from 1).
    """

    path: Path
    columns: dict[str, Any]
    lines: NDArray[np.int64]

    def place(self, row: int) -> str:
        """Where a row stands, for messages: ``measured.csv:17`` or ``measured.parquet, row 16``."""
        return f"{self.path}:{self.lines[row]}" if _is_csv(self.path) else f"{self.path}, row {self.lines[row]}"

    def distinct(self, name: str) -> tuple[list[Any], NDArray[np.int64]]:
        """The distinct cells of a column, and int64[n], which of them each row holds. An empty cell is ``""``."""
        column = self.columns[name]
        if pa.types.is_nested(column.type):
            raise UserError(f"the column '{name}' of {self.path} holds {column.type}, but must hold texts or numbers")
        encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        values = [_plain(value) for value in encoded.dictionary.to_pylist()]
        index = encoded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False).astype(np.int64)
        return [*values, ""], index

    def numbers(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """float64[n], NaN where a cell is no number; and bool[n], which cells are neither numbers nor empty."""
        column = self.columns[name]
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            values = column.cast(pa.float64(), safe=False)
            return values.to_numpy(zero_copy_only=False).astype(np.float64), np.zeros(len(self.lines), dtype=bool)
        if pa.types.is_nested(column.type):
            return np.full(len(self.lines), np.nan), np.ones(len(self.lines), dtype=bool)
        cells, index = self.distinct(name)
        parsed = np.array([_number(cell) for cell in cells])
        # a cell that says nan is a number as far as its text goes; that it is not finite is said elsewhere
        strange = np.array(
            [cell != "" and np.isnan(v) and str(cell).lower() != "nan" for cell, v in zip(cells, parsed, strict=True)]
        )
        return parsed[index], strange[index]

    def __getitem__(self, name: str) -> NDArray[Any]:
        values, strange = self.numbers(name)
        if not strange.any():
            return values
        cells, index = self.distinct(name)
        return np.array(cells, dtype=object)[index]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)


def read_table(path: str | Path) -> Table:
    """The table in ``path``, a ``.csv`` or ``.parquet`` file.

    Empty lines count in line numbers and are left out otherwise; so is the column of row numbers that pandas writes.

    Raises:
        UserError: another ending, no such file, no rows, not UTF-8, rows of different lengths, a column name twice.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise UserError(f"a table must be a .csv or .parquet file, but got '{path}': convert it")
    try:
        table = _read_csv(path) if suffix == ".csv" else _read_parquet(path)
    except OSError as error:
        raise UserError(f"cannot read '{path}' ({(error.strerror or str(error)).lower()}): check the path") from None
    if not len(table.lines):
        raise UserError(f"{path} holds no rows: it needs a header and one row per network")
    return table


def _is_csv(path: Path) -> bool:
    return path.suffix.lower() == ".csv"


def _read_csv(path: Path) -> Table:
    line = 1
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True, skipinitialspace=True)
        try:
            header = next(reader, None)
            if header is None:
                raise UserError(f"{path} is empty: it needs a header and one row per network")
            names = [name.strip() for name in header]
            _require_names(names, f"{path}:1")
            rows: list[tuple[int, list[str]]] = []
            blocks: list[list[Any]] = []
            lines: list[NDArray[np.int64]] = []
            for found in _rows(reader, path, len(names)):
                line = reader.line_num
                rows.append(found)
                if len(rows) == _BLOCK:
                    _flush(rows, blocks, lines)
            _flush(rows, blocks, lines)
        except csv.Error as error:
            raise UserError(f"{path}:{reader.line_num}: this is not CSV ({error}): check the quotes there") from None
        except UnicodeDecodeError as error:
            place = f"{path}:{_line_of_bad_byte(path, line)}"
            raise UserError(
                f"{place}: a CSV file must be UTF-8 text, but this line is not ({error.reason}): save it as UTF-8"
            ) from None
    columns = {
        name: pa.concat_arrays([block[index] for block in blocks]) if blocks else pa.array([], pa.string())
        for index, name in enumerate(names)
        if name not in _INDEX_COLUMNS
    }
    return Table(path, columns, np.concatenate(lines) if lines else np.zeros(0, dtype=np.int64))


def _rows(reader: Any, path: Path, width: int) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line it starts in."""
    end = reader.line_num
    for row in reader:
        start, end = end + 1, reader.line_num
        if not row or (width > 1 and len(row) == 1 and not row[0].strip()):
            continue
        if len(row) != width:
            raise UserError(
                f"{path}:{start}: every row must have {width} cells, as the header has, but this one has {len(row)}"
            )
        yield start, row


def _flush(rows: list[tuple[int, list[str]]], blocks: list[list[Any]], lines: list[NDArray[np.int64]]) -> None:
    if rows:
        lines.append(np.array([line for line, _ in rows], dtype=np.int64))
        blocks.append([pa.array(column, pa.string()) for column in zip(*(row for _, row in rows), strict=True)])
        rows.clear()


def _line_of_bad_byte(path: Path, line: int) -> int:
    """The first line that is not UTF-8, from ``line`` on: the decoder reads ahead and does not say."""
    with path.open("rb") as file:
        for number, text in enumerate(islice(file, line - 1, None), start=line):
            try:
                text.decode()
            except UnicodeDecodeError:
                return number
    return line


def _read_parquet(path: Path) -> Table:
    try:
        with path.open("rb") as stream:
            file = pq.ParquetFile(stream)
            names = list(file.schema_arrow.names)
            _require_names([name.strip() for name in names], str(path))
            table = file.read()
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        reason = " ".join(str(error).split())[:100]
        raise UserError(f"{path} is not a whole Parquet file ({reason}): write or copy it again") from None
    columns = {
        name.strip(): table.column(index).combine_chunks() for index, name in enumerate(names) if name not in _INDEX_COLUMNS
    }
    return Table(path, columns, np.arange(1, table.num_rows + 1))


def _require_names(names: list[str], place: str) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            shown = f"the column '{name}' stands" if name else "a column without a name stands"
            raise UserError(f"{place}: {shown} twice in the header: each name once")
    if len(names) == 1 and any(mark in names[0] for mark in ";\t"):
        raise UserError(
            f"{place}: columns must be separated by commas, but the header is '{names[0][:40]}': save it with commas"
        )


def _plain(value: Any) -> Any:
    """A cell as an allele is written: a text without space around it, and '' for what is empty or not a number."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    return value.strip() if isinstance(value, str) else value


def _number(cell: Any) -> float:
    text = str(cell)
    try:
        return float(text) if "_" not in text else np.nan  # to Python "1_0" is ten
    except ValueError:
        return np.nan
