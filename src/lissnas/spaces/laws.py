"""Distributions over a space that are products over its genes, or nearly so: what exact means are taken over.

Genes fall into components that are independent of each other: a free gene by itself, genes that conditions tie together, a
group with a movable identity. A component is in one of some boxes, which exclude each other (what is switched on; how many
operations there are), and within a box its genes are independent. So the chance of any product of alleles is a product over
components of a sum over boxes of a product over genes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lissnas.spaces.base import SearchSpace
from lissnas.spaces.composed import ComposedSpace
from lissnas.spaces.conditional import ConditionalGenes
from lissnas.spaces.darts import DartsSpace
from lissnas.spaces.folded import FoldedSpace
from lissnas.spaces.movable import MovableGroup
from lissnas.spaces.parts import FreeGenes, Part
from lissnas.spaces.restricted import RestrictedSpace

__all__ = ["Encodings", "Law", "encodings_of", "entropy_of", "log_size_of", "part_chances", "uniform_law", "weighted_law"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Law:
    """A distribution over ``C`` components with ``B`` boxes and ``R`` rows of weights, a row per box and gene.

    Attributes:
        component: int64[L], the component of each gene.
        box: int64[C + 1], where each component's boxes begin.
        row: int64[L], where each gene's rows begin, one per box of its component.
        chance: float64[B], of each box; those of a component add up to 1.
        weights: float64[R, A], of the alleles of a gene in a box; each row adds up to 1.
    """

    component: NDArray[np.int64]
    box: NDArray[np.int64]
    row: NDArray[np.int64]
    chance: Array
    weights: Array

    @property
    def row_gene(self) -> NDArray[np.int64]:
        """int64[R], the gene of each row."""
        return np.repeat(np.arange(len(self.row)), self.boxes)

    @property
    def boxes(self) -> NDArray[np.int64]:
        """int64[L], how many boxes each gene has."""
        counts: NDArray[np.int64] = np.diff(self.box)[self.component]
        return counts

    @property
    def row_box(self) -> NDArray[np.int64]:
        """int64[R], the box of each row."""
        return np.concatenate([np.arange(self.box[c], self.box[c + 1]) for c in self.component])

    @property
    def entropy(self) -> float:
        """In nats: its perplexity, exp of it, is the size of a space with equal chances that is as hard to guess."""
        return float(_entropy(self.chance).sum() + self.chance[self.row_box] @ _entropy(self.weights).sum(axis=1))

    @property
    def marginals(self) -> Array:
        """float64[L, A]: the chance that a gene holds an allele (the last one of a gene with a condition: inactive)."""
        found: Array = np.add.reduceat(self.chance[self.row_box][:, None] * self.weights, self.row, axis=0)
        return found


class Encodings(NamedTuple):
    """A space each of whose encodings stands for one of its architectures.

    Attributes:
        counts: int64[L], the alleles of each gene.
        allowed: bool[L, A], those that may be drawn.
        conditional: genes that conditions tie together.
        folds: whether several encodings can be one architecture, beside what an inactive gene would hold. A distribution
            over genes is then one over encodings (drawings of networks), not over architectures.
    """

    counts: NDArray[np.int64]
    allowed: NDArray[np.bool_]
    conditional: tuple[ConditionalGenes, ...]
    folds: bool


@singledispatch
def encodings_of(space: SearchSpace) -> Encodings | None:  # noqa: ARG001 - what is known of any space
    """How genes can be drawn independently in ``space``; None: it is no product of its genes.

    A kind of space that is one adds itself with ``@encodings_of.register``.
    """
    return None


@encodings_of.register
def _(space: ComposedSpace) -> Encodings | None:
    if not all(isinstance(part, (FreeGenes, ConditionalGenes, MovableGroup)) for part in space.parts):
        return None
    conditional = tuple(part for part in space.parts if isinstance(part, ConditionalGenes))
    return _all_alleles(space, conditional, any(isinstance(part, MovableGroup) for part in space.parts))


@encodings_of.register(DartsSpace)
@encodings_of.register(FoldedSpace)
def _(space: DartsSpace | FoldedSpace) -> Encodings | None:
    return _all_alleles(space, (), space.encodings > space.cardinality)


@encodings_of.register
def _(space: RestrictedSpace) -> Encodings | None:
    whole = encodings_of(space.root)
    if whole is None:
        return None
    allowed = np.zeros_like(whole.allowed)
    for index, alleles in enumerate(space.kept):
        allowed[index, list(alleles)] = True
    return whole._replace(allowed=allowed)


def _all_alleles(space: SearchSpace, conditional: tuple[ConditionalGenes, ...], folds: bool) -> Encodings:
    counts = np.array([len(gene.alleles) for gene in space.genes], dtype=np.int64)
    widest = max(gene.radix for gene in space.genes)
    return Encodings(counts, np.arange(widest) < counts[:, None], conditional, folds)


def weighted_law(encodings: Encodings, weights: Array) -> Law:
    """The law of drawings whose every gene that is switched on is drawn by its own weights, float64[L, A]."""
    genes, widest = len(encodings.counts), encodings.allowed.shape[1]
    if not encodings.conditional:  # each gene is a component of one box
        each = np.arange(genes)
        return Law(each, np.arange(genes + 1), each, np.ones(genes), weights)
    blocks: list[_Block] = []
    tied = np.zeros(genes, dtype=np.bool_)
    for part in encodings.conditional:
        tied[part.columns] = True
        own = weights[part.columns]
        blocks.append(_Block(part.columns, part_chances(part, own), _by_state(part, own, widest)))
    for gene in np.flatnonzero(~tied):
        blocks.append(_Block(np.array([gene]), np.ones(1), weights[gene][None, None]))
    return _join(blocks, genes)


def entropy_of(encodings: Encodings, weights: Array) -> float:
    """The entropy of :func:`weighted_law`, in nats, without making it."""
    own = _entropy(weights).sum(axis=1)
    total = float(own.sum())
    for part in encodings.conditional:
        chance = part_chances(part, weights[part.columns])
        total -= float(own[part.columns].sum())
        dependents = part.active[:, part.dependents] @ own[part.columns[part.dependents]]
        total += float(_entropy(chance).sum() + chance @ dependents)
    return total


def log_size_of(encodings: Encodings, kept: NDArray[np.bool_]) -> float:
    """ln of how many encodings hold alleles ``kept`` bool[L, A] only, what is switched off counted once."""
    own = np.log(np.maximum(np.count_nonzero(kept, axis=1), 1))
    total = float(own.sum())
    for part in encodings.conditional:
        total -= float(own[part.columns].sum())
        dependents = part.active[:, part.dependents] @ own[part.columns[part.dependents]]
        there = part_chances(part, kept[part.columns].astype(np.float64)) > 0
        total += float(np.logaddexp.reduce(dependents[there]))
    return total


def part_chances(part: ConditionalGenes, own: Array, without: int | None = None) -> Array:
    """float64[S]: the chance of each state by the weights of its controllers, ``own`` float64[C, A]; one can be left out."""
    beside = np.ones((len(part.controllers), own.shape[1] + 1))  # what is off (-1) takes no part
    beside[:, :-1] = own[part.controllers]
    if without is not None:
        beside[part.controllers == without] = 1
    chance: Array = beside[np.arange(len(part.controllers)), part.held].prod(axis=1)
    return chance


@singledispatch
def uniform_law(space: SearchSpace) -> Law | None:  # noqa: ARG001 - what is known of any space
    """The law of a uniform draw of the architectures of ``space``; None where it is no product in the sense above."""
    return None


@uniform_law.register
def _(space: ComposedSpace) -> Law | None:
    widest = max(gene.radix for gene in space.genes)
    blocks: list[_Block] = []
    for part in space.parts:
        found = _uniform_blocks(part, widest)
        if found is None:
            return None
        blocks += found
    return _join(blocks, space.length)


@uniform_law.register
def _(space: RestrictedSpace) -> Law | None:
    inner = uniform_law(space._inner)
    if inner is None:
        return None
    lifted = np.zeros((len(inner.weights), max(gene.radix for gene in space.genes)))
    for row, gene in enumerate(inner.row_gene):
        lifted[row, space._up[gene, : space._inner.genes[gene].radix]] = inner.weights[row, : space._inner.genes[gene].radix]
    return Law(inner.component, inner.box, inner.row, inner.chance, lifted)


class _Block(NamedTuple):
    """A component: its genes, the chances of its boxes, and float64[boxes, genes, A]."""

    columns: NDArray[Any]
    chance: Array
    weights: Array


def _uniform_blocks(part: Part, widest: int) -> list[_Block] | None:
    match part:
        case FreeGenes():
            return [
                _Block(np.array([column]), np.ones(1), ((np.arange(widest) < count) / count)[None, None])
                for column, count in zip(part.columns, part.counts, strict=True)
            ]
        case ConditionalGenes():
            own = (np.arange(widest) < part.counts[:, None]) / part.counts[:, None]
            sizes = np.array([size / part.cardinality for size in part._state_sizes])
            return [_Block(part.columns, sizes, _by_state(part, own, widest))]
        case MovableGroup():
            places = len(part.columns)
            weights = np.zeros((places + 1, places, widest))
            for length in range(places + 1):
                weights[length, :length, part.operations] = 1 / max(len(part.operations), 1)
                weights[length, length:, part.identity] = 1
            sizes = np.array([size / part.cardinality for size in part._by_length])
            return [_Block(part.columns, sizes, weights)]
    return None


def _by_state(part: ConditionalGenes, own: Array, widest: int) -> Array:
    """float64[S, C, A]: what each gene holds in each state, an active dependent by its ``own`` weights."""
    alleles = np.arange(widest)
    off = (alleles == part.counts[:, None]).astype(np.float64)
    table = np.where(part.active[:, :, None], own, off)
    table[:, part.controllers] = alleles == part.state_values[:, :, None]
    return table


def _join(blocks: Sequence[_Block], genes: int) -> Law:
    component, home = np.zeros(genes, dtype=np.int64), np.zeros(genes, dtype=np.int64)
    for index, block in enumerate(blocks):
        component[block.columns] = index
        home[block.columns] = np.arange(len(block.columns))
    box = np.concatenate([[0], np.cumsum([len(block.chance) for block in blocks])]).astype(np.int64)
    counts = np.diff(box)[component]
    return Law(
        component=component,
        box=box,
        row=(np.cumsum(counts) - counts).astype(np.int64),
        chance=np.concatenate([block.chance for block in blocks]),
        weights=np.concatenate([blocks[component[gene]].weights[:, home[gene]] for gene in range(genes)]),
    )


def _entropy(chances: Array) -> Array:
    found: Array = -chances * np.log(np.where(chances > 0, chances, 1.0))
    return found
