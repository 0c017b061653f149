"""Any list of spaces side by side: full, shrunk, restricted, by one reference and one threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError
from lissnas.evaluators import Evaluator
from lissnas.predictors.expectation import exact_mean
from lissnas.quality.evidence import Scorer
from lissnas.quality.judged import Scale, judge, make_scale, thinned
from lissnas.quality.population import DRAWN, LISTED, Population, is_part, populate, score_population
from lissnas.quality.shrink_index import DRAWS, GOOD
from lissnas.quality.spread import cost_bins, costs_of, spread
from lissnas.quality.statistic import Statistic
from lissnas.spaces import SearchSpace

__all__ = ["SideBySide", "SpaceQuality", "common_reference", "compare_spaces"]

SCATTERED = 1000  # points of each space in the drawing of cost against score

Floats = NDArray[np.float64]
_COSTS_FIRST = ("flops", "macs", "params")


@dataclass(frozen=True)
class SpaceQuality:
    """One space.

    Attributes:
        name: what it is called here, unlike any other of the comparison.
        cardinality: how many architectures; an estimate where ``cardinality_is_exact`` is False.
        is_reference: the others are compared with it.
        size: ``reduction``, the factor by which the reference is larger.
        spread: diversity, pockets, coverage of costs, by name.
        scores: ``true`` and ``predicted`` -> what such scores say, by name; without those that there are not.
        entropy: gene -> bits.
        pocket_sizes: of the 50 largest pockets.
        curves: ``true`` and ``predicted`` -> the EDF as steps [score, share].
        points: ``true`` and ``predicted`` -> cost name -> [cost, score] of some architectures.
    """

    name: str
    cardinality: int
    cardinality_is_exact: bool
    is_reference: bool
    size: dict[str, Statistic]
    spread: dict[str, Statistic]
    scores: dict[str, dict[str, Statistic]]
    entropy: dict[str, float]
    pocket_sizes: list[int]
    curves: dict[str, list[list[float]]]
    points: dict[str, dict[str, list[list[float]]]]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, the cardinality as text (it can exceed what JSON readers hold)."""
        return {
            **self.__dict__,
            "cardinality": str(self.cardinality),
            "size": _plain(self.size),
            "spread": _plain(self.spread),
            "scores": {source: _plain(found) for source, found in self.scores.items()},
        }


@dataclass(frozen=True)
class SideBySide:
    """Spaces compared: ``scales`` says by what (``true``, ``predicted``, or both), ``rows`` holds the spaces as given."""

    reference: str
    rows: tuple[SpaceQuality, ...]
    scales: dict[str, Scale]
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "reference": self.reference,
            "seed": self.seed,
            "scales": {source: scale.to_dict() for source, scale in self.scales.items()},
            "spaces": [row.to_dict() for row in self.rows],
        }


def common_reference(spaces: Sequence[SearchSpace]) -> SearchSpace:
    """The one of ``spaces`` that all others were shrunk from; their root where there is none.

    Raises:
        UserError: no space, or spaces of different roots.
    """
    if not spaces:
        raise UserError("a comparison needs at least one space, but got none")
    for space in spaces[1:]:
        if space.root.fingerprint != spaces[0].root.fingerprint:
            raise UserError(
                f"only parts of one space can be compared, but '{spaces[0].name}' is of '{spaces[0].root.name}' and "
                f"'{space.name}' of '{space.root.name}': leave one out"
            )
    return next((s for s in spaces if all(is_part(other, s) for other in spaces)), spaces[0].root)


