"""From a run directory to its report."""

from __future__ import annotations

import os
from pathlib import Path

from lissnas.errors import UserError
from lissnas.reports import SECTIONS
from lissnas.reports.data import RunData
from lissnas.reports.page import Part, page
from lissnas.reports.section import Section
from lissnas.reports.summary import summary

__all__ = ["render", "write_report"]


def write_report(run_dir: Path) -> Path:
    """Write ``report.html`` of a run from the other files in its directory, and return its path.

    The same files give the same bytes; no clock is read. A section whose numbers the run lacks is left out. Either the whole
    page is written or the old one stays.

    Raises:
        UserError: no readable ``metrics.json``; the extra ``report`` is missing; the directory cannot be written.
    """
    target = Path(run_dir) / "report.html"
    content = render(RunData.read(Path(run_dir))).encode()
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        try:
            with unfinished.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"cannot write {target}: {error.strerror}; free some space or make the directory writable") from None
    return target


def render(data: RunData) -> str:
    """The page of a run as one string."""
    parts = []
    for name in SECTIONS.names():
        section: Section = SECTIONS.get(name)
        numbers = section.numbers(data)
        if numbers is not None:
            parts.append(Part(name, section.title, section.draw(numbers)))
    title, lead, tiles = summary(data)
    return page(title, lead, tiles, parts)
