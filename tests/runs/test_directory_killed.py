"""A run that cannot be lost: killed with SIGKILL, interrupted, out of space, and resumed to the same bytes."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

HELPERS = Path(__file__).parent / "helpers"
JOB = HELPERS / "directory_job.py"


@pytest.fixture(scope="module")
def job():
    sys.path.insert(0, str(HELPERS))
    yield importlib.import_module("directory_job")
    sys.path.remove(str(HELPERS))


@pytest.fixture(scope="module")
def whole(job, tmp_path_factory):
    """The tree of an undisturbed run."""
    directory = tmp_path_factory.mktemp("undisturbed") / "run"
    assert job.main("start", str(directory)) == 0
    return job.tree(directory)


def spawn(verb: str, directory: Path, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(JOB), verb, str(directory)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, **pipes, text=True, env={**os.environ, **environment}, start_new_session=True)


def run(verb: str, directory: Path, **environment: str) -> tuple[int, str]:
    """Exit code and stderr of the job as a process of its own."""
    process = spawn(verb, directory, **environment)
    _, err = process.communicate(timeout=60)
    return process.returncode, err


def events(directory: Path) -> list[tuple[str, str | None]]:
    lines = (directory / "journal.jsonl").read_text().splitlines()
    return [(line["event"], line.get("step")) for line in map(json.loads, lines)]


class TestKilled:
    @pytest.mark.parametrize("place", ["draw", "evaluate-3", "train-2", "train-4", "iterate-1", "summary", "end"])
    def test_at_a_point_of_the_job(self, job, whole, tmp_path, place):
        assert run("start", tmp_path / "run", AT=f"{place}=kill")[0] == -signal.SIGKILL
        assert job.tree(tmp_path / "run") != whole or place == "end"
        assert run("resume", tmp_path / "run") == (0, "")
        assert job.tree(tmp_path / "run") == whole

    def test_again_and_again(self, job, whole, tmp_path):
        verb = "start"
        for place in ("evaluate-1", "evaluate-2", "train-1", "train-3", "train-4", "iterate-2"):
            assert run(verb, tmp_path / "run", AT=f"{place}=kill", WORKERS="2")[0] == -signal.SIGKILL
            verb = "resume"
        assert run("resume", tmp_path / "run")[0] == 0
        assert job.tree(tmp_path / "run") == whole

    def test_finished_chunks_are_not_evaluated_again(self, job, whole, tmp_path):
        run("start", tmp_path / "run", AT="evaluate-3=kill")
        assert len(list((tmp_path / "run/checkpoints/evaluate").iterdir())) == 3
        # Resumed by a process that would be killed at chunk 1 and 2 if it came to them again.
        assert run("resume", tmp_path / "run", AT="evaluate-1=kill")[0] == 0
        assert job.tree(tmp_path / "run") == whole

    @pytest.mark.parametrize("workers", ["1", "2"])
    def test_at_random_moments(self, job, tmp_path, workers):
        pause = {"PAUSE": "0.05", "WORKERS": workers}
        assert run("start", tmp_path / "whole", **pause)[0] == 0
        for number, delay in enumerate((0.3, 0.5, 0.8)):
            directory = tmp_path / str(number)
            process = spawn("start", directory, **pause)
            time.sleep(delay)
            process.kill()
            process.communicate(timeout=60)
            verb = "resume" if (directory / "config.yaml").exists() else "start"
            assert run(verb, directory, **pause) == (0, "")
            assert job.tree(directory) == job.tree(tmp_path / "whole")

    def test_before_every_thirteenth_file_operation(self, tmp_path):
        command = [sys.executable, HELPERS / "kill_everywhere.py", tmp_path, "13"]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=240)
        assert answer.returncode == 0, answer.stderr
        assert int(answer.stdout.split()[0]) > 15

    def test_resuming_what_is_finished_changes_nothing(self, job, whole, tmp_path):
        for verb in ("start", "resume", "resume"):
            assert run(verb, tmp_path / "run") == (0, "")
        assert job.tree(tmp_path / "run") == whole
        assert events(tmp_path / "run").count(("begun", "draw")) == 1

    def test_more_workers_make_the_same_bytes(self, job, whole, tmp_path):
        assert run("start", tmp_path / "run", WORKERS="2") == (0, "")
        assert job.tree(tmp_path / "run") == whole


class TestInterrupted:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    @pytest.mark.parametrize("place", ["evaluate-2", "train-2"])
    def test_one_line_says_how_to_go_on(self, job, whole, tmp_path, number, place):
        process = spawn("start", tmp_path / "a run", AT=f"{place}=wait", WORKERS="2")
        assert process.stdout.readline() == f"at {place}\n"
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # Ctrl-C reaches the workers too
        else:
            process.send_signal(number)
        _, err = process.communicate(timeout=20)
        directory = tmp_path / "a run"
        assert (process.returncode, err) == (130, f"lissnas: stopped; go on with: lissnas resume '{directory}'\n")
        assert events(directory)[-1] == ("interrupted", place.partition("-")[0])
        assert run("resume", directory) == (0, "")
        assert job.tree(directory) == whole

    def test_between_steps(self, job, whole, tmp_path):
        process = spawn("start", tmp_path / "run", AT="end=wait")
        process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
        assert "go on with: lissnas resume" in process.communicate(timeout=20)[1]
        assert process.returncode == 130
        assert events(tmp_path / "run")[-1] == ("interrupted", None)


class TestSecondProcess:
    def test_is_refused_in_one_line(self, tmp_path):
        directory = tmp_path / "run"
        process = spawn("start", directory, AT="train-1=wait")
        process.stdout.readline()
        before = (directory / "journal.jsonl").read_bytes()
        expected = f"lissnas: '{directory}' is in use by another process (pid {process.pid}): wait until it ends, or stop it\n"
        assert run("resume", directory) == (2, expected)
        code, err = run("start", directory)
        assert (code, err.count("\n")) == (2, 1)
        assert (directory / "journal.jsonl").read_bytes() == before
        process.kill()
        process.communicate()
        assert run("resume", directory) == (0, "")


class TestFullDisk:
    def test_in_a_step(self, job, whole, tmp_path):
        code, err = run("start", tmp_path / "run", AT="train-4=full")
        assert (code, err.count("\n")) == (2, 1)
        assert "no space left on device): free some space there" in err
        assert not (tmp_path / "run/networks/weights.npy").exists()  # the job had half-written it
        assert run("resume", tmp_path / "run") == (0, "")
        assert job.tree(tmp_path / "run") == whole

    def test_a_limit_of_the_system(self, job, tmp_path):
        """A write that the kernel itself cuts short, at several sizes."""
        for size in (0, 100, 300, 900):
            directory = tmp_path / f"run-{size}"
            code = (
                f"import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}));"
                f"sys.path.insert(0, {str(HELPERS)!r}); import directory_job;"
                f"sys.exit(directory_job.main('start', {str(directory)!r}))"
            )
            answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
            assert (answer.returncode, answer.stderr.count("\n")) == (2, 1), answer.stderr
            assert "cannot write" in answer.stderr
            if not (directory / "config.yaml").exists():
                assert not directory.exists()
                continue
            assert not list(directory.rglob(".tmp-*"))
            assert (directory / "journal.jsonl").read_bytes().endswith(b"\n")
            assert run("resume", directory) == (0, "")
