"""A small job with every kind of step, run as a program of its own so that it can be killed.

``python directory_job.py start|resume DIRECTORY``, with ``WORKERS`` and ``PAUSE`` (seconds for each piece of work) from the
environment. ``AT`` names a point of the job and what happens there: ``evaluate-2=kill`` (SIGKILL to itself), ``train-3=wait``
(say so and sleep), ``train-3=full`` (the disk is full).
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np

from lissnas.engines import split
from lissnas.errors import UserError
from lissnas.runs import JOBS, Progress, Run, RunInterrupted, evaluate_in_chunks, resume, start, writing

CONFIG = {"seed": 5, "networks": 40, "chunk": 8, "epochs": 4, "name": "Größe", "limits": ["flops <= 330e6"], "pause": 0.0}
POINTS = ["draw", *(f"evaluate-{n}" for n in range(6)), *(f"train-{n}" for n in range(5)), "iterate-1", "summary", "end"]

JOBS.add("test", "directory_job:run_job")


def point(name: str) -> None:
    place, _, action = os.environ.get("AT", "").partition("=")
    if place != name:
        return
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "full":
        raise OSError(errno.ENOSPC, "No space left on device")
    print(f"at {name}", flush=True)
    time.sleep(60)


def run_job(run: Run, progress: Progress, workers: int) -> None:
    run.step("draw", partial(draw, run), ["drawn.parquet"])
    run.step("evaluate", partial(evaluate, run, workers), ["evaluations.parquet"])
    run.step("train", partial(train, run), ["networks/weights.npy"])
    run.step("iterate", partial(iterate, run), ["iterations/"])
    run.step("summary", partial(summary, run), ["metrics.json", "summary.yaml", "page.html"])
    point("end")


def column(run: Run, name: str, key: str) -> np.ndarray:
    import pyarrow.parquet as pq

    return pq.read_table(run.path(name))[key].to_numpy()


def draw(run: Run) -> None:
    point("draw")
    run.write_parquet("drawn.parquet", {"x": run.rng("draw").random(run.config["networks"])}, {"made_by": "test"})


def score(chunk: tuple[np.ndarray, float], rng: np.random.Generator) -> np.ndarray:
    rows, pause = chunk
    time.sleep(pause)
    return rows + rng.standard_normal(len(rows))


def evaluate(run: Run, workers: int) -> None:
    x = column(run, "drawn.parquet", "x")
    chunks = [(x[part], run.config["pause"]) for part in split(len(x), run.config["chunk"])]
    scores = evaluate_in_chunks(
        run,
        "evaluate",
        chunks,
        score,
        workers=workers,
        seed=run.seeds("evaluate"),
        progress=lambda done, total: point(f"evaluate-{done}"),
    )
    run.write_parquet("evaluations.parquet", {"x": x, "score": np.concatenate(scores)})


def train(run: Run) -> None:
    """A training that keeps its state after each epoch, and writes its weights without care for atomicity."""
    state = run.checkpoint("train") / "state.npy"
    begin, weights = 0, np.zeros(100)
    if state.exists():
        begin, weights = int(np.load(state)[0]), np.load(state)[1:]
    for epoch in range(begin, run.config["epochs"]):
        point(f"train-{epoch}")
        time.sleep(run.config["pause"])
        weights = weights * 0.9 + np.random.default_rng(run.seeds(f"train-{epoch}")).standard_normal(100)
        with writing(state) as temporary, temporary.open("wb") as file:
            np.save(file, np.concatenate([[epoch + 1], weights]))
    final = run.path("networks/weights.npy")
    final.parent.mkdir(exist_ok=True)
    final.write_bytes(b"half")
    point(f"train-{run.config['epochs']}")
    np.save(final, weights)


def iterate(run: Run) -> None:
    scores = column(run, "evaluations.parquet", "score")
    for index in range(3):
        point(f"iterate-{index}")
        time.sleep(run.config["pause"])
        run.write_parquet(f"iterations/iteration-{index:02d}.parquet", {"score": np.sort(scores)[: 20 - index]})


def summary(run: Run) -> None:
    scores = column(run, "evaluations.parquet", "score")
    metrics = {"kind": run.kind, "mean": scores.mean(), "best": np.float32(scores.max()), "none": float("nan"), "size": 4**70}
    run.write_json("metrics.json", metrics)
    point("summary")
    run.write_yaml("summary.yaml", {"weights": np.load(run.path("networks/weights.npy")).sum()})
    run.write_text("page.html", "<p>größer</p>\n")


def main(verb: str, directory: str) -> int:
    workers = int(os.environ.get("WORKERS", "1"))
    try:
        if verb == "start":
            start(directory, "test", {**CONFIG, "pause": float(os.environ.get("PAUSE", "0"))}, workers=workers)
        else:
            resume(directory, workers=workers)
    except UserError as error:
        print(f"lissnas: {error}", file=sys.stderr)
        return 2
    except RunInterrupted as stop:
        print(f"lissnas: {stop}", file=sys.stderr)
        return 130
    return 0


def tree(directory: Path) -> dict[str, bytes | None]:
    """Every file's bytes and every folder of a run, but for the two files that hold clock times."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(directory.rglob("*"))
        if path.name not in ("journal.jsonl", "timings.json")
    }


if __name__ == "__main__":
    sys.modules["directory_job"] = sys.modules["__main__"]
    sys.exit(main(sys.argv[1], sys.argv[2]))
