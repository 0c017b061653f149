"""``lissnas data``: what a new user types to get a benchmark, and what goes wrong."""

from __future__ import annotations

import functools
import http.server
import json
import shlex
import threading
from pathlib import Path

import pytest

from lissnas.evaluators import BENCHMARKS, store

NAME = "transnasbench101-micro"
ARCHITECTURES = "arch,class_scene_final,jigsaw_final\n000000,7.5,1\n312013,50,2\n222222,40,3\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder, with a file to add; the data is kept in a folder beside."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("LISSNAS_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "here" / "micro.csv").write_text(ARCHITECTURES)
    (tmp_path / "here" / "page.csv").write_text("<html>sign in, please</html>\n")
    return tmp_path / "here"


@pytest.fixture
def address(here: Path):
    """A server of the user's folder."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=here)) as server:
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("arguments", [(), ("--help",)])
def test_says_what_there_is(lissnas, here, arguments):
    said = lissnas("data", *arguments)
    assert said.code == 0
    for command in ("list", "fetch", "add", "verify", "remove"):
        assert command in said.out


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("list", ["--json", "LISSNAS_DATA_DIR"]),
        ("fetch", ["--file", "--url", "--json", "goes on where it stopped", "lissnas data fetch nasbench101"]),
        ("add", ["FILE", "--json", "lissnas data add nasbench201"]),
        ("verify", ["--json", "Exit code 2"]),
        ("remove", ["NAME"]),
    ],
)
def test_help_teaches(lissnas, command, words):
    said = lissnas("data", command, "--help")
    assert said.code == 0
    for word in words:
        assert word in " ".join(said.out.split())


def test_add_list_verify_remove(lissnas, here):
    assert lissnas("data", "verify").out.strip() == "nothing is installed"
    said = lissnas("data", "add", NAME, "micro.csv")
    assert (said.code, said.out) == (0, "")
    assert said.err == [f"'{NAME}' is installed: 3 architectures, {said.err[0].split(', ')[1]}, from micro.csv"]

    listed = {line.split()[0]: line for line in lissnas("data", "list").out.splitlines()}
    assert set(listed) == {"benchmark", *BENCHMARKS.names()}
    assert "installed, " in listed[NAME]
    assert "class_scene, class_object, jigsaw and 11 more" in listed[NAME]
    assert "no: add it" in listed["gpt-s"]

    explained = lissnas("data", "list", NAME).out
    for word in ("architectures      3", "licence", "micro.csv", "room_layout", "github.com/yawen-d/TransNASBench", "browser"):
        assert word in explained

    assert lissnas("data", "verify").out.split() == [NAME, "intact"]
    assert lissnas("data", "verify", NAME).code == 0
    assert lissnas("data", "remove", NAME).err == [f"the data of '{NAME}' is removed"]
    assert lissnas("data", "remove", NAME).err == [f"the data of '{NAME}' was not here"]
    assert store.installed(NAME) is None
    assert (here / "micro.csv").exists()


def test_a_folder_is_enough(lissnas, here):
    assert lissnas("data", "add", NAME, ".").code == 0
    assert store.verify(NAME).rows == 3


def test_json(lissnas, here):
    added = json.loads(lissnas("data", "add", NAME, "micro.csv", "--json").out)
    assert added["installed"]
    assert added["architectures"] == 3
    assert added["source"] == "micro.csv"
    assert added["metrics"]["room_layout"]["higher_is_better"]
    assert json.loads(lissnas("data", "list", NAME, "--json").out) == added
    everything = json.loads(lissnas("data", "list", "--json").out)
    assert [row["name"] for row in everything] == BENCHMARKS.names()
    assert added in everything
    assert json.loads(lissnas("data", "verify", "--json").out) == [{"name": NAME, "intact": True, "problem": None}]


def test_damage_is_found(lissnas, here):
    lissnas("data", "add", NAME, "micro.csv")
    (path,) = store.kept_files(NAME)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    said = lissnas("data", "verify")
    assert said.code == 2
    assert said.out.split() == [NAME, "DAMAGED"]
    assert len(said.err) == 1
    assert f"damaged (the sha256 of '{path}'" in said.err[0]
    path.write_bytes(b"")
    assert "damaged" in lissnas("data", "list").out
    assert "another size" in lissnas("data", "list", NAME).out
    assert lissnas("data", "add", NAME, "micro.csv").code == 0
    assert lissnas("data", "verify").code == 0


def test_fetch_from_a_mirror(lissnas, here, address):
    said = lissnas("data", "fetch", NAME, "--url", f"{address}/micro.csv")
    assert said.code == 0
    assert said.err[0] == f"fetching {address}/micro.csv (no sha256 of it is published)"
    assert f"'{NAME}' is installed: 3 architectures" in said.err[-1]
    assert store.verify(NAME).rows == 3


def test_a_mirror_of_the_wrong_file(lissnas, here, address):
    """The published sha256 is what counts."""
    said = lissnas("data", "fetch", "nasbench101", "--url", f"{address}/micro.csv")
    assert said.code == 2
    assert said.err[0] == f"fetching {address}/micro.csv (sha256 4c39c3936e36a852...)"
    assert "is not the published file, its sha256 is another: nothing of it was kept" in said.err[-1]
    assert store.installed("nasbench101") is None


MISTAKES = [
    ("data lisst", "No such command 'lisst'"),
    ("data list gpt", "unknown benchmark 'gpt': did you mean gpt-s?"),
    ("data add", "Missing argument 'NAME'"),
    (f"data add {NAME}", "Missing argument 'FILE'"),
    ("data add nasbench21 micro.csv", "unknown benchmark 'nasbench21': did you mean nasbench201"),
    (f"data add {NAME} no.csv", "cannot read 'no.csv' (no such file or directory): check the path"),
    (f"data add {NAME} page.csv", "'page.csv' is a web page, not the file"),
    ("data add nasbench201 micro.csv", "micro.csv has none of the columns c10_val"),
    ("data add gpt-s micro.csv", "micro.csv", "embed"),
    ("data add gpt-s .", "the folder '.' holds no file of 'gpt-s': it looks for gpt_s.csv"),
    ("data fetch gpt-s", "needs a browser: get it from https://github.com", "lissnas data add gpt-s FILE"),
    (f"data fetch {NAME} --url micro.csv", "an address must begin with https://"),
    ("data fetch nasbench101 --file all.zip", "'nasbench101' has no file 'all.zip' to fetch: it has nasbench_only108.tfrecord"),
    ("data verify gpt-s", "the data of 'gpt-s' is not here: lissnas data add gpt-s FILE"),
    ("data remove everything", "unknown benchmark 'everything'"),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake[0])
def test_a_mistake_is_one_line(lissnas, here, mistake):
    command, *words = mistake
    said = lissnas(*shlex.split(command))
    assert said.code == 2
    for word in words:
        assert word in said.err[-1]
    assert len([line for line in said.err if not line.startswith("fetching")]) == 1
    assert "DAMAGED" not in said.out
    assert not any(store.is_there(name) for name in BENCHMARKS.names())
