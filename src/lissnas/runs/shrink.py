"""The job ``shrink``: a space and scores go in, a shrunk space and a report come out."""

from __future__ import annotations

import itertools
import json
import shlex
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lissnas._version import __version__
from lissnas.arrays import Genotypes
from lissnas.errors import UserError, require
from lissnas.evaluators import BENCHMARKS, Evaluator, Metric, get_evaluator, scored_by
from lissnas.formats import get_space, load_space, read_scores, save_space
from lissnas.predictors import XGBoostPredictor
from lissnas.predictors.base import MINIMUM, check_training
from lissnas.predictors.costs import attach_costs, cost_measurements, learn_costs, learned_costs
from lissnas.registry import Registry
from lissnas.runs.checkpoint import evaluate_in_chunks
from lissnas.runs.directory import Run
from lissnas.runs.header import CONFIG
from lissnas.runs.measured import Evaluations, read_evaluations, write_evaluations
from lissnas.runs.predicting import PredictorConfig, fit_step, make_predictor
from lissnas.runs.progress import Progress
from lissnas.runs.settings import read_settings
from lissnas.runs.shrinking import make_shrinker, measure_shrinkage, require_enough, require_limits, shrink_step
from lissnas.shrinkers import Shrinker
from lissnas.spaces import SearchSpace, sample_distinct

__all__ = ["REPORTS", "ShrinkConfig", "check_config", "run_job"]

# The report is drawn in a room above this one, which is reached by name only.
REPORTS = Registry("report", {"html": "lissnas.reports:write_report"})

EVALUATIONS, SPACE, METRICS = "evaluations.parquet", "space.parquet", "metrics.json"
REPORT = "report.html"
CHUNK = 32  # true evaluations that are saved together
TIMED = 3  # true evaluations that are timed before the rest is begun
WEAK = 0.3  # a held-out Kendall tau below this is said aloud


class ShrinkConfig(PredictorConfig):
    """What a shrinking job is asked to do, resolved: every size is a number."""

    space: str
    scores: str | None = None
    score: str | None = None
    evaluator: str | None = None
    task: str | None = None
    data: str | None = None
    evaluations: int = Field(1000, ge=MINIMUM)
    higher_is_better: bool = True
    method: str = "lissnas"
    settings: dict[str, Any] = Field(default_factory=dict)
    as_in_paper: bool = False
    limits: list[str] = Field(default_factory=list)
    queries: int = Field(100_000, ge=1)
    size: int | None = Field(None, ge=1)
    seed: int = Field(0, ge=0)
    command: str = ""


def check_config(config: ShrinkConfig) -> None:
    """Read everything that the job will read, and build what it will build, so that a mistake is answered before a run begins.

    Raises:
        UserError: the mistake.
    """
    space = get_space(config.space)
    if (config.scores is None) == (config.evaluator is None):
        raise UserError(
            "scores come from a file (--scores FILE) or an evaluator (--evaluator NAME or module:function): give one; "
            f"to get networks to measure: lissnas sample {config.space} -n 300 --out to_measure.csv"
        )
    shrinker = _make_shrinker(config)
    shrinker.check(space, config.limits)
    require_limits(space, config.limits)
    make_predictor(config).check(space)
    if shrinker.spends == "evaluations":
        _check_spending(config, space)
    if config.scores is not None:
        for option in ("task", "data"):
            if getattr(config, option) is not None:
                raise UserError(f"--{option} is for a benchmark, but the scores come from {config.scores}: leave it out")
        measured = read_scores(config.scores, space.root, config.score)
        check_training(space, measured.genotypes, measured.scores)
        cost_measurements(space, measured.genotypes, {**measured.columns, measured.score_name: measured.scores})
    else:
        _check_evaluator(config, space)


def _make_shrinker(config: ShrinkConfig) -> Shrinker:
    return make_shrinker(
        config.method, config.queries, config.size, config.as_in_paper, config.settings, evaluations=config.evaluations
    )


def _check_spending(config: ShrinkConfig, space: SearchSpace) -> None:
    """Refuse what a method that spends true evaluations as it goes cannot work with."""
    why = f"the method {config.method} asks for true scores of networks of its own choice"
    if config.evaluator is None:
        raise UserError(f"{why}, and --scores has those it has: give an evaluator (--evaluator NAME or module:function)")
    evaluator = make_evaluator(config, space)
    if evaluator.known is not None:
        raise UserError(f"{why}, but {evaluator} has those of some networks only: choose another method")
    if learned_costs(space):
        raise UserError(f"{why}, so that no cost can be learned before: choose another method, or give costs by a formula")


