"""What the job ``main`` is asked to do; its defaults are the digits job, tuned to five minutes on two cores."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lissnas.errors import UserError

__all__ = ["DataConfig", "MainConfig", "RecipeConfig", "SearchConfig", "read_config"]


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DataConfig(_Config):
    """Which images, and how they are split."""

    name: Literal["digits", "cifar10"] = "digits"
    folder: str | None = None
    train: int | None = Field(None, ge=1)
    validation: int | None = Field(None, ge=1)

    def options(self) -> dict[str, Any]:
        """The settings that were given."""
        given = {"folder": self.folder, "train": self.train, "validation": self.validation}
        return {name: value for name, value in given.items() if value is not None}


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
    generations: int = Field(8, ge=1)
    parents: int = Field(10, ge=1)


class MainConfig(_Config):
    """The whole job."""

    space: str = "digits-shuffle"
    data: DataConfig = DataConfig()
    supernet: RecipeConfig = RecipeConfig(epochs=150, batch_size=64, learning_rate=0.2)
    network: RecipeConfig = RecipeConfig(epochs=40, batch_size=64, learning_rate=0.2, ghost=None)
    evaluations: int = Field(800, ge=40)
    calibration: int = Field(256, ge=2)
    trees: int = Field(300, ge=1)
    method: str = "lissnas"
    settings: dict[str, Any] = {}
    as_in_paper: bool = False
    queries: int = Field(20_000, ge=1)
    size: int | None = Field(1000, ge=1)
    limits: list[str] = []
    search: SearchConfig = SearchConfig()
    stand_alone: int = Field(24, ge=20)
    retrained: int = Field(10, ge=1)
    seed: int = Field(0, ge=0)
    command: str = "lissnas run"


def read_config(path: Path | None, seed: int, command: str) -> MainConfig:
    """The settings in the YAML file ``path`` over the defaults.

    Raises:
        UserError: not a readable file, or a setting that does not exist or has a wrong value: its name, the rule, the value.
    """
    given: Any = {}
    if path is not None:
        try:
            given = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except OSError as error:
            raise UserError(f"'{path}' cannot be read: {error.strerror}") from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            where = getattr(error, "problem_mark", None)
            line = f":{where.line + 1}" if where else ""
            raise UserError(f"{path}{line}: this is not YAML: write settings like 'queries: 20000'") from None
    if not isinstance(given, dict):
        raise UserError(f"'{path}' must hold settings like 'queries: 20000', but holds a {type(given).__name__}")
    try:
        return MainConfig(**{"seed": seed, "command": command, **given})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            known = ", ".join(MainConfig.model_fields)
            raise UserError(f"{path}: there is no setting '{name}': the settings are {known}") from None
        raise UserError(f"{path}: the setting '{name}' is wrong: {first['msg']}, but got {first['input']!r}") from None
