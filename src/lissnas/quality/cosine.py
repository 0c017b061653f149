"""Cosine distances between embeddings: the paper's measure of diversity (Sec. 5.4, App. D and J; reconstruction E)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError
from lissnas.spaces import SearchSpace

__all__ = ["CosineDiversity", "cosine_diversity", "gene_entropy"]

SAMPLE = 1000  # of reconstruction E's D1000


@dataclass(frozen=True)
class CosineDiversity:
    """Pairwise cosine distances of the op-coded vectors of a sample.

    Attributes:
        mean, maximum: over all pairs. With codes that are never negative no distance exceeds 1.
        d1000: the sum over 1,000 architectures of each one's largest distance; scaled to 1,000 where there are fewer.
        n: architectures compared.
        exact: they are all that the space has.
        mean_error, d1000_error: standard errors over the choice of the sample.
    """

    mean: float
    maximum: float
    d1000: float
    n: int
    exact: bool
    mean_error: float
    d1000_error: float


def cosine_diversity(space: SearchSpace, rng: np.random.Generator, n: int = SAMPLE) -> CosineDiversity:
    """Cosine diversity of ``space``: of all its architectures where there are at most ``n``, of a uniform sample elsewhere.

    The paper's absolute values cannot be reproduced (reconstruction E); the ratio to the original space can be compared.

    Raises:
        UserError: a space of one architecture, which has no pair.
    """
    exact = space.cardinality_is_exact and space.cardinality <= n
    genotypes = np.concatenate(list(space.enumerate())) if exact else space.sample(n, rng)
    if len(genotypes) < 2:
        raise UserError(f"diversity needs at least 2 architectures, but '{space.name}' has {len(genotypes)}")
    vectors = space.embed(genotypes).astype(np.float64)
    norms = np.linalg.norm(vectors, axis=1)
    unit = vectors / np.where(norms > 0, norms, 1)[:, None]
    distance = 1 - unit @ unit.T
    np.fill_diagonal(distance, 0)
    distance[distance < 1e-12] = 0  # equal directions, but for rounding
    count = len(genotypes)
    mean_of_each, largest_of_each = distance.sum(axis=1) / (count - 1), distance.max(axis=1)
    return CosineDiversity(
        mean=float(mean_of_each.mean()),
        maximum=float(distance.max()),
        d1000=float(largest_of_each.mean() * SAMPLE),
        n=count,
        exact=exact,
        # a mean over pairs varies by twice what each architecture adds to it
        mean_error=2 * float(mean_of_each.std()) / math.sqrt(count),
        d1000_error=SAMPLE * float(largest_of_each.std()) / math.sqrt(count),
    )


def gene_entropy(space: SearchSpace, genotypes: NDArray[np.uint8]) -> NDArray[np.float64]:
    """float64[L]: the entropy in bits of each gene's alleles (inactive counts as one) among ``genotypes`` uint8[n, L]."""
    entropies = np.zeros(space.length)
    for column, gene in enumerate(space.genes):
        share = np.bincount(genotypes[:, column], minlength=gene.radix) / len(genotypes)
        used = share[share > 0]
        entropies[column] = float(-(used * np.log2(used)).sum()) + 0.0
    return entropies
