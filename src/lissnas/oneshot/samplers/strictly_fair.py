"""Strict fairness: every step trains each allele of a gene equally often (FairNAS)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError
from lissnas.oneshot.samplers.base import PathSampler
from lissnas.oneshot.samplers.extremes import is_listed
from lissnas.spaces.base import SearchSpace

__all__ = ["StrictlyFairSampler"]


class StrictlyFairSampler(PathSampler):
    """A step draws an independent random permutation of the alleles of each gene, and trains the paths that these make on one
    batch [FairNAS, arXiv 1907.01845; AngleNAS FairNAS/searching/train.py].

    A step has as many paths as the gene with the most alleles has of them. A gene with fewer goes through one permutation after
    the other, from step to step: its alleles are never more than one path apart, and equal after each of its permutations.

    Genes are drawn independently, so every combination of alleles must be a network of its own: a product of genes, or of those
    alleles that a shrunk space has left. Lists, limits, conditions and identities that may move bind genes together, and with
    them equal numbers cannot be promised (FairNAS's own space has no identity for this reason): they are refused.

    Raises:
        UserError: a space of another kind.
    """

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self.alleles = _independent_alleles(space)
        self._paths = max(len(alleles) for alleles in self.alleles)
        # what is left of the permutation that each gene is in; 255 where it is used up
        self._left = np.full((space.length, self._paths), 255, dtype=np.uint8)

    def draw(self, steps: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        wanted = steps * self._paths
        paths = np.empty((wanted, self.space.length), dtype=np.uint8)
        for gene, alleles in enumerate(self.alleles):
            left = self._left[gene][self._left[gene] != 255]
            rounds = -(-max(wanted - len(left), 0) // len(alleles))
            drawn = np.concatenate([left, rng.permuted(np.tile(alleles, (rounds, 1)), axis=1).ravel()])
            paths[:, gene] = drawn[:wanted]
            self._left[gene] = 255
            self._left[gene, : len(drawn) - wanted] = drawn[wanted:]
        return paths.reshape(steps, self._paths, self.space.length)

    def state(self) -> dict[str, NDArray[Any]]:
        return {"left": self._left.copy()}

    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        self._left = arrays["left"].copy()


def _independent_alleles(space: SearchSpace) -> list[NDArray[np.uint8]]:
    """The alleles of each gene, where all their combinations are networks of their own."""
    kept = getattr(space, "kept", None) or [range(len(gene.alleles)) for gene in space.genes]
    alleles = [np.array(choices, dtype=np.uint8) for choices in kept]
    if is_listed(space):
        alleles = [np.unique(column) for column in np.concatenate(list(space.enumerate())).T]
    if space.cardinality_is_exact and math.prod(map(len, alleles)) == space.cardinality:
        return alleles
    raise UserError(
        f"the sampler strictly-fair needs a space in which every combination of alleles is a network of its own, and in "
        f"'{space.name}' genes depend on one another: use another sampler, or a space that only leaves out alleles"
    )
