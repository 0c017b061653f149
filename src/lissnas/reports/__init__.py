"""The page of a run: the numbers behind a figure, the drawing of it, and the page that holds them all.

``write_report(run_dir)`` reads ``metrics.json`` of a run directory and writes ``report.html``: one file, no network address
used, the same bytes every time. Everything on it comes from the run directory, so it can be drawn again at any time.

A page is made of sections, and a section is one file in ``sections/`` and one line in ``SECTIONS``: ``numbers(data)`` takes
what it needs out of the run (pure, no drawing package; ``None`` when the run lacks it) and ``draw(numbers)`` makes HTML of
that. What sections are written with:

* ``section``: the contract. ``data``: a run directory, opened for reading.
* ``formats``: how a number is written. ``markup``: escaping, tables, and figures with their table.
* ``charts``: an Altair chart as a piece of the page. ``drawing``: a network as SVG. ``verdict``: did it improve.
* ``page``: the whole page. ``summary``: its top. ``write``: from run directory to file.

Drawing needs the extra ``report`` (altair, vl-convert-python); its lack is one line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lissnas.registry import Registry

if TYPE_CHECKING:
    from lissnas.reports.data import RunData
    from lissnas.reports.section import Section
    from lissnas.reports.write import write_report

__all__ = ["SECTIONS", "RunData", "Section", "write_report"]

SECTIONS = Registry(
    "report section",
    {
        name: f"lissnas.reports.sections.{name}:SECTION"
        for name in (  # in the order of the page
            "asked",
            "outcome",
            "final",
            "search_front",
            "best_network",
            "way_down",
            "shrink_index",
            "edf",
            "cost_scatter",
            "predicted_measured",
            "supernets",
            "compare_table",
            "compare_ranks",
            "compare_front",
            "compare_sensitivity",
            "notes",
        )
    },
)

_HOMES = {"RunData": "data", "Section": "section", "write_report": "write"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
