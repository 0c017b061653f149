"""Getting the official file of a benchmark: resumed where it broke off, checked, and then installed.

pooch finds out whether a file is needed, checks its sha256 and puts it in its place; the transfer is ours, since pooch's own
cannot go on where an earlier one stopped. What has come lies in ``<file>.part``, and in ``<file>.part.json`` which version of
the file it is a part of (the server's ETag or date), so that halves of two versions are never joined.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from lissnas.disk import disk_errors, write_bytes
from lissnas.errors import UserError, require
from lissnas.evaluators import store
from lissnas.evaluators.benchmark import Benchmark, Source
from lissnas.evaluators.install import install_locked, installed_and_usable

if TYPE_CHECKING:
    import requests

__all__ = ["choose_source", "fetch"]

Progress = Callable[[int, int], None]
"""Called with the bytes that have come, and all there will be (0 where the server does not say)."""

TRIES = 4  # transfers in a row that bring nothing new, before giving up
PAUSE = 1.0  # seconds before the second of them; doubled each time
TIMEOUT = (20.0, 60.0)  # seconds to connect, and without a byte

_BLOCK = 1 << 18  # bytes that are written at a time
_BROKE_OFF = "the connection failed or broke off"
_BUSY = (408, 425, 429, 500, 502, 503, 504)  # answers that may be another one a little later


def choose_source(benchmark: Benchmark, file: str | None = None) -> Source:
    """The source to fetch: the first that can be, or the one whose file is called ``file``.

    Raises:
        UserError: none can be fetched (the page is named), or none is called so.
    """
    fetchable = [source for source in benchmark.sources if source.fetchable]
    if not fetchable:
        pages = " or ".join(f"{source.url} ({source.note})" for source in benchmark.sources)
        raise UserError(
            f"the file of '{benchmark.name}' is on a page that needs a browser: get it from {pages}, "
            f"then lissnas data add {benchmark.name} FILE"
        )
    if file is None:
        return fetchable[0]
    for source in fetchable:
        if _file_name(source.url) == file:
            return source
    names = ", ".join(_file_name(source.url) for source in fetchable)
    raise UserError(f"'{benchmark.name}' has no file '{file}' to fetch: it has {names}")


def fetch(
    benchmark: Benchmark,
    source: Source | None = None,
    progress: Progress = lambda done, total: None,  # noqa: ARG005 - what listens in its place wants both
    say: store.Say = store.silent,
) -> store.Installed:
    """Download the file of ``source`` (see :func:`choose_source`), check and install it; at once where it is installed.

    Raises:
        UserError: the server or the file is not what it should be, or the disk refuses. What has come is kept, and the next
            call goes on from there.
    """
    pooch = require("pooch", "benchmarks")
    source = source or choose_source(benchmark)
    folder = store.downloads_dir(benchmark.name)
    with store.locked(benchmark.name, say):
        present = installed_and_usable(benchmark)
        if present is not None and present.origin.source.sha256 == source.sha256:
            return present
        pooch.get_logger().setLevel("WARNING")
        with disk_errors(folder):
            try:
                path = Path(
                    pooch.retrieve(
                        source.url,
                        known_hash=source.sha256 and f"sha256:{source.sha256}",
                        fname=_file_name(source.url),
                        path=folder,
                        downloader=_Transfer(benchmark, source, progress, say),
                    )
                )
            except ValueError as error:
                if isinstance(error, UserError):
                    raise
                raise UserError(
                    f"what came from {source.url} is not the published file, its sha256 is another: nothing of it was kept; "
                    f"{_otherwise(benchmark)}"
                ) from None
        try:
            done = install_locked(benchmark, path, say)
        except UserError:
            if source.sha256 is None:  # nobody knows whether it is the right file: it is not to be found here next time
                path.unlink()
            raise
        path.unlink()
        return done


class _BrokenOffError(Exception):
    """A transfer that may go better the next time."""


class _Transfer:
    """What pooch calls to get a file: ``transfer(url, output, pooch)``. Tries again while more of the file comes."""

    def __init__(self, benchmark: Benchmark, source: Source, progress: Progress, say: store.Say) -> None:
        self.benchmark, self.source, self.progress, self.say = benchmark, source, progress, say

    def __call__(self, url: str, output: str, pooch: object) -> None:  # noqa: ARG002 - pooch gives itself
        import requests

        part = _Part(Path(output).with_name(f"{_file_name(url)}.part"))
        furthest, failures = part.size, 0
        with requests.Session() as session:
            while True:
                try:
                    self._get(session, part)
                    break
                except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema):
                    raise UserError(f"an address must begin with https:// or http://, but got '{url}': check it") from None
                except (_BrokenOffError, requests.RequestException) as error:
                    failures = 0 if part.size > furthest else failures + 1
                    furthest = max(furthest, part.size)
                    if failures >= TRIES:
                        raise UserError(self._gave_up(part, error)) from None
                    time.sleep(PAUSE * 2 ** max(failures - 1, 0))
        if self.source.sha256 is None and self.source.size not in (None, part.size):  # a checksum tells more
            got = part.size
            part.remove()
            raise UserError(
                f"{url} gave {got:,} bytes, but the published file has {self.source.size:,}: nothing of it was kept; "
                f"{_otherwise(self.benchmark)}"
            )
        os.replace(part.path, output)
        part.remove()

    def _gave_up(self, part: _Part, error: Exception) -> str:
        what = str(error) if isinstance(error, _BrokenOffError) else _BROKE_OFF
        of = f" of {part.total:,}" if part.total else ""
        remedy = f"lissnas data fetch {self.benchmark.name} goes on from there" if part.size else "try again later"
        return f"{self.source.url}: {what} after {part.size:,}{of} bytes: {remedy}, or {_otherwise(self.benchmark)}"

    def _get(self, session: requests.Session, part: _Part) -> None:
        """One transfer: what is missing of the file, or all of it.

        Raises:
            UserError: the server refuses.
            _BrokenOffError, requests.RequestException: it may go better the next time.
        """
        headers = {"Accept-Encoding": "identity", **part.resuming(self.source)}
        with session.get(self.source.url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            if self.source.url.startswith("https:") and not response.url.startswith("https:"):
                raise UserError(
                    f"{self.source.url} leads to {response.url}, which is not encrypted: {_otherwise(self.benchmark)}"
                )
            total, start = _declared(response)
            if response.status_code == 416 and part.size:  # nothing of it is missing, or the file is another now
                if total == part.size and (part.total in (0, total) or self.source.sha256 is not None):
                    return
                part.remove()
                raise _BrokenOffError("the file changed")
            if response.status_code in _BUSY:
                raise _BrokenOffError(f"the server answers {response.status_code} ({response.reason})")
            if response.status_code not in (200, 206):
                raise UserError(
                    f"{self.source.url}: the server answers {response.status_code} ({response.reason}): "
                    f"{_otherwise(self.benchmark)}"
                )
            if response.status_code == 206 and not part.goes_on(self.source.url, _version(response), start, total):
                part.remove()
                raise _BrokenOffError("the file changed")
            if response.status_code == 200:
                if part.size:
                    self.say(f"{self.source.url} cannot be resumed, or has changed: starting again")
                part.begin(self.source.url, _version(response), total)
            self._write(response, part)

    def _write(self, response: requests.Response, part: _Part) -> None:
        from urllib3.exceptions import HTTPError

        done, total = part.size, part.total or self.source.size or 0
        with part.path.open("ab") as file:
            try:
                # read1, since all that has come is wanted, also where the connection breaks within a block
                while block := response.raw.read1(_BLOCK, decode_content=True):
                    file.write(block)
                    done += len(block)
                    self.progress(done, max(total, done) if total else 0)
            except HTTPError:
                raise _BrokenOffError(_BROKE_OFF) from None
        if part.total and done < part.total:
            raise _BrokenOffError(_BROKE_OFF)


class _Part:
    """What has come of a file, and which version of it that is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._about = path.with_name(f"{path.name}.json")
        self.url, self.version, self.total = "", "", 0
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            about = json.loads(self._about.read_bytes())
            self.url, self.version, self.total = str(about["url"]), str(about["version"]), int(about["total"])

    @property
    def size(self) -> int:
        """Bytes that have come."""
        return self.path.stat().st_size if self.path.exists() else 0

    def resuming(self, source: Source) -> dict[str, str]:
        """The headers that ask for what is missing, if it can be known to belong to what is here."""
        if self.url == source.url and self.version:
            return {"Range": f"bytes={self.size}-", "If-Range": self.version} if self.size else {}
        if source.sha256 is not None and self.url:  # no version, or another address of the same file: its sha256 will tell
            return {"Range": f"bytes={self.size}-"} if self.size else {}
        return {}

    def goes_on(self, url: str, version: str, start: int, total: int) -> bool:
        """Whether an answer is the rest of the same file. Versions of two addresses cannot be compared."""
        same_version = url != self.url or not (version and self.version) or version == self.version
        return start == self.size and same_version and (not self.total or not total or total == self.total)

    def begin(self, url: str, version: str, total: int) -> None:
        """Forget what has come."""
        self.remove()
        self.url, self.version, self.total = url, version, total
        write_bytes(self._about, json.dumps({"url": url, "version": version, "total": total}).encode())

    def remove(self) -> None:
        """Nothing has come."""
        self.path.unlink(missing_ok=True)
        self._about.unlink(missing_ok=True)
        self.url, self.version, self.total = "", "", 0


def _version(response: requests.Response) -> str:
    """What tells this version of a file from another: a strong ETag, or the date of its last change."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


def _declared(response: requests.Response) -> tuple[int, int]:
    """The size of the whole file, 0 where the server does not say, and the byte that the answer begins with (-1: not said)."""
    if response.status_code in (206, 416):
        found = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", response.headers.get("Content-Range", "").strip())
        if found is None:
            return 0, -1
        return int(found[2]) if found[2].isdigit() else 0, int(found[1]) if found[1] else -1
    length = response.headers.get("Content-Length", "")
    encoded = response.headers.get("Content-Encoding", "identity") != "identity"  # then the length is that of other bytes
    return int(length) if length.isdigit() and not encoded else 0, 0


def _file_name(url: str) -> str:
    """The last part of an address, as a name that is safe on any disk."""
    return re.sub(r"[^\w.+-]", "_", unquote(Path(urlsplit(url).path).name)).lstrip(".") or "download"


def _otherwise(benchmark: Benchmark) -> str:
    return f"get it in another way, and lissnas data add {benchmark.name} FILE"
