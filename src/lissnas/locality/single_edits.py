"""What a single edit of a gene changes on average, over a whole space and exactly.

The mean prediction given one allele of a gene, less the mean given another, is what the edit between them changes on average
over all that the other genes can hold. Both are formulas (see ``predictors.expectation``): no network is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.predictors import Predictor
from lissnas.predictors.expectation import Expectation
from lissnas.spaces import SearchSpace

__all__ = ["SingleEdits", "expected_edits"]


@dataclass(frozen=True)
class SingleEdits:
    """The expected change of every single edit.

    Attributes:
        names: of the genes.
        alleles: the texts of each gene's alleles.
        unit: what changes: ``score``, or a kind of label where the predictor's scale is bent.
        mean: over everything.
        given: float64[L, A], the mean given each allele; NaN where there is none.
    """

    names: tuple[str, ...]
    alleles: tuple[tuple[str, ...], ...]
    unit: str
    mean: float
    given: NDArray[np.float64]

    def change(self, gene: int, one: int, other: int) -> float:
        """What putting allele ``other`` in the place of ``one`` changes on average."""
        return float(self.given[gene, other] - self.given[gene, one])

    @property
    def largest(self) -> NDArray[np.float64]:
        """float64[L]: of each gene, the largest expected change of an edit, without its sign."""
        found: NDArray[np.float64] = np.nanmax(self.given, axis=1) - np.nanmin(self.given, axis=1)
        return found

    def rows(self) -> list[dict[str, Any]]:
        """A row per gene, those first that matter most: its worst and best allele, and what lies between."""
        found = []
        for gene in np.argsort(-self.largest, kind="stable").tolist():
            low, high = int(np.nanargmin(self.given[gene])), int(np.nanargmax(self.given[gene]))
            labels = self.alleles[gene]
            found.append(
                {
                    "gene": self.names[gene],
                    "lowest": labels[low],
                    "highest": labels[high],
                    "change": float(self.largest[gene]),
                    "given": {label: float(self.given[gene, a]) for a, label in enumerate(labels)},
                }
            )
        return found

    @property
    def sentence(self) -> str:
        """The table in one sentence."""
        first = self.rows()[0]
        half = float(np.median(self.largest))
        return (
            f"a single edit changes the predicted {self.unit} by {first['change']:.3g} on average at most ({first['gene']}: "
            f"{first['lowest']} to {first['highest']}); half of the genes have no edit that changes it by more than {half:.3g}"
        )


def expected_edits(space: SearchSpace, predictor: Predictor) -> SingleEdits:
    """The expected change of every single edit over ``space``, each other gene drawn evenly among its alleles.

    Exact, with no query. In a space that folds drawings of one network the edits are of drawings; where an edit switches genes
    on or off, what it switches on is drawn evenly.

    Raises:
        UserError: a predictor that is no sum over single genes, or a space that is no product of them (enumerate a small one).
    """
    exact = Expectation(predictor, space)
    allowed = exact.encodings.allowed
    mean, given = exact.conditional(allowed)
    held = np.where(allowed, given, np.nan)
    labels = tuple(tuple(gene.label(a) for a in range(len(gene.alleles))) for gene in space.genes)
    return SingleEdits(tuple(gene.name for gene in space.genes), labels, exact.unit, mean, held)
