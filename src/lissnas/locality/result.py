"""What is found of a space's locality: rows of numbers, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lissnas.locality.estimate import Estimate
from lissnas.locality.sample_size import SampleSize
from lissnas.locality.source import Noise
from lissnas.locality.threshold import EditThreshold
from lissnas.locality.verdict import Verdict

__all__ = ["Locality", "Population", "Row"]


@dataclass(frozen=True)
class Row:
    """One statistic.

    Attributes:
        statistic: ``correlation`` (Pearson), ``rank correlation`` (Spearman over the whole population), ``difference`` (mean
            absolute: AAD) or ``yield`` (the share of neighbors that reach their population's threshold).
        by: what is counted: ``distance`` (exact edit distance), ``random edits`` (made one after the other from the start, they
            may lead back: the paper's) or ``walk`` (the lag of one long walk: NAS-Bench-101's).
        population: where edits begin: ``uniform``, ``good`` or ``seeds``.
        kind: of edit; ``any`` or one of the space's own.
        edits: how many.
        estimate: the number.
        source: ``true`` scores or ``predicted`` ones.
    """

    statistic: str
    by: str
    population: str
    kind: str
    edits: int
    estimate: Estimate
    source: str = "true"

    def to_dict(self) -> dict[str, Any]:
        """Plain data, flat."""
        names = ("statistic", "by", "population", "kind", "edits", "source")
        return {name: getattr(self, name) for name in names} | self.estimate.to_dict()


@dataclass(frozen=True)
class Population:
    """Networks that edits begin at.

    Attributes:
        threshold: the score from which on a network belongs to it; None: any does.
        chance: the share of all networks that reach it.
        networks: how many it has here; those that edits begin at may be fewer.
    """

    name: str
    networks: int
    threshold: float | None
    chance: float


@dataclass(frozen=True)
class Locality:
    """What was measured.

    Attributes:
        design: ``exact`` (all pairs), ``sampled``, or ``partial`` (the pairs of a table that holds some networks).
        scored: networks that the populations were taken from.
        evaluations: true evaluations spent, all in all.
        rows: all statistics.
        thresholds: edit distances up to which neighbors are made, by each rule.
        sample_size: Appendix G's experiment, where all scores are there.
    """

    space: str
    cardinality: int
    max_edits: int
    metric: str
    higher_is_better: bool
    design: str
    scored: int
    evaluations: int
    seed: int
    populations: tuple[Population, ...]
    noise: Noise
    rows: tuple[Row, ...]
    thresholds: tuple[EditThreshold, ...]
    sample_size: SampleSize | None
    verdict: Verdict

    def get(
        self, statistic: str, by: str, edits: int, population: str = "uniform", kind: str = "any", source: str = "true"
    ) -> Estimate:
        """One statistic; one without a value where it was not measured."""
        wanted = (statistic, by, population, kind, edits, source)
        for row in self.rows:
            if (row.statistic, row.by, row.population, row.kind, row.edits, row.source) == wanted:
                return row.estimate
        return Estimate.missing("not measured")

    def to_dict(self) -> dict[str, Any]:
        """Plain data, the cardinality as text (it can exceed what JSON readers hold)."""
        return {
            **self.__dict__,
            "cardinality": str(self.cardinality),
            "populations": [population.__dict__ for population in self.populations],
            "noise": self.noise.to_dict(),
            "rows": [row.to_dict() for row in self.rows],
            "thresholds": [threshold.to_dict() for threshold in self.thresholds],
            "sample_size": None if self.sample_size is None else self.sample_size.to_dict(),
            "verdict": self.verdict.to_dict(),
        }
