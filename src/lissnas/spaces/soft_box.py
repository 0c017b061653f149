"""A space that is a distribution over the genes of another: one vector of weights for each gene."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.base import Neighbors, SearchSpace
from lissnas.spaces.kept import keep_alleles
from lissnas.spaces.laws import Encodings, Law, encodings_of, uniform_law, weighted_law
from lissnas.spaces.subspace import Subspace

__all__ = ["SoftBoxSpace"]


class SoftBoxSpace(Subspace):
    """The architectures of ``parent``, each gene drawn by its own weights (of those that are switched on).

    ``sample`` draws from that distribution. Its members are its ``support``, the architectures that can be drawn at all; how
    large it is says the ``perplexity`` of the distribution, the size of a space with equal chances that is as hard to guess,
    and ``cardinality`` is that number, rounded (``cardinality_is_exact`` is False). Where ``parent`` folds encodings of one
    architecture into one, weights are of encodings: an architecture comes as often as all its drawings together, and the
    perplexity counts drawings.

    Edits and neighbors are those of the support, whatever the weights.

    Args:
        parent: a space that is a product of its genes (``encodings_of``), or a restriction or a soft box of one.
        weights: gene name -> a number from 0 on for each of its alleles; they need not add up to 1. A gene that is not named
            has equal weights.

    Raises:
        UserError: a space that is no product of its genes, an unknown gene, weights that are negative or all 0, or an allele
            without weight where ``parent`` folds encodings: which architectures were left could not be told.
    """

    cardinality_is_exact = False
    is_uniform = False

    def __init__(self, parent: SearchSpace, weights: Mapping[str, Sequence[float]], name: str | None = None) -> None:
        super().__init__(parent, name or f"{parent.name}-soft-box")
        found = encodings_of(parent)
        if found is None:
            raise UserError(
                f"the architectures of '{parent.name}' are no product of its genes, so there is no box in it: list those that "
                "are wanted"
            )
        self._encodings: Encodings = found
        unknown = sorted(set(weights) - {gene.name for gene in parent.genes})
        if unknown:
            raise UserError(f"'{parent.name}' has no gene '{unknown[0]}': see .genes")
        self.table = np.zeros(found.allowed.shape)
        for index, gene in enumerate(parent.genes):
            own = np.asarray(weights.get(gene.name, found.allowed[index, : len(gene.alleles)]), dtype=np.float64)
            if own.shape != (len(gene.alleles),) or not np.isfinite(own).all() or (own < 0).any():
                raise UserError(
                    f"gene '{gene.name}' of '{parent.name}' needs {len(gene.alleles)} weights from 0 on, but got {own.tolist()}"
                )
            own = np.where(found.allowed[index, : len(own)], own, 0.0)
            if not own.sum() > 0:
                raise UserError(f"gene '{gene.name}' of '{parent.name}' must have weight for one of its alleles: all are 0")
            exact = abs(own.sum() - 1) < 1e-12  # once written they stay as they are
            self.table[index, : len(own)] = own if exact else own / own.sum()
        support = self.table > 0
        whole = bool((support == found.allowed).all())
        if found.folds and not whole:
            raise UserError(
                f"'{parent.name}' {parent.isomorphisms}, so an allele without weight may stand in another drawing of an "
                "architecture: give each allele some weight, or restrict the space first"
            )
        kept = {gene.name: np.flatnonzero(row).tolist() for gene, row in zip(parent.genes, support, strict=True)}
        inside = parent.support if isinstance(parent, SoftBoxSpace) else parent
        self.support: SearchSpace = inside if whole else keep_alleles(inside, kept)
        self.encodings = self.support.encodings
        self.cardinality = min(max(1, round(self.perplexity)), self.support.cardinality)
        self.max_edits = self.support.max_edits

    @classmethod
    def of(cls, parent: SearchSpace, table: NDArray[np.float64], name: str | None = None) -> SoftBoxSpace:
        """The soft box whose weights are the rows of ``table`` float64[L, A]."""
        genes = zip(parent.genes, np.asarray(table, dtype=np.float64), strict=True)
        return cls(parent, {gene.name: row[: len(gene.alleles)].tolist() for gene, row in genes}, name)

    def definition(self) -> dict[str, Any]:
        weights = {g.name: row[: len(g.alleles)].tolist() for g, row in zip(self.genes, self.table, strict=True)}
        return {"kind": "soft-box", "name": self.name, "parent": self.parent.definition(), "weights": weights}

    @cached_property
    def law(self) -> Law:
        """Its distribution (see ``laws``), over drawings where ``parent`` folds them."""
        return weighted_law(self._encodings, self.table)

    @property
    def perplexity(self) -> float:
        """exp of its entropy: of drawings, where ``parent`` folds them."""
        return math.exp(min(self.law.entropy, 700.0))

    @property
    def counts_drawings(self) -> bool:
        """Whether weights and perplexity are of drawings, several of which may be one architecture."""
        return self._encodings.folds

    def restrict(self, kept: Mapping[str, Sequence[int]], name: str | None = None) -> SoftBoxSpace:
        """The same weights for the alleles in ``kept``, none for the others of those genes.

        Raises:
            UserError: as for making one.
        """
        weights = {}
        for gene, row in zip(self.genes, self.table, strict=True):
            held = range(len(gene.alleles)) if gene.name not in kept else kept[gene.name]
            weights[gene.name] = [row[a] if a in held else 0.0 for a in range(len(gene.alleles))]
        return SoftBoxSpace(self.parent, weights, name or self.name)

    def enumerate(self, block: int = 1 << 16) -> Iterator[Genotypes]:
        yield from self.support.enumerate(block)

    def draw(self, n: int, rng: np.random.Generator) -> Genotypes:
        """``n`` drawings uint8[n, L], each gene by its weights, before equal networks are made one row."""
        drawn = np.empty((n, self.length), dtype=np.uint8)
        for index, row in enumerate(self.table):
            held = np.flatnonzero(row)
            bounds = np.cumsum(row[held])
            drawn[:, index] = held[np.searchsorted(bounds[:-1], rng.random(n) * bounds[-1], side="right")]
        return drawn

    def _sample(self, n: int, rng: np.random.Generator) -> Genotypes:
        return self.root.canonicalize(self.draw(n, rng))

    def _is_valid(self, genotypes: Genotypes) -> NDArray[np.bool_]:
        return self.support.is_valid(genotypes)

    def _all_neighbors(self, genotypes: Genotypes) -> Neighbors:
        return self.support.all_neighbors(genotypes)

    def _neighbors(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        return self.support.neighbors(genotypes, edits, rng)

    def _neighbors_beyond(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        return self.support.neighbors(genotypes, edits, rng)


@encodings_of.register
def _(space: SoftBoxSpace) -> Encodings | None:
    return space._encodings._replace(allowed=space.table > 0)


@uniform_law.register
def _(space: SoftBoxSpace) -> Law | None:
    """Of a draw of the distribution, where it is one over architectures."""
    return None if space._encodings.folds else space.law
