"""The command that lays spaces side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lissnas.cli.console import stderr
from lissnas.cli.jobs import command_line, default_benchmark
from lissnas.cli.options import (
    DataOption,
    EvaluatorOption,
    JsonOption,
    LowerIsBetterOption,
    ScoreOption,
    ScoresOption,
    TaskOption,
)
from lissnas.cli.truth import make_truth
from lissnas.disk import write_bytes
from lissnas.errors import UserError
from lissnas.evaluators import BENCHMARKS, Evaluator
from lissnas.formats import get_space
from lissnas.spaces import SPACES, SearchSpace

if TYPE_CHECKING:
    from lissnas.predictors import Predictor

__all__ = ["quality"]

SHRUNK, PREDICTOR = "shrunk.parquet", "predictor.ubj"  # of a run directory
ASKED = 10_000  # true scores of each space, where they are not read from a table
PAID = 1000  # the same where each costs something


def quality(
    spaces: Annotated[
        list[str],
        typer.Argument(metavar="SPACE...", help="Names, YAML files, saved spaces, or run directories, all parts of one space."),
    ],
    reference: Annotated[
        str | None, typer.Option(help="The space to compare with; the one that the others were shrunk from if not given.")
    ] = None,
    scores: ScoresOption = None,
    score: ScoreOption = None,
    lower_is_better: LowerIsBetterOption = False,
    evaluator: EvaluatorOption = None,
    task: TaskOption = None,
    data: DataOption = None,
    evaluations: Annotated[
        int | None, typer.Option(help="True scores asked for of each space, at most; all those of a table.", min=1)
    ] = None,
    predictor: Annotated[
        Path | None, typer.Option(help="A run directory or a saved predictor; that of the first run given if not given.")
    ] = None,
    quantile: Annotated[float, typer.Option(help="Good networks are the reference's best 1 - quantile.")] = 0.9,
    threshold: Annotated[float | None, typer.Option(help="The score from which on a network is good, instead.")] = None,
    draws: Annotated[int, typer.Option(help="n of the shrink index: networks drawn.", min=1)] = 10,
    good: Annotated[int, typer.Option(help="k of the shrink index: good ones wanted among them.", min=1)] = 2,
    interval: Annotated[
        tuple[float, float] | None, typer.Option(help="The two scores that the area under the EDF is taken between.")
    ] = None,
    samples: Annotated[
        int, typer.Option(help="Networks that stand for a space of more than a million; a smaller one is taken whole.")
    ] = 100_000,
    seed: Annotated[int, typer.Option(help="One seed; the same seed gives the same numbers.", min=0)] = 0,
    out: Annotated[Path | None, typer.Option("--out", help="Also write a page with drawings: an .html file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Spaces side by side: size, scores, shrink index, diversity, pockets, cost coverage, what was kept of the best.

    Examples:

      lissnas quality nasbench201 runs/nasbench201-1 --data accuracy.csv

      lissnas quality my-space.yaml small.parquet --scores measured.csv --score top1 --out quality.html
    """
    from lissnas.quality import common_reference, compare_spaces

    _check_out(out)
    first = spaces[0]
    chosen: str | None = None
    if first not in SPACES and first in BENCHMARKS:  # a benchmark's own name is its space, scored by it
        first, chosen = default_benchmark(first)
    given = [_space(name) for name in (first, *spaces[1:])]
    base = None if reference is None else _space(reference)
    root = common_reference([*given, *([] if base is None else [base])]).root  # before anything is read
    if evaluator is None and scores is None:
        evaluator = chosen or _default(root, data, task)
    truth = make_truth(
        root, scores=scores, score=score, lower_is_better=lower_is_better, evaluator=evaluator, task=task, data=data
    )
    learned = _predictor(predictor, spaces, root)
    if truth is None and learned is None:
        stderr.print("no scores: give --evaluator, --scores or --predictor for more than size and diversity", markup=False)
    found = compare_spaces(
        given,
        base,
        learned,
        truth,
        names=[str(name) for name in spaces],
        quantile=quantile,
        threshold=threshold,
        draws=draws,
        good=good,
        interval=interval,
        evaluations=_evaluations(truth, evaluations),
        drawn=samples,
        seed=seed,
    )
    numbers = found.to_dict()
    if out is not None:
        from lissnas.reports.quality import draw_quality

        write_bytes(out, draw_quality(numbers, command_line()).encode())
        stderr.print(f"drawn in {out}", markup=False)
    print(json.dumps(numbers) if as_json else tables(numbers))


def _check_out(out: Path | None) -> None:
    """Before any work."""
    if out is not None and out.suffix != ".html":
        raise UserError(f"the page is written as .html, but got '{out}': name the file like quality.html")
    if out is not None and out.is_dir():
        raise UserError(f"--out names a file, but '{out}' is a folder: choose another")


