"""One job from its configuration to its result, in a directory that survives being killed at any moment.

``Run`` is the directory: ``Run.create`` and ``Run.open`` (both hold its lock), ``run.step`` (what is done is done once),
``run.write_*`` (whole files or none), ``run.checkpoint`` (partial progress of a long step), ``run.journal``.
``evaluate_in_chunks`` keeps every finished chunk of a long evaluation. ``JOBS`` names the jobs by kind; ``start`` begins one,
``resume`` goes on with one that was stopped, ``report`` draws its report anew. ``RunInterrupted`` is how Ctrl-C and SIGTERM
leave a run.

A job is a function of an open run that does everything in steps:

    def run_job(run: Run, progress: Progress, workers: int) -> None:
        run.step("draw", lambda: run.write_parquet("drawn.parquet", draw(run.config, run.rng("draw"))), ["drawn.parquet"])
        run.step("train", lambda: train(run.path("drawn.parquet"), run.checkpoint("train"), run), ["networks/a.safetensors"])

Rules that make a resumed run end in the same bytes: a step reads ``run.config`` and files of earlier steps, never the memory
of an earlier step (after a resume it was skipped); its chance comes from ``run.rng(name)``; it writes its outputs and nothing
else; clock times go to the journal only.
"""

from __future__ import annotations

from lissnas.disk import writing
from lissnas.runs.checkpoint import evaluate_in_chunks
from lissnas.runs.directory import RUN_FORMAT, Run
from lissnas.runs.jobs import JOBS, report, resume, start
from lissnas.runs.progress import Progress
from lissnas.runs.stop import RunInterrupted

__all__ = [
    "JOBS",
    "RUN_FORMAT",
    "Progress",
    "Run",
    "RunInterrupted",
    "evaluate_in_chunks",
    "report",
    "resume",
    "start",
    "writing",
]
