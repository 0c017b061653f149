"""A small space and a target whose truth is known, for the contracts of what works on spaces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.evaluators import Evaluator, Metric
from lissnas.predictors import Predictor
from lissnas.predictors.leaves import Leaves, plain_leaves, read_leaves
from lissnas.spaces import FormulaCost, Gene, ProductSpace, SearchSpace

__all__ = ["Oracle", "TrueOracle", "toy_space", "toy_target"]


def toy_space() -> ProductSpace:
    """18,144 architectures: a depth that switches layers on, three widths, one plain choice; one cost, ``work``."""
    genes = [Gene("depth", (2, 3, 4), ordered=True)]
    genes += [Gene(f"op_{i}", ("k3", "k5", "k7", "pool"), active=None if i < 2 else f"{i} < depth") for i in range(4)]
    genes += [Gene(f"width_{i}", (16, 24, 32), ordered=True) for i in range(3)]
    genes += [Gene("bias", (False, True))]
    work = FormulaCost("work", "depth * (width_0 + width_1 + width_2)")
    return ProductSpace("toy", genes, costs=[work])


def toy_target(space: SearchSpace, genotypes: Genotypes) -> NDArray[np.float64]:
    """float64[n]: one term per gene and allele, drawn once; between about 60 and 95, higher is better."""
    rng = np.random.default_rng(5)
    total = np.full(len(genotypes), 75.0)
    for column, gene in enumerate(space.genes):
        terms = np.append(rng.normal(0, 2, size=len(gene.alleles)), 0.0)
        total += terms[genotypes[:, column]]
    return total


class Oracle(Predictor):
    """A predictor that knows the target, or its negative, and how many architectures it was asked for.

    Args:
        sign: 1, or -1 for a target where lower is better.
    """

    def __init__(self, sign: float = 1.0) -> None:
        self.sign = sign
        self.asked = 0

    def _settings(self) -> dict[str, object]:
        return {"sign": self.sign, "asked": self.asked}

    def _fit(self, space: SearchSpace, genotypes: Genotypes, scores: NDArray[np.float64], seed: int) -> None:
        """Nothing is left to learn."""

    def _predict(self, genotypes: Genotypes) -> NDArray[np.float64]:
        self.asked += len(genotypes)
        return self.sign * toy_target(self.space.root, genotypes)

    @classmethod
    def of(cls, space: SearchSpace, sign: float = 1.0) -> Oracle:
        """One that is ready for ``space``."""
        x = space.root.sample(200, np.random.default_rng(0))
        return cls(sign).fit(space, x, sign * toy_target(space.root, x), higher_is_better=sign > 0)


@read_leaves.register
def _(predictor: Oracle) -> Leaves:
    """The target is a sum over genes."""
    leaves = plain_leaves(predictor.space.root, predictor.higher_is_better)
    alone = np.array([[gene.radix - 1 for gene in predictor.space.genes]], dtype=np.uint8)
    base = toy_target(predictor.space.root, alone)[0]
    additive = np.zeros_like(leaves.additive)
    for column, gene in enumerate(predictor.space.genes):
        rows = np.repeat(alone, gene.radix, axis=0)
        rows[:, column] = np.arange(gene.radix)
        additive[column, : gene.radix] = predictor.sign * (toy_target(predictor.space.root, rows) - base)
    return replace(leaves, base=predictor.sign * base, additive=additive)


class TrueOracle(Evaluator):
    """The same knowledge as an evaluator."""

    is_free = True

    def __init__(self, space: SearchSpace, sign: float = 1.0) -> None:
        super().__init__(space, Metric("target", "", sign > 0))
        self.sign = sign

    def _evaluate(self, genotypes: Genotypes) -> NDArray[np.float64]:
        return self.sign * toy_target(self.space.root, genotypes)
