"""A fitted XGBoost predictor on disk: XGBoost's own format, with what else is needed in the booster's attributes.

Any XGBoost reads the file; the attribute ``lissnas`` is JSON that says which space it is for, what the features are, and how
a label becomes a score. Another attribute holds the SHA-256 of the file's own bytes (with zeros in that place). It is compared
before XGBoost sees the bytes, because XGBoost ends the process on some damaged files.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any, Literal

from lissnas.errors import UserError

__all__ = ["FORMAT", "Form", "file_format", "from_bytes", "to_bytes", "write_atomically"]

Form = Literal["ubj", "json"]

FORMAT = 1  # raised when an older lissnas could not understand what is written
_MARK = b"lissnas-sha256:"
_SEAL = re.compile(re.escape(_MARK) + rb"([0-9a-f]{64})")
_OPEN = _MARK + b"0" * 64


def file_format(path: Path) -> Form:
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


def to_bytes(booster: Any, about: dict[str, Any], form: Form) -> bytes:
    """The file's bytes: the same for the same fit."""
    booster.set_attr(lissnas=json.dumps({"format": FORMAT, **about}, sort_keys=True), lissnas_seal=_OPEN.decode())
    data = bytes(booster.save_raw(form))
    booster.set_attr(lissnas=None, lissnas_seal=None)
    return data.replace(_OPEN, _MARK + hashlib.sha256(data).hexdigest().encode(), 1)


def from_bytes(data: bytes, name: str) -> tuple[Any, dict[str, Any]]:
    """The booster, and what :func:`to_bytes` was told about it; ``name`` is what messages call the file.

    Raises:
        UserError: not a whole predictor as :func:`to_bytes` wrote it, or one that a newer version wrote.
    """
    import xgboost

    seal = _SEAL.search(data)
    if seal is None:
        raise UserError(f"'{name}' is no predictor that lissnas saved, or was cut short: fit the predictor again")
    opened = data[: seal.start()] + _OPEN + data[seal.end() :]
    if hashlib.sha256(opened).hexdigest().encode() != seal[1]:
        raise UserError(f"'{name}' was changed or cut short after it was saved (its SHA-256 differs): fit the predictor again")
    booster = xgboost.Booster()
    try:
        booster.load_model(bytearray(data))
        about: dict[str, Any] = json.loads(booster.attr("lissnas") or "")
    except (xgboost.core.XGBoostError, TypeError, ValueError):
        raise UserError(f"'{name}' cannot be read by XGBoost {xgboost.__version__}: fit the predictor again") from None
    booster.set_attr(lissnas=None, lissnas_seal=None)
    written = about.pop("format", None)
    if written != FORMAT:
        raise UserError(f"'{name}' was written by a newer lissnas (format {written}, this one reads {FORMAT}): upgrade lissnas")
    return booster, about


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
        if part.parent.is_dir():
            part.unlink(missing_ok=True)
        raise UserError(f"'{path}' cannot be written: {error.strerror}") from None
