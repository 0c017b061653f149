"""NAS-Bench-101: from raw matrix to cell, neighbors, tables; beside what one would use otherwise, in one run."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

N = 1_000_000
CELLS = 100_000
PLAIN = 300  # plain Python is timed on so many, and scaled up

Plain = tuple[list[list[int]], list[int]]


def run() -> list[dict[str, Any]]:
    """Rows of the table."""
    built, loaded = _build_and_load()  # first: processes of their own, with a cache of their own

    from lissnas.spaces.nasbench101 import nasbench101
    from lissnas.spaces.nasbench101.drawings import EDGES

    space = nasbench101()
    rng = np.random.default_rng(0)
    x = space.sample(N, rng)
    matrices = np.zeros((N, 7, 7), dtype=np.uint8)
    for column, (i, j) in enumerate(EDGES):
        matrices[:, i, j] = x[:, column]
    operations = np.where(x[:, len(EDGES) :] < 3, x[:, len(EDGES) :], 0)
    few = x[:CELLS]
    plain = [(m, [-1, *o, -2]) for m, o in zip(matrices[:PLAIN].tolist(), operations[:PLAIN].tolist(), strict=True)]
    everything = sum(built.values())
    by_hash = _best(lambda: [_official_hash(*_pruned(*cell)) for cell in plain]) / PLAIN
    rows = [
        _row(
            "10^6 raw matrices -> cells",
            _best(lambda: space.ids_from_matrix(matrices, operations)),
            by_hash * N,
            "official hash",
        ),
        _row("10^6 genotypes -> cells", _best(lambda: space.ids(x)), by_hash * N, "official hash"),
        _row("10^4 cells -> official hash", _best(lambda: space.official_hash(x[:4000])) * 2.5, by_hash * 1e4, "hashlib"),
    ]
    wl = _networkx(plain)
    if wl is not None:
        rows.insert(1, _row("10^6 raw matrices -> cells", rows[0]["ours"], wl * N, "networkx, Weisfeiler-Lehman hash"))
    rows += [
        # 1,293,208 labeled drawings are hashed by the official script, and compared by their hash
        _row(
            "tables of all cells from nothing, compiling included",
            built["cells"],
            by_hash * 1_293_208,
            "official script's hashes",
        ),
        _row("the same and both edit graphs", everything, by_hash * 1_293_208, "official script's hashes"),
        _row("tables of all cells from the cache", loaded["cells"], built["cells"], "building them"),
        _row("the edit graph from the cache", loaded["graph"], built["graph"], "building it"),
        _row(
            "all one-edit neighbors of 10^5 cells",
            _best(lambda: space.all_neighbors(few)),
            _best(lambda: [_neighbors(*cell) for cell in plain]) / PLAIN * CELLS,
            "plain Python, one drawing",
        ),
    ]
    for edits in (1, 2, 3):
        rows.append(
            _row(
                f"a random neighbor at {edits} edit{'s' * (edits > 1)} of 10^5 cells",
                _best(lambda edits=edits: space.neighbors(few, edits, rng)),
                _best(lambda edits=edits: [_walk(cell, edits) for cell in plain]) / PLAIN * CELLS,
                "plain Python walk, one drawing",
            )
        )
    some = space.sample(1000, rng), space.sample(1000, rng)
    rows.append(_row("10^3 distances of random cells", _best(lambda: space.distance(*some)), float("nan"), ""))
    space.cost(x[:1])
    rows.append(_row("costs of 10^6 cells", _best(lambda: space.cost(x)), float("nan"), ""))
    return rows


def _build_and_load() -> tuple[dict[str, float], dict[str, float]]:
    """Seconds for each set of tables: from nothing (no cache, no compiled code), and again from the cache."""
    code = (
        "import time\n"
        "from lissnas.arrays.codes import CodeLayout\n"
        "began = time.perf_counter()\n"
        "def step(name):\n"
        "    global began\n"
        "    now = time.perf_counter()\n"
        "    print(name, now - began)\n"
        "    began = time.perf_counter()\n"
        "from lissnas.spaces.nasbench101.tables import cell_tables\n"
        "from lissnas.spaces.nasbench101.edits import edit_graph\n"
        "RESET\n"
        "cell_tables(); step('cells')\n"
        "edit_graph('graph'); step('graph')\n"
        "edit_graph('stranding'); step('stranding')\n"
    )
    times = []
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"LISSNAS_DATA_DIR": folder, "NUMBA_CACHE_DIR": os.path.join(folder, "numba")}
        for reset in ("", "began = time.perf_counter()"):  # what is loaded is timed without the imports
            script = code.replace("RESET", reset)
            output = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
            times.append({name: float(seconds) for name, seconds in map(str.split, output.stdout.splitlines())})
    return times[0], times[1]


def _pruned(matrix: list[list[int]], labels: list[int]) -> Plain:
    """The official pruning (lib/model_spec.py): search from both ends, keep what both find."""
    n = len(matrix)
    found = []
    for start, successors in (
        (0, lambda v: [w for w in range(n) if matrix[v][w]]),
        (n - 1, lambda v: [w for w in range(n) if matrix[w][v]]),
    ):
        seen, waiting = {start}, [start]
        while waiting:
            for other in successors(waiting.pop()):
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        found.append(seen)
    kept = sorted(found[0] & found[1])
    return [[matrix[i][j] for j in kept] for i in kept], [labels[v] for v in kept]


def _official_hash(matrix: list[list[int]], labels: list[int]) -> str:
    """The official rule (lib/graph_util.py), by hashlib."""
    n = len(matrix)
    into = [[w for w in range(n) if matrix[w][v]] for v in range(n)]
    out = [[w for w in range(n) if matrix[v][w]] for v in range(n)]
    hashes = [_md5(str((len(out[v]), len(into[v]), labels[v]))) for v in range(n)]
    for _ in range(n):
        hashes = [
            _md5(
                "".join(sorted(hashes[w] for w in into[v])) + "|" + "".join(sorted(hashes[w] for w in out[v])) + "|" + hashes[v]
            )
            for v in range(n)
        ]
    return _md5(str(sorted(hashes)))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _networkx(plain: list[Plain]) -> float | None:
    """Seconds for each cell, where networkx is there."""
    try:
        import networkx
    except ImportError:
        return None

    def hash_one(matrix: list[list[int]], labels: list[int]) -> str:
        graph = networkx.DiGraph()
        graph.add_nodes_from((v, {"op": str(label)}) for v, label in enumerate(labels))
        graph.add_edges_from((i, j) for i, row in enumerate(matrix) for j, bit in enumerate(row) if bit)
        return str(networkx.weisfeiler_lehman_graph_hash(graph, node_attr="op"))

    return _best(lambda: [hash_one(*_pruned(*cell)) for cell in plain]) / len(plain)


def _neighbors(matrix: list[list[int]], labels: list[int]) -> list[Plain]:
    """As naszilla and NASLib list them: change an operation, flip an edge of the one drawing, keep what is valid."""
    found = []
    n = len(matrix)
    for v in range(1, n - 1):
        for label in range(3):
            if label != labels[v]:
                found.append(([list(row) for row in matrix], [*labels[:v], label, *labels[v + 1 :]]))
    for i in range(n):
        for j in range(i + 1, n):
            flipped = [list(row) for row in matrix]
            flipped[i][j] ^= 1
            small, _ = _pruned(flipped, labels)
            if len(small) > 1 and sum(map(sum, small)) <= 9:
                found.append((flipped, list(labels)))
    return found


def _walk(cell: Plain, edits: int) -> Plain:
    for _ in range(edits):
        cell = random.choice(_neighbors(*cell))
    return cell


def _row(work: str, ours: float, theirs: float, against: str) -> dict[str, Any]:
    return {"work": work, "ours": ours, "theirs": theirs, "against": against, "ratio": theirs / ours}


def _best(function: Callable[[], object], repeats: int = 3) -> float:
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)


if __name__ == "__main__":
    for row in run():
        print(f"{row['work']:60} {row['ours']:10.4g} {row['theirs']:10.4g}  {row['ratio']:10.1f}  {row['against']}")
