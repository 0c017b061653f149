"""The command that says whether networks that are alike score alike, and whether shrinking by it will work."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lissnas.cli.console import ConsoleProgress, stderr
from lissnas.cli.jobs import default_benchmark
from lissnas.cli.options import (
    DataOption,
    EvaluatorOption,
    JsonOption,
    LowerIsBetterOption,
    ScoreOption,
    ScoresOption,
    SeedOption,
    SpaceArgument,
    TaskOption,
)
from lissnas.disk import write_bytes
from lissnas.errors import UserError
from lissnas.evaluators import Evaluator, get_evaluator
from lissnas.formats import get_space
from lissnas.spaces import SearchSpace

if TYPE_CHECKING:
    from lissnas.locality import Estimate, Locality
    from lissnas.predictors import Predictor

__all__ = ["locality"]

_TREES = 300
_LEARNED = 1000  # networks that the predictor learns from, at most


def locality(
    space: SpaceArgument,
    scores: ScoresOption = None,
    score: ScoreOption = None,
    lower_is_better: LowerIsBetterOption = False,
    evaluator: EvaluatorOption = None,
    task: TaskOption = None,
    data: DataOption = None,
    samples: Annotated[
        int, typer.Option(help="Networks that edits begin at; of an evaluator that is not free, all evaluations.", min=30)
    ] = 1000,
    repeats: Annotated[int, typer.Option(help="Evaluations of each network, for an evaluator with noise.", min=1)] = 1,
    good_above: Annotated[
        float | None, typer.Option(help="The score from which on a network is good; the best tenth if not given.")
    ] = None,
    tolerance: Annotated[
        float, typer.Option(help="How far the EDF of a sufficient sample may lie from the space's own.")
    ] = 0.05,
    predictor: Annotated[
        bool, typer.Option("--predictor/--no-predictor", help="Also give neighbor yields by a predictor's scores.")
    ] = True,
    seed: SeedOption = 0,
    plot: Annotated[
        Path | None, typer.Option(help="Draw correlation and difference by edits to this .svg or .html file.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="A folder for locality.json and locality.csv.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Do networks that are alike score alike here: random-walk autocorrelation, differences by edits, and a verdict.

    Examples:

      lissnas locality nasbench201 --data accuracy.csv --task cifar100-valid

      lissnas locality my-space.yaml --scores measured.csv --score top1

      lissnas locality shufflenetv2 --evaluator my.module:score --samples 500
    """
    from lissnas.locality import assess_locality, planned_evaluations

    _check_files(plot, out)
    subject, truth = _subject(space, scores, score, lower_is_better, evaluator, task, data)
    planned = planned_evaluations(truth, samples, repeats)
    if planned is not None:
        stderr.print(f"up to {planned:,} evaluations will be made: --samples sets how many", markup=False)
    progress = ConsoleProgress()
    try:
        learned = _fit(subject, truth, seed, progress) if predictor and planned is None else None
        found = assess_locality(
            subject,
            truth,
            predictor=learned,
            samples=samples,
            seed=seed,
            repeats=repeats,
            good_above=good_above,
            tolerance=tolerance,
            on_progress=progress.advance,
        )
    finally:
        progress.close()
    numbers = found.to_dict()
    if out is not None:
        write_bytes(out / "locality.json", (json.dumps(numbers, indent=1) + "\n").encode())
        write_bytes(out / "locality.csv", _as_csv(numbers["rows"]).encode())
        stderr.print(f"all numbers are in {out}", markup=False)
    if plot is not None:
        from lissnas.reports.locality import draw_locality

        write_bytes(plot, draw_locality(numbers, plot.suffix).encode())
        stderr.print(f"drawn in {plot}", markup=False)
    print(json.dumps(numbers) if as_json else tables(found))


def _check_files(plot: Path | None, out: Path | None) -> None:
    """Before any work."""
    if plot is not None and plot.suffix not in (".svg", ".html"):
        raise UserError(f"a plot is written as .svg or .html, but got '{plot}': name the file like locality.svg")
    if out is not None and out.exists() and not out.is_dir():
        raise UserError(f"--out names a folder, but '{out}' is a file: choose another")


def _subject(
    space: str,
    scores: Path | None,
    score: str | None,
    lower_is_better: bool,
    evaluator: str | None,
    task: str | None,
    data: Path | None,
) -> tuple[SearchSpace, Evaluator]:
    """The space, and what scores it: a file, an evaluator by name, or the space's own benchmark."""
    if scores is not None and evaluator is not None:
        raise UserError("scores come from one place, but both --scores and --evaluator are given: leave one out")
    if scores is not None and (task is not None or data is not None):
        raise UserError("--task and --data are for a benchmark, but --scores is given: leave them out")
    if scores is None and score is not None:
        raise UserError(f"--score names a column of --scores FILE, but got '{score}' without a file: give --scores")
    if scores is None and evaluator is None:
        space, evaluator = default_benchmark(space)
    subject = get_space(space)
    if scores is not None:
        options = {"score": score} if score is not None else {}
        return subject, get_evaluator("scores", subject, path=scores, higher_is_better=not lower_is_better, **options)
    if evaluator is None:
        raise UserError(f"nothing scores '{subject.name}': give --scores FILE, or --evaluator NAME or module:function")
    if ":" in evaluator or Path(evaluator).suffix in (".csv", ".parquet"):
        if task is not None or data is not None:
            raise UserError(f"--task and --data are for a benchmark, but the evaluator is '{evaluator}': leave them out")
        return subject, get_evaluator(evaluator, subject, higher_is_better=not lower_is_better)
    if lower_is_better:
        raise UserError(f"the benchmark '{evaluator}' says itself which way is better: leave --lower-is-better out")
    return subject, get_evaluator(evaluator, subject, task=task, data=data)


