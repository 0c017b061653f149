"""Jobs by kind: begun once, and gone on with as often as they are stopped."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lissnas.errors import UserError, require
from lissnas.registry import Registry
from lissnas.runs.directory import Run
from lissnas.runs.progress import Progress

__all__ = ["JOBS", "report", "resume", "start"]

JOBS = Registry(
    "job",
    {
        "shrink": "lissnas.runs.shrink:run_job",
        "main": "lissnas.runs.main:run_job",
        "supernet": "lissnas.runs.supernet:run_job",
        "search": "lissnas.runs.search:run_job",
        "retrain": "lissnas.runs.retrain:run_job",
        "compare": "lissnas.runs.compare:run_job",
        "reproduce": "lissnas.experiments.job:run_job",
    },
)

# What a job needs beside the core packages, and which extra brings it.
NEEDS = {
    "main": ("oneshot", ("torch", "safetensors", "sklearn", "onnx", "onnxscript", "onnxruntime")),
    "supernet": ("oneshot", ("torch", "safetensors")),
    "search": ("oneshot", ("torch", "safetensors")),
    "retrain": ("oneshot", ("torch", "safetensors", "onnx", "onnxscript", "onnxruntime")),
}


def start(path: Path | str, kind: str, config: Mapping[str, Any], *, progress: Progress | None = None, workers: int = 1) -> Run:
    """Make the run directory ``path`` and do the job of this ``kind`` in it.

    Args:
        progress: who is told what the job does.
        workers: how many processes or threads; the run holds the same bytes for any number.

    Returns:
        The run, finished and closed.

    Raises:
        UserError: an unknown kind, a missing extra, or a directory that cannot be begun in (see ``Run.create``).
        RunInterrupted: it was stopped.
    """
    job = _job(kind)
    return _work(Run.create(path, kind, config), job, progress, workers)


def resume(path: Path | str, *, progress: Progress | None = None, workers: int = 1) -> Run:
    """Go on with the run in ``path``: its job is called again, and steps that are done are skipped.

    Returns:
        The run, finished and closed.

    Raises:
        UserError: not a run directory, in use, of a newer version, changed by hand, or of an unknown kind (see ``Run.open``).
        RunInterrupted: it was stopped again.
    """
    run = Run.open(path)
    try:
        job = _job(run.kind)
    except BaseException:
        run.close()
        raise
    return _work(run, job, progress, workers)


def report(path: Path | str, *, progress: Progress | None = None) -> Path:
    """Draw ``report.html`` of the run in ``path`` anew, and return where it is.

    Raises:
        UserError: not a run directory (see ``Run.open``), one that has no numbers yet, or the extra that draws is missing.
    """
    from lissnas.runs.shrink import METRICS, REPORT, report_step

    with Run.open(path) as run:
        if not run.holds("metrics", [METRICS]):
            resume_it = f"lissnas resume {shlex.quote(str(path))}"
            raise UserError(
                f"a report is drawn from {METRICS}, which '{path}' does not have yet: resume it first, `{resume_it}`"
            )
        report_step(run, progress or Progress(), again=True)
        return run.path(REPORT)


def _job(kind: str) -> Callable[[Run, Progress, int], None]:
    extra, packages = NEEDS.get(kind, ("", ()))
    for package in packages:
        require(package, extra)
    job: Callable[[Run, Progress, int], None] = JOBS.get(kind)
    return job


def _work(run: Run, job: Callable[[Run, Progress, int], None], progress: Progress | None, workers: int) -> Run:
    with run:
        job(run, progress or Progress(), workers)
        run.journal("finished")
    return run
