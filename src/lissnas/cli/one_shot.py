"""The steps of ``lissnas run`` as commands of their own: supernet, search, retrain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from lissnas.cli.jobs import absolute_name, command_line, do_job, next_free, read_pairs
from lissnas.cli.options import (
    DeviceOption,
    DevicesOption,
    ImagesOption,
    ImagesSetOption,
    JsonOption,
    LimitOption,
    OutOption,
    RecipeOption,
    WorkersOption,
)
from lissnas.errors import UserError, require
from lissnas.formats import get_space
from lissnas.formats.hints import nearest
from lissnas.oneshot.samplers import SAMPLERS
from lissnas.runs import start as start_run
from lissnas.runs.header import Header
from lissnas.runs.settings import read_settings
from lissnas.spaces import ExplicitSpace

__all__ = ["retrain", "search", "summarize_one_shot", "supernet"]

SpaceOption = Annotated[
    str | None, typer.Option("--space", help="A space, full or shrunk; that of the run if not given.", metavar="SPACE")
]


def supernet(
    space: Annotated[
        str | None,
        typer.Argument(metavar="SPACE", help="A name, a YAML file, or a saved space; that of the recipe if not given."),
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(
            help="A job by name (lissnas run --list) or in a YAML file: trains as that does, but for what else is given."
        ),
    ] = None,
    data: ImagesOption = None,
    data_set: ImagesSetOption = None,
    set_: RecipeOption = None,
    sampler: Annotated[str | None, typer.Option(help=f"How paths are drawn: {', '.join(SAMPLERS.names())}. [uniform]")] = None,
    sampler_set: Annotated[
        list[str] | None, typer.Option("--sampler-set", help="A setting of the sampler by name. May be repeated.")
    ] = None,
    calibration: Annotated[
        int | None, typer.Option(help="Training images for a subnet's batch-norm statistics. [256]", min=2)
    ] = None,
    shots: Annotated[int | None, typer.Option(help="Weight sets of the supernet; more than 1 is K-shot. [1]", min=1)] = None,
    device: Annotated[str | None, typer.Option(help="Where networks run: cpu or cuda. [cpu]")] = None,
    devices: Annotated[
        int | None, typer.Option(help="How many devices train it together, a process on each. [1]", min=1)
    ] = None,
    seed: Annotated[int | None, typer.Option(help="One seed; the same seed gives the same bytes. [0]", min=0)] = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train one supernet, on a space or on a shrunk one. Loss, pace and time left of each epoch: logs/ in the run directory.

    Examples:

      lissnas supernet digits-shuffle --set epochs=250 --set batch_size=32

      lissnas supernet my-run/shrunk.parquet --data cifar10 --data-set folder=cifar-10-batches-bin --set epochs=50

      lissnas supernet --recipe imagenet-fairnas-se-330m --data-set folder=/datasets/imagenet --shots 4
    """
    require("torch", "oneshot")
    from lissnas.runs.main_config import read_config
    from lissnas.runs.recipes import find_job
    from lissnas.runs.supernet import SupernetConfig, check_config

    job: dict[str, Any] = {} if recipe is None else read_config(find_job(recipe), None, "").model_dump()
    space = space or job.get("space")
    if space is None:
        raise UserError("which space? Name one (see: lissnas spaces), or a job that has one: --recipe NAME")
    settings = job.get("sampler_settings", {}) if sampler in (None, job.get("sampler")) else {}
    given = {"sampler": sampler, "calibration": calibration, "shots": shots, "device": device, "devices": devices, "seed": seed}
    asked = {
        **{name: job[name] for name in given if name in job},
        **{name: value for name, value in given.items() if value is not None},
        "space": absolute_name(space),
        "data": _images(data, data_set, job.get("data") or {}),
        "recipe": _recipe(set_, job.get("supernet") or {}),
        "sampler_settings": {**settings, **read_pairs(sampler_set or [], "--sampler-set name=value")},
        "command": command_line(),
    }
    config = read_settings(SupernetConfig, asked, "supernet")
    check_config(config)
    directory = out or next_free(f"{Path(space).stem}-supernet")
    do_job(lambda progress: start_run(directory, "supernet", config.model_dump(), progress=progress), as_json)


