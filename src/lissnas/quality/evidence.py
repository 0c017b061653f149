"""One space, one row of evidence."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.quality.diversity import cost_coverage, mean_distance
from lissnas.quality.shrink_index import ShrinkIndex, good_threshold, shrink_index_interval
from lissnas.spaces import ExplicitSpace, SearchSpace

__all__ = ["Evidence", "Scores", "assess_space", "score_space"]

LISTED = 10_000  # a space of up to this size is scored whole, a larger one by a sample of this size


class Scorer(Protocol):
    """What assigns a score to architectures: a predictor."""

    higher_is_better: bool

    def predict(self, genotypes: Genotypes) -> NDArray[np.float64]: ...


class Truth(Protocol):
    """What knows true scores: an evaluator."""

    def evaluate(self, genotypes: Genotypes) -> NDArray[np.float64]: ...


@dataclass(frozen=True)
class Scores:
    """Scored architectures of a space: all of it (``exact``), or a uniform sample."""

    genotypes: Genotypes
    values: NDArray[np.float64]
    exact: bool


@dataclass(frozen=True)
class Evidence:
    """What is known of one space. Scores are on the metric's own scale; ``None`` where the statistic has no value.

    Attributes:
        scored, exact: how many architectures the statistics come from, and whether that is all of them.
        source: ``predicted`` or ``true``.
        mean, best, median, q10, q90: of their scores (``best`` respects the direction).
        shrink_index: against the reference, with the raw shares.
        diversity: mean edit distance of two members; ``diversity_kept``: as a share of the reference's.
        coverage: cost name -> the share of the reference's 20 quantile bins of that cost that is still reached.
    """

    name: str
    cardinality: int
    cardinality_is_exact: bool
    reduction: float
    scored: int
    exact: bool
    source: str
    mean: float
    best: float
    median: float
    q10: float
    q90: float
    shrink_index: ShrinkIndex | None
    diversity: float
    diversity_kept: float | None
    coverage: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, the cardinality as text (it can exceed what JSON readers hold)."""
        return {**asdict(self), "cardinality": str(self.cardinality)}


def score_space(space: SearchSpace, scorer: Scorer | Truth, rng: np.random.Generator, listed: int = LISTED) -> Scores:
    """Score all of a small space, or a uniform sample of a large one."""
    exact = space.cardinality_is_exact and space.cardinality <= listed
    if exact and isinstance(space, ExplicitSpace):
        genotypes = space.genotypes
    elif exact:
        genotypes = np.concatenate(list(space.enumerate()))
    else:
        genotypes = space.sample(listed, rng)
    values = scorer.predict(genotypes) if hasattr(scorer, "predict") else scorer.evaluate(genotypes)
    return Scores(genotypes, values, exact)


def assess_space(
    space: SearchSpace,
    predictor: Scorer,
    *,
    reference: SearchSpace | None = None,
    truth: Truth | None = None,
    threshold: float | None = None,
    seed: int = 0,
) -> Evidence:
    """The row of evidence of ``space``.

    Args:
        predictor: what scores its architectures (and says which direction is better).
        reference: the space it came from, which it is compared with; its root where none is given.
        truth: an evaluator to take true scores from instead.
        threshold: the score of a good architecture; the reference's 90th percentile where none is given.
    """
    reference = space.root if reference is None else reference
    sample_rng, reference_rng, other_rng = (np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(3))
    scorer = truth if truth is not None else predictor
    higher = predictor.higher_is_better
    ours = score_space(space, scorer, sample_rng)
    theirs = score_space(reference, scorer, reference_rng)
    if threshold is None:
        threshold = good_threshold(theirs.values, higher_is_better=higher)
    index = shrink_index_interval(ours.values, theirs.values, threshold, higher_is_better=higher, rng=other_rng)
    diversity, full_diversity = mean_distance(space, other_rng), mean_distance(reference, other_rng)
    costs, full_costs = space.cost(ours.genotypes), reference.cost(theirs.genotypes)
    coverage = {
        n: cost_coverage(costs[n], full_costs[n]) for n in costs if not np.isnan(costs[n]).any() and len(full_costs[n]) >= 20
    }
    return Evidence(
        name=space.name,
        cardinality=space.cardinality,
        cardinality_is_exact=space.cardinality_is_exact,
        reduction=reference.cardinality / space.cardinality,
        scored=len(ours.values),
        exact=ours.exact,
        source="predicted" if truth is None else "true",
        mean=float(ours.values.mean()),
        best=float(ours.values.max() if higher else ours.values.min()),
        median=float(np.median(ours.values)),
        q10=float(np.quantile(ours.values, 0.1)),
        q90=float(np.quantile(ours.values, 0.9)),
        shrink_index=index,
        diversity=diversity,
        diversity_kept=diversity / full_diversity if full_diversity else None,
        coverage=coverage,
    )
