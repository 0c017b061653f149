"""TransNAS-Bench-101's official file ``transnas-bench_v10141024.pth``, as columns.

``yawen-d/TransNASBench``, ``api/api.py``: ``{"data": {"macro": {arch: {task: result}}, "micro": ...}, "metrics_dict": {...},
"info_names": [...], "task_list": [...]}`` with a result ``{"metrics": {metric: [one value per epoch]}, "model_info": {...},
"total_epochs": n}``, and the architectures as official strings (``64-41414-1_02_333``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError
from lissnas.evaluators.readers.pickles import Tensor, load_pickle

__all__ = ["SPACES", "read_transnas_official"]

SPACES = ("macro", "micro")


def read_transnas_official(path: str | Path, space: str) -> tuple[list[str], dict[str, NDArray[np.float64]]]:
    """The architectures of one of its two spaces, as official strings, and a column of numbers for each of them.

    Columns, NaN where the file has nothing: for each task and each metric that it recorded, ``<task>_<metric>_final`` (after
    the last epoch) and ``<task>_<metric>_best`` (the highest of any epoch, as the official loader's "best"); and
    ``<task>_<info>`` for each number of ``model_info``, in the file's own units.

    Args:
        space: ``"macro"`` or ``"micro"``.

    Raises:
        UserError: a file of another kind, or one that lacks what it must have; a pickle of anything but plain data.
    """
    path = Path(path)
    if space not in SPACES:
        raise UserError(f"TransNAS-Bench-101 has the spaces {' and '.join(SPACES)}, but got '{space}'")
    content = load_pickle(path)
    data = content.get("data") if isinstance(content, Mapping) else None
    results = data.get(space) if isinstance(data, Mapping) else None
    if not isinstance(results, Mapping) or not results or not all(isinstance(arch, str) for arch in results):
        raise UserError(f"'{path}' is no official file of TransNAS-Bench-101: it holds no 'data' of '{space}': check the file")
    columns: dict[str, NDArray[np.float64]] = {}
    for row, (arch, tasks) in enumerate(results.items()):
        try:
            numbers = list(_numbers(tasks))
        except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
            raise UserError(
                f"'{path}' is no official file of TransNAS-Bench-101: '{arch[:40]}' lacks {str(error)[:60]}: check the file"
            ) from None
        for name, value in numbers:
            if name not in columns:
                columns[name] = np.full(len(results), np.nan)
            columns[name][row] = value
    return list(results), columns


def _numbers(tasks: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for task, result in tasks.items():
        for metric, epochs in result["metrics"].items():
            values = [_number(value) for value in epochs]
            if values:
                yield f"{task}_{metric}_final", values[-1]
                yield f"{task}_{metric}_best", max(values)
        for info, value in result.get("model_info", {}).items():
            yield f"{task}_{info}", _number(value)


def _number(value: Any) -> float:
    if isinstance(value, Tensor):
        value = value.numpy()
    return float(np.asarray(value, dtype=np.float64).reshape(()))
