"""What a report section is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lissnas.reports.data import RunData

__all__ = ["Numbers", "Section"]

Numbers = dict[str, Any]


@dataclass(frozen=True)
class Section:
    """One part of the page.

    Attributes:
        title: its heading.
        numbers: what it shows, taken out of a run; pure, and ``None`` when the run lacks it (the section is then left out).
        draw: those numbers as HTML, without the heading. Every text in it that comes from the run is escaped (see ``markup``).
    """

    title: str
    numbers: Callable[[RunData], Numbers | None]
    draw: Callable[[Numbers], str]
