"""The search for the best networks of a sum of factors, with a bound on all that were not looked at.

A *region* is the networks that hold alleles which are still alive. Messages between factors bound it, and every allele in it
(``certified_kernels.sweep``); an allele whose bound is no more than the worst of the best networks found is dropped. Then genes
are given alleles one after the other, many partial networks at a time, each bounded by its factors' best leaves. Where that
grows past a budget the region is split by the alleles of one gene, and the most promising part is next, with messages of its
own.

That messages between the parts of a sum bound it is dual decomposition [Sontag, Globerson, Jaakkola 2011, Introduction to
Dual Decomposition for Inference]; the sharing out is min-marginal averaging.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.engines import map_chunks, split
from lissnas.predictors.certified_factors import WholeSum
from lissnas.predictors.certified_kernels import DEAD, settle, sweep
from lissnas.predictors.certified_tables import NOWHERE, Tables, expand, make_tables

__all__ = ["Found", "Search", "Spending"]

Values = NDArray[np.int64]

_OUT = NOWHERE // 2  # gains below it lead to no network
_BLOCK = 1 << 13  # partial networks at a time
_CHUNK = 1 << 11  # of them to a thread
_BUDGET = 1 << 19  # partial networks of a region before it is split: a few times the work that its parts' messages are
_SWEEPS = 240  # at most, over the whole space
_SWEEPS_OF_PART = 24
_STEADY = 0.004  # sweeps end when five of them lower the bound by less than this part of what is to be closed


class Found(NamedTuple):
    """Networks and what they are worth."""

    rows: Genotypes
    values: Values


class Spending(NamedTuple):
    """A cost that is a sum over genes, and the most that it may be: ``table`` float64[L, K], without what all networks cost."""

    table: NDArray[np.float64]
    most: float


class _Region(NamedTuple):
    bound: int
    alive: NDArray[np.bool_]
    messages: Values


class Stopped(Exception):
    """Time, memory or patience is over."""


class Search:
    """The best ``n`` networks of a sum of factors.

    Args:
        whole: what networks are worth.
        n: how many are wanted.
        admit: bool[n] of complete rows: which are networks that may be in the list.
        key: of complete rows, an integer that is the network's own.
        spending: costs that may not be exceeded, known gene by gene.
        threads: that expand partial networks.
        pause: called between steps; raises :class:`Stopped` when it is time to end.

    Attributes:
        rows, values: the best found, best first.
        bound: no network that is not in the list is worth more (``DEAD``: there is no other).
        expanded: how many partial networks were looked at.
        open: regions that are left.
    """

    def __init__(
        self,
        whole: WholeSum,
        n: int,
        admit: Callable[[Genotypes], NDArray[np.bool_]],
        key: Callable[[Genotypes], NDArray[np.uint64]],
        spending: tuple[Spending, ...] = (),
        threads: int = 1,
        pause: Callable[[Search], None] = lambda _: None,
    ) -> None:
        self.whole, self.n, self.threads = whole, n, threads
        self._admit, self._key, self._spending, self._pause = admit, key, spending, pause
        factors = whole.factors
        self.rows = np.zeros((0, len(factors.radix)), dtype=np.uint8)
        self.values: Values = np.zeros(0, dtype=np.int64)
        self.expanded = 0
        self.bound = -DEAD
        self._heap: list[tuple[int, int, _Region]] = []
        self._stack: list[tuple[int, Found]] = []
        self._count = 0
        self._best = np.zeros(len(factors.test_leaf), dtype=np.int64)
        self._top = np.zeros(len(factors.scope_gene), dtype=np.int64)
        self._leaf_sum = np.zeros(len(factors.leaf_value), dtype=np.int64)
        self._factor_top = np.zeros(len(factors.factor_scope) - 1, dtype=np.int64)

    @property
    def threshold(self) -> int:
        """What a network must be worth more than to enter the list."""
        return int(self.values[self.n - 1]) if len(self.values) >= self.n else DEAD

    @property
    def open(self) -> int:
        """Regions that are left."""
        return len(self._heap)

    @property
    def nbytes(self) -> int:
        """What regions and partial networks take, in bytes."""
        messages = {id(region.messages): region.messages.nbytes for _, _, region in self._heap}
        partial = sum(found.rows.nbytes + found.values.nbytes for _, found in self._stack)
        return sum(messages.values()) + sum(region.alive.nbytes for _, _, region in self._heap) + partial

    def run(self) -> str | None:
        """Search until the list is proven; what was found stays where the search was stopped.

        Returns:
            Why it was stopped; None: the list is proven.
        """
        try:
            self._push(self._start())
            while self._heap and -self._heap[0][0] > self.threshold:
                self.bound = min(self.bound, -self._heap[0][0])
                self._pause(self)
                self._close(self._heap[0][2])
                heapq.heappop(self._heap)  # the parts of it that were pushed since are no better, and came later
        except Stopped as stop:
            if self._stack:  # of the region that was looked at only this is left
                self._bound_by_rest()
            self.bound = max(self.bound, self.threshold)
            return str(stop)
        self.bound = self.threshold
        return None

    def _bound_by_rest(self) -> None:
        """Bound by what is left of the region that is looked at, and by the others."""
        inside = max(int(found.values.max(initial=DEAD)) for _, found in self._stack)
        self.bound = min(self.bound, max(inside, self._others()))

    def _others(self) -> int:
        """The bound of all regions but the one that is looked at."""
        return max((-entry[0] for entry in self._heap[1:3]), default=DEAD)

    # -- regions ----------------------------------------------------------------------------------------------------

    def _start(self) -> _Region:
        """The whole space; the line under the trees is in the messages of the last factors, one for each gene."""
        f, own = self.whole.factors, self.whole.own
        messages = np.zeros(int(f.scope_pair[-1]), dtype=np.int64)
        lines = len(f.factor_scope) - 1 - len(f.radix)
        for gene, entry in enumerate(range(int(f.factor_scope[lines]), len(f.scope_gene))):
            messages[f.scope_pair[entry] : f.scope_pair[entry + 1]] = own[gene, : f.radix[gene]]
        return _Region(-DEAD, self.whole.allowed.copy(), messages)

    def _push(self, region: _Region) -> None:
        self._count += 1
        heapq.heappush(self._heap, (-region.bound, self._count, region))

    def _close(self, region: _Region) -> None:
        """Look at all of a region that could be in the list, or put its parts in its place."""
        root = self._count == 1
        region, bounds = self._refine(region, _SWEEPS if root else _SWEEPS_OF_PART)
        if region.bound <= self.threshold:
            return
        self.bound = min(self.bound, max(region.bound, self._others()))
        tables = self._tables(region, bounds)
        if len(self.values) < self.n or root:
            self._beam(region, tables)
            region, bounds = self._refine(region, _SWEEPS_OF_PART)  # now with a threshold
            if region.bound <= self.threshold:
                return
            tables = self._tables(region, bounds)
        if not self._dive(region, tables):
            self._split(region, bounds)

    def _refine(self, region: _Region, sweeps: int) -> tuple[_Region, Values]:
        """Better messages, and bool[L, K] bounds of alleles."""
        f, alive, messages = self.whole.factors, region.alive.copy(), region.messages.copy()
        state = (self._best, self._top, self._leaf_sum, self._factor_top)
        bounds = np.full(alive.shape, DEAD, dtype=np.int64)
        forth = np.arange(len(f.radix))
        back = forth[::-1].copy()  # a view would have the loop compiled twice
        bound = settle(f, messages, alive, *state)
        history = [bound]
        for index in range(sweeps):
            if bound <= max(self.threshold, DEAD // 2):
                return _Region(DEAD, alive, messages), bounds
            order = forth if index % 2 == 0 else back
            bound = sweep(f, order, self.threshold, bound, messages, alive, *state, bounds)
            self._drop_costly(alive)
            if self._count == 1:
                self.bound = min(self.bound, bound)
            self._pause(self)
            history.append(bound)
            to_close = bound - (self.threshold if self.threshold > DEAD // 2 else int(f.leaf_value.min(initial=0)))
            if index >= 5 and history[-6] - bound < _STEADY * to_close:
                break
        bound = settle(f, messages, alive, *state)  # alleles have died since
        return _Region(min(bound, region.bound), alive, messages), bounds

    def _drop_costly(self, alive: NDArray[np.bool_]) -> None:
        """Drop alleles that cost too much whatever stands beside them."""
        for table, most in self._spending:
            costs = np.where(alive, table, np.inf)
            least = costs.min(axis=1)
            if not np.isfinite(least).all():  # nothing is left
                alive[:] = False
                return
            alive &= costs <= most - (least.sum() - least[:, None])

    def _split(self, region: _Region, bounds: Values) -> None:
        """Split by the gene whose alleles are bounded lowest on average."""
        gene = self._order(region.alive, bounds)[0]
        for allele in np.flatnonzero(region.alive[gene]).tolist():
            alive = region.alive.copy()
            alive[gene] = False
            alive[gene, allele] = True
            self._push(_Region(min(region.bound, int(bounds[gene, allele])), alive, region.messages))

    # -- from genes to networks -------------------------------------------------------------------------------------

    def _order(self, alive: NDArray[np.bool_], bounds: Values) -> list[int]:
        """Genes with a choice, those first whose alleles are the most different."""
        open_genes = np.flatnonzero(alive.sum(axis=1) > 1)
        mean = [float(np.mean(bounds[g][alive[g]].astype(np.float64))) for g in open_genes]
        return [int(open_genes[i]) for i in np.argsort(mean, kind="stable")]

    def _tables(self, region: _Region, bounds: Values) -> Tables:
        order = np.array(self._order(region.alive, bounds), dtype=np.int64)
        return make_tables(self.whole.factors, order, region.messages, self._best, self._top, self._leaf_sum)

    def _first(self, region: _Region) -> tuple[Genotypes, Values]:
        """The one partial network in which only decided genes are given."""
        return np.argmax(region.alive, axis=1).astype(np.uint8)[None], np.array([region.bound], dtype=np.int64)

    def _grow(self, region: _Region, tables: Tables, level: int, found: Found, threshold: int) -> Found:
        """All that can be made of partial networks by one more gene and may be worth more than ``threshold``."""
        f = self.whole.factors
        gene = int(tables.order[level])
        alleles = np.flatnonzero(region.alive[gene])
        gains = np.empty((len(found.rows), len(alleles)), dtype=np.int64)

        def work(part: slice) -> None:
            expand(f, tables, level, self.whole.own[gene], alleles, found.rows[part], gains[part])

        for _ in map_chunks(work, split(len(found.rows), _CHUNK), workers=self.threads, threads=True):
            pass
        bounds = np.where(gains > _OUT, found.values[:, None] + gains, DEAD)
        row, which = np.nonzero(bounds > threshold)
        rows = found.rows[row]
        rows[:, gene] = alleles[which]
        keep = self._affordable(region, tables, level, rows)
        self.expanded += len(rows)
        return Found(rows[keep], bounds[row, which][keep])

    def _affordable(self, region: _Region, tables: Tables, level: int, rows: Genotypes) -> NDArray[np.bool_]:
        """bool[n]: whether the genes given, and the cheapest alleles for the others, cost no more than allowed."""
        keep = np.ones(len(rows), dtype=np.bool_)
        for table, most in self._spending:
            least = np.where(region.alive, table, np.inf).min(axis=1)  # finite: genes without alleles end a region
            given = tables.order[: level + 1]
            spent = np.full(len(rows), least.sum() - least[given].sum())
            for gene in given:
                spent += table[gene][rows[:, gene]]
            keep &= spent <= most
        return keep

    def _beam(self, region: _Region, tables: Tables) -> None:
        """Good networks: at each step only the partial ones with the highest bounds are kept."""
        found = Found(*self._first(region))
        width = max(1 << 12, self.n)
        for level in range(len(tables.order)):
            blocks = []
            for part in split(len(found.rows), _BLOCK):
                self._pause(self)
                blocks.append(self._grow(region, tables, level, Found(found.rows[part], found.values[part]), self.threshold))
            if not blocks:  # within the limits nothing is left
                return
            rows, values = (np.concatenate(field) for field in zip(*blocks, strict=True))
            best = np.argsort(-values, kind="stable")[:width]
            found = Found(rows[best], values[best])
        self._offer(found)

    def _dive(self, region: _Region, tables: Tables) -> bool:
        """Look at all of a region, the most promising first; False where the budget is not enough."""
        self._stack = stack = [(0, Found(*self._first(region)))]
        budget = self.expanded + _BUDGET
        while stack:
            if self.expanded > budget:
                self._bound_by_rest()  # its parts are bounded anew, and may be bounded worse
                stack.clear()
                return False
            self._pause(self)
            level, found = stack[-1]
            good = found.values > self.threshold
            found = Found(found.rows[good], found.values[good])
            blocks = []
            if level == len(tables.order):
                self._offer(found)
            else:
                grown = self._grow(region, tables, level, found, self.threshold)
                order = np.argsort(grown.values, kind="stable")  # the best block is the last, and next
                parts = split(len(order), _BLOCK)
                blocks = [(level + 1, Found(grown.rows[order[part]], grown.values[order[part]])) for part in parts]
            stack[-1:] = blocks
        return True

    def _offer(self, found: Found) -> None:
        """Put complete networks in the list."""
        good = self._admit(found.rows)
        rows = np.concatenate([self.rows, found.rows[good]])
        values = np.concatenate([self.values, found.values[good]])
        keys = self._key(rows)
        order = np.lexsort((*keys.T[::-1], -values))
        keys = keys[order]
        new = np.ones(len(order), dtype=np.bool_)
        new[1:] = (keys[1:] != keys[:-1]).any(axis=1)
        order = order[new][: self.n]
        self.rows, self.values = rows[order], values[order]