def search(
    source: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run with a supernet, or a supernet's safetensors file (with --space).")
    ],
    space: SpaceOption = None,
    which: Annotated[
        str | None,
        typer.Option(
            "--supernet", help="Which supernet of the run: full or shrunk; the shrunk one if it has both and knows the space."
        ),
    ] = None,
    method: Annotated[str, typer.Option(help="evolve (as SPOS does), nsga2 (score against costs), or random.")] = "evolve",
    cost: Annotated[
        list[str] | None, typer.Option(help="A cost that the front is drawn against: flops. May be repeated.")
    ] = None,
    limit: LimitOption = None,
    population: Annotated[int, typer.Option(help="Networks in a generation.", min=2)] = 50,
    generations: Annotated[int, typer.Option(help="Generations.", min=1)] = 20,
    budget: Annotated[int | None, typer.Option(help="Networks scored in all; all generations if not given.", min=1)] = None,
    keep: Annotated[int, typer.Option(help="How many of the best are listed.", min=1)] = 20,
    data: ImagesOption = None,
    data_set: ImagesSetOption = None,
    device: DeviceOption = "cpu",
    calibration: Annotated[int | None, typer.Option(help="Training images for a subnet's batch norms.", min=2)] = None,
    seed: Annotated[int | None, typer.Option(help="One seed; that of the run if not given.", min=0)] = None,
    workers: WorkersOption = 1,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search a space by a trained supernet; no network is scored twice. Limits are those given here, not those of the run.

    Examples:

      lissnas search my-run --method nsga2 --cost flops --limit "flops <= 3e6"

      lissnas search my-run --supernet full --space my-run/shrunk.parquet
    """
    require("torch", "oneshot")
    from lissnas.runs.search import SearchJobConfig, check_config
    from lissnas.runs.searching import SearchConfig

    there = _source(source, space)
    if source.is_dir() and space is not None and which is None:
        which = _knows(source, space)
    weights = source if source.is_file() else _choose(source, "supernets/{}.safetensors", which, "supernet", "--supernet")
    if space is None and weights.stem == "shrunk":
        space = str(_space_of(source))
    search_asked = {
        "method": method,
        "population": population,
        "generations": generations,
        "parents": min(10, population),
        "costs": cost or [],
        "budget": budget,
    }
    asked = {
        "weights": str(weights.resolve()),
        "space": absolute_name(space or str(source / "space.parquet")),
        "data": _images(data, data_set, there.get("data") or {}),
        "limits": list(limit or []),
        "search": read_settings(SearchConfig, search_asked, "search"),
        "keep": keep,
        "calibration": calibration or there.get("calibration", 256),
        "device": device,
        "seed": there.get("seed", 0) if seed is None else seed,
        "command": command_line(),
    }
    config = read_settings(SearchJobConfig, asked, "search")
    check_config(config)
    directory = out or next_free(f"{source.stem}-search")
    do_job(lambda progress: start_run(directory, "search", config.model_dump(), progress=progress, workers=workers), as_json)


def retrain(
    source: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run with a search, or a CSV or Parquet file of networks (with --space).")
    ],
    n: Annotated[int, typer.Option("-n", help="How many, from the top.", min=1)] = 10,
    space: SpaceOption = None,
    which: Annotated[
        str | None, typer.Option("--supernet", help="Which space was searched: full or shrunk; shrunk if both were.")
    ] = None,
    set_: RecipeOption = None,
    data: ImagesOption = None,
    data_set: ImagesSetOption = None,
    device: DeviceOption = "cpu",
    devices: DevicesOption = 1,
    seed: Annotated[int | None, typer.Option(help="One seed; that of the run if not given.", min=0)] = None,
    workers: WorkersOption = 1,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train the best networks of a search alone, from scratch, and keep the best.

    Their accuracies are a file of measured networks, stand-alone.csv, that a predictor can learn from.

    Examples:

      lissnas retrain my-search -n 10 --set epochs=100

      lissnas retrain drawn.csv --space my-space.yaml --data cifar10 --data-set folder=cifar-10-batches-bin -n 50
    """
    require("torch", "oneshot")
    from lissnas.runs.retrain import RetrainConfig, check_config

    there = _source(source, space)
    listed = source if source.is_file() else _choose(source, "found-{}.csv", which, "search", "--supernet")
    asked = {
        "architectures": str(listed.resolve()),
        "n": n,
        "space": absolute_name(space or str(source / "space.parquet")),
        "data": _images(data, data_set, there.get("data") or {}),
        "network": _recipe(set_, there.get("network") or {}),
        "device": device,
        "devices": devices,
        "seed": there.get("seed", 0) if seed is None else seed,
        "command": command_line(),
    }
    config = read_settings(RetrainConfig, asked, "retrain")
    check_config(config)
    directory = out or next_free(f"{source.stem}-retrain")
    do_job(lambda progress: start_run(directory, "retrain", config.model_dump(), progress=progress, workers=workers), as_json)


def _source(source: Path, space: str | None) -> dict[str, Any]:
    """What the run ``source`` was told; nothing of a file, which needs a space beside it."""
    if source.is_dir():
        return Header.read(source).config
    if not source.exists():
        raise UserError(f"'{source}' does not exist: give the directory of a run, or a file that one wrote")
    if space is None:
        raise UserError(f"'{source}' is a file, which does not say what it is of: name its space, --space SPACE")
    return {}


