"""Up to how many edits neighbors are made: the paper's rule, and what is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lissnas.locality.estimate import Estimate

__all__ = ["EditThreshold", "edit_threshold", "paper_threshold"]


@dataclass(frozen=True)
class EditThreshold:
    """A threshold edit distance.

    Attributes:
        population: whose neighbors are looked at: ``seeds`` or ``good``; ``source``: by ``true`` or ``predicted`` scores.
        paper: a third of the available edit distance (Sec. 4.3).
        measured: the largest distance whose median neighbor still passes the population's threshold, and so do those of all
            smaller distances; 0: not even one edit away. None: no yield could be measured.
        yields: by distance, the share of neighbors that pass.
    """

    population: str
    source: str
    paper: int
    measured: int | None
    yields: Mapping[int, Estimate]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "population": self.population,
            "source": self.source,
            "paper": self.paper,
            "measured": self.measured,
            "yields": {str(edits): estimate.value for edits, estimate in self.yields.items()},
        }


def paper_threshold(max_edits: int) -> int:
    """A third of the total available edit distance, at least 1."""
    return max(1, max_edits // 3)


def edit_threshold(yields: Mapping[int, Estimate], population: str, source: str, max_edits: int) -> EditThreshold:
    """The thresholds that follow from neighbor ``yields`` by distance."""
    measured = None
    for edits in range(1, max(yields, default=0) + 1):
        value = yields[edits].value if edits in yields else None
        if value is None:
            break
        measured = edits if value >= 0.5 else (edits - 1)
        if value < 0.5:
            break
    return EditThreshold(population, source, paper_threshold(max_edits), measured, dict(yields))
