"""Commands about the data of benchmarks: what there is, and getting, keeping, checking and removing it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from lissnas.cli.console import ConsoleProgress, stderr
from lissnas.disk import data_dir
from lissnas.errors import UserError
from lissnas.evaluators import BENCHMARKS, Benchmark, store
from lissnas.evaluators.benchmark import Source, find_benchmark, not_installed, shown_size

__all__ = ["data"]

data = typer.Typer(
    help="The data of benchmarks: list, fetch, add, verify, remove. Each is converted once, and then opens in milliseconds.",
    invoke_without_command=True,
    rich_markup_mode=None,
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A benchmark (see: lissnas data list).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object on stdout.")]


@data.callback()
def _help(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


@data.command("list")
def list_(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Explain one benchmark.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the benchmarks: whether the data is here, how large, where it is from, its licence and what it scores.

    Data is kept in $LISSNAS_DATA_DIR, or in the folder "lissnas" among the caches of your system.
    """
    rows = [_describe(find_benchmark(known)) for known in ([name] if name else BENCHMARKS.names())]
    if as_json:
        print(json.dumps(rows[0] if name else rows))
    elif name:
        _explain(rows[0])
    else:
        print(f"{'benchmark':24} {'space':24} {'data':20} {'licence':26} scores (--task)")
        for row in rows:
            print(f"{row['name']:24} {row['space']:24} {_state(row):20} {row['license']:26} {_shortened(row['metrics'])}")
        stderr.print(f"in {data_dir()}; more about one of them: lissnas data list NAME", markup=False)


def _describe(benchmark: Benchmark) -> dict[str, Any]:
    problem, present = None, None
    try:
        present = store.installed(benchmark.name)
        if present is not None:
            store.kept_files(benchmark.name)
    except UserError as error:
        problem = str(error)
    fetchable = any(source.fetchable for source in benchmark.sources)
    return {
        "name": benchmark.name,
        "space": benchmark.space,
        "about": benchmark.about,
        "installed": present is not None and problem is None,
        "problem": problem,
        "size": present.size if present else None,
        "architectures": present.rows if present else None,
        "source": present.origin.source.name if present else None,
        "sha256": present.origin.source.sha256 if present else None,
        "get": "fetch" if fetchable else "add",
        "metrics": {
            task: {"name": metric.name, "unit": metric.unit, "higher_is_better": metric.higher_is_better}
            for task, metric in benchmark.metrics.items()
        },
        "license": benchmark.license,
        "paper": benchmark.paper,
        "files": list(benchmark.files),
        "sources": [
            {"url": s.url, "sha256": s.sha256, "size": s.size, "note": s.note, "fetchable": s.fetchable}
            for s in benchmark.sources
        ],
    }


def _state(row: dict[str, Any]) -> str:
    if row["installed"]:
        return f"installed, {shown_size(row['size'])}"
    return "damaged" if row["problem"] else f"no: {row['get']} it"


def _shortened(names: Mapping[str, Any]) -> str:
    first = list(names)[:3]
    return ", ".join(first) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _explain(row: dict[str, Any]) -> None:
    if row["installed"]:
        here = f"{shown_size(row['size'])}, from {row['source']} (sha256 {row['sha256']})"
    else:
        here = row["problem"] or f"no: lissnas data {row['get']} {row['name']}{' FILE' if row['get'] == 'add' else ''}"
    lines = [
        ("name", row["name"]),
        ("about", row["about"]),
        ("space", row["space"]),
        ("installed", here),
        ("architectures", f"{row['architectures']:,}" if row["architectures"] else ""),
        ("metrics (--task)", ", ".join(f"{task}{_direction(metric)}" for task, metric in row["metrics"].items())),
        ("licence", row["license"]),
        ("paper", row["paper"]),
        ("files it takes", ", ".join(row["files"])),
    ]
    for source in row["sources"]:
        checksum = f"sha256 {source['sha256']}" if source["sha256"] else "no sha256 is published"
        how = f"lissnas data fetch; {checksum}" if source["fetchable"] else "with a browser, then lissnas data add"
        size = f", {shown_size(source['size'])}" if source["size"] else ""
        lines.append(("source", f"{source['url']} ({source['note']}{size}; {how})"))
    for key, value in lines:
        if value:
            print(f"{key:18} {value}")


