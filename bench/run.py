"""Every benchmark, each result beside what one would use otherwise, in one run.

python bench/run.py                all of them; writes docs/performance.md
python bench/run.py NAME...        some of NAMES; replaces their tables in it
"""

from __future__ import annotations

import importlib
import math
import os
import platform
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
sys.path.insert(0, str(Path(__file__).parent))

NAMES = [
    "spaces",
    "nasbench101",
    "benchmarks",
    "chains",
    "darts",
    "store",
    "scorer",
    "shrinking",
    "quality",
    "certified",
    "supernet",
    "kshot",
    "images",
    "compiling",
    "exact",
]
PAGE = Path(__file__).parent.parent / "docs" / "performance.md"


def main(names: list[str]) -> None:
    """Run the benchmarks called ``names``, print their tables, and put them into the page."""
    sections = {} if not names else _written()
    for name in names or NAMES:
        rows = importlib.import_module(name).run()
        lines = ["| work | ours | otherwise | against | ratio |", "|---|---:|---:|---|---:|", *map(_line, rows)]
        sections[name] = "\n".join(lines)
        print(f"## {name.capitalize()}\n\n{sections[name]}\n", flush=True)
        PAGE.write_text(_page(sections))
    print(f"written: {PAGE}")


def _written() -> dict[str, str]:
    """The tables that the page holds, by benchmark."""
    _, *sections = PAGE.read_text().split("\n## ")
    return {name.lower(): table.strip() for name, _, table in (section.partition("\n") for section in sections)}


def _page(sections: dict[str, str]) -> str:
    machine = f"Machine: {os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}."
    about = "Made by `make bench`: each row was measured in one run, ours beside what is named, in seconds unless it says so."
    tables = [f"## {name.capitalize()}\n\n{sections[name]}" for name in NAMES if name in sections]
    return "\n\n".join(["# Performance", about, machine, *tables]) + "\n"


def _line(row: dict[str, Any]) -> str:
    ratio = row["ratio"]
    times = "" if math.isnan(ratio) else f"{ratio:.2f}x" if ratio < 10 else f"{ratio:.0f}x" if ratio < 1e5 else f"{ratio:.2g}x"
    return f"| {row['work']} | {_seconds(row['ours'])} | {_seconds(row['theirs'])} | {row.get('against', '')} | {times} |"


def _seconds(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3g}"


if __name__ == "__main__":
    main(sys.argv[1:])
