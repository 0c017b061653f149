"""Exact means of a tree predictor over a whole space: no architecture is asked about.

The mean of a leaf is its value times the chances of its factors, which are about independent genes; the mean of the ensemble
is their sum. It is linear in the weights of each gene, so that one pass back gives the mean given any allele of any gene.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lissnas.errors import UserError
from lissnas.predictors.base import Predictor
from lissnas.predictors.leaves import Leaves, read_leaves
from lissnas.spaces import SearchSpace
from lissnas.spaces.laws import Encodings, Law, encodings_of, uniform_law, weighted_law

__all__ = ["Expectation", "Slopes", "exact_mean"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Slopes:
    """The mean of a law, and its derivatives.

    Attributes:
        mean: of the sum of leaves.
        by_chance: float64[B], by the chance of each box, up to a constant for each component.
        by_weight: float64[R, A], by each weight of each row, up to a constant for each row.
    """

    mean: float
    by_chance: Array
    by_weight: Array


class Expectation:
    """Means, variances and conditional means of a predictor over distributions on a space.

    All numbers are of the ensemble's own sum: predicted scores where it learned raw scores, else labels (``unit`` says which),
    of which :meth:`sample_scores` gives scores. Where the space folds encodings of one architecture into one (``darts``,
    ``mobilenet``) weights per gene mean drawings, weighed as they are drawn, and the predictor is asked about drawings: one
    that shall answer well there must have learned from drawings. :meth:`uniform` is over architectures.

    Args:
        predictor: fitted; a sum of trees over single genes (see ``leaves``), or its leaves.
        space: the space, or a restriction or soft box of the one it was fitted to; None: the predictor's own.

    Raises:
        UserError: a predictor without such a sum.
    """

    def __init__(self, predictor: Predictor | Leaves, space: SearchSpace | None = None) -> None:
        self.leaves = (predictor if isinstance(predictor, Leaves) else read_leaves(predictor)).merged()
        self.space = self.leaves.space if space is None else space
        self._arranged: dict[bytes, _Arrangement] = {}

    @property
    def unit(self) -> str:
        """What the numbers are: ``score``, or a kind of label."""
        return self.leaves.unit

    # -- one vector of weights per gene -----------------------------------------------------------------------------

    def mean(self, weights: ArrayLike) -> float:
        """The mean where each gene (that is switched on) is drawn by its own weights, float64[L, A]; rows are normalised.

        Raises:
            UserError: a space that is no product of its genes, weights of another shape, negative, or all 0 for a gene.
        """
        return self.slopes(self.law(weights)).mean

    def conditional(self, weights: ArrayLike) -> tuple[float, Array]:
        """The mean, and float64[L, A] the mean given that a gene holds an allele: the last column of a gene with a condition
        is the mean where it is switched off. NaN where a gene has no such allele.

        An allele of weight 0 has a mean too: that of the drawings in which the gene holds it and all others are drawn.
        """
        encodings = self.encodings
        table = self._check(weights)
        law = weighted_law(encodings, table)
        slopes = self.slopes(law)
        marginal = law.chance[law.row_box]
        in_box_means = self._given_box(law, slopes)
        given_box = in_box_means[law.row_box]
        inside = slopes.by_weight - (slopes.by_weight * law.weights).sum(axis=1, keepdims=True)
        share = marginal > 0
        in_box = given_box[:, None] + np.divide(inside, marginal[:, None], out=np.zeros_like(inside), where=share[:, None])
        means = np.full((len(law.row), law.weights.shape[1]), np.nan)
        for gene, count in enumerate(encodings.counts):
            rows = slice(law.row[gene], law.row[gene] + law.boxes[gene])
            off = law.weights[rows, count] > 0 if count < law.weights.shape[1] else np.zeros(law.boxes[gene], dtype=np.bool_)
            weight = np.where(off, 0.0, marginal[rows])
            if weight.sum() > 0:
                means[gene, :count] = weight @ in_box[rows, :count] / weight.sum()
            if off.any() and marginal[rows][off].sum() > 0:
                means[gene, count] = marginal[rows][off] @ given_box[rows][off] / marginal[rows][off].sum()
        for part in encodings.conditional:
            boxes = law.box[law.component[part.columns[0]]]
            for place, values in zip(part.controllers, part.state_values.T, strict=True):
                gene = int(part.columns[place])
                for allele in range(int(part.counts[place])):
                    pinned = table.copy()
                    pinned[gene] = np.arange(table.shape[1]) == allele
                    chance = weighted_law(encodings, pinned).chance[boxes : boxes + len(values)]
                    chance = np.where(part.active[:, place] & (values == allele), chance, 0.0)
                    if chance.sum() > 0:
                        means[gene, allele] = chance @ in_box_means[boxes : boxes + len(values)] / chance.sum()
        return slopes.mean, means

    def variance(self, weights: ArrayLike) -> float:
        """The exact variance: over all pairs of leaves, some seconds for 10,000 of them."""
        return self.law_variance(self.law(weights))

    def uniform(self) -> float:
        """The mean over all architectures of the space, each counted once.

        Raises:
            UserError: a space whose architectures are no product of its genes.
        """
        law = uniform_law(self.space)
        if law is None:
            raise UserError(no_product(self.space))
        return self.slopes(law).mean

    def law(self, weights: ArrayLike) -> Law:
        """The law in which every gene is drawn by its weights."""
        return weighted_law(self.encodings, self._check(weights))

    @property
    def encodings(self) -> Encodings:
        """How genes are drawn in the space.

        Raises:
            UserError: it is no product of its genes.
        """
        found = encodings_of(self.space)
        if found is None:
            raise UserError(no_product(self.space))
        return found

    def _check(self, weights: ArrayLike) -> Array:
        table = np.array(weights, dtype=np.float64)
        widest = max(gene.radix for gene in self.space.genes)
        if table.ndim != 2 or len(table) != self.space.length or table.shape[1] > widest:
            raise UserError(
                f"weights for '{self.space.name}' must be float64[{self.space.length}, {widest}], a row per gene and a column "
                f"per allele, but got {list(table.shape)}"
            )
        whole = np.zeros((len(table), widest))
        whole[:, : table.shape[1]] = table
        for index, gene in enumerate(self.space.genes):
            own = whole[index, : len(gene.alleles)]
            if not np.isfinite(own).all() or (own < 0).any() or not own.sum() > 0:
                raise UserError(f"weights of gene '{gene.name}' must be numbers from 0 on, not all 0, but got {own.tolist()}")
            whole[index, len(gene.alleles) :] = 0
        shares: Array = whole / whole.sum(axis=1, keepdims=True)
        return shares

    # -- any law ----------------------------------------------------------------------------------------------------

    def slopes(self, law: Law) -> Slopes:
        """The mean over ``law`` and its derivatives, in one pass each way."""
        from lissnas.predictors import expectation_kernels as loops

        leaves, a = self.leaves, self._arrange(law)
        boxes = law.boxes
        mass, chance = np.empty(a.masses), np.empty(len(a.term_box))
        loops.find_masses(law.row, boxes, law.weights, leaves.gene, leaves.mask, a.first, mass)
        loops.sum_terms(a.term_start, a.term_factor, a.term_box, law.chance, a.first, mass, chance)
        slope = np.zeros(len(chance))
        mean = leaves.base + loops.sum_leaves(a.leaf_start, a.leaf_term, leaves.value, chance, slope)
        by_chance, by_mass = np.zeros(len(law.chance)), np.zeros(a.masses)
        loops.turn_terms(a.term_start, a.term_factor, a.term_box, law.chance, a.first, mass, slope, by_chance, by_mass)
        by_weight = np.zeros(law.weights.shape)
        loops.spread_masses(law.row, boxes, leaves.gene, leaves.mask, a.first, by_mass, by_weight)
        line = leaves.additive[law.row_gene]
        worth = (line * law.weights).sum(axis=1)
        row_chance = law.chance[law.row_box]
        by_weight += row_chance[:, None] * line
        np.add.at(by_chance, law.row_box, worth)
        return Slopes(float(mean + row_chance @ worth), by_chance, by_weight)

    def law_variance(self, law: Law) -> float:
        """The exact variance over ``law``."""
        from lissnas.predictors import expectation_kernels as loops

        leaves = _by_component(self._with_line(), law)
        a = _arrange(leaves, law)
        mass, chance = np.empty(a.masses), np.empty(len(a.term_box))
        loops.find_masses(law.row, law.boxes, law.weights, leaves.gene, leaves.mask, a.first, mass)
        loops.sum_terms(a.term_start, a.term_factor, a.term_box, law.chance, a.first, mass, chance)
        leaf_chance = np.multiply.reduceat(chance[a.leaf_term], a.leaf_start[:-1]) if len(a.leaf_term) else np.zeros(0)
        place = np.zeros(len(leaves.gene), dtype=np.int64)
        joint_first = np.zeros((len(law.row), 2), dtype=np.int64)
        tables = [np.zeros(0)]
        size = 0
        for gene in range(len(law.row)):
            own = np.flatnonzero(leaves.gene == gene)
            place[own] = np.arange(len(own))
            joint_first[gene] = size, len(own)
            rows = law.weights[law.row[gene] : law.row[gene] + law.boxes[gene]]
            held = leaves.mask[own].astype(np.float64)
            table = np.einsum("ia,ba,ja->bij", held, rows, held)
            tables.append(table.ravel())
            size += table.size
        return float(
            loops.sum_pairs(
                leaves.value,
                leaves.start,
                leaves.factor,
                leaves.gene,
                place,
                law.component,
                law.box,
                law.chance,
                a.first,
                mass,
                joint_first,
                np.concatenate(tables),
                leaf_chance,
            )
        )

    def sample_scores(self, space: SearchSpace, n: int, rng: np.random.Generator) -> Array:
        """float64[n]: predicted scores of ``n`` draws of ``space``, for quantiles, and for means on a bent scale: sampled."""
        return self.leaves.to_scores(self.leaves.add_up(space.sample(n, rng)))

    def _with_line(self) -> Leaves:
        """The leaves with the line's alleles as leaves of one factor each."""
        gene, allele = np.nonzero(self.leaves.additive)
        old = self.leaves
        factors = np.arange(len(gene)) + len(old.gene)
        return replace(
            old,
            value=np.concatenate([old.value, old.additive[gene, allele]]),
            tree=np.full(len(old.value) + len(gene), -1),
            start=np.concatenate([old.start, old.start[-1] + 1 + np.arange(len(gene))]).astype(np.int64),
            factor=np.concatenate([old.factor, factors]),
            gene=np.concatenate([old.gene, gene]),
            mask=np.concatenate([old.mask, np.arange(old.mask.shape[1]) == allele[:, None]]),
        )

    def _given_box(self, law: Law, slopes: Slopes) -> Array:
        """float64[B]: the mean in each box; a constant for a component in the derivatives cancels out."""
        counts = np.diff(law.box)
        shift = np.add.reduceat(law.chance * slopes.by_chance, law.box[:-1])
        found: Array = slopes.mean + slopes.by_chance - np.repeat(shift, counts)
        return found

    def _arrange(self, law: Law) -> _Arrangement:
        key = law.component.tobytes() + law.box.tobytes()
        if key not in self._arranged:
            self._arranged[key] = _arrange(self.leaves, law)
        return self._arranged[key]


