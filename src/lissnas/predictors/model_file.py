"""A fitted predictor on disk: what was learned, and a header that says which kind it is and for which space.

Trees are kept in XGBoost's own format, which any XGBoost reads; everything else as ``.npz``, which NumPy reads without pickle.
The header is JSON under the name ``lissnas``: an attribute of the booster, an array of text in the ``.npz``. Both formats end
in a seal, the SHA-256 of the file's own bytes (with zeros in that place). It is compared before anything else reads the bytes,
because XGBoost ends the process on some damaged files.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError

__all__ = [
    "FORMAT",
    "Form",
    "arrays_to_bytes",
    "booster_to_bytes",
    "check_ending",
    "import_xgboost",
    "model_from_bytes",
    "read_model",
    "write_atomically",
]

Form = Literal["ubj", "json"]

FORMAT = 2  # raised when an older lissnas could not understand what is written
READS = (1, 2)  # 1: only XGBoost, only raw and rank-normal labels
_MARK = b"lissnas-sha256:"
_SEAL = re.compile(re.escape(_MARK) + rb"([0-9a-f]{64})")
_OPEN = _MARK + b"0" * 64
_SAYS = {".ubj": ".ubj (compact)", ".json": ".json (readable)", ".npz": ".npz (NumPy's format)"}


def check_ending(path: Path, endings: tuple[str, ...]) -> str:
    """The ending of ``path``, one of ``endings``.

    Raises:
        UserError: another ending.
    """
    if path.suffix not in endings:
        allowed = " or ".join(_SAYS.get(ending, ending) for ending in endings)
        raise UserError(f"such a predictor is saved as {allowed}, but got '{path.name}'")
    return path.suffix


def booster_to_bytes(booster: Any, about: dict[str, Any], form: Form) -> bytes:
    """The bytes of a file that holds a booster: the same for the same fit."""
    booster.set_attr(lissnas=_header(about), lissnas_seal=_OPEN.decode())
    data = bytes(booster.save_raw(form))
    booster.set_attr(lissnas=None, lissnas_seal=None)
    return _sealed(data)


def arrays_to_bytes(arrays: Mapping[str, NDArray[Any]], about: dict[str, Any]) -> bytes:
    """The bytes of a file that holds arrays of numbers: the same for the same arrays."""
    buffer = io.BytesIO()
    np.savez(buffer, lissnas=np.array(_header(about)), **arrays)  # type: ignore[arg-type]
    with zipfile.ZipFile(buffer, "a") as file:
        file.comment = _OPEN
    return _sealed(buffer.getvalue())


def read_model(path: str | Path) -> tuple[Any, dict[str, Any]]:
    """The booster or the arrays in a file, and its header.

    Raises:
        UserError: no such file, not a whole predictor as lissnas wrote it, or one that a newer version wrote.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"the predictor '{path}' cannot be read: {error.strerror}") from None
    return model_from_bytes(data, str(path))


def model_from_bytes(data: bytes, name: str) -> tuple[Any, dict[str, Any]]:
    """The same of bytes; ``name`` is what messages call them.

    Raises:
        UserError: not a whole predictor as lissnas wrote it, or one that a newer version wrote.
    """
    seals = list(_SEAL.finditer(data))
    if not seals:
        raise UserError(f"'{name}' is no predictor that lissnas saved, or was cut short: fit the predictor again")
    seal = seals[-1]  # an ensemble holds the sealed bytes of its members, and ends in its own
    opened = data[: seal.start()] + _OPEN + data[seal.end() :]
    if hashlib.sha256(opened).hexdigest().encode() != seal[1]:
        raise UserError(f"'{name}' was changed or cut short after it was saved (its SHA-256 differs): fit the predictor again")
    model, header = _read_arrays(data) if data.startswith(b"PK") else _read_booster(data, name)
    about: dict[str, Any] = json.loads(header)
    written = about.pop("format", None)
    if written not in READS:
        raise UserError(f"'{name}' was written by a newer lissnas (format {written}, this one reads {FORMAT}): upgrade lissnas")
    return model, about


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


def _header(about: dict[str, Any]) -> str:
    return json.dumps({"format": FORMAT, **about}, sort_keys=True)


def _sealed(data: bytes) -> bytes:
    return data.replace(_OPEN, _MARK + hashlib.sha256(data).hexdigest().encode(), 1)


def _read_arrays(data: bytes) -> tuple[dict[str, NDArray[Any]], str]:
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    return arrays, str(arrays.pop("lissnas"))


def _read_booster(data: bytes, name: str) -> tuple[Any, str]:
    xgboost = import_xgboost()
    booster = xgboost.Booster()
    try:
        booster.load_model(bytearray(data))
        header = booster.attr("lissnas")
    except (xgboost.core.XGBoostError, TypeError, ValueError):
        header = None
    if header is None:
        raise UserError(f"'{name}' cannot be read by XGBoost {xgboost.__version__}: fit the predictor again")
    booster.set_attr(lissnas=None, lissnas_seal=None)
    return booster, header


def import_xgboost() -> Any:
    """XGBoost, imported so that its threads do not spin."""
    # OpenMP reads this once, when XGBoost is first loaded; threads that spin on shared cores make it up to fifty times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import xgboost

    return xgboost
