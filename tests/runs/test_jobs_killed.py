"""The real jobs in real processes: killed in every stage, resumed, and compared byte by byte with an undisturbed run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ENV = {**os.environ, "OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": "1"}
MAY_DIFFER = {"journal.jsonl", "timings.json"}

SPACE = """
name: toy
genes:
  op: {alleles: [conv, pool, skip], repeat: 8}
  width: [8, 16, 32]
costs: {size: width * 2}
"""
SCORE = """
import time
import numpy as np

def score(genotypes):
    time.sleep(0.01 * len(genotypes))
    return genotypes.astype(float) @ np.arange(1, genotypes.shape[1] + 1)
"""
MAIN = """
data: {name: digits, train: 128, validation: 200}
evaluations: 40
trees: 30
min_kendall: 0
queries: 3000
size: 200
supernet: {epochs: 8, batch_size: 64, learning_rate: 0.2, checkpoint_epochs: 1}
network: {epochs: 2, batch_size: 64, learning_rate: 0.2, ghost: null}
search: {population: 8, generations: 2, parents: 4}
stand_alone: 20
retrained: 1
"""


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "lissnas", *map(str, arguments)]


def files(directory: Path) -> dict[str, bytes]:
    found = (p for p in sorted(directory.rglob("*")) if p.is_file() and p.name not in MAY_DIFFER)
    named = {str(p.relative_to(directory)): p for p in found}
    return {name: path.read_bytes() for name, path in named.items() if not name.startswith("logs/")}  # which hold clock times


def kill_in(step: str, delay: float, arguments: list[str], directory: Path, cwd: Path) -> bool:
    """Start a job, and kill it ``delay`` seconds into ``step``. Whether it was killed in time."""
    process = subprocess.Popen(arguments, cwd=cwd, env=ENV, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    journal = directory / "journal.jsonl"
    deadline = time.monotonic() + 240
    while process.poll() is None and time.monotonic() < deadline:
        if journal.exists() and f'"begun", "step": "{step}"' in _events(journal):
            time.sleep(delay)
            break
        time.sleep(0.005)
    killed = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return killed


def _events(journal: Path) -> str:
    rows = []
    for line in journal.read_text().splitlines():
        try:
            row = json.loads(line)
        except ValueError:  # the line that is being written
            continue
        rows.append(f'"{row.get("event")}", "step": "{row.get("step")}"')
    return "\n".join(rows)


def kill_through(steps: list[tuple[str, float]], start: list[str], directory: Path, cwd: Path) -> int:
    """Kill the job once in each of ``steps``, going on each time; then let it end. How often it was killed."""
    kills = 0
    for step, delay in steps:
        arguments = command("resume", directory) if directory.exists() else start
        kills += kill_in(step, delay, arguments, directory, cwd)
    done = subprocess.run(
        command("resume", directory), cwd=cwd, env=ENV, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return kills


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    (tmp_path / "toy.yaml").write_text(SPACE)
    (tmp_path / "my_score.py").write_text(SCORE)
    return tmp_path


def test_shrink_job_killed_in_every_stage_ends_in_the_same_bytes(toy: Path):
    options = [
        "shrink",
        "toy.yaml",
        "--evaluator",
        "my_score:score",
        "--evaluations",
        "200",
        "--budget",
        "4000",
        "--set",
        "cover=false",
    ]
    undisturbed = subprocess.run(
        command(*options, "--out", "a", "--workers", "2", "--set", "iterations=4"),
        cwd=toy,
        env=ENV,
        capture_output=True,
        text=True,
        check=False,
    )
    assert undisturbed.returncode == 0, undisturbed.stderr
    stages = [
        ("evaluations", 0.7),
        ("evaluations", 0.4),
        ("predictor", 0.1),
        ("shrink", 0.02),
        ("metrics", 0.05),
        ("report", 0.3),
    ]
    kills = kill_through(stages, command(*options, "--set", "iterations=4", "--out", "b"), toy / "b", toy)
    assert kills >= 4
    assert files(toy / "a") == files(toy / "b")


def test_a_method_that_spends_true_evaluations_is_killed_and_asks_for_none_twice(toy: Path):
    counted = SCORE.replace("    time.sleep", "    open('asked', 'a').write(f'{len(genotypes)}\\n')\n    time.sleep")
    (toy / "my_score.py").write_text(counted)
    options = ["shrink", "toy.yaml", "--evaluator", "my_score:score", "--method", "weaknas", "--evaluations", "200"]
    options += ["--budget", "4000", "--size", "200"]
    undisturbed = subprocess.run(command(*options, "--out", "a"), cwd=toy, env=ENV, capture_output=True, text=True, check=False)
    assert undisturbed.returncode == 0, undisturbed.stderr
    (toy / "asked").unlink()
    kills = kill_through(
        [("shrink", 0.8), ("shrink", 0.4), ("predictor", 0.1)], command(*options, "--out", "b"), toy / "b", toy
    )
    assert kills >= 2
    assert files(toy / "a") == files(toy / "b")
    # what a killed process was waiting for is asked again, at most one chunk each time
    assert sum(map(int, (toy / "asked").read_text().split())) <= 200 + 32 * kills


def test_main_job_killed_in_every_stage_ends_in_the_same_bytes(tmp_path: Path):
    pytest.importorskip("torch")
    (tmp_path / "tiny.yaml").write_text(MAIN)
    undisturbed = subprocess.run(
        command("run", "tiny.yaml", "--out", "a", "--workers", "2"),
        cwd=tmp_path,
        env=ENV,
        capture_output=True,
        text=True,
        check=False,
    )
    assert undisturbed.returncode == 0, undisturbed.stderr
    stages = [
        ("supernet-full", 0.7),
        ("evaluations", 0.2),
        ("shrink", 0.02),
        ("supernet-shrunk", 0.6),
        ("stand-alone", 1.0),
        ("search-shrunk", 0.3),
        ("retrain", 1.0),
        ("report", 0.3),
    ]
    kills = kill_through(stages, command("run", "tiny.yaml", "--out", "b", "--workers", "1"), tmp_path / "b", tmp_path)
    assert kills >= 5
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_ctrl_c_says_how_to_go_on(toy: Path):
    arguments = command("shrink", "toy.yaml", "--evaluator", "my_score:score", "--evaluations", "3000", "--out", "run")
    process = subprocess.Popen(arguments, cwd=toy, env=ENV, stderr=subprocess.PIPE, text=True)
    journal = toy / "run" / "journal.jsonl"
    while process.poll() is None and not (journal.exists() and '"begun", "step": "evaluations"' in _events(journal)):
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "lissnas resume run" in stderr.splitlines()[-1]
    assert "Traceback" not in stderr


def test_a_second_process_is_refused_in_one_line(toy: Path):
    arguments = command("shrink", "toy.yaml", "--evaluator", "my_score:score", "--evaluations", "3000", "--out", "run")
    process = subprocess.Popen(arguments, cwd=toy, env=ENV, stderr=subprocess.DEVNULL)
    try:
        journal = toy / "run" / "journal.jsonl"
        while process.poll() is None and not (journal.exists() and '"begun", "step": "evaluations"' in _events(journal)):
            time.sleep(0.01)
        second = subprocess.run(command("resume", "run"), cwd=toy, env=ENV, capture_output=True, text=True, check=False)
    finally:
        process.kill()
        process.wait()
    assert second.returncode == 2
    assert len(second.stderr.strip().splitlines()) == 1
    assert "run" in second.stderr
