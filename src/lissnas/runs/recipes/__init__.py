"""Jobs that are ready to run, a YAML file each: ``lissnas run NAME``. The first line of a file says what it is."""

from __future__ import annotations

from pathlib import Path

from lissnas.errors import UserError
from lissnas.formats.hints import nearest

__all__ = ["find_job", "list_jobs"]

FOLDER = Path(__file__).parent


def list_jobs() -> dict[str, str]:
    """What there is, by name, and what it is."""
    files = (path for path in sorted(FOLDER.glob("*.yaml")) if not path.stem.endswith("-space"))
    return {path.stem: path.read_text("utf-8").partition("\n")[0].removeprefix("# ") for path in files}


def find_job(config: Path) -> Path:
    """The file that ``config`` means: itself, where there is one; else the job of that name.

    Raises:
        UserError: neither a file nor a name.
    """
    if config.exists() or config.suffix or len(config.parts) > 1:
        return config
    names = list_jobs()
    if config.name not in names:
        raise UserError(f"there is no file '{config}', nor a job of that name: {nearest(config.name, names)}")
    return FOLDER / f"{config.name}.yaml"