def _choose(run: Path, files: str, which: str | None, what: str, option: str) -> Path:
    """The file of a run that ``which`` means; the only one, or that of the shrunk space."""
    there = [name for name in ("shrunk", "full") if (run / files.format(name)).is_file()]
    if not there:
        raise UserError(f"'{run}' holds no {what} yet: resume it, `lissnas resume {run}`, or give another run")
    if which is not None and which not in there:
        raise UserError(f"'{run}' has no {what} '{which}': it has {' and '.join(there)}, {option} {there[0]}")
    return run / files.format(which or there[0])


def _knows(run: Path, space: str) -> str | None:
    """The supernet of ``run`` for ``space``: that of the shrunk space only where it trained these paths; None: any there is.

    A space that is a list is looked at whole, another by 256 draws.

    Raises:
        UserError: there is that of the shrunk space alone, and it did not train all of what is to be searched.
    """
    there = [name for name in ("shrunk", "full") if (run / f"supernets/{name}.safetensors").is_file()]
    if "shrunk" not in there:
        return None
    paths, asked = (get_space(where) for where in (str(_space_of(run)), space))
    if paths.root.fingerprint != asked.root.fingerprint:
        return None  # which is said when the weights are read
    rows = asked.genotypes if isinstance(asked, ExplicitSpace) else asked.sample(256, np.random.default_rng(0))
    if paths.is_valid(rows).all():
        return "shrunk"
    if "full" in there:
        return "full"
    raise UserError(
        f"the supernet of '{run}' was trained on a shrunk space that does not hold all of '{space}': leave --space out, or ask "
        "for it all the same, --supernet shrunk"
    )


def _space_of(run: Path) -> Path:
    """The shrunk space of a run, or the space that it is about."""
    shrunk = run / "shrunk.parquet"
    return shrunk if shrunk.is_file() else run / "space.parquet"


def _images(name: str | None, pairs: list[str] | None, there: Mapping[str, Any]) -> Any:
    """The images that were asked for; of the run that one starts from where nothing else was said."""
    from lissnas.runs.images import DataConfig

    kept = dict(there) if name in (None, there.get("name")) else {}
    given = {**kept, **read_pairs(pairs or [], "--data-set train=5000")}
    if isinstance(given.get("folder"), str):
        given["folder"] = str(Path(given["folder"]).expanduser().resolve())
    return DataConfig(**{**given, "name": name or kept.get("name", "digits")})


def _recipe(pairs: list[str] | None, there: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of the recipe that were asked for, over those of the run that one starts from; values are checked later."""
    from lissnas.oneshot.recipe import Recipe

    known = {field.name for field in fields(Recipe)}
    given = read_pairs(pairs or [], "--set epochs=50")
    for name in given:
        if name not in known:
            raise UserError(f"a recipe has no setting '{name}': {nearest(name, sorted(known))}")
    return {**there, **given}


def summarize_one_shot(metrics: dict[str, Any], directory: Path) -> list[str]:
    """What one of these jobs made, in a few lines."""
    lines = []
    for name, training in (metrics.get("training") or {}).items():
        first, last = training["losses"][0], training["losses"][-1]
        lines.append(
            f"Supernet on the {name} space, {int(training['networks']):,} networks: training loss {first:.3g} to {last:.3g}."
        )
        lines.append(f"Its weights: {training['file']}. Next: lissnas search {directory}")
    for name, found in (metrics.get("search") or {}).items():
        lines.append(f"Scored {found['evaluations']:,} networks of the {name} space ({found['method']}).")
        lines.append(f"Best, with inherited weights: {found['best']:.4g}  {found['architecture']}")
        if len(found["front"]) > 1:
            lines.append(f"{len(found['front'])} networks are on the front of accuracy against {', '.join(found['costs'])}:")
            shown = found["front"][:10]
            lines += [
                f"  {one['score']:.4g}   " + ", ".join(f"{cost} {one[cost]:.4g}" for cost in found["costs"]) for one in shown
            ]
        lines.append(f"All that was scored: found-{name}.csv. Next: lissnas retrain {directory}")
    final = metrics.get("final")
    if final:
        best = final["ours"]
        lines.append(
            f"The best of {len(final['lists']['ours'])} trained alone: validation {best['validation']:.2f}%, "
            f"test {best['test']:.2f}% ({best['test_low']:.1f} to {best['test_high']:.1f})  {best['architecture']}"
        )
        lines.append("Exported: networks/best.safetensors and networks/best.onnx. All measured: stand-alone.csv")
    return lines
