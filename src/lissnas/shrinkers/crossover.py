"""Children of one or two architectures, in any space."""

from __future__ import annotations

import numpy as np

from lissnas.arrays import Genotypes
from lissnas.spaces import SearchSpace

__all__ = ["cross", "other_allele"]


def cross(space: SearchSpace, one: Genotypes, other: Genotypes, rng: np.random.Generator) -> Genotypes:
    """A child for each row: ``one`` with a block of neighboring genes taken from ``other``, uint8[m, L], canonical.

    The block starts anywhere, has any length, and may run over the end of the genotype. A gene that the child switches on, but
    takes from the parent in which it is off, holds what it holds in the other one, or else any of its alleles. A child that
    is no architecture of ``space`` is left out: where genes depend on each other, as on NAS-Bench-101, many are none.
    """
    n, length = one.shape
    start = rng.integers(0, length, size=(n, 1))
    span = rng.integers(1, max(length, 2), size=(n, 1))
    from_other = (np.arange(length) - start) % length < span
    return _settle(space, np.where(from_other, other, one), np.where(from_other, one, other), rng)


def other_allele(space: SearchSpace, genotypes: Genotypes, rng: np.random.Generator) -> Genotypes:
    """Each row with another allele in one random gene, uint8[m, L], canonical; what is then no architecture is left out.

    It is one edit in a space of free genes, and much like one in others, where it takes no list of neighbors.
    """
    n, length = genotypes.shape
    counts = np.array([len(gene.alleles) for gene in space.genes])
    gene = rng.integers(0, length, size=n)
    held = genotypes[np.arange(n), gene].astype(np.int64)
    step = 1 + (rng.random(n) * np.maximum(counts[gene] - 1, 1)).astype(np.int64)
    changed = genotypes.copy()
    changed[np.arange(n), gene] = np.where(held < counts[gene], (held + step) % counts[gene], held)
    return _settle(space, changed, changed, rng)


def _settle(space: SearchSpace, child: Genotypes, spare: Genotypes, rng: np.random.Generator) -> Genotypes:
    """The architectures among ``child``; genes that were off and are on now take the allele of ``spare``, or any."""
    found = space.recognize(child)
    counts = np.array([len(gene.alleles) for gene in space.genes])
    switched_on = (child[found.parents] >= counts) & (found.genotypes < counts)
    if not switched_on.any():
        return found.genotypes
    kept = spare[found.parents]
    drawn = (rng.random(kept.shape) * counts).astype(np.uint8)
    filled = np.where(switched_on, np.where(kept < counts, kept, drawn), found.genotypes)
    return space.recognize(filled).genotypes
