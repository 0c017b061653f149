"""The command that prints the paper's tables and figures beside ours, with a verdict on every number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lissnas.cli.console import ConsoleProgress, stderr
from lissnas.cli.jobs import command_line
from lissnas.cli.options import JsonOption, SeedOption, WorkersOption
from lissnas.disk import write_bytes
from lissnas.errors import UserError, require
from lissnas.experiments import EXPERIMENTS, list_experiments

if TYPE_CHECKING:
    from lissnas.runs import Run

__all__ = ["reproduce", "summarize_reproduction"]

PAGE = "report.html"
ALL = "all"


def reproduce(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TABLE|FIGURE...]", help="table1 ... table10, figure1 ... figure6, others, or all; a list if none."
        ),
    ] = None,
    scale: Annotated[
        str, typer.Option(help="small (minutes for all but what --space adds), or paper: the paper's budget.")
    ] = "small",
    seeds: Annotated[int | None, typer.Option(help="Runs of each method; 3 of small, 5 of paper.", min=1)] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="A folder with the benchmarks' files and CIFAR-10, found by name; else what was added is used."),
    ] = None,
    space: Annotated[
        list[str] | None,
        typer.Option(
            help="table3: train the supernets of nasbench201, nasbench101 or shufflenetv2, which takes long. May be repeated."
        ),
    ] = None,
    proxy: Annotated[
        str | None,
        typer.Option(help="digits: also judge ShuffleNetV2 by a small supernet's evaluations, as rows of their own."),
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Also write all of the directory's results as Markdown: a .md file.")
    ] = None,
    seed: SeedOption = 0,
    workers: WorkersOption = 1,
    out: Annotated[
        Path | None, typer.Option("--out", help="The run directory, gone on with where it exists; runs/reproduce-SCALE.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """The paper's tables and figures beside ours: the published number, ours, and a verdict with its tolerance.

    What is done already in the run directory is not done again, and what lacked data is done once the data is there.

    Examples:

      lissnas reproduce table9 --data folder/with/files

      lissnas reproduce all --scale paper --seeds 5 --out runs/paper

      lissnas reproduce table3 --space nasbench201 --data folder/with/files/and/cifar10
    """
    if not what:
        print(json.dumps(_described()) if as_json else _listed())
        return
    names = _names(what)
    if markdown is not None and markdown.suffix != ".md":
        raise UserError(f"--markdown names a .md file, but got '{markdown}': name it like reproduction.md")
    from lissnas.experiments.data import install_from
    from lissnas.experiments.job import benchmarks_of_experiment, config_of, run_experiment, wanted_of, write_metrics

    config = config_of(scale, seeds, seed, names, data, space or (), (proxy,) if proxy else ())
    wanted = wanted_of(config)
    directory = out or Path("runs") / f"reproduce-{scale}"
    progress = ConsoleProgress()
    results = []
    try:
        if data is not None:
            benchmarks = [benchmark for name in names for benchmark in benchmarks_of_experiment(EXPERIMENTS.get(name), wanted)]
            found = install_from(data, benchmarks, progress.say)
            progress.say(f"data in {data}: {', '.join(found) or 'none is needed'}")
        with _begin(directory, config, names) as run:
            for name in names:
                results.append(run_experiment(run, name, progress, workers, wanted))
            everything = write_metrics(run, command_line())
            run.journal("finished")
    finally:
        progress.close()
    _write_pages(directory, everything, markdown)
    if as_json:
        print(json.dumps({"run": str(directory), "experiments": results}))
        return
    print("\n\n".join(_told(result, tables=len(results) == 1) for result in results))
    print(f"\n{_counted(results)}\nEverything is in {directory}")


def _names(what: list[str]) -> list[str]:
    """The experiments that were asked for, in the paper's order; "Table 9" and "table-9" are table9."""
    known = list_experiments()
    asked = set()
    for word in [" ".join(what)] if " ".join(what).lower().replace(" ", "") in known else what:
        plain = word.lower().replace(" ", "")
        plain = plain if plain in known else plain.replace("-", "")
        if plain == ALL:
            asked |= set(known)
        elif plain in known:
            asked.add(plain)
        else:
            raise UserError(f"{EXPERIMENTS.unknown(word.lower())} (or all; the list: lissnas reproduce)")
    return [name for name in known if name in asked]


