"""The pages that are made from the code: docs/spaces/ and docs/settings.md. Run by `make docs`; a test compares them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from lissnas.predictors import PREDICTORS, list_predictors
from lissnas.reports.spaces import draw_example, space_page
from lissnas.shrinkers import SHRINKERS, list_shrinkers
from lissnas.spaces import SPACES, list_spaces

__all__ = ["PAGES", "settings_page", "spaces_page"]

FOLDER = Path(__file__).parent
HEAD = "<!-- Made by `make docs` from the code; changes here are lost. -->\n"


def spaces_page() -> str:
    """All registered spaces in a table, each with its page."""
    lines = [HEAD, "# Spaces", "", "`lissnas spaces NAME` prints what a page says, for a YAML file or a saved space too.", ""]
    lines += ["| name | networks | encodings | genes | most edits | costs |", "|---|---:|---:|---:|---:|---|"]
    for name in list_spaces():
        space = SPACES.get(name)()
        about = "" if space.cardinality_is_exact else "about "
        costs = ", ".join(space.cost_names)
        lines.append(
            f"| [`{name}`]({name}.md) | {about}{space.cardinality:,} | {space.encodings:,} | {space.length} | "
            f"{space.max_edits} | {costs} |"
        )
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """Every setting of every registered shrinker and predictor."""
    lines = [HEAD, "# Settings of the shrinkers", ""]
    lines += ["What the methods are made of: [methods.md](methods.md).", ""]
    lines += ["`lissnas shrink SPACE --method NAME --set SETTING=VALUE` changes one; `None` is written `null` there."]
    lines += ["`--budget` gives `queries`, and `--size` gives `size`.", ""]
    for name in list_shrinkers():
        lines += [*_settings(name, SHRINKERS.get(name)), ""]
    lines += ["# Settings of the predictors", ""]
    lines += ["`lissnas shrink SPACE --predictor NAME --predictor-set SETTING=VALUE` changes one (in a file of `lissnas run`:"]
    lines += ["`predictor: NAME` and `predictor_settings: {SETTING: VALUE}`); `--workers` gives `threads`.", ""]
    for name in list_predictors():
        lines += [*_predictor_settings(f"{name} (predictor)", PREDICTORS.get(name)), ""]
    return "\n".join(lines[:-1]) + "\n"


def _settings(name: str, shrinker: Any) -> Iterator[str]:
    summary, meanings = _read_docstring(shrinker)
    paper = shrinker.as_in_paper() if hasattr(shrinker, "as_in_paper") else None
    yield from (f"## {name}", "", summary, "")
    yield f"| setting | default |{' `--as-in-paper` |' if paper else ''} what it is |"
    yield f"|---|---|{'---|' if paper else ''}---|"
    for field in fields(shrinker):
        if field.name != "name":
            also = f" {_value(getattr(paper, field.name))} |" if paper else ""
            yield f"| `{field.name}` | {_value(field.default)} |{also} {meanings.get(field.name, '')} |"


def _predictor_settings(title: str, kind: Any) -> Iterator[str]:
    summary, meanings = _read_docstring(kind)
    yield from (f"## {title}", "", summary, "", "| setting | default | what it is |", "|---|---|---|")
    for name, parameter in list(inspect.signature(kind.__init__).parameters.items())[1:]:
        yield f"| `{name}` | {_value(parameter.default)} | {meanings.get(name, '')} |"


def _value(value: object) -> str:
    return f"`{value:,}`" if isinstance(value, int) and not isinstance(value, bool) else f"`{value}`"


def _read_docstring(thing: Any) -> tuple[str, dict[str, str]]:
    """The first paragraph, and what `Args` says of each name, on one line each and as Markdown."""
    text = inspect.getdoc(thing) or ""
    before, _, arguments = text.partition("\nArgs:\n")
    meanings: dict[str, str] = {}
    last = ""
    for line in re.split(r"\n\S", arguments)[0].splitlines():
        if found := re.fullmatch(r" {4}(\w+): (.*)", line):
            last = found[1]
            meanings[last] = found[2]
        elif last:
            meanings[last] += f" {line.strip()}"
    as_code = {name: re.sub(r"``(.+?)``", r"`\1`", meaning).strip().replace("|", r"\|") for name, meaning in meanings.items()}
    return " ".join(before.split("\n\n")[0].split()), as_code


PAGES: dict[str, Callable[[], str]] = {"spaces/README.md": spaces_page, "settings.md": settings_page}
for _name in list_spaces():
    PAGES[f"spaces/{_name}.md"] = lambda name=_name: f"{HEAD}\n{space_page(name, f'{name}.svg')}"
    PAGES[f"spaces/{_name}.svg"] = lambda name=_name: draw_example(SPACES.get(name)())


def main() -> None:
    """Write all pages."""
    for name, page in PAGES.items():
        (FOLDER / name).parent.mkdir(exist_ok=True)
        (FOLDER / name).write_text(page(), encoding="utf-8")
        print(f"written: docs/{name}")


if __name__ == "__main__":
    main()
