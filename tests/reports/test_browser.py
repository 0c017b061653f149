"""The page in a real browser: headless Chromium, driven through ChromeDriver's own HTTP interface (W3C WebDriver)."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lissnas.reports import write_report

CHROMIUM, DRIVER = shutil.which("chromium") or shutil.which("chromium-browser"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no chromium and chromedriver here (Debian: apt install chromium chromium-driver)"
)
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of an element reference, fixed by the W3C standard


class Browser:
    """One headless window."""

    def __init__(self, profile: Path) -> None:
        self._driver = subprocess.Popen(
            [str(DRIVER), "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={"HOME": str(profile)}
        )
        try:
            assert self._driver.stdout is not None
            port = next(
                found[1] for line in self._driver.stdout if (found := re.search(r"started successfully on port (\d+)", line))
            )
            self._base = f"http://127.0.0.1:{port}/session"
            arguments = [
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                f"--user-data-dir={profile / 'profile'}",
            ]
            options = {"binary": CHROMIUM, "args": arguments}
            logs = {"browser": "ALL", "performance": "ALL"}
            wanted = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": logs}}
            self._base += "/" + self._call("", {"capabilities": wanted})["sessionId"]
        except BaseException:
            self._driver.kill()
            raise

    def close(self) -> None:
        try:
            self._call("", method="DELETE")
        finally:
            self._driver.terminate()
            self._driver.wait(timeout=20)

    def open(self, file: Path, width: int = 1200) -> None:
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
        self.logs("browser"), self.logs("performance")  # what an earlier page left
        self._call("/url", {"url": file.resolve().as_uri()})
        self.wait("document.querySelectorAll('.chart svg').length === document.querySelectorAll('.chart').length")

    def run(self, script: str) -> Any:
        return self._call("/execute/sync", {"script": script, "args": []})

    def wait(self, condition: str) -> None:
        """Until the JavaScript ``condition`` holds."""
        script = f"""
            const done = arguments[arguments.length - 1], start = Date.now();
            (function look() {{
                if ({condition}) done(true);
                else if (Date.now() - start > 20000) done(false);
                else setTimeout(look, 20);
            }})();"""
        assert self._call("/execute/async", {"script": script, "args": []}), f"never came true: {condition}"

    def hover(self, selector: str) -> None:
        element = self._call("/element", {"using": "css selector", "value": selector})[ELEMENT]
        self.run(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center', behavior: 'instant'}})")
        move = {"type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": {ELEMENT: element}}
        nudge = {**move, "x": 1}
        actions = [{"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [move, nudge]}]
        self._call("/actions", {"actions": actions})

    def logs(self, kind: str) -> list[dict[str, Any]]:
        return list(self._call("/se/log", {"type": kind}))

    def devtools(self, command: str, **parameters: Any) -> Any:
        return self._call("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def screenshot(self, file: Path) -> None:
        """The whole page as PNG."""
        image = self.devtools("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        file.write_bytes(base64.b64decode(image))

    def _call(self, path: str, body: dict[str, Any] | None = None, method: str = "POST") -> Any:
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data=content, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    one = Browser(tmp_path_factory.mktemp("browser"))
    yield one
    one.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, two_runs: dict[str, Any]) -> dict[str, Path]:
    """The report of each run."""
    folder = tmp_path_factory.mktemp("runs")
    found = {}
    for kind, metrics in two_runs.items():
        (folder / kind).mkdir()
        (folder / kind / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
        found[kind] = write_report(folder / kind)
    return found


KINDS = pytest.mark.parametrize("kind", ["shrink", "main"])


@KINDS
def test_opens_without_an_error_and_without_the_network(browser: Browser, pages: dict[str, Path], kind: str) -> None:
    browser.open(pages[kind])
    charts = browser.run("return document.querySelectorAll('.chart svg .mark-group').length")
    assert charts > 5
    assert browser.logs("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in browser.logs("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert pages[kind].resolve().as_uri() in asked
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


@KINDS
def test_fits_a_phone(browser: Browser, pages: dict[str, Path], kind: str) -> None:
    browser.open(pages[kind], width=390)
    assert browser.run("return document.documentElement.scrollWidth") == 390
    beyond = """return [...document.querySelectorAll('body *')]
        .filter(e => e.getBoundingClientRect().right > 391 && !e.closest('.scroll') && !e.closest('#vg-tooltip-element'))
        .map(e => e.tagName + ' ' + e.textContent.slice(0, 40))"""
    assert browser.run(beyond) == []


@KINDS
def test_hovering_over_a_chart_tells_its_numbers(browser: Browser, pages: dict[str, Path], kind: str) -> None:
    browser.open(pages[kind])
    browser.hover("#predicted_measured .mark-symbol path:nth-child(5)")
    browser.wait("document.querySelector('#vg-tooltip-element.visible')")
    told = browser.run("return document.querySelector('#vg-tooltip-element').innerText")
    assert "predicted" in told
    assert "measured" in told


@KINDS
def test_tables_hold_the_numbers_of_the_metrics(
    browser: Browser, pages: dict[str, Path], two_runs: dict[str, Any], kind: str
) -> None:
    metrics = two_runs[kind]
    browser.open(pages[kind])

    def rows(source: str) -> list[dict[str, Any]]:
        script = f"""const table = document.querySelector('table[data-source="{source}"]');
            const keys = [...table.querySelectorAll('thead th')].map(h => h.dataset.key);
            return [...table.querySelectorAll('tbody tr')].map(row =>
                Object.fromEntries([...row.children].map((cell, i) => [keys[i], cell.dataset.value ?? null])));"""
        found = browser.run(script)
        return [{key: None if value is None else json.loads(value) for key, value in row.items()} for row in found]

    iterations = metrics["shrink"]["iterations"]
    for shown, row in zip(rows("shrink.iterations"), iterations, strict=True):
        assert shown["size"] == int(row["size"])
        assert {key: shown[key] for key in ("index", "mean", "best", "queries", "p_good", "diversity")} == {
            key: row[key] for key in ("index", "mean", "best", "queries", "p_good", "diversity")
        }
    for shown, name in zip(rows("shrink"), ("full", "naive", "shrunk"), strict=True):
        assert shown["cardinality"] == int(metrics["shrink"][name]["cardinality"])
        assert (shown["mean"], shown["best"]) == (metrics["shrink"][name]["mean"], metrics["shrink"][name]["best"])
    index = rows("shrink.shrunk.shrink_index")[-1]
    assert {key: index[key] for key in metrics["shrink"]["shrunk"]["shrink_index"]} == metrics["shrink"]["shrunk"][
        "shrink_index"
    ]
    for shown, test in zip(rows("edf.ks"), metrics["edf"]["ks"].values(), strict=True):
        assert {key: shown[key] for key in test} == test
    assert rows("predictor")[0]["kendall"] == metrics["predictor"]["kendall"]
    assert sorted([row["predicted"], row["measured"]] for row in rows("predicted_measured")) == sorted(
        metrics["predicted_measured"]
    )
    if kind == "main":
        assert [row["test"] for row in rows("final")] == [
            metrics["final"][k]["test"] for k in ("ours", "full_search", "random")
        ]
        shown = rows("supernets")
        assert [r["value"] for r in shown] == [
            metrics["supernets"][s][c]["value"] for c in ("kendall", "pearson") for s in ("full", "shrunk")
        ]
        assert len(rows("stand_alone")) == 24


def test_printing_opens_what_is_folded(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["main"])
    script = """const folded = () => document.querySelectorAll('details:not([open]):not(.long)').length;
        const before = folded(); dispatchEvent(new Event('beforeprint'));
        const during = folded(); dispatchEvent(new Event('afterprint'));
        return [before, during, folded()];"""
    before, during, after = browser.run(script)
    assert before == after > 0
    assert during == 0


def test_a_hostile_name_is_only_a_name(browser: Browser, tmp_path: Path, hostile: dict[str, Any]) -> None:
    (tmp_path / "metrics.json").write_text(json.dumps(hostile), encoding="utf-8")
    browser.open(write_report(tmp_path))
    assert browser.run("return window.broken ?? null") is None
    assert browser.logs("browser") == []
    browser.hover("#cost_scatter .mark-symbol path:nth-child(5)")
    browser.wait("document.querySelector('#vg-tooltip-element.visible')")
    assert browser.run("return document.querySelectorAll('#vg-tooltip-element img, #vg-tooltip-element script').length") == 0
    assert browser.run("return window.broken ?? null") is None
