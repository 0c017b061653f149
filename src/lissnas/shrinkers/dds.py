"""DDS: the range of each ordered gene in which the best networks lie, by bootstrap (Radosavovic et al., CVPR 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.quality import ks
from lissnas.shrinkers.base import OnIteration, Shrinkage, Shrinker, require_settings, require_smaller
from lissnas.shrinkers.ledger import Pool
from lissnas.shrinkers.units import Pruning, default_product_size, require_units
from lissnas.spaces import SearchSpace, sample_distinct

__all__ = ["DDS", "good_range"]

BOOTSTRAPS = 2500  # pycls, sweep/analysis.py (get_filters)
STEPS = 3  # alleles that an ordered gene must have for a range of it to mean something


@dataclass(frozen=True)
class DDS(Shrinker):
    """Design-space design by ranges, in the predictor form of the paper's comparison (4.5; reconstruction C.5).

    First, where a space knows parts that its designers would try in its place (``simplifications``: AnyNetX's letters and
    RegNet), each in turn is entered if a sample of it scores no worse, by a one-sided Kolmogorov-Smirnov test of the two
    distributions, which the authors judged by eye. Then each round queries a sample of what is left, and narrows every ordered
    gene to the 95% interval that its best architecture has over 2,500 bootstraps of a quarter of the sample.

    Args:
        queries: the budget, in predictor queries.
        size: rounds go on until at most so many architectures are left; None: 10^6, or a twentieth of a space of less than
            2 x 10^7.
        rounds: the most rounds.
        sample: architectures queried in a round. A larger sample gives narrower ranges: the best of a quarter of it decide.
        part: the share of the sample in a bootstrap.
        alpha: the share of bootstraps outside the range; and the p-value below which a simpler part is worse.
        simplify: try simpler parts first.
    """

    queries: int = 100_000
    size: int | None = None
    rounds: int = 20
    sample: int = 500
    part: float = 0.25
    alpha: float = 0.05
    simplify: bool = True
    name: str = field(default="dds", repr=False)

    def __post_init__(self) -> None:
        require_settings(
            self,
            [
                ("size", self.size is None or self.size >= 1, "at least 1"),
                ("rounds", self.rounds >= 1, "at least 1"),
                ("sample", self.sample >= 20, "at least 20"),
                ("part", 0 < self.part < 1, "between 0 and 1"),
                ("alpha", 0 < self.alpha < 1, "between 0 and 1"),
            ],
        )

    def check(self, space: SearchSpace, limits: Sequence[str] = ()) -> tuple[str, ...]:
        if not any(gene.is_ordinal and len(gene.alleles) >= STEPS for gene in space.genes):
            raise UserError(
                f"dds narrows ranges, but no gene of '{space.name}' has {STEPS} alleles or more in an order "
                "(a gene says ordered: true): choose another method"
            )
        require_units(space, self.queries)
        require_smaller(space, self.size)
        return super().check(space, limits)

    def _shrink(
        self,
        space: SearchSpace,
        pool: Pool,
        limits: tuple[str, ...],
        rng: np.random.Generator,
        on_iteration: OnIteration | None,
    ) -> Shrinkage:
        prune_rng, bootstrap_rng, simplify_rng = rng.spawn(3)
        pruning = Pruning(space, pool, limits, prune_rng, on_iteration)
        size = self.size or default_product_size(space)
        tried = self._simplify(space, pruning, limits, simplify_rng) if self.simplify else ""
        stopped = f"all {self.rounds} rounds were made"
        for _ in range(self.rounds):
            if pruning.size <= size:
                stopped = f"{pruning.size:,} architectures are left, at most {size:,} were asked for"
                break
            codes = pruning.sample(self.sample)
            codes = codes[np.sort(bootstrap_rng.permutation(len(codes))[: self.sample])]
            ranked = space.decode(codes[np.argsort(-pool.utilities(codes), kind="stable")])
            narrowed = [
                self._narrow(space, group[0], kept, ranked, bootstrap_rng)
                for group, kept in zip(pruning.groups, pruning.kept, strict=True)
            ]
            if narrowed == pruning.kept or not pruning.count(narrowed):
                stopped = f"no range became narrower: {pruning.size:,} architectures are left"
                break
            pruning.keep(narrowed)
            pruning.record()
        return pruning.finish(stopped + tried)

    def _simplify(self, space: SearchSpace, pruning: Pruning, limits: tuple[str, ...], rng: np.random.Generator) -> str:
        """Enter one simpler part after the other until one is worse; what was tried, in words."""
        pool = pruning.pool
        entered = [space.name]
        for part in space.simplifications():
            if pool.left < 2 * self.sample:
                break
            now = pruning.sample(self.sample)
            drawn = pool.query(space.encode(sample_distinct(part, self.sample, rng, limits)), rng)
            if ks(pool.utilities(now), pool.utilities(drawn)).better_p_value < self.alpha:
                return f"; {part.name} was worse than {' > '.join(entered)}"
            pruning.enter(part, drawn)
            pruning.record()
            entered.append(part.name)
        return f"; {' > '.join(entered)} were as good as one another" if len(entered) > 1 else ""

    def _narrow(
        self, space: SearchSpace, column: int, kept: list[int], ranked: Genotypes, rng: np.random.Generator
    ) -> list[int]:
        """The alleles of a gene that are left, by a sample in order of its scores."""
        gene = space.genes[column]
        held = ranked[:, column]
        held = held[held < len(gene.alleles)]
        if not gene.is_ordinal or len(kept) < STEPS or len(held) < 1 / self.part:
            return kept
        low, high = good_range(held.astype(np.float64), self.part, self.alpha, rng)
        return [allele for allele in kept if low <= allele <= high] or kept


def good_range(ranked: NDArray[np.float64], part: float, alpha: float, rng: np.random.Generator) -> tuple[float, float]:
    """Where the best architecture's value lies in all but ``alpha`` of the bootstraps.

    Args:
        ranked: float64[n], a gene's value in each architecture of a sample, the best architecture first.
        part: the share of the sample that each bootstrap draws, without putting back.
    """
    n = len(ranked)
    drawn = max(1, round(part * n))
    best = np.zeros(BOOTSTRAPS, dtype=np.intp)
    # the best of a random part is the first in order that it holds: each in turn is in it with chance drawn / (those left)
    waiting = np.arange(BOOTSTRAPS)
    for rank in range(n):
        waiting = waiting[rng.random(len(waiting)) >= drawn / (n - rank)]
        if not len(waiting):
            break
        best[waiting] = rank + 1
    low, high = np.quantile(ranked[best], [alpha / 2, 1 - alpha / 2])
    return float(low), float(high)
