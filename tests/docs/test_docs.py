"""The documentation is true: named files exist, generated pages are up to date, snippets run, commands parse, links resolve."""

from __future__ import annotations

import importlib.util
import re
import shlex
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest

from lissnas import LISSNAS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
if not DOCS.is_dir():
    pytest.skip("the documentation is not beside these tests", allow_module_level=True)

PAGES = sorted([*DOCS.glob("**/*.md"), *(path for path in ROOT.glob("*.md") if path.stat().st_size)])
GUIDES = [DOCS / "own-space.md", DOCS / "methods.md", DOCS / "quality.md"]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def load_builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lissnas_docs_build", DOCS / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_file_that_the_paper_map_names_exists() -> None:
    named = set(re.findall(r"`([\w/.-]+\.py)`", (DOCS / "paper-map.md").read_text("utf-8")))
    assert len(named) > 20
    assert sorted(name for name in named if not any((base / name).is_file() for base in (ROOT / "src/lissnas", ROOT))) == []


def test_every_name_that_the_paper_map_gives_is_in_its_file() -> None:
    missing = []
    for path, names in re.findall(r"`([\w/.-]+\.py)` \(([^)]*)\)", (DOCS / "paper-map.md").read_text("utf-8")):
        text = (ROOT / "src/lissnas" / path).read_text("utf-8")
        missing += [
            f"{path}: {name}" for name in re.findall(r"`(\w+)(?:\.\w+)?`", names) if not re.search(rf"\b{name}\b", text)
        ]
    assert missing == []


@pytest.mark.parametrize("name", load_builder().PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == load_builder().PAGES[name](), "run: make docs"


def test_the_settings_in_the_page_of_methods_are_the_real_ones() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\S+)` \| `(\S+)` \|", (DOCS / "methods.md").read_text("utf-8"), re.MULTILINE)
    paper = LISSNAS.as_in_paper()
    real = [(f.name, str(f.default), str(getattr(paper, f.name))) for f in fields(LISSNAS) if f.name != "name"]
    assert rows == real


def test_the_guide_works_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    from lissnas.cli import main

    monkeypatch.chdir(tmp_path)
    guide = DOCS / "own-space.md"
    Path("my-space.yaml").write_text(blocks(guide, "yaml")[0], encoding="utf-8")
    sample = next(line for block in blocks(guide, "sh") for line in block.splitlines() if line.startswith("lissnas sample"))
    assert main(shlex.split(sample)[1:]) == 0
    names: dict[str, object] = {}
    for snippet in blocks(guide, "python"):
        exec(compile(snippet, str(guide), "exec"), names)
    assert "held-out Kendall tau" in capsys.readouterr().out
    space = names["space"]
    assert len(names["score"](space.sample(3, names["np"].random.default_rng(0)), space)) == 3
    assert names["result"].space.cardinality == 500
    assert Path("small.parquet").exists()


def test_the_last_snippet_has_fewer_than_ten_lines() -> None:
    assert len([line for line in blocks(DOCS / "own-space.md", "python")[-1].splitlines() if line]) < 10


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_the_commands_of_a_page_are_commands(page: Path) -> None:
    from typer.main import get_command

    from lissnas.cli.app import app

    commands = get_command(app).commands
    lines = [line for block in blocks(page, "sh") for line in block.splitlines() if line.startswith("lissnas ")]
    assert lines
    for line in lines:
        name, *arguments = shlex.split(line)[1:]
        commands[name].make_context(name, arguments)  # raises for an option that does not exist


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_resolve(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not re.match(r"[a-z]+:|#", link)]
    assert [link for link in links if not (page.parent / link.split("#")[0]).exists()] == []


def test_the_picture_asks_the_network_for_nothing() -> None:
    picture = (DOCS / "rooms.svg").read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"http|@import|url\(|<script|<image", picture)
