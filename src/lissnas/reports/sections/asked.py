"""What was asked of the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lissnas.reports.data import RunData
from lissnas.reports.formats import anything, count
from lissnas.reports.markup import Column, details, run_again, table, text
from lissnas.reports.section import Numbers, Section

# What deserves a line in words; whatever else was set stands in the table of the whole configuration.
_WORDS = {
    "method": "Method",
    "evaluator": "Scores from",
    "scores": "Scores from the file",
    "score": "Score's column",
    "limits": "Limits",
    "evaluations": "True evaluations",
    "queries": "Predictor queries",
    "budget": "Budget",
    "size": "Size asked for",
    "seed": "Seed",
}


def numbers(data: RunData) -> Numbers:
    """The space, the score, the budget and the limits in words, and every setting as ``{setting, value}``."""
    space, metric = data.metrics.get("space", {}), data.metrics.get("metric", {})
    asked = data.metrics.get("asked", {})
    about = str(space.get("name") or "")
    if "cardinality" in space:
        about += f": {count(int(space['cardinality']))} networks"
    if not space.get("cardinality_is_exact", True):
        about += " (estimated)"
    facts = [
        ("Space", about),
        (
            "Genes",
            f"{count(space['genes'])} decisions in a network, at most {count(space['max_edits'])} edits apart"
            if "genes" in space
            else "",
        ),
        ("Score", f"{data.metric_label}, {'higher' if metric.get('higher_is_better', True) else 'lower'} is better"),
        *((_label(key, data), anything(asked[key])) for key in _WORDS if asked.get(key) not in (None, [], "")),
    ]
    return {
        "facts": [(label, value) for label, value in facts if value],
        "settings": [{"setting": key, "value": value} for key, value in sorted(_flat(asked))],
        "command": data.command,
        "version": data.metrics.get("version"),
    }


def _label(key: str, data: RunData) -> str:
    whole_job = key == "limits" and data.metrics.get("kind") == "main"
    return "Limits of the searches" if whole_job else _WORDS[key]  # the space is shrunk without them


def draw(numbers: Numbers) -> str:
    """A list of facts, how to run it again, and the whole configuration behind a line."""
    facts = "".join(f"<tr><th scope='row'>{text(label)}</th><td>{text(value)}</td></tr>" for label, value in numbers["facts"])
    settings = table(
        [Column("setting", "Setting", "text"), Column("value", "Value", "setting")], numbers["settings"], source="asked"
    )
    version = f" Made by lissnas {text(numbers['version'])}." if numbers["version"] else ""
    return (
        f'<div class="scroll"><table><tbody>{facts}</tbody></table></div><p>{run_again(numbers["command"])}{version}'
        " Draw this page again from the files of the run, computing nothing: <code>lissnas report RUN</code>.</p>"
        + (details("Every setting", settings) if numbers["settings"] else "")
    )


def _flat(settings: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in settings.items():
        if isinstance(value, Mapping):
            rows.extend(_flat(value, f"{above}{key}."))
        else:
            rows.append((f"{above}{key}", value))
    return rows


SECTION = Section("What was asked", numbers, draw)
