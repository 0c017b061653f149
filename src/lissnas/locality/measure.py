"""One space and what scores it -> everything that is measured of its locality."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lissnas.errors import UserError
from lissnas.evaluators import Evaluator
from lissnas.locality.estimate import Estimate
from lissnas.locality.result import Locality, Row
from lissnas.locality.sample_size import sample_size
from lissnas.locality.source import Noise, ScoreSource
from lissnas.locality.study import FEWEST_SAMPLES, Progress, Study, quiet
from lissnas.locality.threshold import EditThreshold, edit_threshold
from lissnas.locality.verdict import Verdict, judge
from lissnas.predictors.base import Predictor
from lissnas.spaces import SearchSpace

__all__ = ["SAMPLES", "assess_locality", "planned_evaluations"]

SAMPLES = 1000  # the paper's least number of networks (Appendix G)


def assess_locality(
    space: SearchSpace,
    evaluator: Evaluator,
    *,
    predictor: Predictor | None = None,
    samples: int = SAMPLES,
    seed: int = 0,
    repeats: int = 1,
    good_above: float | None = None,
    tolerance: float = 0.05,
    on_progress: Progress | None = None,
) -> Locality:
    """Measure the locality of ``space`` under the scores of ``evaluator`` (paper Sec. 4.2, Appendices E and G).

    Args:
        predictor: fitted to this space; neighbor yields are then given for predicted scores too.
        samples: networks that edits begin at. An evaluator that is not free is asked for so many evaluations in all.
        repeats: evaluations of each network, for an evaluator that does not say the same twice.
        good_above: the score of a good network; the best tenth if not given.
        tolerance: the EDF deviation that a sufficient sample may have.
        on_progress: called with a task, and how much of it is done.

    Raises:
        UserError: fewer than 30 samples, a threshold that no network or every network passes, no scored network.
    """
    if samples < FEWEST_SAMPLES:
        raise UserError(f"locality needs at least {FEWEST_SAMPLES} networks to begin at, but got {samples}: raise --samples")
    source = ScoreSource(space, evaluator, repeats)
    rngs = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(7)]
    say = on_progress or quiet
    study = Study(space, source, samples, rngs[0], good_above)
    rows = list(study.by_distance(rngs[1], say))
    rows += study.by_walk(rngs[2], say)
    rows += study.by_kind(rngs[3], say)
    if predictor is not None:
        rows += study.predicted(predictor, rngs[4], say)
    thresholds = _thresholds(space, rows, predictor is not None)
    whole = study.everything
    if source.known is not None:
        whole = study.scores
    experiment = None if whole is None else sample_size(whole, min(samples, len(whole)), rngs[5], tolerance=tolerance)
    noise = source.noise(study.scores, rngs[6])
    if noise.must_repeat:
        rows = [_without_difference(row, noise) for row in rows]
    return Locality(
        space.name,
        space.cardinality,
        space.max_edits,
        evaluator.metric.name,
        evaluator.higher_is_better,
        study.design,
        len(study.scores),
        evaluator.evaluations,
        seed,
        tuple(study.populations.values()),
        noise,
        tuple(rows),
        thresholds,
        experiment,
        _verdict(study, rows, noise),
    )


def planned_evaluations(evaluator: Evaluator, samples: int, repeats: int = 1) -> int | None:
    """How many evaluations of an evaluator that is not free are made at most; None: they cost nothing."""
    free = evaluator.is_free or evaluator.known is not None
    return None if free else (samples + 16) * max(1, repeats)


def _without_difference(row: Row, noise: Noise) -> Row:
    if row.statistic != "difference" or row.source != "true":
        return row
    reason = (
        f"the evaluator is noisy (two evaluations of a network differ by {np.sqrt(2) * (noise.size or 0):.3g}, root mean "
        "square), so differences would measure its noise: ask for repeats"
    )
    return replace(row, estimate=Estimate.missing(reason, row.estimate.pairs))


def _thresholds(space: SearchSpace, rows: list[Row], predicted: bool) -> tuple[EditThreshold, ...]:
    found = []
    for source in ("true", "predicted") if predicted else ("true",):
        for population in ("seeds", "good"):
            yields = {
                row.edits: row.estimate
                for row in rows
                if (row.statistic, row.by, row.population, row.kind, row.source)
                == ("yield", "distance", population, "any", source)
            }
            found.append(edit_threshold(yields, population, source, space.max_edits))
    return tuple(found)


def _verdict(study: Study, rows: list[Row], noise: Noise) -> Verdict:
    """At one edit; where too few pairs are so near, at the nearest distance that has enough."""
    at = {
        (row.statistic, row.population, row.edits): row.estimate
        for row in rows
        if row.by == "distance" and row.kind == "any" and row.source == "true"
    }
    missing = Estimate.missing("no pairs of scored networks")

    def both(edits: int) -> tuple[Estimate, Estimate]:
        return (
            at.get(("rank correlation", "uniform", edits), missing),
            at.get(("yield", "good", edits), missing),
        )

    found = [e for e in sorted({key[2] for key in at}) if all(part.value is not None for part in both(e))]
    edits = found[0] if found else 1
    alike, share = both(edits)
    return judge(alike, share.over(study.populations["good"].chance), edits, noise)
