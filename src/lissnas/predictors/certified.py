"""The best networks of a whole space by a predictor, with a proof; or the best that were found, and what there can be at most.

``certified_factors`` turns a predictor into a sum of factors in whole numbers, ``certified_search`` finds the best of such a
sum, ``certified_kernels`` are its loops. Spaces that are no product of genes are listed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.predictors.base import Predictor
from lissnas.predictors.certified_kernels import DEAD
from lissnas.predictors.certified_search import Search, Spending, Stopped
from lissnas.spaces import ConstrainedSpace, SearchSpace, TableCost, check_limits, meets_limits
from lissnas.spaces.boxes import boxes_of
from lissnas.spaces.constrained import no_space_meets
from lissnas.spaces.product import ProductSpace
from lissnas.spaces.soft_box import SoftBoxSpace

__all__ = ["CertifiedBest", "certified_best", "check_asked"]

LISTED = 1 << 16  # networks of a product that are looked at one by one
MAX_LISTED = 1 << 24
_SAMPLE = 1 << 12  # draws that a search which was stopped is measured against
_LIMIT = re.compile(r"\s*([A-Za-z_]\w*)\s*(<=|<|>=|>)\s*([-+0-9.eE_]+)\s*")


@dataclass(frozen=True)
class CertifiedBest:
    """The best networks, and what is proven of them.

    Attributes:
        genotypes: uint8[m, L], best first, equal ones by code; fewer than asked for where no more meet the limits, or where
            the search was stopped early.
        scores: float64[m], predicted.
        proven: how many of them, from the first on, are proven to be the best.
        bound: no network that is not in the list is predicted better than this score, by more than ``tolerance``. Where all
            are proven it is the last one's, and networks that are not in the list are equal to it at most; None: the list is
            all there is.
        tolerance: of scores: what rounding can hide. Sums and bounds are whole numbers; what is left is the rounding of the
            predictor itself.
        method: ``search``, or ``listed`` where every network was looked at.
        stopped: why the search ended early, in a few words; None: it did not.
        looked_at: partial networks that were bounded, or networks that were scored.
        seconds: it took.
    """

    genotypes: Genotypes
    scores: NDArray[np.float64]
    proven: int
    bound: float | None
    tolerance: float
    method: Literal["search", "listed"]
    stopped: str | None
    looked_at: int
    seconds: float

    @property
    def is_proven(self) -> bool:
        """Whether the whole list is."""
        return self.stopped is None


def certified_best(
    space: SearchSpace,
    predictor: Predictor,
    n: int = 1,
    *,
    limits: Sequence[str] = (),
    seconds: float | None = None,
    memory: float | None = None,
    threads: int = 1,
    progress: Callable[[Search], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> CertifiedBest:
    """The ``n`` best networks of ``space`` by ``predictor``, exactly, or the best found with a bound on what there can be.

    What is certified is what the predictor says of canonical genotypes, the only ones that it is ever asked about; where a
    space folds encodings of one network into one, the other encodings are no candidates. A list that is proven does not
    depend on ``threads``, and not on how long it took.

    Args:
        limits: what every network must meet. Costs that are a sum over genes (``flops <= 330e6`` of a chain of blocks) bound
            the search; any others sort out what it finds.
        seconds, memory: after so many seconds, or with so many megabytes of work to do, the search ends with what it has.
        threads: that bound networks; two use two cores.
        progress: called a few times a second.
        stop: asked as often; True ends the search with what it has.

    Raises:
        UserError: a predictor that is no sum of trees over single genes (where the space is not listed), ``n`` below 1 or
            above the size of the space, limits that nothing meets, a space that is no product and too large to list.
    """
    began = time.perf_counter()
    limits = check_limits(space, limits)
    if isinstance(space, SoftBoxSpace):  # all that it can draw
        space = space.support
    check_asked(space, n, seconds, memory)
    listed = space.cardinality_is_exact and space.cardinality <= LISTED
    if listed or boxes_of(space) is None:
        return _list(space, predictor, n, limits, seconds, stop, began)
    return _search(space, predictor, n, limits, seconds, memory, threads, progress, stop, began)


def check_asked(space: SearchSpace, n: int, seconds: float | None = None, memory: float | None = None) -> None:
    """Refuse a number of networks that is below 1 or above the space's, and times and memories that are not above 0."""
    if isinstance(space, SoftBoxSpace):
        space = space.support
    if not isinstance(n, (int, np.integer)) or n < 1:
        raise UserError(f"a number of networks must be a whole number >= 1, but got {n!r}")
    if space.cardinality_is_exact and n > space.cardinality:
        raise UserError(f"'{space.name}' has {space.cardinality:,} networks, fewer than the {n:,} asked for: ask for fewer")
    for name, value in (("seconds", seconds), ("memory", memory)):
        if value is not None and not value > 0:
            raise UserError(f"{name} must be above 0, but got {value}: leave it out for no limit")


