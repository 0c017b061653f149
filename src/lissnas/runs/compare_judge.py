"""What came out of a method in a comparison, in numbers: predicted and true scores, good ones, diversity, costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Codes, Genotypes, locate
from lissnas.evaluators import Evaluator
from lissnas.evaluators.table import TableEvaluator
from lissnas.predictors import Predictor
from lissnas.quality import cost_coverage, is_good, shrink_index
from lissnas.quality.population import Population
from lissnas.quality.spread import BINS, edit_distance
from lissnas.quality.statistic import FEWEST
from lissnas.runs.compare_config import CompareConfig
from lissnas.spaces import ExplicitSpace, SearchSpace

__all__ = ["LISTED", "Fitted", "Shared", "judge"]

LISTED = 1 << 17  # members up to which a space is judged as a whole, and as many draws of a larger one
CHECKED = 10_000  # members whose true scores are asked for, where they are not read from a table
CROWDED = 0.5  # a threshold that more than this share passes says nothing

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shared:
    """What all pieces of a run have in common.

    Attributes:
        within: the given space, within the limits.
        truth: what knows true scores and costs nothing; None: nothing does.
        known: codes and scores of the architectures that have one, where those are not all.
        threshold: the true score of a good architecture: the reference's 90th percentile.
    """

    config: CompareConfig
    space: SearchSpace
    within: SearchSpace
    evaluator: Evaluator
    truth: Evaluator | None
    reference: Genotypes
    scores: Floats | None
    known: tuple[Codes, Floats] | None
    threshold: float | None


@dataclass(frozen=True)
class Fitted:
    """A predictor, the codes that it learned from, and what it says of the reference."""

    predictor: Predictor
    learned: Codes
    threshold: float
    share: float


def judge(shared: Shared, fitted: Fitted, subject: SearchSpace, rng: np.random.Generator) -> dict[str, Any]:
    """All numbers of a space: ``statistics`` by name, None where there is none, and ``reasons`` why."""
    members = _members(subject, rng)
    x = members.genotypes
    reasons: dict[str, str] = {}
    predicted = fitted.predictor.predict(x)
    higher = fitted.predictor.higher_is_better
    found: dict[str, float | None] = {
        "predicted_mean": float(predicted.mean()),
        "predicted_best": float(predicted.max() if higher else predicted.min()),
        "true_mean": None,
        "true_best": None,
    }
    true = _true_scores(shared, fitted, subject, x, rng)
    if isinstance(true, str):
        reasons["true_mean"] = reasons["true_best"] = true
    else:
        found["true_mean"] = float(true.mean())
        found["true_best"] = float(true.max() if higher else true.min())
        if not members.exact or shared.known is not None or len(true) < len(x):
            reasons["true_best"] = f"the best of {len(true):,} that were looked at"
    found |= _good(shared, fitted, predicted, true, higher, reasons)
    distance = edit_distance(subject, members, rng)
    found["diversity"] = distance.value
    if distance.value is None:
        reasons["diversity"] = distance.reason
    found |= _coverage(shared, subject, x, reasons)
    labelled = 0 if isinstance(true, str) else len(true)
    return {"statistics": found, "reasons": reasons, "judged": len(x), "judged_truly": labelled}


def _members(subject: SearchSpace, rng: np.random.Generator) -> Population:
    if isinstance(subject, ExplicitSpace) and subject.cardinality <= LISTED:
        return Population(subject.genotypes, exact=True)
    if subject.cardinality_is_exact and subject.cardinality <= LISTED:
        return Population(np.concatenate(list(subject.enumerate())), exact=True)
    return Population(subject.sample(LISTED, rng), exact=False)


def _true_scores(
    shared: Shared, fitted: Fitted, subject: SearchSpace, members: Genotypes, rng: np.random.Generator
) -> Floats | str:
    """True scores of the members, or why there are none. What a predictor has learned is not asked of a partial table:
    those members were chosen by the very noise of their scores."""
    if shared.truth is None:
        return "no benchmark and no file knows true scores"
    if shared.known is None:
        if not isinstance(shared.truth, TableEvaluator) and len(members) > CHECKED:
            members = members[np.sort(rng.permutation(len(members))[:CHECKED])]
        return shared.truth.evaluate(members)
    codes, scores = shared.known
    new = locate(fitted.learned, codes) < 0
    if isinstance(subject, ExplicitSpace):
        held = new & (locate(subject.codes, codes) >= 0)
    else:
        held = new.copy()
        held[new] = subject.is_valid(shared.space.root.decode(codes[new]))
    if held.sum() < FEWEST:
        return f"{held.sum()} members have a true score that no predictor learned from, and {FEWEST} are needed"
    return scores[held]


def _good(
    shared: Shared, fitted: Fitted, predicted: Floats, true: Floats | str, higher: bool, reasons: dict[str, str]
) -> dict[str, float | None]:
    """The share of good ones and the shrink index: by true scores where there are some, else by predicted ones."""
    nothing: dict[str, float | None] = {"p_good": None, "shrink_index": None}
    if shared.threshold is None or shared.scores is None:
        threshold, values, base = fitted.threshold, predicted, fitted.share
    elif isinstance(true, str):
        reasons["p_good"] = reasons["shrink_index"] = true
        return nothing
    else:
        threshold, values = shared.threshold, true
        base = float(is_good(shared.scores, threshold, higher_is_better=higher).mean())
    if base > CROWDED:
        reasons["p_good"] = reasons["shrink_index"] = f"{base:.0%} of the given space reach the threshold {threshold:g}"
        return nothing
    share = float(is_good(values, threshold, higher_is_better=higher).mean())
    return {"p_good": share, "shrink_index": shrink_index(share, base)}


def _coverage(shared: Shared, subject: SearchSpace, members: Genotypes, reasons: dict[str, str]) -> dict[str, float | None]:
    """Of each cost, the share of the given space's 20 quantile bins that is still reached."""
    found: dict[str, float | None] = {}
    ours, theirs = subject.cost(members), shared.space.cost(shared.reference)
    for cost in shared.space.cost_names:
        name = f"coverage_{cost}"
        found[name] = None
        if np.isnan(ours[cost]).any() or np.isnan(theirs[cost]).any():
            reasons[name] = f"{cost} is learned from measured networks, which a comparison does not do"
        elif len(theirs[cost]) < BINS or np.ptp(theirs[cost]) == 0:
            reasons[name] = f"the costs of the given space do not fill {BINS} bins"
        else:
            found[name] = cost_coverage(ours[cost], theirs[cost], BINS)
    return found
