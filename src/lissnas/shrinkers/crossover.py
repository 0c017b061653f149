"""Children of two architectures, in any space."""

from __future__ import annotations

import numpy as np

from lissnas.arrays import Genotypes
from lissnas.spaces import SearchSpace

__all__ = ["cross"]


def cross(
    space: SearchSpace, one: Genotypes, other: Genotypes, rng: np.random.Generator, edit_share: float = 0.0
) -> Genotypes:
    """A child for each row: ``one`` with a block of neighboring genes taken from ``other``, uint8[m, L], canonical.

    The block starts anywhere, has any length, and may run over the end of the genotype. A gene that the child switches on, but
    takes from the parent in which it is off, holds what it holds in the other one, or else any of its alleles. A child that
    is no architecture of ``space`` is left out: where genes depend on each other, as on NAS-Bench-101, many are none.

    Args:
        edit_share: how many of the children get another allele in one random gene as well.
    """
    n, length = one.shape
    start = rng.integers(0, length, size=(n, 1))
    span = rng.integers(1, max(length, 2), size=(n, 1))
    from_other = (np.arange(length) - start) % length < span
    child = np.where(from_other, other, one)
    counts = np.array([len(gene.alleles) for gene in space.genes])
    edited = np.flatnonzero(rng.random(n) < edit_share)
    gene = rng.integers(0, length, size=len(edited))
    held = child[edited, gene].astype(np.int64)
    step = 1 + (rng.random(len(edited)) * np.maximum(counts[gene] - 1, 1)).astype(np.int64)
    child[edited, gene] = np.where(held < counts[gene], (held + step) % counts[gene], held)
    found = space.recognize(child)
    switched_on = (child[found.parents] >= counts) & (found.genotypes < counts)
    if not switched_on.any():
        return found.genotypes
    spare = np.where(from_other, one, other)[found.parents]
    drawn = (rng.random(spare.shape) * counts).astype(np.uint8)
    filled = np.where(switched_on, np.where(spare < counts, spare, drawn), found.genotypes)
    return space.recognize(filled).genotypes
