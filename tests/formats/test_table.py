"""CSV and Parquet as columns that know where each row stands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lissnas.errors import UserError
from lissnas.formats import read_table


def write(folder: Path, text: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_columns_are_numbers_or_text(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "a,b,c\n1,x,\n2.5,y,3\n"))
    assert list(table) == ["a", "b", "c"]
    assert table["a"].tolist() == [1, 2.5]
    assert table["b"].tolist() == ["x", "y"]
    assert np.isnan(table["c"][0])
    assert table["c"][1] == 3


def test_lines_are_counted_as_in_the_file(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, 'a,b\n1,x\n\n2,"two\nlines"\n3,y\n'))
    assert table.lines.tolist() == [2, 4, 6]
    assert table.place(2).endswith("t.csv:6")
    assert table["b"].tolist() == ["x", "two\nlines", "y"]


def test_spaces_quotes_byte_order_mark_and_windows_lines(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, b'\xef\xbb\xbfa, b\r\n1, "x, y"\r\n'))
    assert list(table) == ["a", "b"]
    assert table["b"].tolist() == ["x, y"]


def test_the_row_numbers_of_pandas_are_left_out(tmp_path: Path) -> None:
    assert list(read_table(write(tmp_path, ",a\n0,5\n1,6\n"))) == ["a"]


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    dictionary = pa.array(["x", None, "x"]).dictionary_encode()
    pq.write_table(pa.table({"i": [1, 2, None], "f": [0.5, float("nan"), 2], "b": [True, False, None], "d": dictionary}), path)
    table = read_table(path)
    assert table.place(2).endswith("t.parquet, row 3")
    assert table.distinct("b")[0][int(table.distinct("b")[1][2])] == ""
    assert table["d"].tolist() == ["x", "", "x"]
    assert table["i"].tolist()[:2] == [1, 2]
    assert np.isnan(table["i"][2])
    assert table["f"][2] == 2


MISTAKES = {
    "ragged": ("a,b\n1,2\n3\n", "t.csv:3: every row must have 2 cells, as the header has, but this one has 1"),
    "too long": ("a,b\n1,2\n\n3,4,5\n", "t.csv:4: every row must have 2 cells, as the header has, but this one has 3"),
    "a name twice": ("a,b,a\n1,2,3\n", "t.csv:1: the column 'a' stands twice"),
    "no name twice": ("a,,\n1,2,3\n", "t.csv:1: a column without a name stands twice"),
    "no rows": ("a,b\n", "holds no rows"),
    "empty": ("", "t.csv is empty"),
    "semicolons": ("a;b\n1;2\n", "t.csv:1: columns must be separated by commas"),
    "an open quote": ('a,b\n1,2\n3,"x\n', "t.csv:3: this is not CSV"),
    "not UTF-8": (b"a,b\n1,x\n2,\xe9\n", "t.csv:3: a CSV file must be UTF-8"),
    "UTF-16": ("a,b\n1,2\n".encode("utf-16"), "t.csv:1: a CSV file must be UTF-8"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_in_a_csv(tmp_path: Path, case: str) -> None:
    text, part = MISTAKES[case]
    with pytest.raises(UserError) as caught:
        read_table(write(tmp_path, text))
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for name in ("no.csv", "no.parquet"):
        with pytest.raises(UserError, match=rf"cannot read '.*{name}' \(no such file or directory\)"):
            read_table(tmp_path / name)


def test_another_ending(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"must be a \.csv or \.parquet file, but got '.*t\.xlsx'"):
        read_table(write(tmp_path, "a\n1\n", "t.xlsx"))


def test_a_truncated_parquet(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": list(range(1000))}), path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match=r"t\.parquet is not a whole Parquet file"):
        read_table(path)


def test_an_empty_parquet(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(b"")
    with pytest.raises(UserError, match=r"t\.parquet is not a whole Parquet file"):
        read_table(path)
