"""Commands that do a job in a run directory: run, shrink, resume, report."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from lissnas.cli.console import ConsoleProgress, stderr
from lissnas.cli.options import (
    DataOption,
    EvaluatorOption,
    JsonOption,
    LimitOption,
    LowerIsBetterOption,
    OutOption,
    PredictorOption,
    PredictorSetOption,
    ScoreOption,
    ScoresOption,
    SeedOption,
    SpaceArgument,
    TaskOption,
    TreesOption,
    WorkersOption,
)
from lissnas.cli.summary import summarize
from lissnas.errors import UserError
from lissnas.evaluators import BENCHMARKS, Benchmark, benchmarks_of
from lissnas.formats import get_space
from lissnas.runs import Run
from lissnas.runs import report as report_run
from lissnas.runs import resume as resume_run
from lissnas.runs import start as start_run
from lissnas.runs.budget import read_budget
from lissnas.shrinkers import list_shrinkers
from lissnas.spaces import SPACES

__all__ = [
    "absolute_name",
    "command_line",
    "default_benchmark",
    "do_job",
    "next_free",
    "read_pairs",
    "report",
    "resume",
    "run",
    "shrink",
]


def shrink(
    space: SpaceArgument,
    scores: ScoresOption = None,
    score: ScoreOption = None,
    lower_is_better: LowerIsBetterOption = False,
    evaluator: EvaluatorOption = None,
    task: TaskOption = None,
    data: DataOption = None,
    evaluations: Annotated[
        int | None, typer.Option(help="True evaluations that the evaluator may be asked for.", min=20)
    ] = None,
    method: Annotated[str, typer.Option(help=f"The shrinker: {', '.join(list_shrinkers())}.")] = "lissnas",
    limit: LimitOption = None,
    size: Annotated[int | None, typer.Option(help="How many networks the shrunk space shall hold.", min=1)] = None,
    budget: Annotated[
        str, typer.Option(help="small, medium, large, or a number of predictor queries: sets all other sizes.")
    ] = "medium",
    predictor: PredictorOption = "xgboost",
    predictor_set: PredictorSetOption = None,
    min_kendall: Annotated[
        float, typer.Option(help="Stop where the predictor's held-out Kendall tau is lower; 0: never.", min=0, max=1)
    ] = 0.1,
    trees: TreesOption = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="A setting of the method by name: draws=30. May be repeated.")
    ] = None,
    as_in_paper: Annotated[bool, typer.Option("--as-in-paper", help="The paper's own form of LISSNAS.")] = False,
    seed: SeedOption = 0,
    workers: WorkersOption = 1,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Shrink a space with your scores or a benchmark's: fit the predictor, go down, write the run directory and the report.

    Examples:

      lissnas shrink nasbench201 --data accuracy.csv --task cifar100-valid

      lissnas shrink my-space.yaml --scores measured.csv --score top1 --limit "latency_ms <= 150"

      lissnas shrink shufflenetv2 --evaluator my.module:score --evaluations 1000 --budget 100000
    """
    from lissnas.runs.shrink import ShrinkConfig, check_config

    if scores and evaluations:
        raise UserError(f"--evaluations is for --evaluator, but got {evaluations} with --scores, whose networks are measured")
    sizes = read_budget(budget)
    if scores is None and evaluator is None:
        space, evaluator = default_benchmark(space)
    config = ShrinkConfig(
        space=absolute_name(space),
        scores=str(scores.resolve()) if scores else None,
        score=score,
        evaluator=evaluator,
        task=task,
        data=str(data.resolve()) if data else None,
        evaluations=evaluations or sizes.evaluations,
        higher_is_better=not lower_is_better,
        method=method,
        settings=read_pairs(set_ or []),
        as_in_paper=as_in_paper,
        limits=list(limit or []),
        queries=sizes.queries,
        size=size,
        predictor=predictor,
        predictor_settings=read_pairs(predictor_set or [], "--predictor-set labels=rank-normal"),
        min_kendall=min_kendall,
        trees=trees or (sizes.trees if predictor == "xgboost" and not predictor_set else None),
        seed=seed,
        command=command_line(),
    )
    check_config(config)
    directory = out or next_free(Path(space).stem)
    do_job(lambda progress: start_run(directory, "shrink", config.model_dump(), progress=progress, workers=workers), as_json)


