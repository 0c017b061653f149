"""What crosses the disk: a space of one's own, measured networks, a saved space, lists of architectures.

=============================  =========================================================================================
``get_space(spec)``            a space from a name, a YAML file, a saved space, or a space itself
``read_space(path)``           a space of one's own, from YAML (``yaml_space``); ``space_from_text``, ``space_schema``
``read_scores(path, space)``   measured networks, from CSV or Parquet (``scores``) -> ``Measured``
``read_architectures``         the architectures of such a file alone, measured or not (``scores``)
``read_table(path)``           any CSV or Parquet file as columns that know their lines (``table``)
``save_space``, ``load_space``  a space as Parquet, with its definition and fingerprint (``saved``); ``read_header``
``write_architectures_csv``    architectures as CSV or Parquet, one column per gene (``architectures``); ``export_space``
=============================  =========================================================================================

Every mistake in a file is a :class:`~lissnas.errors.UserError` of one line that begins with the file and the line:
``my-space.yaml:7: ...``, ``measured.csv:17: ...``. A file is written whole or not at all.

How a YAML file becomes a space: ``yaml_nodes`` (a tree that knows its lines) -> ``yaml_genes`` -> ``yaml_conditions`` ->
``yaml_costs`` -> ``yaml_space``. PyYAML and pyarrow are loaded when they are needed.
"""

from __future__ import annotations

import difflib
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lissnas.errors import UserError
from lissnas.spaces import SPACES, SearchSpace

if TYPE_CHECKING:
    from lissnas.formats.architectures import export_space, write_architectures_csv
    from lissnas.formats.saved import load_space, read_header, save_space
    from lissnas.formats.scores import Measured, read_architectures, read_scores
    from lissnas.formats.table import Table, read_table
    from lissnas.formats.yaml_space import read_space, space_from_text, space_schema

__all__ = [
    "Measured",
    "Table",
    "export_space",
    "get_space",
    "load_space",
    "read_architectures",
    "read_header",
    "read_scores",
    "read_space",
    "read_table",
    "save_space",
    "space_from_text",
    "space_schema",
    "write_architectures_csv",
]

_HOME = {
    "Measured": "scores",
    "Table": "table",
    "export_space": "architectures",
    "load_space": "saved",
    "read_architectures": "scores",
    "read_header": "saved",
    "read_scores": "scores",
    "read_space": "yaml_space",
    "read_table": "table",
    "save_space": "saved",
    "space_from_text": "yaml_space",
    "space_schema": "yaml_space",
    "write_architectures_csv": "architectures",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"lissnas.formats.{_HOME[name]}"), name)
    raise AttributeError(f"module 'lissnas.formats' has no attribute '{name}'")


def get_space(spec: str | Path | SearchSpace) -> SearchSpace:
    """The space that ``spec`` means: a name (see ``lissnas.list_spaces()``), a ``.yaml`` file, a saved ``.parquet``, a space.

    Raises:
        UserError: an unknown name (the nearest are named), or a mistake in the file.
    """
    if isinstance(spec, SearchSpace):
        return spec
    if not isinstance(spec, (str, Path)):
        raise UserError(f"a space is given as a name, a path or a SearchSpace, but got {type(spec).__name__}")
    text = str(spec)
    match Path(text).suffix.lower():
        case ".yaml" | ".yml":
            from lissnas.formats.yaml_space import read_space

            return read_space(text)
        case ".parquet":
            from lissnas.formats.saved import load_space

            return load_space(text)
    if text in SPACES:
        space = SPACES.get(text)()
        if not isinstance(space, SearchSpace):
            raise TypeError(f"the space '{text}' is registered for something that makes {type(space).__name__}")
        return space
    if Path(text).is_file():
        raise UserError(f"a space file must end in .yaml or .parquet, but got '{text}': rename it")
    if (Path(text) / "space.parquet").is_file():
        inside = [f"{text}/{name}" for name in ("shrunk.parquet", "space.parquet") if (Path(text) / name).is_file()]
        raise UserError(f"'{text}' is a run, not a space: give {' or '.join(inside)}")
    near = difflib.get_close_matches(text.lower(), SPACES.names(), n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(SPACES.names())}"
    raise UserError(f"unknown space '{text}': {hint} (or a .yaml file of your own, or a saved .parquet)")
