"""NAS-Bench-101's published numbers (reconstruction A.5 and B.1)."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.spaces import SPACES, ExplicitSpace, from_definition
from lissnas.spaces.nasbench101 import nasbench101
from lissnas.spaces.nasbench101.space import NASBench101
from lissnas.testing import SpaceContract

C3, C1, MP = "conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"

EDGES = [(i, j) for j in reversed(range(7)) for i in reversed(range(j))]
UPPER = tuple(np.array(EDGES).T)

# edges, operations, official hash, official parameters
INCEPTION = (
    [(0, 1), (0, 2), (0, 3), (0, 4), (1, 6), (2, 6), (3, 6), (4, 5), (5, 6)],
    [C3, C1, MP, C3, C3],
    "28cfc7874f6d200472e1a9dcd8650aa0",
    2_694_282,
)
FIRST = (
    [(0, 1), (0, 4), (0, 5), (1, 2), (2, 3), (2, 6), (3, 5), (4, 5), (5, 6)],
    [C3, MP, C3, C3, C1],
    "00005c142e6f48ac74fdcf73e3439874",
    8_555_530,
)


class TestContract(SpaceContract):
    space = staticmethod(nasbench101)


class TestOperationContract(SpaceContract):
    def space(self) -> NASBench101:
        return nasbench101(edits="operation")


@pytest.fixture(scope="module")
def space() -> NASBench101:
    return nasbench101()


def matrix(edges: list[tuple[int, int]], vertices: int = 7) -> np.ndarray:
    adjacency = np.zeros((vertices, vertices), dtype=np.uint8)
    for i, j in edges:
        adjacency[i, j] = 1
    return adjacency


def test_counts(space: NASBench101) -> None:
    x = np.concatenate(list(space.enumerate()))
    assert len(x) == space.cardinality == 423_624
    interior = (x[:, 21:] < 3).sum(axis=1)
    assert np.bincount(interior).tolist() == [1, 6, 84, 2_441, 62_010, 359_082]
    assert x[:, :21].sum(axis=1).max() == space.max_edits == 9
    assert space.encodings == 2**21 * 3**5
    codes = space.encode(x)[:, 0]
    assert (codes[1:] > codes[:-1]).all()
    assert np.array_equal(space.ids(x), np.arange(len(x)))
    assert np.array_equal(space.genotypes_of(np.arange(len(x))), x)


def test_sampling_is_uniform_over_unique_cells(space: NASBench101, rng: np.random.Generator) -> None:
    """A uniform draw of raw matrix bits keeps 7 vertices in 0.3% of the cases where the space has 84.8%."""
    interior = (space.sample(100_000, rng)[:, 21:] < 3).sum(axis=1)
    assert (interior == 5).mean() == pytest.approx(359_082 / 423_624, abs=0.005)


@pytest.mark.parametrize(("edges", "operations", "official", "params"), [INCEPTION, FIRST])
def test_known_cells(space: NASBench101, edges: Any, operations: Any, official: str, params: int) -> None:
    x = space.from_matrix(matrix(edges), ["input", *operations, "output"])
    assert x.shape == (1, 26)
    assert space.official_hash(x) == [official]
    assert space.cost(x).params.tolist() == [params]
    assert space.drawing_params(matrix(edges).tolist(), operations).tolist() == [params]


def read_table(path: Path) -> tuple[list[np.ndarray], list[list[str]], list[dict[str, str]]]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    matrices, operations = [], []
    for row in rows:
        side = round(len(row["adj"]) ** 0.5)
        matrices.append(np.array(list(row["adj"]), dtype=np.uint8).reshape(side, side))
        operations.append(row["ops"].split(",") if row["ops"] else [])
    return matrices, operations, rows


@pytest.mark.parametrize("name", ["sample20k", "labelled_cells"])
def test_official_hashes_and_parameters_of_a_table(space: NASBench101, test_data: Path, name: str) -> None:
    matrices, operations, rows = read_table(test_data / "nasbench101" / f"{name}.csv")
    x = space.from_matrix(matrices, operations)
    hashes = [official for low in range(0, len(x), 4000) for official in space.official_hash(x[low : low + 4000])]
    assert hashes == [row["hash"] for row in rows]
    if name == "sample20k":  # official counts; the matrices were attached later, and are not the official drawings
        assert space.cost(x).params.astype(int).tolist() == [int(row["params"]) for row in rows]
    else:  # counts of the very networks that were drawn
        params = space.drawing_params(matrices, operations)
        counted = [(p, float(row["params_M"]) * 1e6) for p, row in zip(params, rows, strict=True) if row["params_M"]]
        assert len(counted) == 555
        assert all(abs(p - known) < 0.6 for p, known in counted)


def test_official_records(space: NASBench101, test_data: Path) -> None:
    records = json.loads((test_data / "nasbench101" / "records.json").read_text())
    matrices = [record["adjacency"] for record in records.values()]
    operations = [record["operations"] for record in records.values()]
    assert space.official_hash(space.from_matrix(matrices, operations)) == list(records)
    params = [record["trainable_parameters"] for record in records.values()]
    assert (
        space.cost(space.from_matrix(matrices, operations)).params.tolist() == params
    )  # the canonical drawing is the official one
    assert space.drawing_params(matrices, operations).tolist() == params


def test_every_drawing_gives_the_same_genotype(space: NASBench101, rng: np.random.Generator) -> None:
    """Vertices in any order, with a stranded one, or with fewer places."""
    for row in space.sample(60, rng):
        full = np.zeros((7, 7), dtype=np.uint8)
        full[UPPER] = row[:21]
        operations = np.where(row[21:] < 3, row[21:], rng.integers(0, 3, 5))
        order = np.array([0, *(1 + rng.permutation(5)), 6])
        drawn = full[order[:, None], order]
        unused = np.flatnonzero(row[21:][order[1:6] - 1] == 3) + 1
        if len(unused):
            drawn[0, unused[0]] = 1  # an edge that leads nowhere
        assert np.array_equal(space.from_matrix(drawn[None], operations[order[1:6] - 1][None])[0], row)


def test_batches_are_arrays_or_lists(space: NASBench101, rng: np.random.Generator) -> None:
    x = space.sample(2000, rng)
    x = x[x[:, 25] < 3]
    matrices = np.zeros((len(x), 7, 7), dtype=np.uint8)
    matrices[:, *UPPER] = x[:, :21]
    for dtype in (np.uint8, np.int64, bool):
        assert np.array_equal(space.from_matrix(matrices.astype(dtype), x[:, 21:].astype(np.int8)), x)
    names = [[(C3, C1, MP)[code] for code in row] for row in x[:50, 21:].tolist()]
    assert np.array_equal(space.from_matrix(matrices[:50].tolist(), names), x[:50])
    assert space.from_matrix([], []).shape == (0, 26)
    mixed = space.from_matrix([[[0, 1], [0, 0]], matrices[0]], [[], names[0]])
    assert np.array_equal(mixed[1], x[0])
    assert space.format(mixed[:1]) == ["0100:"]


GOOD = [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
CYCLE = matrix([(0, 1), (1, 2), (2, 3), (3, 1), (3, 4)], 5)
TEN = matrix([(0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (1, 3), (2, 3), (3, 4), (4, 5), (1, 4)], 6)


@pytest.mark.parametrize(
    ("adjacency", "operations", "words"),
    [
        (CYCLE, [C3, C3, C3], ["row 1", "1 -> 2 -> 3 -> 1", "cycle"]),
        ([[0, 1, 0], [0, 1, 1], [0, 0, 0]], [C3], ["row 1", "1 -> 1", "cycle"]),
        (TEN, [C3] * 4, ["row 1", "9", "10"]),
        ([[0, 1, 0], [0, 0, 0], [0, 0, 0]], [C3], ["row 1", "no way"]),
        (GOOD, ["conv5x5"], ["row 1", "conv5x5", MP]),
        (GOOD, [C3, C1], ["row 1", "1 operations", "2"]),
        (GOOD, ["output", C3, "input"], ["row 1", "input"]),
        (GOOD, C3, ["row 1", "list of names"]),
        (np.zeros((8, 8), dtype=int), [C3] * 6, ["row 1", "2 to 7", "8"]),
        ([[0, 2, 0], [0, 0, 1], [0, 0, 0]], [C3], ["row 1", "0 or 1", "2"]),
        ([[0, 1, 0], [0, 0, 1]], [C3], ["row 1", "square"]),
        ([[0, 1, 0], [0, 0], [0, 0, 0]], [C3], ["row 1", "square"]),
    ],
)
def test_bad_drawings_are_named(space: NASBench101, adjacency: Any, operations: Any, words: list[str]) -> None:
    with pytest.raises(UserError) as error:
        space.from_matrix([GOOD, adjacency], [[C3], operations])
    message = str(error.value)
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(("adjacency", "operations"), [(None, None), (GOOD, None), (5, 3), ([], None)])
def test_what_is_no_batch_is_one_line(space: NASBench101, adjacency: Any, operations: Any) -> None:
    with pytest.raises(UserError):
        space.from_matrix(adjacency, operations)


def test_bad_arrays_are_named(space: NASBench101, rng: np.random.Generator) -> None:
    matrices = np.zeros((3, 7, 7), dtype=np.uint8)
    matrices[:, 0, 6] = 1
    codes = np.zeros((3, 5), dtype=np.int64)
    for adjacency, operations, word in [
        (matrices * 2, codes, "row 0: entries"),
        (matrices, codes + 3, "row 0: operations"),
        (matrices, codes - 1, "row 0"),
        (matrices.astype(float), codes, "whole numbers"),
        (matrices, codes[:2], "[3, 5]"),
        (np.zeros((1, 9, 9), dtype=int), np.zeros((1, 7), dtype=int), "2 to 7"),
    ]:
        with pytest.raises(UserError, match=word.replace("[", r"\[")):
            space.from_matrix(adjacency, operations)
    with pytest.raises(UserError, match="one list of operations for each"):
        space.from_matrix([GOOD, GOOD], [[C3]])
    with pytest.raises(UserError, match="earlier"):
        space.drawing_params(matrix([(0, 2), (2, 1), (1, 3)], 4), [C3, C1])
    for ids in (np.array([-1]), np.array([423_624]), np.array([0.5])):
        with pytest.raises(UserError, match="423623"):
            space.genotypes_of(ids)


def test_genotypes_that_are_no_cells_are_named(space: NASBench101) -> None:
    good = space.from_matrix(matrix(INCEPTION[0]), INCEPTION[1])
    edges = EDGES

    def changed(add: list[tuple[int, int]] = (), drop: list[tuple[int, int]] = ()) -> np.ndarray:  # type: ignore[assignment]
        x = np.concatenate([good, good])
        for edge in add:
            x[1, edges.index(edge)] = 1
        for edge in drop:
            x[1, edges.index(edge)] = 0
        return x

    present = [edge for edge, bit in zip(edges, good[0], strict=False) if bit]
    leaving = next(e for e in present if e[1] == 6 and sum(f[0] == e[0] for f in present) == 1)
    ten = changed(add=[next(e for e in edges if e not in present and e[1] != 6)])
    inactive = changed()
    inactive[1, 22] = 3
    other = changed()
    other[1, :21] = matrix(INCEPTION[0])[UPPER]
    other[1, 21:] = [0, 1, 2, 0, 0]
    for x, word in [(changed(drop=[leaving]), "stranded"), (ten, "at most 9"), (inactive, "no operation")]:
        for call in (space.require_valid, space.canonicalize, space.all_neighbors, space.cost):
            with pytest.raises(UserError, match=f"row 1.*{word}"):
                call(x)
    if not np.array_equal(other[0], other[1]):
        with pytest.raises(UserError, match="canonicalize"):
            space.require_valid(other)
    assert np.array_equal(space.canonicalize(other), np.concatenate([good, good]))


def test_strings(space: NASBench101) -> None:
    assert space.format(space.parse(["0100:", "011001000:maxpool3x3"])) == ["0100:", f"011001000:{MP}"]
    # one cell: itself, drawn in another order with short names, and with a stranded vertex
    texts = [
        f"0110001000010000:{C3},{MP}",
        "0110000101000000:maxpool3x3,conv3x3",
        f"0111000010000000000100000:{C3},{C1},{MP}",
    ]
    edges = [(0, 1), (0, 2), (1, 2), (2, 3)]
    assert np.array_equal(space.parse(texts), np.repeat(space.from_matrix(matrix(edges, 4), [C3, MP]), 3, axis=0))
    assert space.format(space.parse(texts[:1])) == texts[:1]
    mixed = space.parse([FIRST[2], texts[0], INCEPTION[2]])
    assert space.official_hash(mixed) == [FIRST[2], space.official_hash(space.parse(texts[:1]))[0], INCEPTION[2]]
    assert np.array_equal(mixed[:1], space.from_matrix(matrix(FIRST[0]), FIRST[1]))
    for text, word in [
        ("01001:conv3x3", "5 bits"),
        ("010001000:conv9x9", "conv9x9"),
        ("010001000", "a colon"),
        ("0" * 32, "32 bits|hash|colon"),
        ("zz", "colon"),
    ]:
        with pytest.raises(UserError, match=f"row 1: .*({word})"):
            space.parse([f"010001000:{C3}", text])


def test_features(space: NASBench101, rng: np.random.Generator) -> None:
    x = space.sample(500, rng)
    assert space.features(x).shape == (500, 36)
    paths, counts = space.features(x, "path"), space.features(x, "path-count")
    assert paths.shape == counts.shape == (500, 364)
    assert set(np.unique(paths)) == {0, 1}
    full = np.zeros((500, 7, 7))
    full[:, *UPPER] = x[:, :21]
    ways = sum(np.linalg.matrix_power(full, k)[:, 0, 6] for k in range(1, 7))
    assert np.array_equal(counts.sum(axis=1), ways)
    one = space.from_matrix(matrix(INCEPTION[0]), INCEPTION[1])
    # no vertex: column 0; one: 1 + op; two: 4 + 3 first + second
    assert np.flatnonzero(space.features(one, "path")[0]).tolist() == [1, 2, 3, 4]
    coded = space.embed(one)[0]
    assert sorted(coded[coded > 0].tolist()) == [1, 1, 1, 1, 1, 1, 1, 2, 3]


def test_neighbors_in_a_shrunk_space(space: NASBench101, rng: np.random.Generator) -> None:
    """Exactly so far in the whole space, all members equally likely, none left out that has one."""
    shrunk = ExplicitSpace.of(space, space.ball(space.sample(5, rng), 2).genotypes)
    x = shrunk.sample(10, rng)
    far = space.distance(np.repeat(x, len(shrunk.codes), axis=0), np.tile(shrunk.genotypes, (len(x), 1))).reshape(len(x), -1)
    for edits in (1, 2, 3):
        near = shrunk.neighbors(x, edits, rng)
        assert shrunk.is_valid(near.genotypes).all()
        assert (space.distance(x[near.parents], near.genotypes) == edits).all()
        assert np.array_equal(near.parents, np.flatnonzero((far == edits).any(axis=1)))


def test_diagram(space: NASBench101) -> None:
    diagram = space.diagram(space.from_matrix(matrix(INCEPTION[0]), INCEPTION[1])[0])
    assert diagram.nodes[0] == "in"
    assert diagram.nodes[-1] == "out"
    assert sorted(diagram.nodes[1:-1]) == ["conv1x1", "conv3x3", "conv3x3", "conv3x3", "maxpool3x3"]
    assert len(diagram.edges) == 9
    assert all(a < b for a, b, _ in diagram.edges)


def test_variants(space: NASBench101) -> None:
    small = nasbench101(resolution=16, classes=100, stem_channels=16)
    assert small.fingerprint != space.fingerprint
    assert from_definition(small.definition()).layout == small.layout
    stranding = SPACES.get("nasbench101-stranding")()
    assert stranding.name == "nasbench101-stranding"
    assert from_definition(stranding.definition()).fingerprint == stranding.fingerprint
    assert stranding.unreachable is None
    with pytest.raises(UserError, match="graph, operation, edge, stranding"):
        nasbench101(edits="matrix")
