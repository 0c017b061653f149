"""Values as the bytes of a file: the same bytes for the same values, always."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["json_bytes", "npy_bytes", "parquet_bytes", "plain", "yaml_bytes"]


def plain(value: Any) -> Any:
    """``value`` in nothing but dicts, lists, strings, numbers, booleans and ``None``.

    NumPy scalars and arrays become numbers and lists, tuples lists, paths strings; mappings keep their order.

    Raises:
        TypeError: something else, or a key that is not a string.
    """
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"keys must be strings, but got {key!r}")
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [plain(item) for item in value]
    raise TypeError(f"a {type(value).__name__} cannot be written as text: {value!r}")


def json_bytes(value: Any) -> bytes:
    """JSON, two spaces deep, floats in their shortest exact form; what JSON has no word for (NaN, infinity) is ``null``."""
    text = json.dumps(_finite(plain(value)), indent=2, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()


def yaml_bytes(value: Any) -> bytes:
    """YAML in block style, in the given order."""
    import yaml

    text: str = yaml.safe_dump(plain(value), sort_keys=False, allow_unicode=True, default_flow_style=False)
    return text.encode()


def npy_bytes(array: Any) -> bytes:
    """NumPy's own format; objects are refused, for they would be pickled."""
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(array), allow_pickle=False)
    return buffer.getvalue()


def parquet_bytes(columns: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> bytes:
    """Parquet from columns of equal length (arrays or lists), with text metadata in its header."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({name: pa.array(column) for name, column in columns.items()})
    if metadata:
        table = table.replace_schema_metadata(dict(metadata))
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value
