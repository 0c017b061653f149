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
            port = next(found[1] for line in self._driver.stdout if (found := re.search(r"started successfully on port (\d+)", line)))
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
        script = f"""const done = arguments[arguments.length - 1], start = Date.now();
        (function look() {{ if ({condition}) done(true); else if (Date.now() - start > 20000) done(false); else setTimeout(look, 20); }})();"""
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