def _space(name: str) -> SearchSpace:
    """A space by any name, also by the run that made it."""
    path = Path(name)
    if not path.is_dir() or name in SPACES:
        return get_space(name)
    if not (path / SHRUNK).is_file():
        raise UserError(f"'{name}' holds no {SHRUNK}: give a run directory that has shrunk a space, or the file itself")
    return get_space(path / SHRUNK)


def _default(root: SearchSpace, data: Path | None, task: str | None) -> str | None:
    """The benchmark of the space, where its data is here or given."""
    from lissnas.evaluators import benchmarks_of
    from lissnas.evaluators.store import installed

    if not benchmarks_of(root):
        return None
    _, name = default_benchmark(root.name)
    if name is not None and data is None and task is None and installed(name) is None:
        stderr.print(f"but its data is not here, so there are no true scores (see: lissnas data list {name})", markup=False)
        return None
    return name


def _evaluations(truth: Evaluator | None, asked: int | None) -> int | None:
    """How many true scores of each space: what a table holds costs nothing, all else is said before it begins."""
    from lissnas.evaluators.scores_file import ScoresFile
    from lissnas.evaluators.table import TableEvaluator

    if truth is None or asked is not None or isinstance(truth, (TableEvaluator, ScoresFile)):
        return asked
    if truth.is_free:
        return ASKED
    stderr.print(f"up to {PAID:,} evaluations of each space will be made: --evaluations sets how many", markup=False)
    return PAID


def _predictor(given: Path | None, spaces: list[str], root: SearchSpace) -> Predictor | None:
    """The predictor that was named, or that of the first run among the spaces."""
    from lissnas.predictors import XGBoostPredictor

    if given is not None:
        return XGBoostPredictor.load(given / PREDICTOR if given.is_dir() else given, root)
    for name in spaces:
        if name not in SPACES and (path := Path(name) / PREDICTOR).is_file():
            stderr.print(f"predicted by {path}", markup=False)
            return XGBoostPredictor.load(path, root)
    return None


# -- the tables on stdout -----------------------------------------------------------------------------------------------


def tables(numbers: dict[str, Any]) -> str:
    """The result as plain text: a column per space, a row per number."""
    from lissnas.reports.quality_rows import groups, reasons

    found = groups(numbers)
    numbered = reasons(found)
    spaces = numbers["spaces"]
    lines = [
        f"Compared with '{numbers['reference']}'. A number in brackets is a 95% interval; one without, and without >= or <=,",
        "comes from all networks of the space. Of a sample the best and the farthest are only the least that there is.",
        "",
    ]
    head = ["", *(space["name"] for space in spaces)]
    sizes = [f"{'' if s['cardinality_is_exact'] else 'about '}{_count(int(s['cardinality']))}" for s in spaces]
    body: list[list[str] | str] = [head, ["networks", *sizes]]
    for group in found:
        body += ["", group.title, *([f"  {group.note}"] if group.note else [])]
        body += [[row.label, *(_cell(cell, row.kind, numbered) for cell in row.cells)] for row in group.rows]
    widths = [max(len(line[i]) for line in body if isinstance(line, list)) for i in range(len(head))]
    for line in body:
        if isinstance(line, str):
            lines.append(line)
        else:
            cells = [f"{text:<{w}}" if i == 0 else f"{text:>{w}}" for i, (text, w) in enumerate(zip(line, widths, strict=True))]
            lines.append("  ".join(cells).rstrip())
    lines += ["", *(f"({number}) {reason}" for reason, number in numbered.items())]
    return "\n".join(lines).rstrip()


def _cell(cell: dict[str, Any], kind: str, numbered: dict[str, int]) -> str:
    value, low, high = cell["value"], cell["low"], cell["high"]
    if value is None:
        return f"- ({numbered[cell['reason']]})"
    if cell["exact"] or (low is None and high is None):
        return _written(value, kind)
    if value == low and high is None:
        return f">= {_written(value, kind)}"
    if value == high and low is None:
        return f"<= {_written(value, kind)}"
    ends = ["?" if end is None else _written(end, kind) for end in (low, high)]  # beyond what the sample holds
    return f"{_written(value, kind)} [{', '.join(ends)}]"


def _written(value: float, kind: str) -> str:
    if kind == "share":
        return f"{100 * value:.4g}%"
    if kind == "probability" and value == 0:
        return "<1e-300"  # below what a double can tell apart
    if kind in ("whole", "size", "factor"):
        return f"{value:,.0f}" if value == int(value) and value < 1e12 else f"{value:,.4g}"
    return f"{value:.3g}" if kind in ("coefficient", "probability") else f"{value:.4g}"


def _count(number: int) -> str:
    return f"{number:,}" if number < 10**12 else f"{number:.3e}"
