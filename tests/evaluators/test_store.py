"""Where the data of benchmarks is kept: whole or not at all, and whoever reads it is never surprised."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from lissnas import UserError
from lissnas.disk import data_dir
from lissnas.evaluators import store

HELPER = Path(__file__).parent / "helpers" / "kill_install.py"
ORIGIN = store.Origin((store.FileRecord("a.csv", 3, "abc"),), version=1, genes="g")


def write(name: str = "toy", n: int = 100, words: int = 1) -> store.Installed:
    codes = np.zeros((n, words), dtype=np.uint64)
    codes[:, -1] = np.arange(n) * 3
    columns = {"single": np.arange(n, dtype=np.float32), "double": np.full(n, np.nan)}
    with store.locked(name):
        return store.write_table(name, ORIGIN, codes, columns)


@pytest.mark.usefixtures("data_folder")
class TestTable:
    @pytest.mark.parametrize("words", [1, 2])
    def test_comes_back_as_it_was(self, words):
        write(words=words)
        table = store.open_table("toy")
        assert table.codes.dtype == np.uint64
        assert table.codes.shape == (100, words)
        assert table.codes[:, -1].tolist() == list(range(0, 300, 3))
        assert table.columns["single"].dtype == np.float32
        assert table.columns["single"].tolist() == list(range(100))
        assert np.isnan(table.columns["double"]).all()

    def test_is_mapped_and_cannot_be_written_to(self):
        write()
        table = store.open_table("toy")
        assert not table.columns["single"].flags.writeable
        assert not table.columns["single"].flags.owndata

    def test_what_is_installed_can_be_asked(self):
        assert store.installed("toy") is None
        done = write()
        assert store.installed("toy") == done
        assert (done.rows, done.origin) == (100, ORIGIN)
        assert done.size == sum(path.stat().st_size for path in store.kept_files("toy"))
        assert store.verify("toy") == done

    def test_older_data_stays_readable_for_who_has_it_open(self):
        write(n=10)
        before = store.open_table("toy")
        write(n=20)
        assert before.columns["single"].tolist() == list(range(10))
        assert len(store.open_table("toy").codes) == 20
        assert len(list((data_dir() / "toy").iterdir())) == 2

    def test_remove_leaves_nothing(self):
        write()
        store.downloads_dir("toy").mkdir(parents=True)
        (store.downloads_dir("toy") / "file.part").write_bytes(b"half")
        assert store.remove("toy")
        assert store.installed("toy") is None
        assert not (data_dir() / "toy").exists()
        assert not store.downloads_dir("toy").exists()
        assert not store.remove("toy")


@pytest.mark.usefixtures("data_folder")
class TestDamage:
    def test_of_a_byte_is_seen_by_verify(self):
        write()
        (path,) = store.kept_files("toy")
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        with pytest.raises(UserError, match=r"damaged.*sha256.*lissnas data remove toy"):
            store.verify("toy")

    @pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"\0", lambda data: b""])
    def test_of_the_length_is_seen_at_once(self, change):
        write()
        (path,) = store.kept_files("toy")
        path.write_bytes(change(path.read_bytes()))
        with pytest.raises(UserError, match=r"damaged.*another size.*lissnas data remove toy"):
            store.open_table("toy")

    def test_of_the_structure_is_seen_at_once(self):
        write()
        (path,) = store.kept_files("toy")
        path.write_bytes(b"\xff" * path.stat().st_size)
        with pytest.raises(UserError, match=r"damaged.*no whole Arrow file"):
            store.open_table("toy")

    def test_of_a_missing_file(self):
        write()
        store.kept_files("toy")[0].unlink()
        with pytest.raises(UserError, match=r"damaged"):
            store.open_table("toy")

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": 1, "sources": 3}'])
    def test_of_what_says_what_is_there(self, text):
        write()
        (data_dir() / "toy" / store.META).write_text(text)
        with pytest.raises(UserError, match=r"damaged.*lissnas data remove toy"):
            store.open_table("toy")

    def test_another_format_is_refused(self):
        write()
        path = data_dir() / "toy" / store.META
        path.write_text(path.read_text().replace('"format": 1', '"format": 7'))
        with pytest.raises(UserError, match=r"another version of lissnas.*format 7.*lissnas data remove toy"):
            store.installed("toy")

    def test_nothing_there(self):
        with pytest.raises(UserError, match=r"'toy' is not in .*lissnas data add toy FILE"):
            store.open_table("toy")


@pytest.mark.usefixtures("data_folder")
class TestFiles:
    def test_are_kept_as_they_are(self, tmp_path):
        for name in ("b.onnx", "a.json"):
            (tmp_path / name).write_text(name)
        with store.locked("toy"):
            done = store.keep_files("toy", ORIGIN, [tmp_path / "b.onnx", tmp_path / "a.json"])
        assert [path.read_text() for path in store.kept_files("toy")] == ["b.onnx", "a.json"]
        assert [path.suffix for path in store.kept_files("toy")] == [".onnx", ".json"]
        assert done.rows is None

    def test_a_folder_is_known_by_all_its_files(self, tmp_path):
        (tmp_path / "f").mkdir()
        (tmp_path / "f" / "a").write_text("1")
        one = store.file_record(tmp_path / "f")
        (tmp_path / "f" / "b").write_text("2")
        assert store.file_record(tmp_path / "f") != one
        assert store.file_record(tmp_path / "f").size == 2


def test_one_process_at_a_time(data_folder):
    said, order = [], []

    def second() -> None:
        with store.locked("toy", said.append):
            order.append("second")

    with store.locked("toy"):
        thread = threading.Thread(target=second)
        thread.start()
        while not said:
            thread.join(0.01)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert said == ["another process is working on the data of 'toy': waiting for it"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to(data_folder):
    data_folder.mkdir()
    data_folder.chmod(0o500)
    with pytest.raises(UserError, match=r"choose a place that can be written"), store.locked("toy"):
        pass


def test_a_folder_that_is_a_file(data_folder):
    data_folder.write_text("")
    with pytest.raises(UserError, match=r"cannot read or write"), store.locked("toy"):
        pass


def test_killed_at_every_step(data_folder, micro_csv, tmp_path):
    """What a reader finds is nothing, the older data, or the newer, always whole."""
    other = tmp_path / "other.csv"
    other.write_text(micro_csv.read_text().replace("class_scene_best", "another_number"))
    result = subprocess.run(
        [sys.executable, str(HELPER), str(micro_csv), str(other)], capture_output=True, text=True, check=True, timeout=120
    )
    first, second, rest = result.stdout.split("left 2\n")  # the new file and what says so; what killed ones left is gone
    assert not rest
    for text, before in ((first, "none"), (second, "micro.csv")):
        steps = [line.split() for line in text.splitlines()]
        assert len(steps) > 5
        assert {found for _, _, found in steps} == {before, "other.csv"}
        assert [what for _, what, _ in steps] == ["killed"] * (len(steps) - 1) + ["done"]
        assert steps[-1][2] == "other.csv"
