"""MAP-Elites: the best of every cell of cost and operations, each the parent of new ones (Mouret & Clune 2015; pyribs)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Codes, Genotypes, locate
from lissnas.errors import UserError, require
from lissnas.shrinkers.base import require_settings, require_size
from lissnas.shrinkers.ledger import Pool
from lissnas.shrinkers.naive import FIRST_SAMPLE, KeepBest, default_size
from lissnas.spaces import SearchSpace, meets_limits, sample_within

__all__ = ["MapElites"]

BATCH = 1000  # architectures proposed between two looks at the archive
IN_VAIN = 20  # batches without a new architecture


@dataclass(frozen=True)
class MapElites(KeepBest):
    """An archive with a cell for each bin of a cost and each number of genes that hold one operation, filled by random edits.

    The result takes the best of each cell, then the second best of each, and so on, until it has its size: as many cells as
    were reached stay covered. Needs the extra ``rivals``.

    Args:
        queries: the budget, in predictor queries.
        size: architectures kept; None: a tenth of the queries, a twentieth of the space at most.
        first_share: the part of the budget spent on a uniform sample first, at least 1,000 architectures.
        cost: the cost; None: the space's first.
        bins: quantile bins of the cost, by the first sample.
        operation: the allele whose genes are counted; None: the one that most genes can hold, of equals the first.
        edits: a new architecture is 1 to so many edits from its parent.
    """

    queries: int = 100_000
    size: int | None = None
    first_share: float = 0.1
    cost: str | None = None
    bins: int = 20
    operation: str | None = None
    edits: int = 2
    name: str = field(default="map-elites", repr=False)

    def __post_init__(self) -> None:
        require_settings(
            self,
            [
                ("first_share", 0 < self.first_share <= 1, "above 0 and at most 1"),
                ("bins", self.bins >= 1, "at least 1"),
                ("edits", self.edits >= 1, "at least 1"),
            ],
        )
        require_size(self.size, self.queries)

    def check(self, space: SearchSpace, limits: Sequence[str] = ()) -> tuple[str, ...]:
        require("ribs", "rivals")
        if not space.cost_names:
            raise UserError(f"map-elites has bins of a cost, but '{space.name}' has none: add one")
        if self.cost is not None and self.cost not in space.cost_names:
            raise UserError(f"'{space.name}' has no cost '{self.cost}': it has {', '.join(space.cost_names)}")
        self._operation(space)
        return super().check(space, limits)

    def _operation(self, space: SearchSpace) -> str:
        labels = Counter(gene.label(allele) for gene in space.genes for allele in range(len(gene.alleles)))
        if self.operation is None:
            return labels.most_common(1)[0][0]
        if self.operation not in labels:
            raise UserError(f"no gene of '{space.name}' has the allele '{self.operation}': see .genes")
        return self.operation

    def _cells(self, space: SearchSpace, sample: Codes, codes: Codes) -> NDArray[np.int64]:
        """The bin of the cost and the number of genes that hold the operation, int64[n, 2]."""
        cost = self.cost or space.cost_names[0]
        edges = np.quantile(space.cost(space.decode(sample))[cost], np.linspace(0, 1, self.bins + 1)[1:-1])
        genotypes = space.decode(codes)
        label = self._operation(space)
        alleles = [[gene.label(a) for a in range(len(gene.alleles))] for gene in space.genes]
        wanted = np.array([names.index(label) if label in names else 255 for names in alleles])
        place = np.searchsorted(edges, space.cost(genotypes)[cost], side="right")
        return np.stack([place, (genotypes == wanted).sum(axis=1)], axis=1).astype(np.int64)

    def _query(
        self, space: SearchSpace, pool: Pool, limits: tuple[str, ...], rng: np.random.Generator
    ) -> tuple[Codes | None, str]:
        first = min(self.queries, max(FIRST_SAMPLE, round(self.first_share * self.queries)))
        sample = pool.query(space.encode(sample_within(space, first, limits, rng)), rng)
        archive = require("ribs.archives", "rivals").GridArchive(
            solution_dim=space.length,
            dims=[self.bins, space.length + 1],
            ranges=[(0, self.bins), (0, space.length + 1)],
            seed=int(rng.integers(1 << 31)),
        )
        self._add(archive, space, pool, sample, sample)
        vain = 0
        while pool.left and vain < IN_VAIN:
            parents: Genotypes = archive.sample_elites(min(BATCH, pool.left))["solution"].astype(np.uint8)
            edits = rng.integers(1, self.edits + 1, size=len(parents))
            for d in np.unique(edits):
                near = space.neighbors(parents[edits == d], int(d), rng).genotypes
                codes = space.encode(near[meets_limits(space, near, limits)])
                new = codes[locate(pool.codes, codes) < 0]
                vain = 0 if len(new) else vain + 1
                if len(new):
                    self._add(archive, space, pool, sample, pool.query(new, rng))
        return sample, f": the archive has {archive.stats.num_elites:,} cells"

    def _keep(self, space: SearchSpace, pool: Pool, first: Codes) -> Codes:
        """The best of each cell, then the second best of each, ..."""
        cell = self._cells(space, first, pool.codes) @ np.array([space.length + 1, 1])
        by_cell = np.lexsort((-pool.utility, cell))
        begins = np.flatnonzero(np.concatenate([[True], np.diff(cell[by_cell]) != 0]))
        place = np.arange(len(cell)) - np.repeat(begins, np.diff([*begins, len(cell)]))
        order = by_cell[np.lexsort((-pool.utility[by_cell], place))]
        return pool.codes[np.sort(order[: self.size or default_size(self.queries, space)])]

    def _add(self, archive: object, space: SearchSpace, pool: Pool, sample: Codes, codes: Codes) -> None:
        if len(codes):
            middle = self._cells(space, sample, codes) + 0.5
            archive.add(space.decode(codes).astype(np.float64), pool.utilities(codes), middle)  # type: ignore[attr-defined]
