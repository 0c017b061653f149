"""Tables in the cache: mapped when they are whole, made again when they are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lissnas.arrays.stored import stored_tables


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LISSNAS_DATA_DIR", str(tmp_path))
    return tmp_path / "tables"


class Builder:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, np.ndarray]:
        self.calls += 1
        return {"a": np.arange(1000, dtype=np.int32).reshape(10, 100), "b": np.zeros(0, dtype=np.uint8), "c": np.eye(3)}


def same(tables: dict[str, np.ndarray]) -> bool:
    built = Builder()()
    return tables.keys() == built.keys() and all(
        np.array_equal(tables[name], table) and tables[name].dtype == table.dtype and not tables[name].flags.writeable
        for name, table in built.items()
    )


def test_built_once(folder: Path) -> None:
    build = Builder()
    assert same(stored_tables("t", 1, build))
    assert same(stored_tables("t", 1, build))
    assert build.calls == 1
    assert [path.name for path in folder.iterdir()] == ["t.tables"]


def test_another_version_is_built_again(folder: Path) -> None:
    build = Builder()
    stored_tables("t", 1, build)
    assert same(stored_tables("t", 2, build))
    assert build.calls == 2


@pytest.mark.parametrize("size", [0, 5, 20, 100, 600, -1])
def test_a_file_that_was_cut_off_is_built_again(folder: Path, size: int) -> None:
    build = Builder()
    stored_tables("t", 1, build)
    path = folder / "t.tables"
    data = path.read_bytes()
    path.write_bytes(data[:size])
    assert same(stored_tables("t", 1, build))
    assert build.calls == 2
    assert path.read_bytes() == data


def test_changed_bytes_are_never_trusted(folder: Path) -> None:
    build = Builder()
    stored_tables("t", 1, build)
    path = folder / "t.tables"
    data = path.read_bytes()
    for place in (0, 10, 30, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:place] + bytes([data[place] ^ 64]) + data[place + 1 :])
        assert same(stored_tables("t", 1, build))
        assert path.read_bytes() == data


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("LISSNAS_DATA_DIR", str(blocked))
    build = Builder()
    assert same(stored_tables("t", 1, build))
    assert same(stored_tables("t", 1, build))
    assert build.calls == 2
