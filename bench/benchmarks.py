"""NAS-Bench-101's file at its full size: convert, load and query; beside the official loader's way in plain Python.

The file is synthetic (:mod:`synthetic_nasbench101`). The official loader needs TensorFlow 1; what stands for it does the same
in Python: JSON, base64, one protobuf message at a time, a dictionary by hash, the hash of what is asked for. A compiled
protobuf is faster at the second last of these, so the loader is timed without any parsing of messages too.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from synthetic_nasbench101 import write_synthetic

import lissnas
from lissnas.evaluators.benchmark import find_benchmark
from lissnas.evaluators.install import install
from lissnas.evaluators.readers.nasbench101_payload import read_payload
from lissnas.evaluators.readers.tfrecord import Records

CELLS = 423_624
RECORDS = 3 * CELLS
PLAIN = 20_000  # records that plain Python reads; scaled up
QUERIES = 1_000_000
PLAIN_QUERIES = 2_000
OPERATIONS = ["conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"]


def run() -> list[dict[str, Any]]:
    """Rows of the table."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LISSNAS_DATA_DIR"] = str(Path(folder) / "data")
        source = Path(folder) / "nasbench_only108.tfrecord"
        space = lissnas.get_space("nasbench101")
        write_synthetic(source)
        convert = _seconds(lambda: install(find_benchmark("nasbench101"), source), repeats=1)
        load = _seconds(lambda: lissnas.get_evaluator("nasbench101"))
        evaluator = lissnas.get_evaluator("nasbench101")
        cells = space.sample(QUERIES, np.random.default_rng(0))
        query = _seconds(lambda: evaluator.evaluate(cells)) / QUERIES
        parsed, unparsed, table = _plain_load(source)
        held = [cell for cell in space.genotypes_of(np.arange(PLAIN // 3)) if random.random() < 0.5][:PLAIN_QUERIES]
        plain_query = _plain_query(space, np.array(held), table)
        memory = _memory(folder)
    scaled = f"plain Python on {PLAIN:,} of {RECORDS:,} records, scaled"
    mb = 1e6
    return [
        _row(f"{RECORDS:,} records: read, check, convert, write", convert, parsed, scaled),
        _row("the same, against a loader that parses no messages", convert, unparsed, scaled),
        _row("load, from then on", load, parsed, scaled),
        _row(f"query one of {QUERIES:,} cells", query, plain_query, "dictionary by official hash, hash included"),
        _row("memory that loading and a query of all cells adds (MB)", memory / mb, _plain_memory(table) / mb, scaled),
    ]


def _row(work: str, ours: float, theirs: float, against: str) -> dict[str, Any]:
    return {"work": work, "ours": ours, "theirs": theirs, "against": against, "ratio": theirs / ours}


def _seconds(function: Any, repeats: int = 5) -> float:
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)


def _plain_load(source: Path) -> tuple[float, float, dict[str, Any]]:
    """Seconds for all records with and without parsing messages, and the dictionary of those that were read."""
    payloads = list(itertools.islice(Records(source), PLAIN))
    table: dict[str, Any] = {}
    began = time.perf_counter()
    for payload in payloads:
        read = read_payload(payload)
        cell = table.setdefault(read.module_hash, {"adjacency": read.adjacency, "operations": read.operations, 108: []})
        half, final = read.metrics.evaluations[1:]
        cell[read.epochs].append({f"halfway_{k}": v for k, v in half.items()} | {f"final_{k}": v for k, v in final.items()})
    parsed = time.perf_counter() - began
    began = time.perf_counter()
    for payload in payloads:
        _, _, matrix, names, message = json.loads(payload)
        size = int(np.sqrt(len(matrix)))
        np.array([int(e) for e in matrix], dtype=np.int8).reshape(size, size)
        names.split(",")
        base64.b64decode(message)
    unparsed = time.perf_counter() - began
    return parsed * RECORDS / len(payloads), unparsed * RECORDS / len(payloads), table


def _plain_query(space: Any, cells: np.ndarray, table: dict[str, Any]) -> float:
    """Seconds per query: the hash of a matrix and its operations as the official code has it, and a look-up."""
    specs = []
    for text in space.format(cells):
        bits, _, names = text.partition(":")
        size = int(len(bits) ** 0.5)
        labels = [-1, *(OPERATIONS.index(name) for name in names.split(",") if name), -2]
        specs.append((np.array(list(bits), dtype=int).reshape(size, size), labels))
    began = time.perf_counter()
    for matrix, labels in specs:
        max(run["final_test_accuracy"] for run in table[_official_hash(matrix, labels)][108])
    return (time.perf_counter() - began) / len(specs)


def _official_hash(matrix: np.ndarray, labels: list[int]) -> str:
    """Rounds of MD5 over in- and out-neighbors, as many as there are vertices (nasbench, ``lib/graph_util.py``)."""
    n = len(labels)
    out_edges, in_edges = np.sum(matrix, axis=1).tolist(), np.sum(matrix, axis=0).tolist()
    hashes = [_md5(str((out_edges[v], in_edges[v], labels[v]))) for v in range(n)]
    for _ in range(n):
        fresh = []
        for v in range(n):
            into = sorted(hashes[w] for w in range(n) if matrix[w, v])
            out = sorted(hashes[w] for w in range(n) if matrix[v, w])
            fresh.append(_md5("".join(into) + "|" + "".join(out) + "|" + hashes[v]))
        hashes = fresh
    return _md5(str(sorted(hashes)))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


_PROBE = """
import numpy as np, psutil, lissnas
space = lissnas.get_space("nasbench101")
cells = space.genotypes_of(np.arange(space.cardinality))
space.ids(cells)
import pyarrow.ipc
scores = np.ones(space.cardinality)
before = psutil.Process().memory_info().rss
scores[:] = lissnas.get_evaluator("nasbench101").evaluate(cells)
print(psutil.Process().memory_info().rss - before)
"""


def _memory(folder: str) -> float:
    """Bytes that a fresh process grows by."""
    out = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, text=True, check=True, cwd=folder)
    return float(out.stdout)


def _plain_memory(table: dict[str, Any]) -> float:
    """Bytes of the dictionary, scaled to all cells."""
    seen: set[int] = set()

    def size(thing: Any) -> int:
        if id(thing) in seen:
            return 0
        seen.add(id(thing))
        inner: Any = ()
        if isinstance(thing, dict):
            inner = (*thing.keys(), *thing.values())
        elif isinstance(thing, list):
            inner = thing
        return sys.getsizeof(thing) + sum(map(size, inner))

    return size(table) * CELLS / len(table)