def _search(
    space: SearchSpace,
    predictor: Predictor,
    n: int,
    limits: tuple[str, ...],
    seconds: float | None,
    memory: float | None,
    threads: int,
    progress: Callable[[Search], None] | None,
    stop: Callable[[], bool],
    began: float,
) -> CertifiedBest:
    from lissnas.predictors.certified_factors import whole_sum

    whole = whole_sum(space, predictor)

    def admit(rows: Genotypes) -> NDArray[np.bool_]:
        valid = space.is_valid(rows)
        valid[valid] = meets_limits(space, rows[valid], limits)
        return valid

    told = began

    def pause(search: Search) -> None:
        nonlocal told
        now = time.perf_counter()
        if stop():
            raise Stopped("stopped")
        if seconds is not None and now - began > seconds:
            raise Stopped(f"{seconds:g} seconds were over")
        if memory is not None and search.nbytes > memory * 1e6:
            raise Stopped(f"{memory:g} MB of regions were open")
        if progress is not None and now - told > 0.3:
            told = now
            progress(search)

    search = Search(whole, n, admit, space.encode, _spending(space, limits), threads, pause)
    stopped = search.run()
    rows, proven = search.rows, int((search.values >= search.bound).sum()) if stopped else len(search.rows)
    if stopped is None and not len(rows):
        raise UserError(no_space_meets(space, limits, proven=True) if limits else f"'{space.name}' holds no network")
    if stopped is not None:  # what is better than the bound is in the list already, so that nothing proven is pushed out
        rows = np.concatenate([rows, _sample_within(space, limits)])
        rows = space.decode(np.unique(space.encode(rows), axis=0)) if len(rows) else rows
    rows, scores = _in_order(space, predictor, rows)
    rows, scores = rows[:n], scores[:n]
    bound, better = whole.score(search.bound), whole.score(search.bound, whole.slack)
    return CertifiedBest(
        genotypes=rows,
        scores=scores,
        proven=proven,
        bound=None if search.bound <= DEAD // 2 else bound,
        tolerance=abs(better - bound),
        method="search",
        stopped=stopped,
        looked_at=search.expanded,
        seconds=time.perf_counter() - began,
    )


def _sample_within(space: SearchSpace, limits: tuple[str, ...]) -> Genotypes:
    """A small sample: where bounds say little, its best can be better than what a search has found so far."""
    drawn = space.sample(_SAMPLE, np.random.default_rng(0))
    return drawn[meets_limits(space, drawn, limits)]


def _in_order(space: SearchSpace, predictor: Predictor, rows: Genotypes) -> tuple[Genotypes, NDArray[np.float64]]:
    """Best first, equal ones by code."""
    scores = predictor.predict(rows)
    sign = 1.0 if predictor.higher_is_better else -1.0
    order = np.lexsort((*space.encode(rows).T[::-1], -sign * scores))
    return rows[order], scores[order]


def _list(
    space: SearchSpace,
    predictor: Predictor,
    n: int,
    limits: tuple[str, ...],
    seconds: float | None,
    stop: Callable[[], bool],
    began: float,
) -> CertifiedBest:
    """Every network, block by block."""
    if not space.cardinality_is_exact or space.cardinality > MAX_LISTED:
        about = "" if space.cardinality_is_exact else "about "
        raise UserError(
            f"'{space.name}' is no product of genes, so nothing bounds a part of it, and its {about}{space.cardinality:,} "
            f"networks are too many to list (at most {MAX_LISTED:,}): shrink it first"
        )
    kept = np.zeros((0, space.length), dtype=np.uint8)
    scores = np.zeros(0)
    looked_at, met, stopped = 0, 0, None
    for block in space.enumerate():
        if stop():
            stopped = "stopped"
        elif seconds is not None and time.perf_counter() - began > seconds:
            stopped = f"{seconds:g} seconds were over"
        if stopped is not None:
            break
        looked_at += len(block)
        meets = block[meets_limits(space, block, limits)]
        met += len(meets)
        if len(meets):
            kept, scores = _in_order(space, predictor, np.concatenate([kept, meets]))
            kept, scores = kept[:n], scores[:n]
    if not len(kept) and stopped is None:
        raise UserError(no_space_meets(space, limits, proven=True))
    bound = None if met <= n else float(scores[-1])
    if stopped is not None:
        bound = np.inf if predictor.higher_is_better else -np.inf
    return CertifiedBest(
        genotypes=kept,
        scores=scores,
        proven=0 if stopped is not None else len(kept),
        bound=bound,
        tolerance=0.0,
        method="listed",
        stopped=stopped,
        looked_at=looked_at,
        seconds=time.perf_counter() - began,
    )


def _spending(space: SearchSpace, limits: Sequence[str]) -> tuple[Spending, ...]:
    """The limits on costs that are sums over genes, those of the space itself included."""
    found: list[Spending] = []
    asked = list(limits)
    while isinstance(space, ConstrainedSpace):
        asked += space.limits
        space = space.parent
    root = space.root
    costs = {cost.name: cost for cost in root.costs if isinstance(cost, TableCost)} if isinstance(root, ProductSpace) else {}
    widest = max(gene.radix for gene in space.genes)
    for limit in asked:
        match = _LIMIT.fullmatch(limit)
        if match is None or match[1] not in costs:
            continue
        cost, sign = costs[match[1]], 1.0 if match[2].startswith("<") else -1.0
        most = sign * (float(match[3]) - cost.base)
        found.append(Spending(sign * cost.table[:, :widest], most + 1e-9 * abs(most)))  # ``admit`` has the last word
    return tuple(found)