def _direction(metric: dict[str, Any]) -> str:
    return "" if metric["higher_is_better"] else " (lower is better)"


@data.command()
def fetch(
    name: NameArgument,
    file: Annotated[
        str | None, typer.Option("--file", help="Which of its files, where there are several; the first if not given.")
    ] = None,
    url: Annotated[
        str | None, typer.Option("--url", help="Another address of the same file, a mirror; it is checked all the same.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Download the official file of a benchmark, check it, and install it. Needs pip install 'lissnas[benchmarks]'.

    A download that breaks off goes on where it stopped when the command is given again.

    \b
    Examples:
      lissnas data fetch nasbench101
      lissnas data fetch nasbench101 --file nasbench_full.tfrecord
    """
    from lissnas.evaluators.fetch import choose_source, fetch

    benchmark = find_benchmark(name)
    if url is not None and file is None and not any(source.fetchable for source in benchmark.sources):
        source = Source(url)
    else:
        source = choose_source(benchmark, file)
        source = source if url is None else replace(source, url=url)
    progress = ConsoleProgress()
    checksum = f"sha256 {source.sha256[:16]}..." if source.sha256 else "no sha256 of it is published"
    progress.say(f"fetching {source.url} ({checksum})")
    try:
        done = fetch(benchmark, source, _in_megabytes(progress), progress.say)
    finally:
        progress.close()
    _say_installed(done, as_json)


def _in_megabytes(progress: ConsoleProgress) -> Any:
    shown = 0.0

    def advance(done: int, total: int) -> None:
        nonlocal shown
        if done == total or time.monotonic() - shown > 0.2:  # a bar is not drawn anew for every block
            shown = time.monotonic()
            if total:
                progress.advance("MB", done // 10**6, max(1, total // 10**6))

    return advance


@data.command()
def add(
    name: NameArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file, or the folder that holds it.")],
    as_json: JsonOption = False,
) -> None:
    """Install a benchmark from a file that you have: the official one, or a table in CSV. What it is is seen by its content.

    It is converted once; your file is not needed any more. The files a benchmark takes: lissnas data list NAME.

    \b
    Examples:
      lissnas data add nasbench201 NAS-Bench-201-v1_1-096897.pth
      lissnas data add transnasbench101-macro downloads/
    """
    from lissnas.evaluators.install import install

    progress = ConsoleProgress()
    try:
        done = install(find_benchmark(name), file, progress.say)
    finally:
        progress.close()
    _say_installed(done, as_json)


def _say_installed(done: store.Installed, as_json: bool) -> None:
    if as_json:
        print(json.dumps(_describe(find_benchmark(done.name))))
        return
    what = f"{done.rows:,} architectures" if done.rows is not None else f"{len(done.files)} file(s)"
    stderr.print(f"'{done.name}' is installed: {what}, {shown_size(done.size)}, from {done.origin.source.name}", markup=False)


@data.command()
def verify(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="A benchmark; all that are installed if not given.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Read every byte of what is installed and compare it with its checksum.

    Exit code 2 if anything differs.
    """
    if name is not None and not store.is_there(find_benchmark(name).name):
        raise not_installed(find_benchmark(name))
    names = [name] if name is not None else [known for known in BENCHMARKS.names() if store.is_there(known)]
    results: dict[str, str | None] = {}
    for checked in names:
        try:
            store.verify(checked)
            results[checked] = None
        except UserError as error:
            results[checked] = str(error)
    if as_json:
        print(json.dumps([{"name": key, "intact": problem is None, "problem": problem} for key, problem in results.items()]))
    else:
        for key, problem in results.items():
            print(f"{key:24} {'intact' if problem is None else 'DAMAGED'}")
        if not results:
            print("nothing is installed")
    problems = [problem for problem in results.values() if problem is not None]
    if problems:
        raise UserError("; ".join(problems))


@data.command()
def remove(name: NameArgument) -> None:
    """Remove the data of a benchmark, and what a broken-off download left. Your own files stay."""
    benchmark = find_benchmark(name)
    with store.locked(benchmark.name, lambda line: stderr.print(line, markup=False)):
        found = store.remove(benchmark.name)
    stderr.print(f"the data of '{name}' {'is removed' if found else 'was not here'}", markup=False)