def compare_spaces(
    spaces: Sequence[SearchSpace],
    reference: SearchSpace | None = None,
    predictor: Scorer | None = None,
    truth: Evaluator | None = None,
    *,
    names: Sequence[str] | None = None,
    quantile: float = 0.9,
    threshold: float | None = None,
    draws: int = DRAWS,
    good: int = GOOD,
    interval: tuple[float, float] | None = None,
    evaluations: int | None = None,
    drawn: int = DRAWN,
    listed: int = LISTED,
    seed: int = 0,
) -> SideBySide:
    """Everything that is known of each space, beside ``reference`` (paper Sec. 4.4, 5.2 to 5.4).

    A space of at most ``listed`` architectures is taken whole, and its numbers are exact; a larger one by a uniform sample.
    What a space's numbers are does not depend on which others it is compared with, but for the reference and the best score.

    Args:
        reference: what the others are compared with, a row of its own; :func:`common_reference` where none is given.
        predictor, truth: what scores architectures; either, both or none.
        names: what the spaces are called, one for each.
        quantile: good architectures are the reference's best ``1 - quantile``.
        threshold: the score from which on an architecture is good, instead.
        draws, good: n and k of the shrink index: at least k good ones in n draws.
        interval: the scores that the EDF's area is taken over; if not given, from the reference's 5% quantile to the best of
            all spaces.
        evaluations: the most true scores that are asked for of each space; None: all of what is listed or drawn.
        drawn, listed: architectures drawn of a large space; up to which a space is listed.

    Raises:
        UserError: spaces of different roots, a reference that a space is no part of, settings that cannot be.
    """
    origin = common_reference(spaces)
    base = origin if reference is None else reference
    _check(spaces, base, names, quantile, threshold, draws, good, interval, evaluations, drawn)
    called = _unlike([space.name for space in spaces] if names is None else list(names))
    subjects = list(zip(called, spaces, strict=True))
    if all(space.fingerprint != base.fingerprint for space in spaces):
        subjects.insert(0, (_unlike([*called, base.name])[-1], base))
    reference_name = next(name for name, space in subjects if space.fingerprint == base.fingerprint)
    rngs = {name: np.random.default_rng([seed, int(space.fingerprint, 16)]) for name, space in subjects}
    wholes = {name: populate(space, rngs[name], drawn, listed) for name, space in subjects}
    costs = {name: costs_of(space, wholes[name].genotypes) for name, space in subjects}
    rows = {name: _structure(name, space, base, wholes, costs, reference_name, rngs[name]) for name, space in subjects}
    scales: dict[str, Scale] = {}
    for source, scorer in (("true", truth), ("predicted", predictor)):
        if scorer is None:
            continue
        scored = {name: _score(space, wholes[name], scorer, rngs[name], evaluations) for name, space in subjects}
        scored_costs = {
            name: costs[name] if scored[name].genotypes is wholes[name].genotypes else costs_of(space, scored[name].genotypes)
            for name, space in subjects
        }
        known = {name: {c: v for c, v in some.items() if not np.isnan(v).any()} for name, some in scored_costs.items()}
        scale = make_scale(
            source,
            _metric(scorer),
            scored[reference_name],
            known[reference_name],
            _best([p.scores for p in scored.values()], scorer.higher_is_better),
            quantile=quantile,
            threshold=threshold,
            draws=draws,
            good=good,
            interval=interval,
        )
        scales[source] = scale
        for name, space in subjects:
            member = None if name == reference_name else space.is_valid(scored[reference_name].genotypes)
            share = space.cardinality / base.cardinality if space.cardinality_is_exact and base.cardinality_is_exact else 1.0
            found = judge(scored[name], scored[reference_name], member, known[name], scale, rngs[name], share)
            formula = exact_mean(space, scorer) if source == "predicted" and not scored[name].exact else None
            if formula is not None:  # of all the space, where the predictor is a sum over genes: no sample is as good
                found["mean"] = Statistic.certain(formula, len(scored[name]))
            rows[name] = _with_scores(rows[name], source, found, scored[name], known[name])
    return SideBySide(reference_name, tuple(rows.values()), scales, seed)


def _structure(
    name: str,
    space: SearchSpace,
    base: SearchSpace,
    wholes: dict[str, Population],
    costs: dict[str, dict[str, Floats]],
    reference: str,
    rng: np.random.Generator,
) -> SpaceQuality:
    """What needs no scores."""
    whole = wholes[name]
    found = spread(space, whole, rng)
    covered = cost_bins(costs[name], whole.exact, costs[reference], wholes[reference].exact)
    factor = base.cardinality / space.cardinality
    certain = base.cardinality_is_exact and space.cardinality_is_exact
    return SpaceQuality(
        name=name,
        cardinality=space.cardinality,
        cardinality_is_exact=space.cardinality_is_exact,
        is_reference=name == reference,
        size={"reduction": Statistic.certain(factor, len(whole)) if certain else Statistic(factor, n=len(whole))},
        spread=found.statistics | covered,
        scores={},
        entropy=found.entropy,
        pocket_sizes=found.pockets,
        curves={},
        points={},
    )


