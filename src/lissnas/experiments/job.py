"""Experiments in a run directory: every stage once for all that read it, every experiment once for the data that it had."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lissnas.errors import UserError
from lissnas.experiments import EXPERIMENTS
from lissnas.experiments.all_stages import find_stage
from lissnas.experiments.data import install_from
from lissnas.experiments.experiment import Experiment, Findings
from lissnas.experiments.stages import SCALES, Scale
from lissnas.experiments.verdict import VERDICTS, Measured, judge
from lissnas.experiments.work import Wanted, data_of, do_stage, missing_of, records_of
from lissnas.runs import Progress, Run

__all__ = [
    "KIND",
    "benchmarks_of_experiment",
    "config_of",
    "result_file",
    "run_experiment",
    "run_job",
    "scale_of",
    "wanted_of",
    "write_metrics",
]

KIND = "reproduce"
METRICS = "metrics.json"


def config_of(
    scale: str,
    seeds: int | None,
    seed: int,
    experiments: Sequence[str] = (),
    data: Path | None = None,
    spaces: Sequence[str] = (),
    proxies: Sequence[str] = (),
) -> dict[str, Any]:
    """The configuration of a run.

    Args:
        scale: a name in ``SCALES``.
        seeds: runs of each stage; what the scale says if not given.
        seed: the one seed that all chance comes from.
        experiments: those that were asked for when the run began. More can be run in the same directory.
        data: a folder with the benchmarks' files, and with CIFAR-10.
        spaces: whose supernets are trained for Table 3.
        proxies: supernets whose evaluations stand for ShuffleNetV2's true scores.

    Raises:
        UserError: an unknown scale, experiment, space or proxy, or fewer than one seed.
    """
    if scale not in SCALES:
        raise UserError(f"a scale must be {' or '.join(SCALES)}, but got '{scale}'")
    if seeds is not None and seeds < 1:
        raise UserError(f"at least 1 seed is needed, but got {seeds}")
    for name in experiments:
        EXPERIMENTS.get(name)
    Wanted(tuple(spaces), tuple(proxies))
    return {
        "experiments": list(experiments),
        "scale": scale,
        "seeds": seeds or SCALES[scale].seeds,
        "seed": seed,
        "data": None if data is None else str(data.resolve()),
        **({"spaces": list(spaces)} if spaces else {}),
        **({"proxies": list(proxies)} if proxies else {}),
    }


def wanted_of(config: Mapping[str, Any]) -> Wanted:
    """What takes long and was asked for."""
    folder = config.get("data")
    return Wanted(tuple(config.get("spaces", ())), tuple(config.get("proxies", ())), Path(folder) if folder else None)


def scale_of(config: Mapping[str, Any]) -> Scale:
    """The sizes that a configuration asks for."""
    return replace(SCALES[config["scale"]], seeds=config["seeds"])


def benchmarks_of_experiment(experiment: Experiment, wanted: Wanted | None = None) -> list[str]:
    """All benchmarks that could score what an experiment reads; of what takes long, where it is wanted."""
    stages = [stage for stage in map(find_stage, experiment.stages) if wanted is None or wanted.wants(stage)]
    return list(dict.fromkeys(name for stage in stages for name in stage.benchmarks))


def result_file(name: str) -> str:
    """Where the result of an experiment is in a run directory."""
    return f"results/{name}.json"


def run_job(run: Run, progress: Progress, workers: int) -> None:
    """All experiments of the configuration."""
    names, wanted = run.config["experiments"], wanted_of(run.config)
    if run.config.get("data"):
        benchmarks = [b for name in names for b in benchmarks_of_experiment(EXPERIMENTS.get(name), wanted)]
        install_from(Path(run.config["data"]), benchmarks, progress.say)
    for name in names:
        run_experiment(run, name, progress, workers, wanted)
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


def run_experiment(run: Run, name: str, progress: Progress, workers: int = 1, wanted: Wanted | None = None) -> dict[str, Any]:
    """One experiment with its stages; what is done already with the data that is here is not done again.

    Args:
        wanted: what takes long and is asked for. What is in the run directory already is shown in any case.

    Returns:
        Its result, as it is in ``result_file(name)``.
    """
    experiment: Experiment = EXPERIMENTS.get(name)
    scale = scale_of(run.config)
    for stage in experiment.stages:
        do_stage(run, find_stage(stage), scale, progress, workers, wanted)
    file = result_file(name)
    lab = _RunLab(run.directory, scale)
    data = {stage: data_of(run.directory, find_stage(stage), scale) for stage in experiment.stages}
    read = {other: _digest_of(run, other) for other in EXPERIMENTS.names()} if name == "contradictions" else {}

    def measure() -> None:
        progress.say(f"{name}: {experiment.title}")
        findings = experiment.measure(lab)
        _require_known(experiment, findings)
        missing = list(dict.fromkeys(m for stage in experiment.stages if (m := lab.missing(stage))))
        measured = {key for key, found in findings.values.items() if found.value is not None}
        claims = [claim for claim in experiment.claims if not claim.ours or claim.key in measured]
        judged = [judge(claim, _with_reason(findings.values.get(claim.key), missing)) for claim in claims]
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
    run.step(name, measure, [file], again=stale, leaf=True)
    result: dict[str, Any] = json.loads(run.path(file).read_text())
    return result


@dataclass(frozen=True)
class _RunLab:
    """The lab of one run directory."""

    directory: Path
    scale: Scale

    def of(self, stage: str) -> Sequence[Any]:
        return records_of(self.directory, find_stage(stage), self.scale)

    def missing(self, stage: str) -> str:
        return missing_of(self.directory, find_stage(stage), self.scale)

    def result(self, experiment: str) -> dict[str, Any] | None:
        path = self.directory / result_file(experiment)
        return json.loads(path.read_text()) if path.is_file() else None


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
