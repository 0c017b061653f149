"""What an experiment is, and what it works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from lissnas.experiments.verdict import Claim, Measured

__all__ = ["Curve", "Experiment", "Findings", "Flow", "Lab", "Shown", "StageRecord"]


@dataclass(frozen=True)
class Shown:
    """A further table: what stands beside the judged numbers. Every row has one cell per column: a text, a number or None."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str | float | int | None]]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"title": self.title, "columns": list(self.columns), "rows": [list(row) for row in self.rows]}


@dataclass(frozen=True)
class Curve:
    """A drawing: lines of points (x, y) by name, with the titles of both axes."""

    title: str
    x: str
    y: str
    lines: Mapping[str, Sequence[tuple[float, float]]]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        lines = {name: [list(point) for point in points] for name, points in self.lines.items()}
        return {"title": self.title, "x": self.x, "y": self.y, "lines": lines}


@dataclass(frozen=True)
class Flow:
    """A drawing of steps that follow one another: of each its name, and lines of what it did."""

    title: str
    steps: Sequence[tuple[str, Sequence[str]]]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"title": self.title, "steps": [[name, list(lines)] for name, lines in self.steps]}


@dataclass(frozen=True)
class Findings:
    """What an experiment measured: a value by the key of a claim, and what else should be seen."""

    values: Mapping[str, Measured] = field(default_factory=dict)
    tables: Sequence[Shown] = ()
    curves: Sequence[Curve] = ()
    flows: Sequence[Flow] = ()
    notes: Sequence[str] = ()


class StageRecord(Protocol):
    """What a stage left of one seed; ``outcomes.Outcome`` and ``localities.Measurement`` are such."""

    seed: int


class Lab(Protocol):
    """Where the results of stages, and of earlier experiments, are."""

    @property
    def scale(self) -> Any:
        """The sizes of this run, a ``stages.Scale``."""

    def of(self, stage: str) -> Sequence[Any]:
        """What ``stage`` left, one record per seed; empty where its data is not here."""

    def missing(self, stage: str) -> str:
        """What ``stage`` lacks, and how to get it; empty where it lacks nothing."""

    def result(self, experiment: str) -> dict[str, Any] | None:
        """What an experiment found in this run, as it was written; None: it did not run."""


@dataclass(frozen=True)
class Experiment:
    """One table, figure or claim of the paper.

    Attributes:
        name: as in ``EXPERIMENTS``.
        title: what it is about.
        paper: where it stands in the paper.
        how: how ours is obtained, a sentence or two.
        claims: what is judged.
        measure: the measuring; reads stages, draws nothing by chance itself.
        stages: what it reads, made before it.
        cost: seconds on one core at the scale ``paper``, per seed, when nothing is shared with another experiment.
    """

    name: str
    title: str
    paper: str
    how: str
    claims: tuple[Claim, ...]
    measure: Callable[[Lab], Findings]
    stages: tuple[str, ...] = ()
    cost: float = 0.0

    def __post_init__(self) -> None:
        keys = [claim.key for claim in self.claims]
        if len(set(keys)) != len(keys):
            raise ValueError(f"the claims of '{self.name}' need different keys, but got {keys}")
