"""The kinds of predictors by name: made from settings, and read from a file whatever is in it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lissnas.errors import UserError
from lissnas.formats.hints import nearest
from lissnas.predictors.base import Predictor
from lissnas.predictors.model_file import read_model
from lissnas.registry import Registry
from lissnas.spaces import SearchSpace

__all__ = ["PREDICTORS", "get_predictor", "list_predictors", "load"]

PREDICTORS = Registry(
    "predictor",
    {
        "xgboost": "lissnas.predictors.xgboost:XGBoostPredictor",
        "linear": "lissnas.predictors.linear:LinearPredictor",
        "mlp": "lissnas.predictors.mlp:MLPPredictor",
        "ensemble": "lissnas.predictors.ensemble:EnsemblePredictor",
    },
)


def list_predictors() -> list[str]:
    """The names of all known predictors."""
    return PREDICTORS.names()


def get_predictor(name: str, settings: Mapping[str, Any] | None = None, *, threads: int = 1) -> Predictor:
    """An unfitted predictor of the kind ``name``.

    Args:
        settings: its own settings by name; what is not given has its default.
        threads: where the kind takes them; predictions do not depend on it.

    Raises:
        UserError: no such kind, or a setting that it does not have or cannot have.
    """
    kind: Any = PREDICTORS.get(name)
    known = [setting for setting in inspect.signature(kind.__init__).parameters if setting not in ("self", "threads")]
    for setting in settings or {}:
        if setting == "threads":
            raise UserError("'threads' is no setting of what is learned: the number of workers is given elsewhere (--workers)")
        if setting not in known:
            raise UserError(f"the predictor '{name}' has no setting '{setting}': {nearest(setting, known)}")
    given = dict(settings or {})
    made: Predictor = kind(**given, threads=threads) if kind.takes_threads() else kind(**given)
    return made


def load(path: str | Path, space: SearchSpace, *, threads: int = 1) -> Predictor:
    """Read a predictor of any kind that was saved, for ``space`` or what ``space`` was shrunk from.

    Raises:
        UserError: no such file, one that is truncated, changed or of a newer version, or a predictor for another space.
    """
    model, about = read_model(path)
    loaded: Predictor = PREDICTORS.get(about["kind"]).from_model(model, about, space, str(path), threads=threads)
    return loaded
