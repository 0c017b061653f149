"""Every benchmark, each result beside what one would use otherwise, in one run. Writes docs/performance.md.

python bench/run.py [NAME...]      see NAMES; all if none
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
    "exact",
]
PAGE = Path(__file__).parent.parent / "docs" / "performance.md"


def main(names: list[str]) -> None:
    """Run the benchmarks called ``names`` and print their tables; a full run writes the page."""
    lines = [
        "# Performance",
        "",
        "Made by `make bench`: each row was measured in one run, ours beside what is named, in seconds if not said otherwise.",
        "",
    ]
    lines += [f"Machine: {os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}.", ""]
    for name in names or NAMES:
        rows = importlib.import_module(name).run()
        lines += [f"## {name.capitalize()}", "", "| work | ours | otherwise | against | ratio |", "|---|---:|---:|---|---:|"]
        lines += [_line(row) for row in rows]
        lines.append("")
        print("\n".join(lines[-len(rows) - 5 :]), flush=True)
    if not names:
        PAGE.write_text("\n".join(lines))
        print(f"written: {PAGE}")


def _line(row: dict[str, Any]) -> str:
    ratio = row["ratio"]
    times = "" if math.isnan(ratio) else f"{ratio:.2f}x" if ratio < 10 else f"{ratio:.0f}x"
    return f"| {row['work']} | {_seconds(row['ours'])} | {_seconds(row['theirs'])} | {row.get('against', '')} | {times} |"


def _seconds(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3g}"


if __name__ == "__main__":
    main(sys.argv[1:])