def _score(
    space: SearchSpace, whole: Population, scorer: Evaluator | Scorer, rng: np.random.Generator, evaluations: int | None
) -> Population:
    if isinstance(scorer, Evaluator):
        return score_population(space, whole, scorer, rng, evaluations)
    return replace(whole, scores=scorer.predict(whole.genotypes))


def _metric(scorer: Evaluator | Scorer) -> tuple[str, str, bool]:
    if isinstance(scorer, Evaluator):
        return scorer.metric.name, scorer.metric.unit, scorer.higher_is_better
    return "predicted score", "", scorer.higher_is_better


def _best(scores: list[Floats | None], higher_is_better: bool) -> float | None:
    known = np.concatenate([s for s in scores if s is not None])
    if not len(known):
        return None
    return float(known.max() if higher_is_better else known.min())


def _with_scores(
    row: SpaceQuality, source: str, found: dict[str, Statistic], scored: Population, costs: dict[str, Floats]
) -> SpaceQuality:
    """The row with its scores' statistics and what is drawn of them."""
    scores = scored.scores
    assert scores is not None
    at = np.unique(np.linspace(0, len(scores) - 1, min(SCATTERED, len(scores))).round().astype(np.int64))
    order = sorted(costs, key=lambda c: (_COSTS_FIRST.index(c) if c in _COSTS_FIRST else len(_COSTS_FIRST), c))
    points = {cost: [[float(costs[cost][i]), float(scores[i])] for i in at] for cost in order}
    return replace(
        row,
        scores=row.scores | {source: found},
        curves=row.curves | {source: thinned(scores) if len(scores) else []},
        points=row.points | {source: points},
    )


def _plain(found: dict[str, Statistic]) -> dict[str, dict[str, Any]]:
    return {name: statistic.to_dict() for name, statistic in found.items()}


def _unlike(names: list[str]) -> list[str]:
    """The names, those that came before with a number behind them."""
    taken: list[str] = []
    for name in names:
        free, number = name, 2
        while free in taken:
            free, number = f"{name} ({number})", number + 1
        taken.append(free)
    return taken


def _check(
    spaces: Sequence[SearchSpace],
    base: SearchSpace,
    names: Sequence[str] | None,
    quantile: float,
    threshold: float | None,
    draws: int,
    good: int,
    interval: tuple[float, float] | None,
    evaluations: int | None,
    drawn: int,
) -> None:
    """Answer what cannot be before anything is computed."""
    if base.root.fingerprint != spaces[0].root.fingerprint:
        raise UserError(
            f"only parts of one space can be compared, but the reference '{base.name}' is of '{base.root.name}' and "
            f"'{spaces[0].name}' of '{spaces[0].root.name}': give another reference"
        )
    if names is not None and len(names) != len(spaces):
        raise UserError(f"each space needs a name, but got {len(names)} names for {len(spaces)} spaces")
    if not 0 < quantile < 1:
        raise UserError(f"the quantile of good architectures must lie between 0 and 1, but got {quantile}")
    if threshold is not None and not np.isfinite(threshold):
        raise UserError(f"the threshold must be a finite number, but got {threshold}")
    if not 0 < good <= draws:
        raise UserError(f"the shrink index asks for k of n draws, 0 < k <= n, but got k = {good}, n = {draws}")
    if interval is not None and not (np.isfinite(interval).all() and interval[0] != interval[1]):
        raise UserError(f"the area of an EDF needs two different finite scores, but got {interval[0]} and {interval[1]}")
    if evaluations is not None and evaluations < 1:
        raise UserError(f"the true scores asked for of each space must be at least 1, but got {evaluations}")
    if drawn < 1000:
        raise UserError(f"at least 1,000 architectures stand for a large space (paper App. G), but got {drawn}")