def _fit(space: SearchSpace, truth: Evaluator, seed: int, progress: ConsoleProgress) -> Predictor | None:
    """A predictor of up to 1,000 scored networks; None where that are too few or all scores are equal."""
    import numpy as np

    from lissnas.evaluators import scored_by
    from lissnas.predictors import XGBoostPredictor
    from lissnas.predictors.base import MINIMUM
    from lissnas.spaces import sample_distinct

    known = scored_by(truth, space)
    if known is None:
        return None
    genotypes = sample_distinct(known, _LEARNED, np.random.default_rng(seed))
    scores = truth.evaluate(genotypes)
    if len(genotypes) < MINIMUM or np.ptp(scores) == 0:
        return None
    progress.say(f"fitting a predictor to {len(genotypes):,} networks ({_TREES} trees)")
    learner = XGBoostPredictor(trees=_TREES, threads=1)
    return learner.fit(space, genotypes, scores, higher_is_better=truth.higher_is_better, seed=seed)


def _as_csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


# -- the tables on stdout -----------------------------------------------------------------------------------------------


def tables(found: Locality) -> str:
    """The result as plain text: correlations, differences, yields, thresholds, sample size, verdict."""
    how = {
        "exact": f"all pairs of all {found.scored:,} networks",
        "sampled": f"neighbors of a sample, good networks and seeds from {found.scored:,} networks",
        "partial": f"the pairs among the {found.scored:,} networks that have a score",
    }[found.design]
    lines = [f"'{found.space}' scored by {found.metric}: {how}. Intervals are 95%.", ""]
    lines += _table(
        "Correlation of the scores",
        found,
        [
            ("exact distance", "correlation", "distance", "uniform", "any", "true"),
            ("its ranks", "rank correlation", "distance", "uniform", "any", "true"),
            ("random edits", "correlation", "random edits", "uniform", "any", "true"),
            ("one long walk", "correlation", "walk", "uniform", "any", "true"),
        ],
    )
    populations = [p.name for p in found.populations]
    lines += _table(
        "Mean absolute difference of the scores (AAD)",
        found,
        [(f"{name}, distance", "difference", "distance", name, "any", "true") for name in populations]
        + [(f"{name}, random", "difference", "random edits", name, "any", "true") for name in populations],
    )
    if found.noise.floor is not None:
        lines += [f"Noise alone ({found.noise.source}) makes a difference of {found.noise.floor:.3g}.", ""]
    for name in populations:
        kinds = sorted({row.kind for row in found.rows if row.population == name and row.kind != "any"})
        if kinds:
            lines += _table(
                f"The same by kind of edit, from {name}, exact distance",
                found,
                [(kind, "difference", "distance", name, kind, "true") for kind in ("any", *kinds)],
                deepest=3,
            )
    lines += _table(
        "Neighbor yield: the share of neighbors at that distance that are as good",
        found,
        [
            (f"{name}, {source}", "yield", "distance", name, "any", source)
            for source in ("true", "predicted")
            for name in populations
            if name != "uniform"
        ],
    )
    lines += _closing(found)
    return "\n".join(lines)


def _closing(found: Locality) -> list[str]:
    lines = []
    for group in found.populations:
        if group.threshold is not None:
            lines.append(f"{group.name}: {group.networks:,} networks from {group.threshold:.5g} on ({group.chance:.1%} of all)")
    lines.append(f"Threshold edit distance: {found.thresholds[0].paper} by the paper's third of {found.max_edits};")
    for threshold in found.thresholds:
        if threshold.measured is not None:
            shown = str(threshold.measured) if threshold.measured else "0 (not even at one edit: take 1)"
            lines.append(
                f"  {shown} is the largest at which the median neighbor of {threshold.population} passes, {threshold.source}"
            )
    size = found.sample_size
    if size is not None and size.deviation_95 is not None:
        lines.append(
            f"A sample of {size.samples:,} against all {size.population:,} ({size.repeats:,} times): EDFs at most "
            f"{size.deviation_95:.3f} apart and means {size.mean_error_95:.3g}, 95 times in 100; "
            f"told apart by Kolmogorov-Smirnov {size.rejected:.1%} of the time"
        )
        lines.append(
            f"The smallest sample within {size.tolerance:g} of the EDF, 95 times in 100: {size.smallest or size.reason}"
        )
    reasons = {row.estimate.reason for row in found.rows if row.estimate.reason and row.statistic == "difference"}
    noisy = [reason for reason in sorted(reasons) if "noisy" in reason]
    return [*lines, *noisy, "", found.verdict.sentence]


def _table(
    title: str, found: Locality, columns: list[tuple[str, str, str, str, str, str]], deepest: int | None = None
) -> list[str]:
    """One row per number of edits, one column per statistic; a dash where there is no number."""
    kept, cells = [], []
    for column in columns:
        name, statistic, by, population, kind, source = column
        rows = [
            row
            for row in found.rows
            if (row.statistic, row.by, row.population, row.kind, row.source) == (statistic, by, population, kind, source)
        ]
        if any(row.estimate.value is not None for row in rows):
            kept.append(name)
            cells.append({row.edits: _cell(row.estimate) for row in rows})
    if not kept:
        return []
    deepest = deepest or max((edits for column in cells for edits, cell in column.items() if cell != "-"), default=0)
    body = [[str(edits), *(column.get(edits, "-") for column in cells)] for edits in range(1, deepest + 1)]
    heads = ["edits", *kept]
    widths = [max(len(row[k]) for row in [heads, *body]) for k in range(len(heads))]
    text = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in [heads, *body]]
    return [title, *text, ""]


def _cell(estimate: Estimate) -> str:
    if estimate.value is None:
        return "-"
    if estimate.exact:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f}, {estimate.high:.3f})"
