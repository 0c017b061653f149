"""The locality of one space, measured once for all experiments that read it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lissnas.evaluators import Evaluator
from lissnas.experiments.data import available, digest, evaluator_of
from lissnas.experiments.stages import LocalityStage, Scale
from lissnas.experiments.verdict import Measured
from lissnas.formats import get_space
from lissnas.locality import assess_locality

__all__ = ["Measurement", "file_of_locality", "make_locality", "read_locality"]


@dataclass(frozen=True)
class Measurement:
    """What ``assess_locality`` found, as plain data, and the benchmark that scored the space; None: a proxy."""

    stage: str
    seed: int
    benchmark: str | None
    found: dict[str, Any]

    def points(
        self, statistic: str, by: str = "distance", population: str = "uniform", kind: str = "any"
    ) -> Iterator[dict[str, Any]]:
        """The rows of one statistic that have a value, by number of edits."""
        wanted = (statistic, by, population, kind, "true")
        for row in self.found["rows"]:
            if (
                tuple(row[key] for key in ("statistic", "by", "population", "kind", "source")) == wanted
                and row["value"] is not None
            ):
                yield row

    def get(
        self, statistic: str, edits: int, by: str = "distance", population: str = "uniform", kind: str = "any"
    ) -> Measured | None:
        """One number with its interval; None where it has none."""
        for row in self.points(statistic, by, population, kind):
            if row["edits"] == edits:
                exact = bool(row.get("exact"))
                low, high = (None, None) if exact else (row["low"], row["high"])
                return Measured(row["value"], low, high, exact=exact, note=f"{row['pairs']:,} pairs")
        return None


def file_of_locality(stage: str, seed: int) -> tuple[str, ...]:
    """The file of a locality stage."""
    return (f"stages/{stage}-{seed}.json",)


def make_locality(
    stage: LocalityStage,
    scale: Scale,
    index: int,
    seed: int,
    say: Callable[[str], None],
    proxy: Evaluator | None = None,
) -> dict[str, Any]:
    """Measure the locality of ``stage``, as plain data; ``proxy`` is the truth of a stage that has one."""
    benchmark = available(stage.benchmarks) if proxy is None else None
    say(f"{stage.name}: edits from {scale.starts:,} networks")
    found = assess_locality(
        get_space(stage.space),
        proxy or evaluator_of(str(benchmark), stage.task),
        samples=scale.starts,
        seed=seed,
        good_above=stage.good_above,
    )
    return {"stage": stage.name, "seed": index, "benchmark": benchmark, "data": digest(benchmark), "found": found.to_dict()}


def read_locality(directory: Path, stage: str, seed: int) -> Measurement:
    """What :func:`make_locality` left in a run directory."""
    (file,) = file_of_locality(stage, seed)
    about = json.loads((directory / file).read_text())
    return Measurement(about["stage"], about["seed"], about["benchmark"], about["found"])
