"""Where the scores of an experiment come from: a benchmark that is installed, or found by name in a folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from lissnas.errors import UserError
from lissnas.evaluators import Evaluator, get_evaluator
from lissnas.evaluators.benchmark import Benchmark, find_benchmark, not_installed
from lissnas.evaluators.install import installed_and_usable, require_installed
from lissnas.evaluators.store import Say

__all__ = ["available", "digest", "evaluator_of", "install_from", "what_is_missing"]


def available(benchmarks: Sequence[str]) -> str | None:
    """The first of ``benchmarks`` whose data is here."""
    return next((name for name in benchmarks if installed_and_usable(find_benchmark(name)) is not None), None)


def digest(benchmark: str | None) -> str | None:
    """The sha256 of the file that a benchmark was installed from: which data a result was made with."""
    if benchmark is None:
        return None
    present = installed_and_usable(find_benchmark(benchmark))
    return None if present is None else present.origin.source.sha256


def evaluator_of(benchmark: str, task: str | None) -> Evaluator:
    """The benchmark as an evaluator; a task that only another benchmark of the space has is left out."""
    known = find_benchmark(benchmark).metrics
    return get_evaluator(benchmark, task=task if task in known else None)


def what_is_missing(benchmarks: Sequence[str]) -> str:
    """The line for data that is not here: how to get the first of ``benchmarks``."""
    return str(not_installed(find_benchmark(benchmarks[0])))


def install_from(folder: Path, wanted: Iterable[str], say: Say) -> list[str]:
    """Install those of the ``wanted`` benchmarks whose files are in ``folder`` or below it, found by their names.

    Returns:
        The names of the benchmarks that were found.

    Raises:
        UserError: no such folder, none of the files in it, or a file that is not what its name says.
    """
    if not folder.is_dir():
        raise UserError(
            f"--data names a folder with the benchmarks' files and CIFAR-10 (cifar-10-batches-bin), but '{folder}' is none: "
            "check the path"
        )
    names = list(dict.fromkeys(wanted))
    found = []
    for name in names:
        benchmark = find_benchmark(name)
        path = _find(folder, benchmark)
        if path is not None:
            require_installed(benchmark, path, say)
            found.append(name)
    if names and not found:
        files = ", ".join(sorted({file for name in names for file in find_benchmark(name).files}))
        raise UserError(f"'{folder}' holds none of the files that are needed here ({files}): name another folder")
    return found


def _find(folder: Path, benchmark: Benchmark) -> Path | None:
    for file in benchmark.files:
        matches = sorted(path for path in folder.rglob(file) if path.is_file())
        if matches:
            return matches[0]
    return None
