"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from lissnas.errors import UserError

__all__ = ["TEMPORARY", "data_dir", "disk_errors", "sweep", "sync_folder", "write_bytes", "writing"]

TEMPORARY = ".tmp-"

# What a disk, not a program, answers: no space, no right to write, no such place.
_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG}
_DISK = _WRITING | {errno.EACCES, errno.EPERM, errno.EIO, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG}


def data_dir() -> Path:
    """Where what can be made or fetched again is kept: ``LISSNAS_DATA_DIR``, or "lissnas" in the folder for caches."""
    given = os.environ.get("LISSNAS_DATA_DIR")
    if given:
        return Path(given).expanduser()
    home = Path(os.path.expanduser("~"))
    if sys.platform == "darwin":
        caches = home / "Library" / "Caches"
    elif sys.platform == "win32":
        caches = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    else:
        caches = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return caches / "lissnas"


@contextlib.contextmanager
def disk_errors(where: Path) -> Iterator[None]:
    """Turn what the disk refuses into one line for the user; ``where`` is named if the system names no file.

    Raises:
        UserError: no space is left, the place is read-only or not permitted, the disk fails.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK:
            raise
        remedy = (
            "free some space there" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "choose a place that can be written"
        )
        name = error.filename if isinstance(error.filename, str) else where
        verb = "write" if error.errno in _WRITING else "read or write"
        raise UserError(f"cannot {verb} '{name}' ({(error.strerror or str(error)).lower()}): {remedy}") from error


@contextlib.contextmanager
def writing(path: str | Path) -> Iterator[Path]:
    """A temporary path to write to; on leaving it replaces ``path``, which is never seen half-written, even after a power cut.

    The temporary file stands in the folder of ``path`` (which is made if it is missing) and has the same suffix, since some
    libraries choose a format by it. If the block raises, it is removed and ``path`` stays as it was.

    Raises:
        UserError: the disk refuses.
    """
    path = Path(path)
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
    with disk_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        sync_folder(path.parent)


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write ``data`` to ``path``, whole or not at all.

    Raises:
        UserError: the disk refuses.
    """
    with writing(path) as temporary:
        temporary.write_bytes(data)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` as lasting as the files."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(folder: Path) -> None:
    """Remove the temporary files that a killed process left anywhere below ``folder``."""
    for path in folder.rglob(f"{TEMPORARY}*"):
        if path.is_file():
            path.unlink()