def _check_evaluator(config: ShrinkConfig, space: SearchSpace) -> None:
    evaluator = make_evaluator(config, space)
    candidates = _candidates(evaluator, space)
    require_enough(candidates)
    if config.score is not None:
        raise UserError(f"--score names a column of --scores, but got --score {config.score} with an evaluator: leave it out")
    measured = evaluator.measured(candidates.sample(1, np.random.default_rng(0)))
    for cost, column in learned_costs(space).items():
        if column not in measured:
            raise UserError(
                f"the cost '{cost}' is learned from a column of measured networks, which this evaluator does not have: "
                "give --scores, or write the cost as a formula"
            )


def run_job(run: Run, progress: Progress, workers: int) -> None:
    """Everything, in steps."""
    config = read_settings(ShrinkConfig, run.config, str(run.path(CONFIG)))
    run.step("space", lambda: _write_space(run, get_space(config.space)), [SPACE])
    space = load_space(run.path(SPACE))

    shrinker = _make_shrinker(config)
    metric = Metric(config.score or "score", "", config.higher_is_better)
    truth: Evaluator | None = None
    if shrinker.spends == "evaluations":
        evaluator = make_evaluator(config, space)
        metric, truth = evaluator.metric, evaluator if evaluator.is_free else None
        shrink_step(run, space, shrinker, config.limits, metric, progress, workers, evaluator, EVALUATIONS)
    elif config.scores is not None:
        run.step("evaluations", lambda: _copy_scores(run, space, config), [EVALUATIONS])
    else:
        evaluator = make_evaluator(config, space)
        metric, truth = evaluator.metric, evaluator if evaluator.is_free else None
        run.step("evaluations", lambda: _evaluate(run, space, evaluator, config.evaluations, progress, workers), [EVALUATIONS])

    space, costs = _learn_costs(run, space, progress, workers)
    require_limits(space, config.limits)  # once more, for now the learned costs are known
    fit_step(run, space, EVALUATIONS, metric, config, progress, workers)
    if shrinker.spends != "evaluations":
        shrink_step(run, space, shrinker, config.limits, metric, progress, workers)

    def measure() -> None:
        progress.say("measuring what came out")
        numbers = measure_shrinkage(run, space, EVALUATIONS, config.limits, metric, config.queries, workers, truth)
        run.write_json(METRICS, {**head(run, space, metric, config.command), "learned_costs": costs, **numbers})

    run.step("metrics", measure, [METRICS])
    report_step(run, progress)


def make_evaluator(config: ShrinkConfig, space: SearchSpace) -> Evaluator:
    """The evaluator that was asked for. A function cannot say which way is better, a benchmark does."""
    name = str(config.evaluator)
    if name == "scores" or Path(name).suffix.lower() in (".csv", ".parquet"):
        raise UserError(f"measured networks are given by --scores, but got --evaluator {name}: --scores FILE")
    if name == "function":
        raise UserError("a function is named like --evaluator my.module:score, but got --evaluator function")
    if ":" not in name and not config.higher_is_better:
        raise UserError(f"the evaluator '{name}' says itself which scores are better: leave --lower-is-better out")
    options: dict[str, Any] = {"higher_is_better": config.higher_is_better} if ":" in name else {}
    for option in ("task", "data"):
        if (value := getattr(config, option)) is not None:
            if name not in BENCHMARKS:
                raise UserError(f"--{option} is for a benchmark ({', '.join(BENCHMARKS.names())}), but got --evaluator {name}")
            options[option] = value
    # a benchmark knows the space that it is of; what it scores in a shrunk one is the same
    return get_evaluator(name, space.root if name in BENCHMARKS else space, **options)


def _candidates(evaluator: Evaluator, space: SearchSpace) -> SearchSpace:
    candidates = scored_by(evaluator, space)
    if candidates is None:
        raise UserError(f"{evaluator} has a score for no architecture of '{space.name}': give another evaluator or space")
    return candidates


def head(run: Run, space: SearchSpace, metric: Metric, command: str) -> dict[str, Any]:
    """The head of ``metrics.json``: which job, which space, which score."""
    return {
        "kind": run.kind,
        "version": __version__,
        "command": command,
        "space": {
            "name": space.name,
            "cardinality": str(space.cardinality),
            "cardinality_is_exact": space.cardinality_is_exact,
            "genes": space.length,
            "max_edits": space.max_edits,
            "fingerprint": space.fingerprint,
        },
        "metric": {"name": metric.name, "unit": metric.unit, "higher_is_better": metric.higher_is_better},
        "asked": {k: v for k, v in run.config.items() if k not in ("command",)},
    }


