"""The run directory's own rules, in one process."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

import lissnas.runs.header
from lissnas.errors import UserError
from lissnas.runs import JOBS, Run, RunInterrupted, evaluate_in_chunks, resume, start

CONFIG = {"seed": 3, "sizes": (1, 2), "limit": 330e6}


@pytest.fixture
def run(tmp_path):
    with Run.create(tmp_path / "run", "test", CONFIG) as run:
        yield run


def reopened(run):
    run.close()
    return Run.open(run.directory)


def events(run):
    return [json.loads(line) for line in (run.directory / "journal.jsonl").read_text().splitlines()]


def write_two(run):
    run.write_text("a", "a")
    run.write_text("b", "b")


class TestCreate:
    def test_config_is_the_same_after_reopening(self, run):
        assert run.config == {"seed": 3, "sizes": [1, 2], "limit": 330e6}
        with reopened(run) as again:
            assert (again.config, again.kind, again.seed) == (run.config, "test", 3)
        written = yaml.safe_load((run.directory / "config.yaml").read_text())
        assert written["run_format"] == 1
        assert written["kind"] == "test"

    @pytest.mark.parametrize("config", [{}, {"seed": None}, {"seed": -1}, {"seed": True}, {"seed": "0"}])
    def test_needs_a_seed(self, tmp_path, config):
        with pytest.raises(UserError, match="needs a seed"):
            Run.create(tmp_path / "run", "test", config)
        assert not (tmp_path / "run").exists()

    def test_refuses_a_run(self, run):
        with pytest.raises(UserError, match=r"exists already: resume it with `lissnas resume \S+run`, or choose another --out"):
            Run.create(run.directory, "test", CONFIG)

    def test_refuses_what_is_not_empty_and_leaves_it_alone(self, tmp_path):
        (tmp_path / "mine.txt").touch()
        with pytest.raises(UserError, match="is not empty and is not a run"):
            Run.create(tmp_path, "test", CONFIG)
        assert os.listdir(tmp_path) == ["mine.txt"]

    @pytest.mark.parametrize("name", ["file", "file/below"])
    def test_refuses_a_file(self, tmp_path, name):
        (tmp_path / "file").touch()
        with pytest.raises(UserError, match=r"not a directory"):
            Run.create(tmp_path / name, "test", CONFIG)

    def test_takes_over_what_a_killed_creation_left(self, tmp_path):
        (tmp_path / ".lock").touch()
        (tmp_path / ".tmp-17-config.yaml").write_text("run_for")
        with Run.create(tmp_path, "test", CONFIG):
            assert sorted(os.listdir(tmp_path)) == [".lock", "config.yaml", "journal.jsonl"]


class TestOpen:
    def test_what_is_no_run(self, tmp_path):
        with pytest.raises(UserError, match="is not a run directory"):
            Run.open(tmp_path)
        with pytest.raises(UserError, match="does not exist"):
            Run.open(tmp_path / "nothing")
        assert os.listdir(tmp_path) == []

    def test_newer_version_is_left_as_it_is(self, run, monkeypatch):
        run.close()
        monkeypatch.setattr(lissnas.runs.header, "RUN_FORMAT", 0)
        before = (run.directory / "journal.jsonl").read_bytes()
        with pytest.raises(UserError, match=r"newer lissnas \(0.1.0, run format 1; this is 0.1.0, format 0\): upgrade"):
            Run.open(run.directory)
        assert (run.directory / "journal.jsonl").read_bytes() == before

    @pytest.mark.parametrize("text", ["", "[1", "run_format: one", "run_format: 1\nkind: test", "\x00"])
    def test_damaged_config(self, run, text):
        run.close()
        (run.directory / "config.yaml").write_text(text)
        with pytest.raises(UserError, match=r"config.yaml' is not the configuration of a run"):
            Run.open(run.directory)

    def test_changed_config(self, run):
        run.close()
        file = run.directory / "config.yaml"
        file.write_text(file.read_text().replace("seed: 3", "seed: 4"))
        with pytest.raises(UserError, match=r"config.yaml' was changed after the run began"):
            Run.open(run.directory)
        file.write_text(file.read_text().replace("seed: 4", "seed: 3"))
        Run.open(run.directory).close()  # the refusal has let go of the lock

    def test_missing_config(self, run):
        run.close()
        (run.directory / "config.yaml").unlink()
        with pytest.raises(UserError, match="is not a run directory"):
            Run.open(run.directory)

    def test_other_version_is_said(self, run, monkeypatch):
        run.close()
        monkeypatch.setattr("lissnas.runs.directory.__version__", "0.2.0")
        with pytest.warns(UserWarning, match=r"begun by lissnas 0.1.0, and goes on with 0.2.0"):
            Run.open(run.directory).close()

    def test_lock_within_one_process(self, run):
        with pytest.raises(UserError, match=rf"in use by another process \(pid {os.getpid()}\)"):
            Run.open(run.directory)

    def test_temporary_files_are_swept(self, run):
        run.path("networks").mkdir()
        run.path("networks/.tmp-1-a.safetensors").touch()
        with reopened(run):
            assert list(run.path("networks").iterdir()) == []


class TestJournal:
    @pytest.mark.parametrize("torn", ['{"event": "do', '{"event": "done"', "\x00\x00\x00\n", '{"event": "half"}'])
    def test_torn_last_line_is_cut_off(self, run, torn):
        run.step("one", lambda: run.write_text("a", "a"), ["a"])
        run.close()
        with (run.directory / "journal.jsonl").open("a") as file:
            file.write(torn)
        with Run.open(run.directory) as again:
            assert not again.step("one", lambda: None, ["a"])
            assert [event["event"] for event in events(again)] == ["created", "begun", "done", "opened"]

    def test_damage_before_the_last_line(self, run):
        run.close()
        with (run.directory / "journal.jsonl").open("a") as file:
            file.write("[1]\n{}\n")
        with pytest.raises(UserError, match=r"journal.jsonl' line 2 is not a line of a journal"):
            Run.open(run.directory)

    def test_a_line_that_does_not_fit_leaves_no_trace(self, run, monkeypatch):
        before = run.path("journal.jsonl").read_bytes()
        write = os.write
        calls = iter([10, None])

        def full(file, data):
            size = next(calls)
            if size is None:
                raise OSError(errno.ENOSPC, "No space left on device")
            return write(file, data[:size])

        monkeypatch.setattr(os, "write", full)
        with pytest.raises(UserError, match=r"journal.jsonl' \(no space left on device\): free some space there"):
            run.journal("something")
        assert run.path("journal.jsonl").read_bytes() == before

    def test_own_events(self, run):
        run.journal("evaluated", networks=np.int64(7), cost=1.5)
        assert {**events(run)[-1], "time": 0} == {"event": "evaluated", "time": 0, "networks": 7, "cost": 1.5}


class TestSteps:
    def test_once(self, run):
        calls = []

        def write():
            calls.append(1)
            run.write_text("a/b.txt", "text")

        assert run.step("one", write, ["a/b.txt"])
        assert not run.step("one", write, ["a/b.txt"])
        with reopened(run) as again:
            assert not again.step("one", write, ["a/b.txt"])
        assert calls == [1]
        assert list(json.loads(run.path("timings.json").read_text())) == ["one"]

    def test_missing_output_is_made_again(self, run):
        write = partial(write_two, run)
        run.step("one", write, ["a", "b"])
        run.path("a").unlink()
        with reopened(run) as again:
            assert again.step("one", write, ["a", "b"])
            assert not again.step("one", write, ["a", "b"])

    @pytest.mark.parametrize("missing", [False, True])
    def test_changed_output_is_refused(self, run, missing):
        write = partial(write_two, run)
        run.step("one", write, ["a", "b"])
        run.path("b").write_text("mine")
        if missing:
            run.path("a").unlink()
        with reopened(run) as again:
            line = r"run/b' was changed after step 'one' wrote it: restore it, or start a new run"
            with pytest.raises(UserError, match=line):
                again.step("one", write, ["a", "b"])
        assert run.path("b").read_text() == "mine"

    def test_folder_as_output(self, run):
        def write():
            for index in range(3):
                run.write_text(f"parts/{index}.txt", str(index))

        run.step("one", write, ["parts/"])
        run.path("parts/note.txt").write_text("a file of the user's own does no harm")
        assert not run.step("one", write, ["parts/"])
        run.path("parts/1.txt").unlink()
        assert run.step("one", write, ["parts/"])
        assert sorted(path.name for path in run.path("parts").iterdir()) == ["0.txt", "1.txt", "2.txt"]

    def test_another_output_than_recorded_means_not_done(self, run):
        run.step("one", lambda: run.write_text("a", "a"), ["a"])
        assert run.step("one", lambda: (run.write_text("a", "a"), run.write_text("b", "b")), ["a", "b"])

    @pytest.mark.parametrize(("second", "runs"), [("a", False), ("other", True)])
    def test_later_steps_follow_if_bytes_differ(self, run, second, runs):
        run.step("one", lambda: run.write_text("a", "a"), ["a"])
        run.step("two", lambda: run.write_text("b", "b"), ["b"])
        run.path("a").unlink()
        assert run.step("one", lambda: run.write_text("a", second), ["a"])
        with reopened(run) as again:
            assert again.step("two", lambda: again.write_text("b", "b"), ["b"]) is runs

    def test_stopped_while_made_again(self, run):
        """What a step left while it was being made again must not pass for a file changed by hand."""
        run.step("one", lambda: run.write_text("a", "a"), ["a"])
        run.path("a").unlink()
        with pytest.raises(KeyError):
            run.step("one", lambda: {}["nothing"], ["a"])
        run.path("a").write_text("half")  # as a kill would leave it
        with reopened(run) as again:
            assert again.step("one", lambda: again.write_text("a", "a"), ["a"])

    def test_again(self, run):
        run.step("report", lambda: run.write_text("report.html", "1"), ["report.html"])
        assert run.step("report", lambda: run.write_text("report.html", "2"), ["report.html"], again=True)
        with reopened(run) as again:
            assert not again.step("report", lambda: None, ["report.html"])

    def test_failure_leaves_no_output(self, run):
        def fail():
            run.write_text("a", "a")
            run.path("b").write_text("half")
            raise UserError("rule, value, remedy")

        with pytest.raises(UserError, match=r"^rule, value, remedy$"):
            run.step("one", fail, ["a", "b"])
        assert not run.path("a").exists()
        assert not run.path("b").exists()
        assert events(run)[-1]["event"] == "failed"

    def test_interrupt(self, run):
        def stop():
            raise KeyboardInterrupt

        with pytest.raises(RunInterrupted, match=r"^stopped; go on with: lissnas resume \S+/run$"):
            run.step("one", stop, [])
        assert events(run)[-1]["event"] == "interrupted"

    def test_programmers_mistakes(self, run):
        with pytest.raises(ValueError, match="do not nest"):
            run.step("one", lambda: run.step("two", lambda: None, []), [])
        with pytest.raises(ValueError, match=r"did not write its output 'a'"):
            run.step("one", lambda: None, ["a"])
        with pytest.raises(ValueError, match="did not write its output 'a/'"):
            run.step("one", lambda: None, ["a/"])
        with pytest.raises(ValueError, match="lower-case"):
            run.step("../one", lambda: None, [])
        for name in ("/etc/passwd", "../other", "."):
            with pytest.raises(ValueError, match="inside the run directory"):
                run.path(name)
        with pytest.raises(ValueError, match="belongs inside it"):
            run.checkpoint("one")


class TestCheckpoint:
    def test_kept_until_done(self, run):
        def fail():
            (run.checkpoint("one") / "state").write_text("half")
            raise KeyError

        with pytest.raises(KeyError):
            run.step("one", fail, [])
        assert run.path("checkpoints/one/state").exists()
        with reopened(run) as again:
            assert again.step("one", lambda: again.checkpoint("one"), [])
        assert not run.path("checkpoints").exists()

    def test_of_a_done_step_is_removed_at_the_next_opening(self, run):
        run.step("one", lambda: None, [])
        run.path("checkpoints/one").mkdir(parents=True)
        with reopened(run):
            assert not run.path("checkpoints").exists()

    def test_made_from_other_files_is_removed(self, run):
        run.step("one", lambda: run.write_text("a", "a"), ["a"])
        run.step("two", lambda: None, [])
        with pytest.raises(KeyError):
            run.step("three", lambda: (run.checkpoint("three") / "x").touch() or {}["stop"], [])
        run.step("one", lambda: run.write_text("a", "other"), ["a"], again=True)
        assert not run.path("checkpoints").exists()

    def test_chunks(self, run):
        seen, shown = [], []

        def double(chunk, rng):
            seen.append(chunk)
            if len(seen) == 3:
                raise KeyError("stop")
            return [chunk * 2 + rng.random()]

        def evaluate():
            chunks = list(range(4))
            seed = run.seeds("one")
            parts = evaluate_in_chunks(run, "one", chunks, double, seed=seed, progress=lambda *done: shown.append(done))
            run.write_json("scores.json", np.concatenate(parts))

        with pytest.raises(KeyError):
            run.step("one", evaluate, ["scores.json"])
        run.step("one", evaluate, ["scores.json"])
        assert seen == [0, 1, 2, 2, 3]
        assert shown == [(0, 4), (1, 4), (2, 4), (2, 4), (3, 4), (4, 4)]
        expected = [2 * i + np.random.default_rng(child).random() for i, child in enumerate(run.seeds("one").spawn(4))]
        assert json.loads(run.path("scores.json").read_text()) == expected

    def test_damaged_chunk(self, run):
        def evaluate():
            (run.checkpoint("one") / "chunk-00000-of-00001.npy").write_bytes(b"\x93NUMPY\x01")
            evaluate_in_chunks(run, "one", [0], float)

        with pytest.raises(UserError, match=r"chunk-00000-of-00001.npy' is damaged .*: delete the folder"):
            run.step("one", evaluate, [])


class TestWriting:
    def test_values(self, run):
        run.write_json(
            "a.json", {"z": np.float64(0.1), "a": [float("nan"), float("inf"), np.int8(3)], "big": 2**70, "p": Path("x")}
        )
        assert run.path("a.json").read_text() == (
            '{\n  "z": 0.1,\n  "a": [\n    null,\n    null,\n    3\n  ],\n  "big": 1180591620717411303424,\n  "p": "x"\n}\n'
        )
        run.write_yaml("a.yaml", {"b": (1, "no"), "a": 1e-5})
        assert yaml.safe_load(run.path("a.yaml").read_text()) == {"b": [1, "no"], "a": 1e-5}
        with pytest.raises(TypeError, match="a set cannot be written"):
            run.write_json("b.json", {1})
        assert not run.path("b.json").exists()

    def test_parquet_is_deterministic(self, run):
        columns = {"gene": ["a", "b"], "score": np.array([0.5, np.nan]), "code": np.array([1, 2**64 - 1], dtype=np.uint64)}
        first = run.write_parquet("a.parquet", columns, {"made_by": "test"}).read_bytes()
        assert run.write_parquet("b.parquet", columns, {"made_by": "test"}).read_bytes() == first
        table = pq.read_table(run.path("a.parquet"))
        assert table["code"].to_pylist() == [1, 2**64 - 1]
        assert table.schema.metadata == {b"made_by": b"test"}

    def test_other_libraries_write_to_a_temporary_path(self, run):
        with run.writing("networks/a.npy") as temporary:
            assert temporary.suffix == ".npy"
            assert temporary.parent == run.path("networks")
            np.save(temporary, np.ones(3))
            assert not run.path("networks/a.npy").exists()
        assert np.load(run.path("networks/a.npy")).sum() == 3

    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
    @pytest.mark.parametrize("where", ["replace", "fsync"])
    def test_a_disk_that_refuses_leaves_the_old_file(self, run, monkeypatch, number, where):
        run.write_text("a.txt", "old")

        def refuse(*arguments):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, where, refuse)
        with pytest.raises(UserError, match=r"^cannot (read or )?write '\S+a.txt' \([a-z -]+\): (free|choose) [a-z ]+$"):
            run.write_text("a.txt", "new")
        assert run.path("a.txt").read_text() == "old"
        assert not list(run.directory.rglob(".tmp-*"))

    def test_creation_on_a_disk_that_refuses_leaves_nothing(self, tmp_path, monkeypatch):
        def refuse(*arguments):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        for function in ("fsync", "replace", "write"):
            with monkeypatch.context() as patch:
                patch.setattr(os, function, refuse)
                with pytest.raises(UserError, match="no space left"):
                    Run.create(tmp_path / "parent" / "run", "test", CONFIG)
            assert os.listdir(tmp_path) == []

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write to a read-only directory")
    def test_read_only_directory(self, tmp_path, run):
        run.close()
        for directory in (tmp_path, run.directory):
            directory.chmod(stat.S_IRUSR | stat.S_IXUSR)
        try:
            with pytest.raises(UserError, match="permission denied"):
                Run.create(tmp_path / "other", "test", CONFIG)
        finally:
            tmp_path.chmod(stat.S_IRWXU)
            run.directory.chmod(stat.S_IRWXU)

    def test_read_only_file_system(self, run, monkeypatch):
        run.close()
        original = os.open

        def read_only(path, flags, *rest, **options):
            if flags & (os.O_RDWR | os.O_WRONLY | os.O_CREAT):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
            return original(path, flags, *rest, **options)

        monkeypatch.setattr(os, "open", read_only)
        with pytest.raises(UserError, match=r"cannot write '\S+' \(read-only file system\): choose a place"):
            Run.open(run.directory)


class TestSeeds:
    def test_each_name_has_its_own_and_keeps_it(self, run):
        assert run.rng("a").random() == run.rng("a").random()
        assert run.rng("a").random() != run.rng("b").random()
        first = run.rng("a").random()
        with reopened(run) as again:
            assert again.rng("a").random() == first


class TestJobs:
    def test_known_kinds(self):
        assert {"shrink", "main"} <= set(JOBS.names())

    def test_unknown_kind(self, tmp_path):
        with pytest.raises(UserError, match="unknown job 'shrunk': did you mean shrink"):
            start(tmp_path / "run", "shrunk", CONFIG)
        assert not (tmp_path / "run").exists()
        Run.create(tmp_path / "run", "other", CONFIG).close()
        with pytest.raises(UserError, match="unknown job 'other'"):
            resume(tmp_path / "run")
        Run.open(tmp_path / "run").close()  # and the lock is free again

    def test_room_is_light(self):
        code = (
            "import sys, lissnas.runs; print([m for m in ('torch', 'pyarrow', 'yaml', 'xgboost', 'scipy') if m in sys.modules])"
        )
        answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
        assert answer.stdout == "[]\n"
