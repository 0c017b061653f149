"""The step that fits the predictor, for every job that shrinks: which kind, how far it can be trusted, when not to go on."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from lissnas.errors import UserError
from lissnas.evaluators import Metric
from lissnas.predictors import PREDICTORS, Predictor, get_predictor, load
from lissnas.runs.directory import Run
from lissnas.runs.measured import read_evaluations
from lissnas.runs.progress import Progress
from lissnas.spaces import SearchSpace

__all__ = ["ASSESSMENT", "USUAL", "PredictorConfig", "fit_step", "make_predictor", "read_predictor", "require_trust"]

ASSESSMENT = "predictor.json"
USUAL = "xgboost"


class PredictorConfig(BaseModel):
    """What a job is asked to predict with.

    Permuted labels give a held-out Kendall tau within .08 of 0 in 19 of 20 cases with 300 networks, within .04 with 1,000 and
    within .17 with 60. So a predictor below ``min_kendall`` = .1 has shown little that chance could not; with few networks
    chance passes the line now and then.
    """

    model_config = ConfigDict(extra="forbid")

    predictor: str = USUAL
    predictor_settings: dict[str, Any] = {}
    trees: int | None = Field(None, ge=1)
    min_kendall: float = Field(0.1, ge=0, le=1)


def make_predictor(config: PredictorConfig, workers: int = 1) -> Predictor:
    """The predictor that a configuration asks for, not fitted.

    Raises:
        UserError: an unknown kind, or a setting that it does not have or cannot have.
    """
    settings = dict(config.predictor_settings)
    if config.trees is not None:
        if config.predictor != USUAL:
            raise UserError(
                f"trees are for the predictor xgboost, but got {config.trees} with '{config.predictor}': leave them out, or "
                "give its own settings (--predictor-set NAME=VALUE; predictor_settings in a file)"
            )
        if "trees" in settings:
            raise UserError(f"trees are given twice, {config.trees} and {settings['trees']} as a setting: give them once")
        settings["trees"] = config.trees
    return get_predictor(config.predictor, settings, threads=workers)


def fit_step(
    run: Run,
    space: SearchSpace,
    evaluations: str,
    metric: Metric,
    config: PredictorConfig,
    progress: Progress,
    workers: int,
) -> None:
    """Fit the predictor to the file ``evaluations``, and hold parts out to say how far it can be trusted.

    Raises:
        UserError: not far enough (see :func:`require_trust`).
    """

    def fit() -> None:
        known = read_evaluations(run, evaluations, space)
        progress.say(f"fitting the predictor ({config.predictor}) to {len(known.scores):,} networks")
        predictor = make_predictor(config, workers)
        predictor.fit(space, known.genotypes, known.scores, higher_is_better=metric.higher_is_better, seed=run.seed)
        assessment = predictor.assess()
        with run.writing(_file(run)) as path:
            predictor.save(path)
        held_out = {name: value.tolist() if hasattr(value, "tolist") else value for name, value in asdict(assessment).items()}
        run.write_json(ASSESSMENT, held_out)
        progress.say(
            f"  held out: Kendall tau {assessment.kendall:.2f}, Spearman {assessment.spearman:.2f}; "
            f"{assessment.top_overlap:.0%} of its best tenth are in the true best tenth"
        )
        if assessment.within_two is not None:
            progress.say(
                f"  its uncertainty: {assessment.within_two:.0%} of the scores are within two of it, "
                f"Kendall tau {assessment.uncertainty_kendall:.2f} with the size of the error"
            )

    run.step("predictor", fit, [_file(run), ASSESSMENT])
    require_trust(run, config.min_kendall)


def require_trust(run: Run, least: float) -> None:
    """Refuse to shrink by a predictor whose held-out Kendall tau is below ``least``, 0: none; what was evaluated is kept.

    Raises:
        UserError: it is: its value, and what can be done.
    """
    held_out = json.loads(run.path(ASSESSMENT).read_text())
    tau = held_out["kendall"]
    if least == 0 or tau >= least:
        return
    anyway = "min_kendall: 0 in the configuration" if run.kind == "main" else "--min-kendall 0"
    raise UserError(
        f"the predictor is not to be trusted: its held-out Kendall tau is {tau:.2f} ({held_out['kendall_low']:.2f} to "
        f"{held_out['kendall_high']:.2f}, {held_out['n']:,} networks), below {least:g}, and shrinking by it would follow "
        f"noise: measure more networks, check the scores, or try another predictor (what was evaluated is kept in "
        f"{run.directory}); to shrink all the same: {anyway}"
    )


def read_predictor(run: Run, space: SearchSpace, workers: int) -> Predictor:
    """The predictor of a run."""
    return load(run.path(_file(run)), space, threads=workers)


def _file(run: Run) -> str:
    kind: type[Predictor] = PREDICTORS.get(run.config.get("predictor", USUAL))
    return f"predictor{kind.endings[0]}"
