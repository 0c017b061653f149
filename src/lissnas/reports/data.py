"""A run directory, opened for reading by a report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lissnas.errors import UserError

__all__ = ["RunData"]


@dataclass(frozen=True)
class RunData:
    """What a run left behind.

    Attributes:
        metrics: the content of ``metrics.json``.
        path: the run directory, for a section that wants one of its other files; None for numbers that are on no disk.
    """

    metrics: Mapping[str, Any]
    path: Path | None = None

    @classmethod
    def read(cls, run_dir: Path) -> RunData:
        """Read ``metrics.json`` of ``run_dir``.

        Raises:
            UserError: there is none yet, or it is not the JSON object that a job writes.
        """
        file = Path(run_dir) / "metrics.json"
        try:
            # what is not a number was not measured: the page shows a dash for it
            metrics = json.loads(file.read_bytes(), parse_constant=lambda _: None)
        except FileNotFoundError:
            raise UserError(
                f"a report needs a run's metrics.json, and {run_dir} holds none: finish the run (lissnas resume {run_dir})"
            ) from None
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise UserError(f"{file} is not JSON ({error}): it was changed or cut short, restore it or run again") from None
        except OSError as error:
            raise UserError(f"cannot read {file}: {error.strerror}") from None
        if not isinstance(metrics, dict) or "kind" not in metrics:
            raise UserError(f"{file} must be a JSON object with a 'kind': it was not written by a run of lissnas")
        return cls(metrics, Path(run_dir))

    def get(self, path: str) -> Any:
        """The value at a dotted ``path`` of the metrics (``"shrink.iterations"``), or None where there is none."""
        value: Any = self.metrics
        for key in path.split("."):
            if not isinstance(value, Mapping) or key not in value:
                return None
            value = value[key]
        return value

    @property
    def command(self) -> str:
        """The command that made the run."""
        return str(self.metrics.get("command") or "")

    @property
    def metric_name(self) -> str:
        """The score's name, without its unit."""
        return str(self.metrics.get("metric", {}).get("name", "score"))

    @property
    def metric_label(self) -> str:
        """The score's name with its unit, as an axis says it."""
        unit = self.metrics.get("metric", {}).get("unit")
        return f"{self.metric_name} ({unit})" if unit else self.metric_name

    @property
    def drawn_label(self) -> str:
        """What the scores of spaces are called: they are predictions, unless a benchmark knows them all."""
        known = self.get("shrink.shrunk.source") == "true"
        return self.metric_label if known else f"predicted {self.metric_label}"

    @property
    def higher_is_better(self) -> bool:
        """Which way the score is better."""
        return bool(self.metrics.get("metric", {}).get("higher_is_better", True))

    def better(self, a: float, b: float) -> bool:
        """Whether score ``a`` is better than score ``b``."""
        return a > b if self.higher_is_better else a < b
