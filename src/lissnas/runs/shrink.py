"""The job ``shrink``: a space and scores go in, a shrunk space and a report come out."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from lissnas._version import __version__
from lissnas.arrays import unique
from lissnas.errors import UserError, require
from lissnas.evaluators import Evaluator, Metric, get_evaluator
from lissnas.formats import get_space, load_space, read_scores, save_space
from lissnas.predictors.costs import attach_costs, learn_costs, learned_costs
from lissnas.predictors.xgboost import XGBoostPredictor
from lissnas.registry import Registry
from lissnas.runs.checkpoint import evaluate_in_chunks
from lissnas.runs.directory import Run
from lissnas.runs.measured import Evaluations, read_evaluations, write_evaluations
from lissnas.runs.progress import Progress
from lissnas.runs.shrinking import fit_step, make_shrinker, measure_shrinkage, shrink_step
from lissnas.spaces import SearchSpace, check_limits

__all__ = ["REPORTS", "ShrinkConfig", "check_config", "run_job"]

# The report is drawn in a room above this one, which is reached by name only.
REPORTS = Registry("report", {"html": "lissnas.reports:write_report"})

EVALUATIONS, SPACE, METRICS = "evaluations.parquet", "space.parquet", "metrics.json"
CHUNK = 32  # true evaluations that are saved together
TIMED = 3  # true evaluations that are timed before the rest is begun
WEAK = 0.3  # a held-out Kendall tau below this is said aloud


class ShrinkConfig(BaseModel):
    """What a shrinking job is asked to do, resolved: every size is a number."""

    model_config = ConfigDict(extra="forbid")

    space: str
    scores: str | None = None
    score: str | None = None
    evaluator: str | None = None
    evaluations: int = Field(1000, ge=20)
    higher_is_better: bool = True
    method: str = "lissnas"
    settings: dict[str, Any] = {}
    as_in_paper: bool = False
    limits: list[str] = []
    queries: int = Field(100_000, ge=1)
    size: int | None = Field(None, ge=1)
    trees: int = Field(800, ge=1)
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
    check_limits(space, config.limits)
    make_shrinker(config.method, config.queries, config.size, config.as_in_paper, config.settings)
    if config.scores is not None:
        measured = read_scores(config.scores, space, config.score)
        for cost, column in learned_costs(space).items():
            if column not in measured.columns and column != measured.score_name:
                known = ", ".join(measured.columns) or "none"
                raise UserError(
                    f"the cost '{cost}' is learned from the column '{column}', which '{config.scores}' does not have: "
                    f"it has {known}"
                )
    else:
        make_evaluator(config, space)


def run_job(run: Run, progress: Progress, workers: int) -> None:
    """Everything, in steps."""
    config = ShrinkConfig(**run.config)
    run.step("space", lambda: _write_space(run, get_space(config.space)), [SPACE])
    space = load_space(run.path(SPACE))

    metric = Metric(config.score or "score", "", config.higher_is_better)
    if config.scores is not None:
        run.step("evaluations", lambda: _copy_scores(run, space, config), [EVALUATIONS])
    else:
        evaluator = make_evaluator(config, space)
        metric = evaluator.metric
        run.step("evaluations", lambda: _evaluate(run, space, evaluator, config.evaluations, progress, workers), [EVALUATIONS])

    space, costs = _learn_costs(run, space, progress, workers)
    fit_step(run, space, EVALUATIONS, metric, config.trees, progress, workers)
    shrinker = make_shrinker(config.method, config.queries, config.size, config.as_in_paper, config.settings)
    shrink_step(run, space, shrinker, config.limits, metric, progress, workers)

    def measure() -> None:
        progress.say("measuring what came out")
        numbers = measure_shrinkage(run, space, EVALUATIONS, config.limits, metric, config.queries, workers)
        run.write_json(METRICS, {**head(run, space, metric, config.command), "learned_costs": costs, **numbers})

    run.step("metrics", measure, [METRICS])
    report_step(run, progress)


def make_evaluator(config: ShrinkConfig, space: SearchSpace) -> Evaluator:
    """The evaluator that was asked for. A function cannot say which way is better, a benchmark does."""
    name = str(config.evaluator)
    return get_evaluator(name, space, **({"higher_is_better": config.higher_is_better} if ":" in name else {}))


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


def report_step(run: Run, progress: Progress) -> None:
    """Draw the report. Without the extra that draws, all other files are there, and a line says how to get this one."""
    try:
        for package in ("altair", "vl_convert"):
            require(package, "report")
    except UserError as missing:
        progress.say(f"no report was drawn: {missing}; then: lissnas report {run.directory}")
        return

    def draw() -> None:
        progress.say("drawing the report")
        REPORTS.get("html")(run.directory)

    run.step("report", draw, ["report.html"])


def _write_space(run: Run, space: SearchSpace) -> None:
    with run.writing(SPACE) as path:
        save_space(space, path)


def _copy_scores(run: Run, space: SearchSpace, config: ShrinkConfig) -> None:
    measured = read_scores(Path(str(config.scores)), space, config.score)
    columns = {**measured.columns, measured.score_name: measured.scores}
    wanted = {column: columns[column] for column in learned_costs(space).values()}
    write_evaluations(run, EVALUATIONS, space, Evaluations(measured.genotypes, measured.scores, wanted))


def _evaluate(run: Run, space: SearchSpace, evaluator: Evaluator, n: int, progress: Progress, workers: int) -> None:
    """Evaluate a uniform sample of distinct architectures, once it is said what that will cost."""
    genotypes = distinct_sample(space, n, run.rng("evaluations"))
    began = time.perf_counter()
    evaluator.evaluate(genotypes[:TIMED])
    each = (time.perf_counter() - began) / min(TIMED, len(genotypes))
    progress.say(
        f"{len(genotypes):,} true evaluations at {each:.3g} s each (measured on the first {TIMED}): "
        f"about {_duration(each * len(genotypes))}"
    )
    chunks = [genotypes[low : low + CHUNK] for low in range(0, len(genotypes), CHUNK)]
    scores = evaluate_in_chunks(
        run,
        "evaluations",
        chunks,
        evaluator.evaluate,
        workers=workers,
        threads=True,
        progress=progress.of("evaluations, by 32"),
    )
    write_evaluations(run, EVALUATIONS, space, Evaluations(genotypes, np.concatenate(scores)))


def distinct_sample(space: SearchSpace, n: int, rng: np.random.Generator) -> Any:
    """``n`` different architectures, uniform; all of them where the space has no more."""
    if space.cardinality_is_exact and space.cardinality <= n:
        return np.concatenate(list(space.enumerate()))
    codes = unique(space.encode(space.sample(n, rng)))
    while len(codes) < n:
        codes = unique(np.concatenate([codes, space.encode(space.sample(n, rng))]))
    return space.decode(codes[np.sort(rng.permutation(len(codes))[:n])])


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