def exact_mean(space: SearchSpace, predictor: object) -> float | None:
    """The mean predicted score of a draw of ``space``; None where there is no formula: a predictor that is no sum over genes or
    whose labels bend the scale of scores, or a space that is no product.
    """
    if not isinstance(predictor, Predictor):
        return None
    law = uniform_law(space)
    if law is None:
        return None
    try:
        exact = Expectation(predictor, space)
    except UserError:
        return None
    return exact.slopes(law).mean if exact.unit == "score" else None


@dataclass(frozen=True)
class _Arrangement:
    """Leaves as products of terms: a term is all that a leaf asks of one component.

    Attributes:
        first: int64[F], where the masses of a factor begin, one per box.
        masses: how many there are.
        term_start, term_factor: the factors of each term.
        term_box: int64[T, 2], the boxes of its component, first and end.
        leaf_start, leaf_term: the terms of each leaf.
    """

    first: NDArray[np.int64]
    masses: int
    term_start: NDArray[np.int64]
    term_factor: NDArray[np.int64]
    term_box: NDArray[np.int64]
    leaf_start: NDArray[np.int64]
    leaf_term: NDArray[np.int64]


def _arrange(leaves: Leaves, law: Law) -> _Arrangement:
    boxes = law.boxes[leaves.gene]
    first, masses = np.cumsum(boxes) - boxes, int(boxes.sum())
    component = law.component[leaves.gene]
    if len(law.box) - 1 == len(law.component):  # all genes are free: a term is a factor
        each = np.arange(len(leaves.gene) + 1)
        term_box = np.stack([law.box[component], law.box[component + 1]], axis=1)
        return _Arrangement(first, masses, each, each[:-1], term_box, leaves.start, leaves.factor)
    known: dict[tuple[int, ...], int] = {}
    starts, terms = [0], []
    components = component.tolist()
    factors, begins = leaves.factor.tolist(), leaves.start.tolist()
    for low, high in itertools.pairwise(begins):
        together: dict[int, list[int]] = {}
        for f in factors[low:high]:
            together.setdefault(components[f], []).append(f)
        terms += [known.setdefault(tuple(group), len(known)) for group in together.values()]
        starts.append(len(terms))
    groups = list(known)
    home = np.array([components[group[0]] for group in groups], dtype=np.int64)
    return _Arrangement(
        first=first,
        masses=masses,
        term_start=np.concatenate([[0], np.cumsum([len(group) for group in groups])]).astype(np.int64),
        term_factor=np.array([f for group in groups for f in group], dtype=np.int64),
        term_box=np.stack([law.box[home], law.box[home + 1]], axis=1) if groups else np.zeros((0, 2), dtype=np.int64),
        leaf_start=np.array(starts, dtype=np.int64),
        leaf_term=np.array(terms, dtype=np.int64),
    )


def _by_component(leaves: Leaves, law: Law) -> Leaves:
    """The same leaves, their factors in the order of components."""
    leaf = np.repeat(np.arange(len(leaves.value)), np.diff(leaves.start))
    return replace(leaves, factor=leaves.factor[np.lexsort((law.component[leaves.gene[leaves.factor]], leaf))])


def no_product(space: SearchSpace) -> str:
    """The line that says that a space has no such formula, and what to do."""
    line = f"the architectures of '{space.name}' are no product of its genes, so no formula gives their mean"
    if space.cardinality_is_exact and space.cardinality <= 1 << 20:
        return f"{line}: query all {space.cardinality:,} (method query-all), which is exact"
    return f"{line}: sample it, or restrict it first"