def report_step(run: Run, progress: Progress, *, again: bool = False) -> None:
    """Draw the report. Without the extra that draws, all other files are there, and a line says how to get this one.

    Args:
        again: draw it anew, which is all that was asked for.

    Raises:
        UserError: it was asked for ``again``, and the extra that draws is missing.
    """
    try:
        for package in ("altair", "vl_convert"):
            require(package, "report")
    except UserError as missing:
        if again:
            raise
        progress.say(f"no report was drawn: {missing}; then: lissnas report {run.directory}")
        return

    def draw() -> None:
        progress.say("drawing the report")
        REPORTS.get("html")(run.directory)

    run.step("report", draw, [REPORT], again=again)


def _write_space(run: Run, space: SearchSpace) -> None:
    with run.writing(SPACE) as path:
        save_space(space, path)


def _copy_scores(run: Run, space: SearchSpace, config: ShrinkConfig) -> None:
    # a shrunk space is shrunk again with the scores it had: what was measured outside of it teaches as well
    measured = read_scores(Path(str(config.scores)), space.root, config.score)
    columns = {**measured.columns, measured.score_name: measured.scores}
    wanted = {column: columns[column] for column in learned_costs(space).values()}
    write_evaluations(run, EVALUATIONS, space, Evaluations(measured.genotypes, measured.scores, wanted))


def _evaluate(run: Run, space: SearchSpace, evaluator: Evaluator, n: int, progress: Progress, workers: int) -> None:
    """Evaluate a uniform sample of distinct architectures; the first few say what the rest will cost."""
    candidates = _candidates(evaluator, space)
    genotypes = sample_distinct(candidates, n, run.rng("evaluations"))
    if candidates is not space:
        held = f"{candidates.cardinality:,} networks of '{space.name}' have a score"
        progress.say(f"{held}: {len(genotypes):,} of them are asked for")
    bounds = [0, *range(min(TIMED, len(genotypes)), len(genotypes), CHUNK), len(genotypes)]
    chunks = [genotypes[low:high] for low, high in itertools.pairwise(bounds)]
    began = time.perf_counter()

    def told(done: int, total: int) -> None:
        progress.advance("true evaluations", bounds[done], len(genotypes))
        if done == 1 < total:
            each = (time.perf_counter() - began) / len(chunks[0])
            progress.say(
                f"{len(genotypes):,} true evaluations at {each:.3g} s each (measured on the first {len(chunks[0])}): "
                f"about {_duration(each * len(genotypes))}"
            )

    ask = partial(_ask, run, evaluator)
    scores = evaluate_in_chunks(run, "evaluations", chunks, ask, workers=workers, threads=True, progress=told)
    measured = evaluator.measured(genotypes)
    wanted = {column: measured[column] for column in learned_costs(space).values()}
    write_evaluations(run, EVALUATIONS, space, Evaluations(genotypes, np.concatenate(scores), wanted))


def _ask(run: Run, evaluator: Evaluator, genotypes: Genotypes) -> NDArray[np.float64]:
    try:
        return evaluator.evaluate(genotypes)
    except UserError as error:
        raise UserError(f"{error}: mend it, then `lissnas resume {shlex.quote(str(run.directory))}` goes on") from error


def _learn_costs(run: Run, space: SearchSpace, progress: Progress, workers: int) -> tuple[SearchSpace, dict[str, Any]]:
    """The space with its learned costs answered, and how well each predicts what was held out."""
    names = learned_costs(space)
    if not names:
        return space, {}

    def learn() -> None:
        known = read_evaluations(run, EVALUATIONS, space)
        models, assessments = learn_costs(space, known.genotypes, known.columns, seed=run.seed, threads=workers)
        for name, model in models.items():
            with run.writing(f"costs/{name}.ubj") as path:
                model.save(path)
            progress.say(f"learned the cost '{name}': held-out R2 {assessments[name].r2:.3f}")
        run.write_json(
            "costs/assessment.json", {n: {"r2": a.r2, "kendall": a.kendall, "n": a.n} for n, a in assessments.items()}
        )

    run.step("costs", learn, ["costs/"])
    models = {name: XGBoostPredictor.load(run.path(f"costs/{name}.ubj"), space.root) for name in names}
    for model in models.values():
        model.threads = workers
    return attach_costs(space, models), json.loads(run.path("costs/assessment.json").read_text())


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