def default_benchmark(space: str) -> tuple[str, str | None]:
    """The space and the benchmark that ``space`` means where no scores were named; a benchmark's own name means both.

    Raises:
        UserError: several benchmarks of that space.
    """
    if space not in SPACES and space in BENCHMARKS:
        chosen: Benchmark = BENCHMARKS.get(space)
        stderr.print(f"scored by the benchmark '{space}' of the space '{chosen.space}'", markup=False)
        return chosen.space, space
    names = benchmarks_of(get_space(space))
    if len(names) > 1:
        raise UserError(f"'{space}' has several benchmarks: choose one, --evaluator {' or --evaluator '.join(names)}")
    if names:
        stderr.print(f"scored by the benchmark '{names[0]}'", markup=False)
    return space, next(iter(names), None)


def run(
    config: Annotated[
        Path | None,
        typer.Argument(metavar="[CONFIG]", help="A YAML file, or a job by name (--list); digits if not given."),
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the jobs that are ready to run, and stop.")] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="A setting by name: supernet.epochs=50. May be repeated.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="One seed; 0, or what the file says, if not given.", min=0)] = None,
    workers: WorkersOption = 2,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """The whole job: train a supernet, shrink its space, train one on the shrunk space, search, retrain, export, report.

    Without a configuration it works on scikit-learn's digits: nothing is downloaded, and it takes about five minutes.
    """
    from lissnas.runs.main_config import check_config, read_config
    from lissnas.runs.recipes import find_job, list_jobs

    if listed:
        for name, about in list_jobs().items():
            print(f"{name:28} {about}")
        return
    if config is not None:
        config = find_job(config)
    settings = read_config(config, seed, command_line(), read_pairs(set_ or [], "--set supernet.epochs=50"))
    check_config(settings)
    directory = out or next_free("digits" if config is None else config.stem)
    do_job(lambda progress: start_run(directory, "main", settings.model_dump(), progress=progress, workers=workers), as_json)


def resume(
    run_directory: Annotated[Path, typer.Argument(metavar="RUN", help="The run directory.")],
    workers: WorkersOption = 2,
    as_json: JsonOption = False,
) -> None:
    """Go on with a run that was stopped, or killed: it ends in the same bytes as an undisturbed one."""
    do_job(lambda progress: resume_run(run_directory, progress=progress, workers=workers), as_json)


def report(run_directory: Annotated[Path, typer.Argument(metavar="RUN", help="The run directory.")]) -> None:
    """Write report.html of a run again."""
    progress = ConsoleProgress()
    try:
        written = report_run(run_directory, progress=progress)
    finally:
        progress.close()
    stderr.print(f"report: {written}", markup=False)


def do_job(job: Callable[[ConsoleProgress], Run], as_json: bool) -> None:
    """Do a job with progress on stderr, and print its result."""
    progress = ConsoleProgress()
    try:
        done = job(progress)
    finally:
        progress.close()
    metrics: dict[str, Any] = json.loads((done.directory / "metrics.json").read_text())
    if as_json:
        print(json.dumps({"run": str(done.directory), **metrics}))
    else:
        print(summarize(metrics, done.directory))


def absolute_name(space: str) -> str:
    """``space`` as a run directory keeps it: the whole path of a file, any other name as it is."""
    path = Path(space)
    return str(path.resolve()) if path.suffix in (".yaml", ".yml", ".parquet") else space


def next_free(stem: str) -> Path:
    """Where a run goes that was given no place."""
    number = 1
    while (path := Path("runs") / f"{stem}-{number}").exists():
        number += 1
    return path


def read_pairs(pairs: list[str], example: str = "--set draws=30") -> dict[str, Any]:
    """Settings that were typed as name=value."""
    settings = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not all(part.isidentifier() for part in name.split(".")):
            raise UserError(f"a setting is given as name=value, but got '{pair}': {example}")
        try:
            settings[name] = yaml.safe_load(value)
        except (yaml.YAMLError, ValueError):
            raise UserError(f"the value of '{name}' is no number, word or list: '{value}': {example}") from None
    return settings


def command_line() -> str:
    """What was typed, without what does not change the result: where it is written, by how many workers, what is printed."""
    kept, skip = ["lissnas"], False
    for argument in sys.argv[1:]:
        if skip:
            skip = False
        elif argument in ("--out", "--workers"):
            skip = True
        elif not argument.startswith(("--out=", "--workers=")) and argument != "--json":
            kept.append(argument)
    return shlex.join(kept)
