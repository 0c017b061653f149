"""Experiments in a run directory: every stage once for all that read it, every experiment once for the data that it had."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lissnas.errors import UserError
from lissnas.experiments import EXPERIMENTS
from lissnas.experiments.data import available, digest, install_from, what_is_missing
from lissnas.experiments.experiment import Experiment, Findings
from lissnas.experiments.localities import file_of_locality, make_locality, read_locality
from lissnas.experiments.outcomes import files_of_outcome, make_outcome, read_outcome
from lissnas.experiments.stages import SCALES, LocalityStage, Scale, ShrinkStage, find_stage
from lissnas.experiments.verdict import VERDICTS, Measured, judge
from lissnas.runs import Progress, Run

__all__ = [
    "KIND",
    "benchmarks_of_experiment",
    "config_of",
    "result_file",
    "run_experiment",
    "run_job",
    "scale_of",
    "write_metrics",
]

KIND = "reproduce"
METRICS = "metrics.json"


def config_of(
    scale: str, seeds: int | None, seed: int, experiments: Sequence[str] = (), data: Path | None = None
) -> dict[str, Any]:
    """The configuration of a run.

    Args:
        scale: a name in ``SCALES``.
        seeds: runs of each stage; what the scale says if not given.
        seed: the one seed that all chance comes from.
        experiments: those that were asked for when the run began. More can be run in the same directory.
        data: a folder with the benchmarks' files.

    Raises:
        UserError: an unknown scale or experiment, or fewer than one seed.
    """
    if scale not in SCALES:
        raise UserError(f"a scale must be {' or '.join(SCALES)}, but got '{scale}'")
    if seeds is not None and seeds < 1:
        raise UserError(f"at least 1 seed is needed, but got {seeds}")
    for name in experiments:
        EXPERIMENTS.get(name)
    return {
        "experiments": list(experiments),
        "scale": scale,
        "seeds": seeds or SCALES[scale].seeds,
        "seed": seed,
        "data": None if data is None else str(data.resolve()),
    }


def scale_of(config: Mapping[str, Any]) -> Scale:
    """The sizes that a configuration asks for."""
    return replace(SCALES[config["scale"]], seeds=config["seeds"])


def benchmarks_of_experiment(experiment: Experiment) -> list[str]:
    """All benchmarks that could score what an experiment reads."""
    return list(dict.fromkeys(name for stage in experiment.stages for name in find_stage(stage).benchmarks))


def result_file(name: str) -> str:
    """Where the result of an experiment is in a run directory."""
    return f"results/{name}.json"


def run_job(run: Run, progress: Progress, workers: int) -> None:
    """All experiments of the configuration."""
    names = run.config["experiments"]
    if run.config.get("data"):
        wanted = [benchmark for name in names for benchmark in benchmarks_of_experiment(EXPERIMENTS.get(name))]
        install_from(Path(run.config["data"]), wanted, progress.say)
    for name in names:
        run_experiment(run, name, progress, workers)
    write_metrics(run, "")


def write_metrics(run: Run, command: str) -> list[dict[str, Any]]:
    """Write ``metrics.json``, which says what was done and how many claims have which verdict.

    Returns:
        The results of all experiments in the directory, in the paper's order.
    """
    paths = [(name, run.path(result_file(name))) for name in EXPERIMENTS.names()]
    results = [json.loads(path.read_text()) for _, path in paths if path.is_file()]
    verdicts = [claim["verdict"] for result in results for claim in result["claims"]]
    run.write_json(
        METRICS,
        {
            "kind": KIND,
            "command": command,
            "experiments": [name for name, path in paths if path.is_file()],
            "verdicts": {verdict: verdicts.count(verdict) for verdict in VERDICTS},
        },
    )
    return results


def run_experiment(run: Run, name: str, progress: Progress, workers: int = 1) -> dict[str, Any]:
    """One experiment with its stages; what is done already with the data that is here is not done again.

    Returns:
        Its result, as it is in ``result_file(name)``.
    """
    experiment: Experiment = EXPERIMENTS.get(name)
    scale = scale_of(run.config)
    for stage in experiment.stages:
        _run_stage(run, find_stage(stage), scale, progress, workers)
    file = result_file(name)
    lab = _RunLab(run.directory, scale)
    data = {stage: _data_of(find_stage(stage)) for stage in experiment.stages}
    read = {other: _digest_of(run, other) for other in EXPERIMENTS.names()} if name == "contradictions" else {}

    def measure() -> None:
        progress.say(f"{name}: {experiment.title}")
        findings = experiment.measure(lab)
        _require_known(experiment, findings)
        missing = list(dict.fromkeys(m for stage in experiment.stages if (m := lab.missing(stage))))
        judged = [judge(claim, _with_reason(findings.values.get(claim.key), missing)) for claim in experiment.claims]
        run.write_json(
            file,
            {
                "name": name,
                "title": experiment.title,
                "paper": experiment.paper,
                "how": experiment.how,
                "scale": scale.__dict__,
                "seed": run.seed,
                "data": data,
                "read": read,
                "missing": missing,
                "claims": [one.to_dict() for one in judged],
                "tables": [table.to_dict() for table in findings.tables],
                "curves": [curve.to_dict() for curve in findings.curves],
                "flows": [flow.to_dict() for flow in findings.flows],
                "notes": list(findings.notes),
            },
        )

    stale = False
    if run.holds(name, [file]):
        before = json.loads(run.path(file).read_text())
        stale = before["data"] != data or before["read"] != read
    run.step(name, measure, [file], again=stale)
    result: dict[str, Any] = json.loads(run.path(file).read_text())
    return result


def _run_stage(run: Run, stage: ShrinkStage | LocalityStage, scale: Scale, progress: Progress, workers: int) -> None:
    data = _data_of(stage)
    if stage.benchmarks and data is None:
        progress.say(what_is_missing(stage.benchmarks))
        return
    for index in range(scale.seeds if isinstance(stage, ShrinkStage) else 1):
        name = f"{stage.name}-{index}"
        files = files_of_outcome(stage.name, index) if isinstance(stage, ShrinkStage) else file_of_locality(stage.name, index)
        stale = run.holds(name, files) and json.loads(run.path(files[0]).read_text())["data"] != data

        def make(index: int = index, name: str = name, files: tuple[str, ...] = files) -> None:
            if isinstance(stage, LocalityStage):
                run.write_json(files[0], make_locality(stage, scale, index, run.seed, progress.say))
                return
            about, columns = make_outcome(stage, scale, index, run.seeds(name), progress.say, workers)
            run.write_json(files[0], about)
            run.write_parquet(files[1], columns)

        run.step(name, make, files, again=stale)


@dataclass(frozen=True)
class _RunLab:
    """The lab of one run directory."""

    directory: Path
    scale: Scale

    def of(self, stage: str) -> Sequence[Any]:
        found = find_stage(stage)
        if self.missing(stage):
            return []
        if isinstance(found, LocalityStage):
            return [read_locality(self.directory, stage, 0)]
        return [read_outcome(self.directory, stage, index) for index in range(self.scale.seeds)]

    def missing(self, stage: str) -> str:
        benchmarks = find_stage(stage).benchmarks
        return what_is_missing(benchmarks) if benchmarks and available(benchmarks) is None else ""

    def result(self, experiment: str) -> dict[str, Any] | None:
        path = self.directory / result_file(experiment)
        return json.loads(path.read_text()) if path.is_file() else None


def _data_of(stage: ShrinkStage | LocalityStage) -> str | None:
    return digest(available(stage.benchmarks)) if stage.benchmarks else None


def _digest_of(run: Run, experiment: str) -> str | None:
    """What tells whether the result of another experiment is still the same."""
    from lissnas.runs.steps import file_digest

    path = run.path(result_file(experiment))
    return file_digest(path) if path.is_file() and experiment != "contradictions" else None


def _with_reason(measured: Measured | None, missing: Sequence[str]) -> Measured:
    """What was measured; where that is nothing, with the data that it lacks."""
    if measured is None or (measured.value is None and not measured.note and not measured.needs):
        return Measured(None, needs="; ".join(missing))
    return measured


def _require_known(experiment: Experiment, findings: Findings) -> None:
    unknown = set(findings.values) - {claim.key for claim in experiment.claims}
    if unknown:
        raise ValueError(f"'{experiment.name}' measured what it does not claim: {', '.join(sorted(unknown))}")
