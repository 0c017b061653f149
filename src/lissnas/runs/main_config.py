"""What the job ``main`` is asked to do; its defaults are the digits job, tuned to five minutes on two cores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from pydantic import BaseModel, Field

from lissnas.errors import UserError
from lissnas.formats import get_space
from lissnas.oneshot.recipe import Recipe
from lissnas.oneshot.samplers import get_sampler
from lissnas.runs.images import DataConfig, require_devices, require_images
from lissnas.runs.predicting import PredictorConfig, make_predictor
from lissnas.runs.searching import SearchConfig, check_search
from lissnas.runs.settings import read_settings
from lissnas.runs.shrinking import make_shrinker, require_enough, require_limits
from lissnas.spaces import ExplicitSpace, SearchSpace

__all__ = ["MainConfig", "check_config", "read_config"]


class MainConfig(PredictorConfig):
    """The whole job.

    Attributes:
        device, devices: where networks are trained and scored, and how many of these train one together.
        shots: weight sets of the supernets: more than 1 is K-shot.
    """

    space: str = "digits-shuffle"
    data: DataConfig = DataConfig()
    supernet: Recipe = Recipe(epochs=250, batch_size=32, ghost=16, label_smoothing=0.0, checkpoint_epochs=10)
    sampler: str = "uniform"
    sampler_settings: dict[str, Any] = Field(default_factory=dict)
    network: Recipe = Recipe(epochs=25, batch_size=32, ghost=None, label_smoothing=0.0, checkpoint_epochs=10)
    evaluations: int = Field(600, ge=40)
    calibration: int = Field(256, ge=2)
    trees: int | None = Field(300, ge=1)
    method: str = "lissnas"
    settings: dict[str, Any] = Field(default_factory=dict)
    as_in_paper: bool = False
    queries: int = Field(20_000, ge=1)
    size: int | None = Field(1000, ge=1)
    limits: list[str] = Field(default_factory=lambda: ["flops <= 110e3"])
    search: SearchConfig = SearchConfig()
    stand_alone: int = Field(24, ge=20)
    retrained: int = Field(10, ge=1)
    seed: int = Field(0, ge=0)
    device: Literal["cpu", "cuda"] = "cpu"
    devices: int = Field(1, ge=1)
    shots: int = Field(1, ge=1)
    command: str = "lissnas run"


def read_config(path: Path | None, seed: int | None, command: str, changes: Mapping[str, Any] | None = None) -> MainConfig:
    """The settings in the YAML file ``path`` over the defaults, ``changes`` over both, and ``seed`` over all.

    A space in a file is looked for beside ``path``, images in the current folder.

    Args:
        changes: settings by name, ``supernet.epochs`` for one in a group.

    Raises:
        UserError: not a readable file, or a setting that does not exist or has a wrong value: its name, the rule, the value.
    """
    given: Any = {}
    if path is not None:
        try:
            given = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except OSError as error:
            raise UserError(f"cannot read '{path}' ({(error.strerror or str(error)).lower()}): check the path") from None
        except (yaml.YAMLError, ValueError) as error:
            mark = getattr(error, "problem_mark", None)
            line = f":{mark.line + 1}" if mark else ""
            raise UserError(f"{path}{line}: this is not YAML: write settings like 'queries: 20000'") from None
    if not isinstance(given, dict):
        raise UserError(f"{path}: settings are written like 'queries: 20000', but got a {type(given).__name__}")
    given = {name: _over_defaults(name, value) for name, value in given.items()}
    if path is not None and isinstance(given.get("space"), str) and (beside := path.parent / given["space"]).is_file():
        given["space"] = str(beside.resolve())
    for name, value in (changes or {}).items():
        group, dot, inner = name.partition(".")
        given[group] = {**_over_defaults(group, given.get(group, {})), inner: value} if dot else value
    data = given.get("data")
    if isinstance(data, dict) and isinstance(data.get("folder"), str):
        data["folder"] = str(Path(data["folder"]).expanduser().resolve())
    if seed is not None:
        given["seed"] = seed
    return read_settings(MainConfig, {"command": command, **given}, "the settings" if path is None else str(path))


def _over_defaults(name: Any, value: Any) -> Any:
    """A group of settings need not be given whole."""
    default = getattr(MainConfig(), str(name), None)
    if not isinstance(value, dict) or not isinstance(default, BaseModel | Recipe):
        return value
    return {**(asdict(default) if isinstance(default, Recipe) else default.model_dump()), **value}


def check_config(config: MainConfig) -> None:
    """Build what the job will build, so that a mistake is answered before a run begins.

    Raises:
        UserError: the mistake.
    """
    require_devices(config.device, config.devices, [config.network], supernet=config.supernet)
    space = get_space(config.space)
    make_predictor(config).check(space)
    shrinker = make_shrinker(config.method, config.queries, config.size, config.as_in_paper, config.settings)
    check_search(config.search, space, config.limits)
    require_images(space, config.data.load(config.seed), {"supernet": config.supernet, "network": config.network})
    get_sampler(config.sampler, space, **config.sampler_settings)
    if config.method == "lissnas":
        _check_list(config, space)
    shrinker.check(space)
    require_limits(space, config.limits)
    require_enough(space)


def _check_list(config: MainConfig, space: SearchSpace) -> None:
    """Refuse a sampler that cannot draw from a list of networks, before a supernet was trained on the full space in vain."""
    some = ExplicitSpace.of(space, space.sample(20, np.random.default_rng(0)))
    try:
        get_sampler(config.sampler, some, **config.sampler_settings)
    except UserError as error:
        raise UserError(f"the shrunk space is a list of networks, and {error}") from None
