"""What the job ``main`` is asked to do; its defaults are the digits job, tuned to five minutes on two cores."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from lissnas.errors import UserError, require
from lissnas.formats import get_space
from lissnas.oneshot.data import DATA, ImageData
from lissnas.oneshot.search import check_evolution
from lissnas.runs.predicting import PredictorConfig, make_predictor
from lissnas.runs.settings import read_settings
from lissnas.runs.shrinking import make_shrinker, require_enough, require_limits
from lissnas.spaces import SearchSpace

__all__ = ["DataConfig", "MainConfig", "RecipeConfig", "SearchConfig", "check_config", "read_config"]


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DataConfig(_Config):
    """Which images, and how they are split."""

    name: Literal["digits", "cifar10"] = "digits"
    folder: str | None = None
    train: int | None = Field(None, ge=1)
    validation: int | None = Field(None, ge=1)

    def load(self, seed: int) -> ImageData:
        """The images, split.

        Raises:
            UserError: a setting that this data does not take, or one that it needs; files that are missing; too few images.
        """
        given = {"folder": self.folder, "train": self.train, "validation": self.validation}
        given = {name: value for name, value in given.items() if value is not None}
        source = DATA[self.name]
        takes = inspect.signature(source).parameters
        for name in given:
            if name not in takes:
                known = ", ".join(n for n in takes if n != "seed")
                raise UserError(f"the data '{self.name}' has no setting '{name}': it has {known}")
        for name, parameter in takes.items():
            if parameter.default is parameter.empty and name not in given:
                raise UserError(f"the data '{self.name}' needs the setting '{name}': data: {{name: {self.name}, {name}: ...}}")
        return source(**given, seed=seed)


class RecipeConfig(_Config):
    """How a network or a supernet is trained: see ``lissnas.oneshot.Recipe``."""

    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    momentum: float = 0.9
    weight_decay: float = 4e-5
    schedule: Literal["cosine", "linear"] = "cosine"
    warmup_epochs: float = 0.0
    label_smoothing: float = 0.1
    ghost: int | None = 32
    checkpoint_epochs: int = Field(10, ge=1)


class SearchConfig(_Config):
    """Evolution as SPOS runs it."""

    population: int = Field(50, ge=2)
    generations: int = Field(6, ge=1)
    parents: int = Field(10, ge=1)


class MainConfig(PredictorConfig):
    """The whole job."""

    space: str = "digits-shuffle"
    data: DataConfig = DataConfig()
    supernet: RecipeConfig = RecipeConfig(epochs=250, batch_size=32, learning_rate=0.2, ghost=16, label_smoothing=0.0)
    sampler: str = "uniform"
    network: RecipeConfig = RecipeConfig(epochs=25, batch_size=32, learning_rate=0.2, ghost=None, label_smoothing=0.0)
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
    command: str = "lissnas run"


def read_config(path: Path | None, seed: int | None, command: str) -> MainConfig:
    """The settings in the YAML file ``path`` over the defaults, and ``seed`` over both.

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
    settings = {"command": command, **{name: _over_defaults(name, value) for name, value in given.items()}}
    if seed is not None:
        settings["seed"] = seed
    return read_settings(MainConfig, settings, str(path))


def _over_defaults(name: Any, value: Any) -> Any:
    """A group of settings need not be given whole."""
    default = getattr(MainConfig(), str(name), None)
    return {**default.model_dump(), **value} if isinstance(default, _Config) and isinstance(value, dict) else value


def check_config(config: MainConfig) -> None:
    """Build what the job will build, so that a mistake is answered before a run begins.

    Raises:
        UserError: the mistake.
    """
    space = get_space(config.space)
    check_evolution(**config.search.model_dump())
    make_predictor(config).check(space)
    shrinker = make_shrinker(config.method, config.queries, config.size, config.as_in_paper, config.settings)
    _check_training(config, space)
    shrinker.check(space)
    require_limits(space, config.limits)
    require_enough(space)


def _check_training(config: MainConfig, space: SearchSpace) -> None:
    """Networks can be built of the space, they take these images, and the recipes make sense for them."""
    require("torch", "oneshot")
    from lissnas.oneshot.batches import Batches
    from lissnas.oneshot.network import chain_of
    from lissnas.oneshot.samplers import get_sampler
    from lissnas.oneshot.train import Recipe

    layout = chain_of(space)
    get_sampler(config.sampler, space)
    data = config.data.load(config.seed)
    shape = data.train.images.shape[1:]
    wanted = (layout.in_channels, layout.resolution, layout.resolution)
    if shape != wanted or data.classes != layout.classes:
        raise UserError(
            f"the networks of '{space.name}' take images of {_times(wanted)} in {layout.classes} classes, but {data.name} has "
            f"{_times(shape)} in {data.classes}: choose other data, or a space that is made for it"
        )
    for name, recipe in (("supernet", config.supernet), ("network", config.network)):
        try:
            Batches(data, Recipe(**recipe.model_dump()).batch_size)
        except UserError as error:
            raise UserError(f"the settings of '{name}' are wrong: {error}") from None


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
