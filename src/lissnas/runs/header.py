"""``config.yaml``: what was asked, resolved, and who wrote the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lissnas._version import __version__
from lissnas.disk import disk_errors
from lissnas.errors import UserError
from lissnas.runs.encode import plain, yaml_bytes

__all__ = ["CONFIG", "RUN_FORMAT", "Header"]

CONFIG = "config.yaml"
RUN_FORMAT = 1  # raised when a run directory of an older package could not be resumed by this one, or the other way round


@dataclass(frozen=True)
class Header:
    """The content of ``config.yaml``: the job's kind, its resolved configuration (with its seed), and the package's version."""

    kind: str
    config: dict[str, Any]
    version: str

    @classmethod
    def of(cls, kind: str, config: Mapping[str, Any]) -> Header:
        """The header of a new run.

        Raises:
            UserError: ``config["seed"]`` is missing, or not a whole number from 0 on.
        """
        resolved: dict[str, Any] = plain(config)
        seed = resolved.get("seed")
        if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
            raise UserError(f"a run needs a seed, a whole number from 0 on, but got {seed!r}")
        return cls(kind, resolved, __version__)

    def to_bytes(self) -> bytes:
        """The text of the file."""
        return yaml_bytes({"run_format": RUN_FORMAT, "lissnas": self.version, "kind": self.kind, "config": self.config})

    @classmethod
    def read(cls, directory: Path) -> Header:
        """The header of the run in ``directory``.

        Raises:
            UserError: there is none, it was written by a newer version, or it is not what this class writes.
        """
        import yaml

        path = directory / CONFIG
        if not path.is_file():
            reason = "does not exist" if not directory.exists() else f"is not a run directory (it has no {CONFIG})"
            raise UserError(f"'{directory}' {reason}: give the --out of a run that has begun, or start one")
        with disk_errors(path):
            data = path.read_bytes()
        damaged = UserError(f"'{path}' is not the configuration of a run: restore it, or start a new run")
        try:
            content = yaml.safe_load(data)
        except (yaml.YAMLError, ValueError):
            raise damaged from None
        if not isinstance(content, dict) or not isinstance(content.get("run_format"), int):
            raise damaged
        written, version = content["run_format"], content.get("lissnas")
        if written > RUN_FORMAT:
            raise UserError(
                f"'{directory}' was written by a newer lissnas ({version}, run format {written}; this is {__version__}, format "
                f"{RUN_FORMAT}): upgrade lissnas"
            )
        kind, config = content.get("kind"), content.get("config")
        if not isinstance(kind, str) or not isinstance(version, str) or not isinstance(config, dict):
            raise damaged
        if not isinstance(config.get("seed"), int):
            raise damaged
        return cls(kind, config, version)
