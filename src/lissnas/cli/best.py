"""The command that finds the best networks of a space by a predictor, with a proof where there is one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lissnas.cli.console import ConsoleProgress, stderr
from lissnas.cli.jobs import default_benchmark, read_pairs
from lissnas.cli.options import (
    DataOption,
    EvaluatorOption,
    JsonOption,
    LimitOption,
    LowerIsBetterOption,
    PredictorSetOption,
    ScoreOption,
    ScoresOption,
    SeedOption,
    TaskOption,
    TreesOption,
    WorkersOption,
)
from lissnas.cli.truth import make_truth
from lissnas.errors import UserError
from lissnas.formats import get_space, write_architectures_csv
from lissnas.spaces import SPACES, SearchSpace, check_limits

if TYPE_CHECKING:
    from lissnas.evaluators import Evaluator
    from lissnas.predictors import Predictor
    from lissnas.predictors.certified_search import Search

__all__ = ["best"]

SHRUNK, PREDICTOR = "shrunk.parquet", "predictor.ubj"  # of a run directory
INTERRUPTED = 130


def best(
    space: Annotated[
        str,
        typer.Argument(metavar="SPACE", help="A name (see: lissnas spaces), a YAML file, a saved space, or a run directory."),
    ],
    n: Annotated[int, typer.Option("-n", "--number", help="How many networks.", min=1)] = 10,
    scores: ScoresOption = None,
    score: ScoreOption = None,
    lower_is_better: LowerIsBetterOption = False,
    evaluator: EvaluatorOption = None,
    task: TaskOption = None,
    data: DataOption = None,
    evaluations: Annotated[
        int, typer.Option(help="Networks drawn and scored to learn from, where all have a score.", min=20)
    ] = 1000,
    predictor: Annotated[
        Path | None, typer.Option(help="A run directory or a saved predictor; fitted to the scores if not given.")
    ] = None,
    predictor_set: PredictorSetOption = None,
    trees: TreesOption = None,
    limit: LimitOption = None,
    seconds: Annotated[float | None, typer.Option(help="Search so long at most, then tell what is proven.")] = None,
    memory: Annotated[float | None, typer.Option(help="Megabytes of open work at most.")] = 1000,
    seed: SeedOption = 0,
    workers: WorkersOption = 1,
    out: Annotated[Path | None, typer.Option("--out", help="Write the whole list: .csv or .parquet.")] = None,
    as_json: JsonOption = False,
) -> None:
    """The best networks of a whole space by a predictor, proven; or the best found, and what there can be at most.

    The list is a certificate, not a goal: its networks are much alike, and the predictor is too hopeful of what it likes best.
    Ctrl-C ends the search and tells what was found.

    Examples:

      lissnas best darts --evaluator nasbench301 --trees 1200 --predictor-set depth=3 -n 10000 --out best.csv

      lissnas best my-space.yaml --scores measured.csv --score top1 --limit "latency_ms <= 150" --seconds 60
    """
    from lissnas.predictors import load
    from lissnas.predictors.certified import certified_best, check_asked
    from lissnas.runs.best import best_numbers, listen_for_stop, predictor_for
    from lissnas.runs.predicting import PredictorConfig

    _check_out(out)
    if predictor is not None and (trees is not None or predictor_set):
        raise UserError("--trees and --predictor-set are for a predictor that is fitted, but got --predictor: leave them out")
    subject, run = _subject(space)
    chosen = predictor or (run if run is not None and (run / PREDICTOR).is_file() and scores is None else None)
    if chosen is None and scores is None and evaluator is None:
        _, evaluator = default_benchmark(subject.root.name) if subject.root.name in SPACES else (None, None)
    truth = make_truth(
        subject.root, scores=scores, score=score, lower_is_better=lower_is_better, evaluator=evaluator, task=task, data=data
    )
    check_limits(subject, limit or ())
    check_asked(subject, n, seconds, memory)
    kendall: float | None = None
    learned: Predictor
    if chosen is not None:
        learned = load(chosen / PREDICTOR if chosen.is_dir() else chosen, subject, threads=workers)
        stderr.print(f"predicted by {chosen}", markup=False)
    elif truth is not None:
        config = PredictorConfig(trees=trees, predictor_settings=read_pairs(predictor_set or [], "--predictor-set depth=3"))
        learned, kendall = predictor_for(subject, truth, evaluations, config, seed, workers)
        stderr.print(f"predicted by trees fitted to scores, held-out Kendall tau {kendall:.2f}", markup=False)
    else:
        raise UserError(
            "nothing says which networks are good: give --scores FILE, --evaluator NAME, or --predictor with a saved one"
        )
    progress = ConsoleProgress()
    try:
        with listen_for_stop() as stop:
            found = certified_best(
                subject,
                learned,
                n,
                limits=limit or (),
                seconds=seconds,
                memory=memory,
                threads=workers,
                progress=_teller(progress),
                stop=stop,
            )
            interrupted = stop()
    finally:
        progress.close()
    numbers = best_numbers(
        subject,
        found,
        asked=n,
        limits=limit or (),
        metric=truth.metric.name if truth is not None else "score",
        kendall=kendall,
        truth=truth if _is_free(truth) else None,
        seed=seed,
    )
    if out is not None:
        columns = {"predicted": found.scores, **dict(subject.cost(found.genotypes))}
        write_architectures_csv(subject, found.genotypes, out, columns)
        stderr.print(f"{len(found.genotypes):,} networks are in {out}", markup=False)
    print(json.dumps(numbers) if as_json else tell(numbers))
    if interrupted:
        raise typer.Exit(INTERRUPTED)


def _is_free(truth: Evaluator | None) -> bool:
    return truth is not None and truth.is_free


def _check_out(out: Path | None) -> None:
    """Before any work."""
    if out is None:
        return
    if out.suffix.lower() not in (".csv", ".parquet"):
        raise UserError(f"architectures are written as .csv or .parquet, but got '{out}': change its ending")
    if out.exists():
        raise UserError(f"--out must be a new file, but '{out}' is there already: choose another name")


def _subject(name: str) -> tuple[SearchSpace, Path | None]:
    """The space that was named, and the run directory that it is the result of."""
    path = Path(name)
    if not path.is_dir() or name in SPACES:
        return get_space(name), None
    if not (path / SHRUNK).is_file():
        raise UserError(f"'{name}' holds no {SHRUNK}: give a run directory that has shrunk a space, or the file itself")
    return get_space(path / SHRUNK), path


def _teller(progress: ConsoleProgress) -> Any:
    """Says every ten seconds what is known, since nobody can say how much is left."""
    last = 0

    def tell_progress(search: Search) -> None:
        nonlocal last
        from lissnas.predictors.certified_kernels import DEAD

        if search.expanded - last < 1_000_000:
            return
        last = search.expanded
        whole = search.whole
        least = "none yet" if search.threshold <= DEAD // 2 else f"{whole.score(search.threshold):.6g}"
        bound = "unknown" if search.bound >= -DEAD // 2 else f"{whole.score(search.bound):.6g}"
        progress.say(
            f"  {search.expanded:,} partial networks bounded, {search.open:,} regions open: "
            f"last of the list {least}, none above {bound}"
        )

    return tell_progress


def tell(numbers: dict[str, Any]) -> str:
    """The result as plain text."""
    found, proven, metric = numbers["found"], numbers["proven"], numbers["metric"]
    size = int(numbers["cardinality"])
    of = f"{size:,}" if size < 10**12 else f"{size:.3e}"
    within = f" with {' and '.join(numbers['limits'])}" if numbers["limits"] else ""
    lines = []
    if numbers["is_proven"]:
        how = (
            "every one was looked at"
            if numbers["method"] == "listed"
            else f"{numbers['looked_at']:,} partial ones were bounded"
        )
        lines.append(f"The best {found:,} of {of} networks{within}, proven ({how}, {numbers['seconds']:.1f} s).")
        if numbers["bound"] is None:
            lines.append("There are no others.")
        else:
            lines.append(
                f"No other network is predicted better than {numbers['bound']:.6g}, the last of the list"
                f"{_rounding(numbers)}; others can be equal to it."
            )
        if found < numbers["asked"]:
            lines.append(f"{numbers['asked']:,} were asked for, but no more meet the limits.")
    else:
        lines.append(f"Not proven, because {numbers['stopped']}: the best {found:,} found of {of} networks{within}.")
        if numbers["bound"] is not None:
            gap = abs(numbers["bound"] - numbers["best"][0]["predicted"])
            lines.append(
                f"No network is predicted better than {numbers['bound']:.6g}{_rounding(numbers)}, {gap:.3g} from the best; "
                f"of the list {proven:,} are proven to be the best."
            )
    lines.append(f"{'':>6} {'predicted':>12} {'true' if 'true_mean' in numbers else '':>10}  network")
    for rank, row in enumerate(numbers["best"], start=1):
        true = "" if row["true"] is None else f"{row['true']:.6g}"
        lines.append(f"{rank:>6} {row['predicted']:>12.6g} {true:>10}  {row['architecture']}")
    if "diversity" in numbers:
        lines.append(
            "This list is a certificate, not a goal: two of its networks are "
            f"{numbers['diversity']:.1f} edits apart on average, two of the space {numbers['diversity_of_space']:.1f}."
        )
    if "optimism" in numbers:
        lines.append(
            f"Predicted {metric} {numbers['predicted_mean']:.6g} on average, true {numbers['true_mean']:.6g}: the predictor is "
            f"off by {numbers['optimism']:+.3g} where it likes networks best."
        )
    return "\n".join(lines)


def _rounding(numbers: dict[str, Any]) -> str:
    tolerance = numbers["tolerance"]
    return f" (give or take {tolerance:.1g})" if tolerance > 0 else ""
