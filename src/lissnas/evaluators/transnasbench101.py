"""TransNAS-Bench-101: the same architectures trained on seven tasks (Duan et al. 2021); a macro and a micro space."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lissnas.errors import UserError
from lissnas.evaluators.base import Metric
from lissnas.evaluators.benchmark import Benchmark, Columns, Source
from lissnas.evaluators.csv_columns import ARCHITECTURE, is_csv, read_architectures, read_numbers
from lissnas.evaluators.store import Say
from lissnas.evaluators.table import TableEvaluator
from lissnas.spaces import SearchSpace

__all__ = [
    "TASKS",
    "TRANSNASBENCH101_MACRO",
    "TRANSNASBENCH101_MICRO",
    "read_transnasbench101",
    "transnasbench101_macro",
    "transnasbench101_micro",
]

# What each task is scored by on its validation set: in words, its unit, and its name in the official file. Higher is better for
# all of them: the loss is negative.
TASKS = {
    "class_scene": ("top-1 accuracy", "%", "valid_top1"),
    "class_object": ("top-1 accuracy", "%", "valid_top1"),
    "jigsaw": ("top-1 accuracy", "%", "valid_top1"),
    "room_layout": ("negative loss", "", "valid_neg_loss"),
    "autoencoder": ("SSIM", "", "valid_ssim"),
    "normal": ("SSIM", "", "valid_ssim"),
    "segmentsemantic": ("pixel accuracy", "%", "valid_acc"),
}


def _metrics() -> Iterator[tuple[str, Metric]]:
    for epoch, suffix in (("last", ""), ("best", "_best")):
        for task, (measure, unit, _) in TASKS.items():
            yield f"{task}{suffix}", Metric(f"{task} {measure}{'' if epoch == 'last' else ', best epoch'}", unit)


def _benchmark(part: str, count: str) -> Benchmark:
    return Benchmark(
        name=f"transnasbench101-{part}",
        space=f"transnasbench101-{part}",
        about=f"{count} architectures on seven tasks of Taskonomy, at the last and at the best epoch",
        paper="Duan et al., TransNAS-Bench-101: Improving Transferability and Generalizability of Cross-Task NAS (CVPR 2021)",
        license="MIT (the official file)",
        metrics=dict(_metrics()),
        sources=(
            Source(
                "https://github.com/yawen-d/TransNASBench",
                note="transnas-bench_v10141024.pth, on a page that needs a browser",
                fetchable=False,
            ),
        ),
        convert="lissnas.evaluators.transnasbench101:read_transnasbench101",
        files=(f"{part}.csv", "transnas-bench_v10141024.pth"),
    )


TRANSNASBENCH101_MACRO = _benchmark("macro", "3,256")
TRANSNASBENCH101_MICRO = _benchmark("micro", "4,096")


def transnasbench101_macro(
    space: SearchSpace | None = None, task: str | None = None, data: str | Path | None = None
) -> TableEvaluator:
    """The macro part as an evaluator; ``task`` is one of :data:`TASKS` (the last epoch), or ``<task>_best``."""
    return TableEvaluator(TRANSNASBENCH101_MACRO, space, task, data)


def transnasbench101_micro(
    space: SearchSpace | None = None, task: str | None = None, data: str | Path | None = None
) -> TableEvaluator:
    """The micro part as an evaluator; ``task`` is one of :data:`TASKS` (the last epoch), or ``<task>_best``."""
    return TableEvaluator(TRANSNASBENCH101_MICRO, space, task, data)


def read_transnasbench101(path: Path, space: SearchSpace, say: Say) -> Columns:
    """The columns of a CSV file, or the part of the official file that ``space`` is.

    Raises:
        UserError: a mistake in the file, with its line.
    """
    if not is_csv(path):
        from lissnas.evaluators.readers.transnas_official import read_transnas_official

        say(f"reading '{path.name}'")
        texts, official = read_transnas_official(path, space.name.removeprefix("transnasbench101-"))
        return {"genotypes": space.parse(texts), **{_own_name(name): values for name, values in official.items()}}

    table, genotypes = read_architectures(path, space.parse)
    last = [f"{task}_final" for task in TASKS if f"{task}_final" in table.columns]
    if not last:
        raise UserError(
            f"{path} has none of the columns {', '.join(f'{task}_final' for task in TASKS)}: is it TransNAS-Bench-101?"
        )
    others = [name for name in table.columns if name not in (ARCHITECTURE, *last)]
    numbers = read_numbers(table, [*last, *others])
    return {"genotypes": genotypes, **{name.removesuffix("_final"): values for name, values in numbers.items()}}


def _own_name(official: str) -> str:
    """The name of a column of the official file: the metric it is, or as it is there."""
    for task, (_, _, metric) in TASKS.items():
        for epoch, suffix in (("final", ""), ("best", "_best")):
            if official == f"{task}_{metric}_{epoch}":
                return f"{task}{suffix}"
    return official
