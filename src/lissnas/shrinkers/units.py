"""What methods that drop alleles share: the units, what each is worth, and a space on its way down.

A unit is a gene and one of its alleles. Genes among which an identity may move (MobileNet's stages) share their alleles, so
that a unit of theirs is one of the whole group. What is left is a restriction, a product where the space is one. Where it is
none (NAS-Bench-101: vertex and operation, edge on or off), units are the same pairs, and what is left is the product of the
kept alleles intersected with the space: the adaptation that the paper leaves open (reconstruction C).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from lissnas.arrays import Codes, Genotypes, union
from lissnas.errors import UserError
from lissnas.evaluators import Evaluator
from lissnas.predictors import Predictor
from lissnas.shrinkers.base import OnIteration, Shrinkage, Tracker
from lissnas.shrinkers.ledger import Pool
from lissnas.spaces import (
    ConstrainedSpace,
    KeptSpace,
    ProductSpace,
    RestrictedSpace,
    SearchSpace,
    TiedSpace,
    keep_alleles,
    sample_distinct,
)

__all__ = ["FIRST_SAMPLE", "SCORES", "Pruning", "Unit", "UnitScore", "default_product_size", "gene_groups", "require_units"]

FIRST_SAMPLE = 1000  # the paper's least sample for any statement about a space (Sec. 4.3)
CHILDREN = 1000  # architectures that tell what a unit is worth (AngleNAS; reconstruction C.1)
STAGE_SHARE = 0.25  # of the budget left, the most that one stage spends

SCORES = ("sampled", "exact")  # how a unit's mean is found: over architectures that were queried, or by formula

UnitScore = Callable[[SearchSpace, tuple[int, int], Genotypes, Predictor | Evaluator], float]
"""What a unit is worth, higher is better: (space, (gene, allele), some architectures that hold it, scorer) -> a number."""


class Unit(NamedTuple):
    """An allele of a group of genes (mostly of one) that stands or falls together."""

    group: int
    allele: int


def default_product_size(space: SearchSpace) -> int:
    """Where methods that drop alleles stop, if no size is asked for: AngleNAS's 10^6, a twentieth of a smaller space."""
    return max(1, min(1_000_000, space.cardinality // 20))


def require_units(space: SearchSpace, queries: int) -> None:
    """Refuse a budget that shows nothing of ``space``, or a space with nothing to drop."""
    if queries < min(FIRST_SAMPLE, space.cardinality):
        raise UserError(f"a budget of {queries:,} shows too little of '{space.name}': it takes at least {FIRST_SAMPLE:,}")
    if all(len(gene.alleles) < 2 for gene in space.genes):
        raise UserError(f"no gene of '{space.name}' has two alleles: there is nothing to drop")


class Pruning:
    """A space on its way down by alleles. All its numbers come from uniform draws, each paid once, that every unit shares.

    A draw that holds kept alleles only is a uniform draw of what is left, so it goes on telling about it.

    Attributes:
        given: the given space, or the part of it that was entered, within the limits.
        space: what is left of it.
        kept: for each group of genes, the allele indices that are left.
        groups: columns of the genotype that keep the same alleles.
    """

    def __init__(
        self,
        space: SearchSpace,
        pool: Pool,
        limits: Sequence[str],
        rng: np.random.Generator,
        on_iteration: OnIteration | None,
        first: int = FIRST_SAMPLE,
        scores: str = "sampled",
    ) -> None:
        self._exact = scores == "exact"
        self.limits = tuple(limits)
        self.given = self.space = ConstrainedSpace(space, limits) if limits else space
        self._whole = self.given
        self._unlimited = space
        self.pool = pool
        self._rng, measure_rng = rng.spawn(2)
        self.groups = gene_groups(space)
        before = _kept_before(space)
        self.kept = [list(before[group[0]]) for group in self.groups]
        self._drawn: Codes = pool.codes
        sample = self.sample(min(first, pool.left))
        self.tracker = Tracker(space, pool, sample, measure_rng, on_iteration)
        self.tracker.start()

    @property
    def size(self) -> int:
        """How many architectures are left."""
        return self.space.cardinality

    @property
    def most_alleles(self) -> int:
        """The most alleles that a gene has left."""
        return max(len(kept) for kept in self.kept)

    def sample(self, n: int) -> Codes:
        """At least ``n`` uniform draws of what is left, all paid for; fewer where the budget or the space ends."""
        known = self._inside(self._drawn)
        wanted = min(n - len(known), self.pool.left)
        if wanted > 0:
            few = self.space.cardinality_is_exact and self.space.cardinality <= 2 * n
            new = self.space.encode(sample_distinct(self.space, n if few else wanted, self._rng))
            self._drawn = union(self._drawn, self.pool.query(new, self._rng))
            known = self._inside(self._drawn)
        return known

    def stage(self) -> Codes:
        """A sample in which each unit has about ``CHILDREN`` children, as far as a stage's part of the budget reaches."""
        return self.sample(min(CHILDREN * self.most_alleles, max(CHILDREN, round(STAGE_SHARE * self.pool.left))))

    def scores(self, unit_score: UnitScore | None = None) -> dict[Unit, float]:
        """What each unit is worth: by a stage's sample, or by formula, which costs no query."""
        return self.score_exactly() if self._exact and unit_score is None else self.score(self.stage(), unit_score)

    def score_exactly(self) -> dict[Unit, float]:
        """The exact mean prediction of what is left that holds each unit: over architectures that come equally often, or over
        drawings where the space folds them. Limits are not seen.

        Raises:
            UserError: a predictor without such a formula, or a space that is no product of its genes.
        """
        from lissnas.predictors.expectation import Expectation

        if isinstance(self.pool.scorer, Evaluator):
            raise UserError("exact scores need a predictor whose mean is a formula, and here true scores are asked: fit one")
        kept = np.zeros((self.space.length, max(gene.radix for gene in self.space.genes)))
        for columns, alleles in zip(self.groups, self.kept, strict=True):
            kept[np.ix_(columns, alleles)] = 1
        _, means = Expectation(self.pool.scorer, self.given.root).conditional(kept)
        return {
            Unit(group, allele): float(self.pool.sign * np.nanmean(means[columns, allele]))
            for group, columns in enumerate(self.groups)
            for allele in self.kept[group]
        }

    def score(self, codes: Codes, unit_score: UnitScore | None = None) -> dict[Unit, float]:
        """What each unit is worth by its children among ``codes``; one without any is worth least."""
        genotypes = self.space.decode(codes)
        utility = self.pool.utilities(codes)
        scores = {}
        for group, columns in enumerate(self.groups):
            for allele in self.kept[group]:
                children = np.flatnonzero((genotypes[:, columns] == allele).any(axis=1))
                if not len(children):
                    scores[Unit(group, allele)] = -math.inf
                elif unit_score is None:
                    scores[Unit(group, allele)] = float(utility[children].mean())
                else:
                    some = genotypes[np.sort(self._rng.permutation(children)[:CHILDREN])]
                    value = float(unit_score(self.space, (columns[0], allele), some, self.pool.scorer))
                    if math.isnan(value):
                        gene = self.space.genes[columns[0]]
                        raise UserError(f"unit_score must be a number, but is NaN for {gene.name}={gene.label(allele)}")
                    scores[Unit(group, allele)] = value
        return scores

    def drop(self, units: Iterable[Unit], size: int | None = None, most: int | None = None, least: int = 1) -> int:
        """Drop ``units`` one after the other, until the space has at most ``size`` architectures or ``most`` are dropped.

        A gene keeps ``least`` alleles at least, and a unit stays without which no architecture that was drawn would be left.

        Returns:
            How many were dropped.
        """
        dropped = 0
        inside = self.space.decode(self._inside(self._drawn))
        for group, allele in units:
            if (size is not None and self.size <= size) or dropped == most:
                break
            if len(self.kept[group]) <= least or allele not in self.kept[group]:
                continue
            left = inside[(inside[:, self.groups[group]] != allele).all(axis=1)]
            if not len(left):
                continue
            before = list(self.kept[group])
            self.kept[group].remove(allele)
            try:
                self._restrict()
            except UserError:  # so few are left that 100,000 draws meet none within the limits
                self.kept[group] = before
                continue
            inside = left
            dropped += 1
        return dropped

    def enter(self, part: SearchSpace, drawn: Codes) -> None:
        """Go on in ``part`` of what is given, with all its alleles.

        Args:
            drawn: uniform draws of it that are paid for. Earlier draws that lie in it are such, too.
        """
        self._drawn = union(self._drawn[part.is_valid(part.root.decode(self._drawn))], drawn)
        self._unlimited = part
        self.given = self.space = ConstrainedSpace(part, self.limits) if self.limits else part
        self.groups = gene_groups(part)
        before = _kept_before(part)
        self.kept = [list(before[group[0]]) for group in self.groups]

    def keep(self, kept: Sequence[Iterable[int]]) -> None:
        """Go on with the alleles in ``kept``, one collection for each group of genes."""
        self.kept = [sorted(alleles) for alleles in kept]
        self._restrict()

    def used(self, codes: Codes) -> list[set[int]]:
        """The alleles that architectures hold, for each group of genes; all that are left where it is off in every one."""
        genotypes = self.space.decode(codes)
        held = [set(np.unique(genotypes[:, columns]).tolist()) for columns in self.groups]
        return [(alleles & set(kept)) or set(kept) for alleles, kept in zip(held, self.kept, strict=True)]

    def count(self, kept: Sequence[Iterable[int]]) -> int:
        """How many architectures of the given space hold the alleles in ``kept`` only."""
        try:
            return keep_alleles(self.given, self._by_name([sorted(alleles) for alleles in kept])).cardinality
        except UserError:
            return 0

    def part(self, kept: Sequence[Iterable[int]]) -> SearchSpace:
        """The part of the given space, limits aside, that holds the alleles in ``kept`` only; an empty one keeps all."""
        return keep_alleles(self._unlimited, self._by_name([sorted(k) or b for k, b in zip(kept, self.kept, strict=True)]))

    def prune_to(self, size: int, unit_score: UnitScore | None = None, drop: int | None = None) -> str:
        """Score all units, drop the worst, and again, until at most ``size`` architectures are left.

        Args:
            drop: units dropped between two scorings.

        Returns:
            Why it stopped.
        """
        while self.size > size:
            scores = self.scores(unit_score)
            if not self.drop(sorted(scores, key=lambda unit: (scores[unit], unit)), size=size, most=drop):
                return f"{self.size:,} architectures are left, and no allele can be dropped any more"
            self.record()
        return f"{self.size:,} architectures are left, at most {size:,} were asked for"

    def record(self) -> None:
        """Measure what is left, and tell."""
        self.tracker.accept(self.tracker.measure_space(self.space, self.sample(FIRST_SAMPLE)))

    def finish(self, stopped: str) -> Shrinkage:
        """The result.

        Raises:
            UserError: nothing was dropped.
        """
        if self.space is self._whole or self.size >= self._whole.cardinality:
            raise UserError(
                f"the space could not be shrunk ({stopped}): every allele was kept; ask for a smaller size, or choose another "
                "method"
            )
        return self.tracker.finish_space(self.space, stopped)

    def _inside(self, codes: Codes) -> Codes:
        genotypes = self.space.decode(codes)
        inside = np.ones(len(codes), dtype=bool)
        for columns, kept in zip(self.groups, self.kept, strict=True):
            held = np.ones(256, dtype=bool)
            held[: len(self.space.genes[columns[0]].alleles)] = False
            held[kept] = True
            inside &= held[genotypes[:, columns]].all(axis=1)
        return codes[inside]

    def _restrict(self) -> None:
        self.space = keep_alleles(self.given, self._by_name(self.kept))

    def _by_name(self, kept: Sequence[Sequence[int]]) -> dict[str, Sequence[int]]:
        names = self.space.genes
        return {names[c].name: alleles for columns, alleles in zip(self.groups, kept, strict=True) for c in columns}


def gene_groups(space: SearchSpace) -> list[list[int]]:
    """The columns of a genotype, those together that must keep the same alleles."""
    root = space.root
    column = {gene.name: index for index, gene in enumerate(space.genes)}
    movable = root.movable if isinstance(root, ProductSpace) else ()
    tied = [[column[name] for name in group.genes] for group in movable]
    at = space
    while isinstance(at, (ConstrainedSpace, TiedSpace)):
        tied += at.tied if isinstance(at, TiedSpace) else []
        at = at.parent
    together = {c for group in tied for c in group}
    return sorted([*tied, *([c] for c in range(space.length) if c not in together)])


def _kept_before(space: SearchSpace) -> Sequence[Sequence[int]]:
    """The alleles of each gene that earlier shrinking has left."""
    at: SearchSpace | None = space
    while at is not None:
        if isinstance(at, (RestrictedSpace, KeptSpace, TiedSpace)):
            return at.kept
        at = getattr(at, "parent", None)
    return [range(len(gene.alleles)) for gene in space.genes]
