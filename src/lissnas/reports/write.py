"""From a run directory to its report."""

from __future__ import annotations

from pathlib import Path

from lissnas.disk import write_bytes
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
    write_bytes(target, content)
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
