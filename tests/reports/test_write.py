"""From a run directory to a page, and what is answered when that cannot be."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import lissnas.reports.write
from lissnas.errors import UserError
from lissnas.registry import Registry
from lissnas.reports import SECTIONS, RunData, Section, write_report
from lissnas.reports.sections import cost_scatter

Metrics = dict[str, Any]


def run_of(folder: Path, metrics: Metrics) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    return folder


class Page(HTMLParser):
    """The tags of a page, their attributes, and what its scripts hold."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "script" and data.strip():
            self.scripts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.mark.parametrize("kind", ["shrink", "main"])
def test_the_page_is_one_file_with_a_heading_and_a_table_for_everything(
    tmp_path: Path, two_runs: dict[str, Metrics], kind: str
) -> None:
    written = write_report(run_of(tmp_path, two_runs[kind]))
    assert written == tmp_path / "report.html"
    html = written.read_text(encoding="utf-8")
    assert re.findall(r"(?:https?|wss?)://\S{0,40}", html) == []
    page = Page(html)
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == html.split("</head>")[0].count("<title>") == 1
    assert any(meta.get("name") == "viewport" for meta in page.all("meta"))
    for _, attrs in page.tags:
        assert "src" not in attrs
        assert (attrs.get("href") or "#").startswith("#")
    sections = {str(section["id"]) for section in page.all("section")}
    assert {str(link["href"])[1:] for link in page.all("a")} == sections
    assert all(plot.get("aria-label") for plot in page.all("div") if plot.get("class") == "chart")
    figures = re.findall(r"<figure>.*?</figure>", html, flags=re.DOTALL)
    assert len(figures) >= 6
    for figure in figures:
        assert "<table" in figure
        assert "Run it again: <code>lissnas" in figure


def test_charts_embed_their_data_and_share_one_bundle(tmp_path: Path, main_metrics: Metrics) -> None:
    page = Page(write_report(run_of(tmp_path, main_metrics)).read_text(encoding="utf-8"))
    specs = [json.loads(script) for script in page.scripts if script.startswith("{")]
    assert len(specs) == len([div for div in page.all("div") if div.get("class") == "chart"]) >= 7
    assert all("$schema" not in spec and "usermeta" not in spec and spec["width"] == "container" for spec in specs)
    assert len([script for script in page.scripts if len(script) > 500_000]) == 1


def test_the_same_run_gives_the_same_bytes(tmp_path: Path, main_metrics: Metrics) -> None:
    first = write_report(run_of(tmp_path / "a", main_metrics)).read_bytes()
    again = write_report(tmp_path / "a").read_bytes()
    program = "import sys, pathlib, lissnas.reports as r; r.write_report(pathlib.Path(sys.argv[1]))"
    other = run_of(tmp_path / "b", main_metrics)
    subprocess.run([sys.executable, "-c", program, str(other)], check=True, env={"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"})
    assert first == again == (other / "report.html").read_bytes()
    assert sorted(path.name for path in other.iterdir()) == ["metrics.json", "report.html"]


def test_no_name_can_leave_its_place(tmp_path: Path, hostile: Metrics) -> None:
    page = Page(write_report(run_of(tmp_path, hostile)).read_text(encoding="utf-8"))
    assert page.all("img") == []
    runnable = [attrs for attrs in page.all("script") if attrs.get("type") != "application/json"]
    assert len(runnable) == 2
    assert all("onerror" not in attrs for _, attrs in page.tags)
    policy = next(meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe-inline' 'sha256" not in policy


def test_values_that_are_no_numbers_are_dashes(tmp_path: Path, main_metrics: Metrics) -> None:
    main_metrics["supernets"]["full"]["kendall"] = {"value": float("nan"), "low": float("nan"), "high": float("nan")}
    html = write_report(run_of(tmp_path, main_metrics)).read_text(encoding="utf-8")
    assert "NaN" not in re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    assert '<td class="n">–</td>' in html


def test_a_section_is_one_file_and_one_line(tmp_path: Path, shrink_metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Section(
        "My own", lambda data: {"path": data.path, "name": data.get("space.name")}, lambda n: f"<p>{n['name']} here</p>"
    )
    monkeypatch.setattr(sys.modules[__name__], "OWN", own, raising=False)
    registry = Registry("report section", {"own": f"{__name__}:OWN"})
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    monkeypatch.setattr(lissnas.reports.write, "SECTIONS", registry)
    html = write_report(run_of(tmp_path, shrink_metrics)).read_text(encoding="utf-8")
    assert "<p>gpt-s here</p>" in html
    assert len(re.findall("<section ", html)) == 1


def test_sections_are_found_by_name() -> None:
    for name in SECTIONS.names():
        assert isinstance(SECTIONS.get(name), Section)
    with pytest.raises(UserError, match="did you mean edf"):
        SECTIONS.get("edff")


def test_an_unfinished_run_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"needs a run's metrics\.json.*lissnas resume"):
        write_report(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"), [("{", "is not JSON"), ("[1]", "must be a JSON object"), ("{}", "with a 'kind'")]
)
def test_metrics_that_were_changed_are_one_line(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "metrics.json").write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=words) as caught:
        write_report(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("package", ["altair", "vl_convert"])
def test_a_missing_extra_is_one_line(
    tmp_path: Path, shrink_metrics: Metrics, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    from lissnas.reports import page

    page._bundle.cache_clear()
    real = __import__("importlib").import_module

    def without(name: str, *rest: Any) -> Any:
        if name == package:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        return real(name, *rest)

    monkeypatch.setattr("importlib.import_module", without)
    with pytest.raises(UserError, match=rf"'{package}', which is not installed: pip install 'lissnas\[report\]'"):
        write_report(run_of(tmp_path, shrink_metrics))
    assert not (tmp_path / "report.html").exists()


def test_numbers_that_cannot_be_read_leave_the_old_page(tmp_path: Path, shrink_metrics: Metrics) -> None:
    page = write_report(run_of(tmp_path, shrink_metrics)).read_bytes()
    (tmp_path / "metrics.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError):
        write_report(tmp_path)
    assert (tmp_path / "report.html").read_bytes() == page


def test_importing_the_room_draws_nothing() -> None:
    program = (
        "import sys, lissnas.reports; print([m for m in ('altair', 'vl_convert', 'pyarrow', 'torch') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_run_data_reads_by_path() -> None:
    data = RunData({"kind": "x", "a": {"b": 3}})
    assert data.get("a.b") == 3
    assert data.get("a.c") is data.get("a.b.c") is None


def test_one_pocket_is_one(main_metrics: Metrics) -> None:

    found = cost_scatter.numbers(RunData(main_metrics))
    assert found is not None
    assert "is one pocket" in cost_scatter.draw({**found, "pockets": 1})
    assert "falls into 3 pockets" in cost_scatter.draw({**found, "pockets": 3})
