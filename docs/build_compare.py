"""docs/results/compare.md from finished comparisons: python docs/build_compare.py RUN...

With ``--sensitivity RUN...`` docs/results/sensitivity.md from comparisons that were made with ``--vary``.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from lissnas.cli.compare import seconds_of_methods
from lissnas.reports.comparison import TRUST, at_size, spread, trusted

PAGE = Path(__file__).parent / "results" / "compare.md"
ASKED_ABOUT = ("lissnas", "frontier", "naive")
HEAD = """\
# Methods compared

Made by `lissnas compare` and `docs/build_compare.py`. How it is done, and what each number is: [compare.md](../compare.md).

Mean over seeds ± standard deviation. Seconds are CPU seconds of one run of the method on a shared core. `*`: on the front of
mean and mean edits apart. p: against lissnas, paired t-test over seeds, Holm. Ranks: Friedman and Nemenyi over the same seeds.
"bins": the share of the given space's 20 quantile bins of its first cost that is still reached. A dash: no value, for a reason
that the run's own report gives.
"""


SENSITIVITY = """\
# What LISSNAS's settings do

Made by `lissnas compare --vary` and `docs/build_compare.py --sensitivity`. One setting at a time, all else as by default; the
first row is the default. Mean over seeds ± standard deviation. Columns and tests: [compare.md](../compare.md). What they are:
[settings.md](../settings.md).
"""


def main(runs: list[str]) -> None:
    """Write the page."""
    settings = runs[:1] == ["--sensitivity"]
    directories = [Path(run) for run in runs[settings:]]
    found = [json.loads((run / "metrics.json").read_text()) for run in directories]
    parts = [SENSITIVITY] if settings else [HEAD, _first(found)]
    parts += [_run(metrics, seconds_of_methods(run)) for run, metrics in zip(directories, found, strict=True)]
    page = PAGE.with_name("sensitivity.md") if settings else PAGE
    page.write_text("\n".join(parts))


def _first(runs: list[dict[str, Any]]) -> str:
    """Who is best at each equal size, beside the methods that everybody asks about."""
    lines = [
        "## The best at each equal size",
        "",
        "True mean, and mean edits apart after the stroke; in brackets the p of the difference to lissnas.",
        "",
        f"| score | networks | best | {' | '.join(ASKED_ABOUT)} |",
        f"|---|---:|---|{'---|' * len(ASKED_ABOUT)}",
    ]
    for metrics in runs:
        for table in metrics["compare"]["tables"]:
            rows = {row["method"]: row for row in table["rows"] if row["left_out"] is None}
            if table["asked"] is None or not rows:
                continue
            score, tests = table["score"], {test["method"]: test["p_holm"] for test in table["tests"] or []}
            sign = 1 if metrics["compare"]["higher_is_better"] else -1
            best = max(rows, key=lambda name: sign * rows[name][score]["mean"])

            def cell(name: str, rows: dict[str, Any] = rows, tests: dict[str, float] = tests, score: str = score) -> str:
                if name not in rows:
                    return "–"
                p = f" ({tests[name]:.2g})" if name in tests else ""
                return f"{spread(rows[name][score])} / {spread(rows[name]['diversity'])}{p}"

            label = f"{metrics['space']['name']}, {metrics['metric']['name']}"
            cells = " | ".join(cell(name) for name in ASKED_ABOUT)
            lines.append(f"| {label} | {table['asked']:,} | {best}: {cell(best)} | {cells} |")
    return "\n".join(lines) + "\n"


def _run(metrics: dict[str, Any], seconds: dict[tuple[str, int | None], float]) -> str:
    found, predictor = metrics["compare"], metrics["predictor"]
    command = re.sub(r"(?<= )/\S*/", "", metrics["command"])  # where a file lies is nobody else's concern
    lines = [
        f"## {metrics['space']['name']}, {metrics['metric']['name']}",
        "",
        f"`{command}` (seed {metrics['asked']['seed']}): {found['seeds']} seeds, {found['pairs']:,} pairs for each "
        f"predictor (Kendall's tau {predictor['kendall']:.2f} on {predictor['checked_on']}), {found['queries']:,} queries.",
        "",
    ]
    lines += [f"{row['method']} does not apply: {row['reason']}.  " for row in found["methods"] if row["reason"]]
    learned = trusted(metrics["predictors"])
    if len(learned) > 1:
        labels = [TRUST[key][0] for key in learned[0] if key in TRUST]
        lines += ["", "### The predictors", "", f"| predictor | pairs | {' | '.join(labels)} |"]
        lines += ["|---|---:|" + "---:|" * len(labels)]
        lines += [f"| {' | '.join(row.values())} |" for row in learned]
    for table in found["tables"]:
        lines += ["", f"### {at_size(table['asked']).capitalize()}", "", *_table(table, found, seconds)]
    return "\n".join(lines) + "\n"


def _table(table: dict[str, Any], found: dict[str, Any], seconds: dict[tuple[str, int | None], float]) -> list[str]:
    tests = {test["method"]: test for test in table["tests"] or []}
    ranking = table["ranking"] or {"ranks": {}}
    cost = f"coverage_{found['costs'][0]}" if found["costs"] else ""
    lines = [
        "| method | networks | true mean | true best | predicted mean | good | shrink index | edits apart | bins | queries | "
        "CPU s | rank | p |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in table["rows"]:
        name = row["method"]
        took = seconds.get((name, table["asked"]))
        cells = [
            f"{name}{' *' if row['on_front'] else ''}",
            f"{int(row['size']):,}" if row["size"] else "–",
            *(spread(row.get(key)) for key in ("true_mean", "true_best", "predicted_mean")),
            spread(row.get("p_good"), "share"),
            spread(row.get("shrink_index"), "coefficient"),
            spread(row.get("diversity")),
            spread(row.get(cost), "share"),
            "–" if row["queries"] is None else f"{row['queries']:,.0f}",
            "–" if took is None else f"{took:.2g}",
            f"{ranking['ranks'][name]:.1f}" if name in ranking["ranks"] else "–",
            f"{tests[name]['p_holm']:.2g}" if name in tests else "control" if name == found["control"] else "–",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    if table["ranking"]:
        lines += ["", f"Friedman p {ranking['p']:.2g}, critical difference {ranking['critical_difference']:.2f}."]
    lines += ["", *(f"{row['method']} is in no test: {row['left_out']}.  " for row in table["rows"] if row["left_out"])]
    return lines


if __name__ == "__main__":
    main(sys.argv[1:])
