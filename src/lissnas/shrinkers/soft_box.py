"""A distribution instead of a list: weights for each gene, found by exact means, with no query at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Codes, unique
from lissnas.errors import UserError
from lissnas.evaluators import Evaluator
from lissnas.predictors import Predictor
from lissnas.predictors.expectation import Expectation
from lissnas.quality import good_threshold, shrink_index_interval
from lissnas.shrinkers.base import Iteration, OnIteration, Shrinkage, Shrinker, require_settings, require_size
from lissnas.shrinkers.box_search import TOLERANCE, descend, main_spread, pairwise_difference
from lissnas.shrinkers.ledger import Pool
from lissnas.spaces import ConstrainedSpace, ExplicitSpace, SearchSpace, SoftBoxSpace, sample_within
from lissnas.spaces.laws import Encodings, encodings_of, entropy_of, weighted_law

__all__ = ["SHOWN", "STARTS", "BoxShrinker", "SoftBox", "default_box_size", "start_from_box"]

STARTS = ("sample", "soft-box")  # what methods that query can begin with

SHOWN = 1000  # draws of each space whose sums an iteration shows: the paper's least sample (Sec. 4.3)
RUNGS = 12  # sizes of box, evenly in ln size, of which a start takes the smallest that is diverse enough
MOST_DRAWS = 20  # draws for each network wanted, before a box counts as exhausted

Floats = NDArray[np.float64]


def default_box_size(space: SearchSpace) -> int:
    """Where boxes stop if no size is asked for: 10^6, or a twentieth of a smaller space."""
    return max(1, min(1_000_000, space.cardinality // 20))


@dataclass(frozen=True)
class BoxShrinker(Shrinker):
    """What soft and hard boxes share: exact means decide, nothing is queried.

    A new one has ``size`` and ``diversity_weight`` and writes ``_box``.
    """

    queries: int = 0
    size: int | None = None
    diversity_weight: float = 0.0
    best: int | None = None

    def __post_init__(self) -> None:
        require_settings(
            self,
            [
                ("queries", self.queries >= 0, "at least 0"),
                ("size", self.size is None or self.size >= 1, "at least 1"),
                ("diversity_weight", 0 <= self.diversity_weight < math.inf, "a number from 0 on"),
                ("best", self.best is None or self.best >= 1, "at least 1"),
            ],
        )
        if self.best is not None:
            require_size(self.best, self.queries)

    def check(self, space: SearchSpace, limits: Sequence[str] = ()) -> tuple[str, ...]:
        whole, _ = without_limits(space)
        if encodings_of(whole) is None:
            offer = "query-all takes the best of all of it" if space.cardinality <= 1 << 20 else "choose a method that queries"
            raise UserError(
                f"the architectures of '{space.name}' are no product of its genes, so there is no box in it: {offer}"
            )
        if self.size is not None and self.size >= whole.encodings:
            raise UserError(
                f"a box is smaller than the space it is in, but {self.size:,} was asked for and '{whole.name}' has "
                f"{whole.encodings:,} encodings: ask for a smaller size"
            )
        return super().check(space, limits)

    def _box(
        self, space: SearchSpace, encodings: Encodings, exact: Expectation, sign: float, size: int, rng: np.random.Generator
    ) -> tuple[SearchSpace, str]:
        """The box, and how it came about in a few words."""
        raise NotImplementedError

    def _shrink(
        self,
        space: SearchSpace,
        pool: Pool,
        limits: tuple[str, ...],
        rng: np.random.Generator,
        on_iteration: OnIteration | None,
    ) -> Shrinkage:
        if isinstance(pool.scorer, Evaluator):
            raise UserError(f"{self.name} needs a predictor whose mean is a formula, and here true scores are asked: fit one")
        box_rng, draw_rng, show_rng = rng.spawn(3)
        whole, before = without_limits(space)
        limits = (*before, *(limit for limit in limits if limit not in before))
        encodings = encodings_of(whole)
        assert encodings is not None  # checked before
        exact = Expectation(pool.scorer, whole)
        size = self.size or default_box_size(whole)
        box, story = self._box(whole, encodings, exact, pool.sign, size, box_rng)
        result: SearchSpace = ConstrainedSpace(box, limits) if limits else box
        show = _Show(space, pool.scorer, exact, show_rng, on_iteration)
        show.add(space, 0, space.cardinality)
        size_now = min(result.cardinality, space.cardinality)
        if self.best is not None:
            result = self._best_of(space, result, pool, draw_rng)
            story += f"; the best {result.cardinality:,} of {pool.ledger.queries:,} networks drawn from it were kept"
            size_now = result.cardinality
        show.add(result, pool.ledger.queries, size_now)
        first = space.encode(show.first)
        return Shrinkage(result, tuple(show.iterations), pool.ledger, show.threshold, first, story)

    def _best_of(self, space: SearchSpace, box: SearchSpace, pool: Pool, rng: np.random.Generator) -> ExplicitSpace:
        """The best of as many different networks as the budget reaches for."""
        assert self.best is not None
        known: Codes = space.encode(box.sample(0, rng))
        drawn = 0
        while len(known) < self.queries and drawn < MOST_DRAWS * self.queries:
            more = box.sample(max(1000, self.queries - len(known)), rng)
            drawn += len(more)
            known = unique(np.concatenate([known, space.encode(more)]))
        kept = pool.query(known, rng)
        parent = space.parent if isinstance(space, ConstrainedSpace) else space
        return ExplicitSpace(parent, pool.best(self.best, kept))


@dataclass(frozen=True)
class SoftBox(BoxShrinker):
    """The distribution with one vector of weights per gene that has the highest mean at a given perplexity.

    Maximises the exact mean of the predictor over the distribution, plus ``diversity_weight`` times the number of genes in
    which two of its networks differ, at an entropy of ln ``size`` (see ``box_search``). Where a space folds drawings of one
    network into one (``darts``, ``mobilenet``), the mean and the size are of drawings, and the predictor should have learned
    from drawings (``fit_on_drawings``). Limits are met by rejecting what breaks them; the weights do not know of them.

    What iterations show, beside sizes, is read off 1,000 draws by the predictor's leaves; no decision rests on it.

    Args:
        queries: 0, or with ``best`` the budget, in predictor queries.
        size: the perplexity: the size of a space with equal chances that is as hard to guess. None: 10^6, or a twentieth of a
            space of less than 2 x 10^7.
        diversity_weight: what a gene in which two networks differ is worth, in spreads: the deviation of the predictor's mean
            between alleles, over all single genes.
        best: keep so many of the networks that the budget reaches for, drawn from the box: a list, as other methods give.
    """

    name: str = field(default="soft-box", repr=False)

    def _box(
        self, space: SearchSpace, encodings: Encodings, exact: Expectation, sign: float, size: int, rng: np.random.Generator
    ) -> tuple[SearchSpace, str]:
        table = soft_table(exact, encodings, sign, size, self.diversity_weight, rng)
        box = SoftBoxSpace.of(space, table)
        what = "drawings" if encodings.folds else "networks"
        if self.diversity_weight and box.law.entropy > math.log(size) + 2 * TOLERANCE:
            raise UserError(
                f"no distribution as large as {size:,} was found where diversity weighs {self.diversity_weight:g}: what weighs "
                f"so much spreads to {box.perplexity:,.0f} {what} at least; lower diversity_weight, or ask for a larger size"
            )
        mean = exact.slopes(box.law).mean
        size_of = f"as large as {box.perplexity:,.0f} {what}"
        return box, f"weights for {space.length} genes, {size_of}, with an exact mean {exact.unit} of {mean:.5g}"


def soft_table(
    exact: Expectation,
    encodings: Encodings,
    sign: float,
    size: float,
    diversity_weight: float,
    rng: np.random.Generator,
    bonus: Floats | None = None,
) -> Floats:
    """The weights float64[L, A] of a soft box.

    Raises:
        UserError: a size that the space does not have.
    """
    most = entropy_of(encodings, encodings.allowed / encodings.allowed.sum(axis=1, keepdims=True))
    if not math.log(size) >= 0 or (math.log(size) >= most and not encodings.conditional):
        raise UserError(f"the size of a box must be from 1 to {math.exp(min(most, 700)):.4g}, but got {size:,}")
    difference = diversity_weight * main_spread(exact, encodings) if diversity_weight else 0.0
    return descend(exact, encodings, math.log(size), rng, sign=sign, difference=difference, bonus=bonus)[0]


def start_from_box(
    space: SearchSpace, pool: Pool, limits: Sequence[str], diversity: float, n: int, rng: np.random.Generator
) -> Codes:
    """Query ``n`` networks of the smallest soft box that has a share ``diversity`` of the space's pairwise difference.

    Raises:
        UserError: a scorer or a space without exact means.
    """
    if isinstance(pool.scorer, Evaluator):
        raise UserError("a soft-box start needs a predictor whose mean is a formula, and here true scores are asked: fit one")
    whole, before = without_limits(space)
    encodings = encodings_of(whole)
    if encodings is None:
        raise UserError(f"the architectures of '{space.name}' are no product of its genes, so no soft box starts there")
    exact = Expectation(pool.scorer, whole)
    even = encodings.allowed / encodings.allowed.sum(axis=1, keepdims=True)
    most, full = entropy_of(encodings, even), pairwise_difference(weighted_law(encodings, even))
    table = even
    for rung in range(1, RUNGS):
        table, _ = descend(exact, encodings, most * rung / RUNGS, rng, sign=pool.sign)
        if pairwise_difference(weighted_law(encodings, table)) >= diversity * full:
            break
    box: SearchSpace = SoftBoxSpace.of(whole, table)
    within = (*before, *limits)
    return pool.query(space.encode(sample_within(box, n, within, rng)), rng)


def without_limits(space: SearchSpace) -> tuple[SearchSpace, tuple[str, ...]]:
    """The space without the limits that it has, and these."""
    limits: tuple[str, ...] = ()
    while isinstance(space, ConstrainedSpace):
        limits = (*space.limits, *limits)
        space = space.parent
    return space, limits


class _Show:
    """The numbers of iterations, of draws that decide nothing."""

    def __init__(
        self,
        space: SearchSpace,
        scorer: Predictor,
        exact: Expectation,
        rng: np.random.Generator,
        on_iteration: OnIteration | None,
    ) -> None:
        self._space, self._exact, self._rng, self._on_iteration = space, exact, rng, on_iteration
        self._sign = 1.0 if scorer.higher_is_better else -1.0
        self.first = space.sample(SHOWN, rng)
        self._full = self._sign * exact.leaves.to_scores(exact.leaves.add_up(self.first))
        self.threshold = self._sign * good_threshold(self._full)
        self.iterations: list[Iteration] = []

    def add(self, space: SearchSpace, queries: int, size: int) -> None:
        """What ``space`` is like."""
        drawn = self.first if not self.iterations else space.sample(SHOWN, self._rng)
        utility = self._sign * self._exact.leaves.to_scores(self._exact.leaves.add_up(drawn))
        index = shrink_index_interval(utility, self._full, self._sign * self.threshold, rng=self._rng)
        other = space.sample(len(drawn), self._rng)
        iteration = Iteration(
            index=len(self.iterations),
            size=size,
            mean=float(self._sign * utility.mean()),
            best=float(self._sign * utility.max()),
            queries=queries,
            evaluations=0,
            p_good=index.p_shrunk,
            shrink_index=index.value,
            shrink_index_low=index.low,
            shrink_index_high=index.high,
            diversity=float(self._space.distance(drawn, other).mean()),
            codes=space.codes if isinstance(space, ExplicitSpace) else None,
            space=None if isinstance(space, ExplicitSpace) or not self.iterations else space,
        )
        self.iterations.append(iteration)
        if self._on_iteration is not None:
            self._on_iteration(iteration)