def _begin(directory: Path, config: dict[str, Any], names: list[str]) -> Run:
    """A new run, or the one that is there, if it was made with the same sizes and seed."""
    from lissnas.experiments.job import KIND
    from lissnas.runs import Run
    from lissnas.runs.header import CONFIG

    hint = f"lissnas reproduce {' '.join(names)} --scale {config['scale']} --seeds {config['seeds']} --seed {config['seed']}"
    hint += f" --out {directory}"
    if not (directory / CONFIG).is_file():
        return Run.create(directory, KIND, config, resume_hint=hint)
    run = Run.open(directory, resume_hint=hint)
    if run.kind != KIND:
        kind = run.kind
        run.close()
        raise UserError(f"'{directory}' is a run of another kind ({kind}): choose another --out")
    for option in ("scale", "seeds", "seed"):
        if run.config[option] != config[option]:
            had = run.config[option]
            run.close()
            raise UserError(f"'{directory}' was begun with --{option} {had}, but got {config[option]}: choose another --out")
    return run


def _write_pages(directory: Path, results: list[dict[str, Any]], markdown: Path | None) -> None:
    from lissnas.reports.reproduction import draw_reproduction, write_reproduction

    command = command_line()
    if markdown is not None:
        write_bytes(markdown, write_reproduction(results, command).encode())
        stderr.print(f"written: {markdown}", markup=False)
    try:
        for package in ("altair", "vl_convert"):
            require(package, "report")
    except UserError as missing:
        stderr.print(f"no page was drawn: {missing}", markup=False)
        return
    write_bytes(directory / PAGE, draw_reproduction(results, command).encode())
    stderr.print(f"page: {directory / PAGE}", markup=False)


# -- what is printed ----------------------------------------------------------------------------------------------------


def _described() -> list[dict[str, Any]]:
    from lissnas.experiments.all_stages import find_stage
    from lissnas.experiments.data import available
    from lissnas.experiments.job import benchmarks_of_experiment
    from lissnas.experiments.original_runs import OriginalStage
    from lissnas.experiments.supernet_stages import SupernetStage

    trains = (SupernetStage, OriginalStage)
    rows = []
    for name in list_experiments():
        experiment = EXPERIMENTS.get(name)
        sets = list(dict.fromkeys(find_stage(stage).benchmarks for stage in experiment.stages))
        lacking = [" or ".join(one) for one in sets if one and available(one) is None]
        rows.append(
            {
                "name": name,
                "title": experiment.title,
                "paper": experiment.paper,
                "claims": len(experiment.claims),
                "needs": benchmarks_of_experiment(experiment),
                "missing": lacking,
                "seconds": experiment.cost,
                "trained": [stage.space for stage in map(find_stage, experiment.stages) if isinstance(stage, trains)],
            }
        )
    return rows


def _listed() -> str:
    lines = [f"{'experiment':15} {'claims':>6} {'seconds':>8}  {'what':52} data"]
    for row in _described():
        data = f"missing: {', '.join(row['missing'])}" if row["missing"] else "here" if row["needs"] else "none needed"
        if row["trained"]:
            data += f"; supernets only with --space {' or '.join(row['trained'])}, half an hour to 75 minutes a seed if small"
        lines.append(f"{row['name']:15} {row['claims']:6} {row['seconds']:8.0f}  {row['title']:52} {data}")
    lines.append("Seconds: of one seed at --scale paper on one core; tables that share a space share its runs.")
    return "\n".join(lines)


def _told(result: dict[str, Any], *, tables: bool) -> str:
    from lissnas.reports.reproduction import published_value, shown_value

    lines = [f"{result['name']}: {result['title']} ({result['paper']})"]
    rows = [["verdict", "", "published", "ours", "judged by"]]
    for claim in result["claims"]:
        says = claim["says"] + (f" ({claim['unit']})" if claim["unit"] else "")
        rows.append([claim["verdict"], says, published_value(claim), shown_value(claim), claim["tolerance"]])
    if len(rows) > 1:
        lines += _columns(rows, right=(2, 3))
    for shown in result["tables"] if tables or not result["claims"] else ():
        from lissnas.reports.reproduction import shown_cell

        cells = [[str(column) for column in shown["columns"]], *([shown_cell(c) for c in row] for row in shown["rows"])]
        lines += ["", shown["title"], *_columns(cells, right=())]
    lines += [f"Needs: {need}" for need in _needs(result)]
    return "\n".join([*lines, *result["notes"]])


def _needs(result: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(claim["why"] for claim in result["claims"] if claim["verdict"] == "needs DATA"))


def _columns(rows: list[list[str]], right: tuple[int, ...]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            f"{cell:>{width}}" if i in right else f"{cell:<{width}}"
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _counted(results: list[dict[str, Any]]) -> str:
    from lissnas.reports.reproduction import count_verdicts

    return ", ".join(f"{n} {verdict}" for verdict, n in count_verdicts(results).items() if n) or "no claims"


def summarize_reproduction(metrics: dict[str, Any], directory: Path) -> str:
    """The last thing that is printed of a run that was resumed."""
    told = ", ".join(f"{n} {verdict}" for verdict, n in metrics["verdicts"].items() if n) or "no claims"
    return f"{len(metrics['experiments'])} experiments: {told}\nEverything is in {directory}"
