"""Downloads from a server that breaks off, lies about lengths, sends wrong bytes, and changes its mind."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lissnas import UserError
from lissnas.evaluators import fetch as fetch_module
from lissnas.evaluators import store
from lissnas.evaluators.benchmark import Benchmark, Source, find_benchmark
from lissnas.evaluators.fetch import choose_source, fetch

pytest.importorskip("pooch")

NAME = "transnasbench101-micro"


@dataclass
class Server:
    """A server of one file. ``plan`` says what goes wrong with the next requests; after that it is honest."""

    content: bytes
    tag: str = '"1"'
    plan: list[str] = field(default_factory=list)
    asked: list[str | None] = field(default_factory=list)
    address: str = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range")
        self.asked.append(wanted)
        how = self.plan.pop(0) if self.plan else "honest"
        if how.isdigit():
            handler.send_error(int(how))
        elif how == "redirect":
            handler.send_response(302)
            handler.send_header("Location", f"{self.address}/elsewhere/micro.csv")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        else:
            self.send(handler, how, wanted)

    def send(self, handler: BaseHTTPRequestHandler, how: str, wanted: str | None) -> None:
        content = self.content
        if how == "wrong bytes":
            content = content[:1000] + b"7" + content[1001:]
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        if handler.headers.get("If-Range", self.tag) != self.tag or how in ("no ranges", "break off, no ranges"):
            start = 0
        if start and start >= len(content):
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(content)}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        handler.send_response(206 if start else 200)
        if start:
            first = start + 5 if how == "another range" else start
            handler.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        if self.tag:
            handler.send_header("ETag", self.tag)
        length = len(content) - start
        length += {"says too much": 1000, "says too little": -1000}.get(how, 0)
        if how != "no length":
            handler.send_header("Content-Length", str(length))
        handler.end_headers()
        body = content[start:]
        if how.startswith("break off"):
            body = body[: len(body) * 2 // 3]
        handler.wfile.write(body[:length])


@pytest.fixture
def server(micro_csv: Path) -> Iterator[Server]:
    served = Server(micro_csv.read_bytes() + b"\n" * 300_000)  # a little longer than a few blocks; empty lines are no rows

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.answer(self)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        served.address = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=lambda: http.serve_forever(poll_interval=0.01))
        thread.start()
        yield served
        http.shutdown()
        thread.join()


@pytest.fixture
def benchmark() -> Benchmark:
    return find_benchmark(NAME)


@pytest.fixture(autouse=True)
def _quick(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_module, "PAUSE", 0.0)


def source_of(server: Server, checked: bool = True) -> Source:
    sha256 = hashlib.sha256(server.content).hexdigest() if checked else None
    return Source(f"{server.address}/files/micro.csv", sha256)


def assert_installed(server: Server) -> None:
    done = store.verify(NAME)
    assert done.rows == 4096
    assert done.origin.source.sha256 == hashlib.sha256(server.content).hexdigest()
    assert leftovers() == [], "what was downloaded is not needed any more"


def assert_nothing_looks_complete() -> None:
    assert store.installed(NAME) is None
    assert [name for name in leftovers() if ".part" not in name] == []


def leftovers() -> list[str]:
    folder = store.downloads_dir(NAME)
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


class TestHonest:
    @pytest.mark.parametrize("checked", [True, False])
    def test_is_installed(self, server, benchmark, checked):
        seen = []
        fetch(benchmark, source_of(server, checked), lambda done, total: seen.append((done, total)))
        assert_installed(server)
        assert seen[-1] == (len(server.content), len(server.content))
        assert seen == sorted(seen)

    def test_once(self, server, benchmark):
        fetch(benchmark, source_of(server))
        fetch(benchmark, source_of(server))
        assert len(server.asked) == 1

    def test_again_where_what_is_here_is_damaged(self, server, benchmark):
        fetch(benchmark, source_of(server))
        store.kept_files(NAME)[0].write_bytes(b"")
        fetch(benchmark, source_of(server))
        assert len(server.asked) == 2
        assert_installed(server)

    @pytest.mark.parametrize("how", ["redirect", "no length"])
    def test_in_other_words(self, server, benchmark, how):
        server.plan = [how]
        fetch(benchmark, source_of(server))
        assert_installed(server)

    def test_two_at_once_download_it_once(self, server, benchmark):
        threads = [threading.Thread(target=fetch, args=(benchmark, source_of(server))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.asked) == 1
        assert_installed(server)


class TestBreaksOff:
    @pytest.mark.parametrize("checked", [True, False])
    def test_goes_on_where_it_stopped(self, server, benchmark, checked):
        server.plan = ["break off", "503", "break off"]
        fetch(benchmark, source_of(server, checked))
        assert_installed(server)
        starts = [int(wanted[6:-1]) if wanted else 0 for wanted in server.asked]
        assert starts[0] == 0
        assert 0 < starts[1] == starts[2] < starts[3] < len(server.content)

    def test_goes_on_in_another_process(self, server, benchmark):
        server.plan = ["break off", "503", "503", "503", "503"]
        with pytest.raises(UserError, match=rf"answers 503 .* after [\d,]+ of [\d,]+ bytes: lissnas data fetch {NAME} goes on"):
            fetch(benchmark, source_of(server))
        assert_nothing_looks_complete()
        assert leftovers() == ["micro.csv.part", "micro.csv.part.json"]
        server.asked.clear()
        fetch(benchmark, source_of(server))
        assert len(server.asked) == 1
        assert server.asked[0] is not None
        assert_installed(server)

    def test_starts_again_where_the_server_cannot_resume(self, server, benchmark):
        said: list[str] = []
        server.plan = ["break off", "no ranges"]
        fetch(benchmark, source_of(server), say=said.append)
        assert_installed(server)
        assert "starting again" in said[0]

    def test_gives_up_where_that_always_happens(self, server, benchmark):
        server.plan = ["break off, no ranges"] * 50
        with pytest.raises(UserError, match=r"the connection failed or broke off after"):
            fetch(benchmark, source_of(server))
        assert len(server.asked) == 1 + fetch_module.TRIES
        assert_nothing_looks_complete()

    @pytest.mark.parametrize("checked", [True, False])
    @pytest.mark.parametrize("tag", ['"2"', ""])
    def test_halves_of_two_versions_are_not_joined(self, server, benchmark, checked, tag):
        server.plan = ["break off", "503", "503", "503", "503"]
        with pytest.raises(UserError):
            fetch(benchmark, source_of(server, checked))
        server.content = server.content.replace(b"class_scene_best", b"another_number__")
        server.tag = tag
        fetch(benchmark, source_of(server, checked))
        assert_installed(server)

    def test_without_a_version_only_a_checksum_lets_it_go_on(self, server, benchmark):
        server.tag = ""
        server.plan = ["break off"]
        fetch(benchmark, source_of(server, checked=False))
        assert server.asked == [None, None]
        store.remove(NAME)
        server.plan, server.asked = ["break off"], []
        fetch(benchmark, source_of(server))
        assert server.asked[0] is None
        assert server.asked[1] is not None
        assert_installed(server)

    def test_the_rest_of_something_else_is_not_taken(self, server, benchmark):
        server.plan = ["break off", "another range"]
        fetch(benchmark, source_of(server))
        assert_installed(server)

    def test_a_mirror_goes_on_with_what_another_began(self, server, benchmark):
        server.plan = ["break off", "503", "503", "503", "503"]
        with pytest.raises(UserError):
            fetch(benchmark, source_of(server))
        server.asked.clear()
        server.tag = '"of the mirror"'
        fetch(benchmark, replace(source_of(server), url=f"{server.address}/mirror/micro.csv"))
        assert server.asked[0] is not None
        assert_installed(server)


class TestLies:
    def test_wrong_bytes(self, server, benchmark):
        server.plan = ["wrong bytes"]
        with pytest.raises(UserError, match=rf"not the published file, its sha256 is another.*lissnas data add {NAME} FILE"):
            fetch(benchmark, source_of(server))
        assert_nothing_looks_complete()
        assert leftovers() == []
        fetch(benchmark, source_of(server))
        assert_installed(server)

    def test_wrong_bytes_without_a_checksum_are_not_kept(self, server, benchmark):
        server.content = b"<html><body>not found, but, politely</body></html>"
        with pytest.raises(UserError, match=r"micro.csv' is a web page, not the file"):
            fetch(benchmark, source_of(server, checked=False))
        assert store.installed(NAME) is None
        assert leftovers() == []

    def test_says_too_much(self, server, benchmark):
        server.plan = ["says too much"] * 50
        fetch(benchmark, source_of(server))  # the checksum says that it is whole
        assert_installed(server)

    def test_says_too_much_and_there_is_no_checksum(self, server, benchmark):
        server.plan = ["says too much"] * 50
        with pytest.raises(UserError, match=r"the file changed after|broke off after"):
            fetch(benchmark, source_of(server, checked=False))
        assert_nothing_looks_complete()

    def test_says_too_little(self, server, benchmark):
        server.plan = ["says too little"]
        with pytest.raises(UserError, match=r"not the published file"):
            fetch(benchmark, source_of(server))
        assert_nothing_looks_complete()

    def test_another_length_than_published(self, server, benchmark):
        server.plan = ["says too little"]
        published = replace(source_of(server, checked=False), size=len(server.content))
        with pytest.raises(UserError, match=r"gave [\d,]+ bytes, but the published file has [\d,]+: nothing of it was kept"):
            fetch(benchmark, published)
        assert_nothing_looks_complete()
        assert leftovers() == []


class TestRefuses:
    @pytest.mark.parametrize("status", ["404", "403", "410"])
    def test_at_once(self, server, benchmark, status):
        server.plan = [status]
        with pytest.raises(UserError, match=rf"micro.csv: the server answers {status} .*: .*lissnas data add {NAME} FILE"):
            fetch(benchmark, source_of(server))
        assert len(server.asked) == 1
        assert_nothing_looks_complete()

    def test_after_a_few_tries(self, server, benchmark):
        server.plan = ["500"] * 50
        with pytest.raises(UserError, match=r"answers 500 .* after 0 bytes: try again later"):
            fetch(benchmark, source_of(server))
        assert len(server.asked) == fetch_module.TRIES
        assert_nothing_looks_complete()

    def test_nobody_answers(self, server, benchmark):
        with pytest.raises(UserError, match=r"the connection failed or broke off after 0 bytes"):
            fetch(benchmark, Source("http://127.0.0.1:9/micro.csv"))

    @pytest.mark.parametrize(
        "url", ["micro.csv", "/tmp/micro.csv", "file:///tmp/micro.csv", "http://", "ftp://127.0.0.1/m.csv"]
    )
    def test_what_is_no_address(self, benchmark, url):
        with pytest.raises(UserError, match=r"https://"):
            fetch(benchmark, Source(url))


class TestSource:
    def test_a_page_that_needs_a_browser(self, benchmark):
        with pytest.raises(UserError, match=r"needs a browser: get it from https://.*, then lissnas data add"):
            choose_source(benchmark)

    def test_by_the_name_of_the_file(self, benchmark):
        two = replace(benchmark, sources=(Source("https://a.org/one.csv"), Source("https://a.org/two.csv")))
        assert choose_source(two).url == "https://a.org/one.csv"
        assert choose_source(two, "two.csv").url == "https://a.org/two.csv"
        with pytest.raises(UserError, match=r"no file 'three.csv' to fetch: it has one.csv, two.csv"):
            choose_source(two, "three.csv")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://a.org/b/c.tfrecord", "c.tfrecord"),
        ("https://a.org/c.csv?download=1#x", "c.csv"),
        ("https://a.org/%2e%2e%2fetc%2fpasswd", "_etc_passwd"),
        ("https://a.org/..", "download"),
        ("https://a.org/", "download"),
        ("https://a.org/a b:c", "a_b_c"),
    ],
)
def test_a_file_name_stays_in_its_folder(url, name):
    named: Callable[[str], str] = fetch_module._file_name
    assert named(url) == name
