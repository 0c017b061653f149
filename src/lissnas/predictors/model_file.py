"""A fitted XGBoost predictor on disk: XGBoost's own format, with what else is needed in the booster's attributes.

Any XGBoost reads the file; the attribute ``lissnas`` is JSON that says which space it is for, what the features are, and how
a label becomes a score. A digest over the trees and that JSON tells whether the file is what was written: it does not depend
on the version of XGBoost that reads it.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Literal

import numpy as np

from lissnas.errors import UserError
from lissnas.predictors.tree_masks import Forest, UnfitTrees, read_forest

__all__ = ["FORMAT", "file_format", "from_bytes", "to_bytes", "write_atomically"]

FORMAT = 1  # raised when an older lissnas could not understand what is written
_ATTRIBUTE = "lissnas"


def file_format(path: Path) -> Literal["ubj", "json"]:
    """XGBoost's format by the ending of ``path``.

    Raises:
        UserError: another ending.
    """
    match path.suffix:
        case ".ubj":
            return "ubj"
        case ".json":
            return "json"
    raise UserError(f"a predictor is saved as .ubj (compact) or .json (readable), but got '{path.name}'")


def to_bytes(booster: Any, about: dict[str, Any], form: Literal["ubj", "json"]) -> bytes:
    """The file's bytes: the same for the same fit."""
    text = json.dumps({"format": FORMAT, **about, "digest": _digest(read_forest(booster), about)}, sort_keys=True)
    booster.set_attr(**{_ATTRIBUTE: text})
    return bytes(booster.save_raw(form))


def from_bytes(data: bytes, name: str) -> tuple[Any, Forest, dict[str, Any]]:
    """The booster, its trees, and what :func:`to_bytes` was told about it; ``name`` is what messages call the file.

    Raises:
        UserError: not a whole predictor as :func:`to_bytes` wrote it, or one that a newer version wrote.
    """
    import xgboost

    booster = xgboost.Booster()
    try:
        booster.load_model(bytearray(data))
        text = booster.attr(_ATTRIBUTE)
        forest = read_forest(booster)
    except (xgboost.core.XGBoostError, UnfitTrees, KeyError, TypeError, ValueError, UnicodeError):
        raise UserError(f"'{name}' is no whole XGBoost model (truncated or damaged): fit the predictor again") from None
    if text is None:
        raise UserError(f"'{name}' is an XGBoost model, but not one that lissnas saved: it does not say which space it is for")
    try:
        about = json.loads(text)
        version = about.pop("format")
        if version == FORMAT and about.pop("digest") == _digest(forest, about):
            return booster, forest, about
    except (KeyError, TypeError, ValueError, AttributeError):
        version = None
    if isinstance(version, int) and version > FORMAT:
        raise UserError(f"'{name}' was written by a newer lissnas (format {version}, this one reads {FORMAT}): upgrade lissnas")
    raise UserError(f"'{name}' was changed after it was saved (its digest does not match): fit the predictor again")


def write_atomically(path: Path, data: bytes) -> None:
    """Write the file, whole or not at all.

    Raises:
        UserError: it cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UserError(f"'{path}' cannot be written: {error.strerror}") from None


def _digest(forest: Forest, about: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for array in (forest.first, forest.left, forest.right, forest.feature, forest.value, np.float64(forest.base)):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:32]
