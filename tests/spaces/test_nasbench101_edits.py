"""The one-edit graphs of NAS-Bench-101 (reconstruction A.5)."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.spaces.nasbench101 import nasbench101
from lissnas.spaces.nasbench101.edits import RULES, edit_graph
from lissnas.spaces.nasbench101.space import NASBench101


@pytest.fixture(scope="module")
def space() -> NASBench101:
    return nasbench101()


@pytest.fixture(scope="module")
def interior(space: NASBench101) -> np.ndarray:
    return (space.genotypes_of(np.arange(space.cardinality))[:, 21:] < 3).sum(axis=1)


def pairs(rule: str) -> tuple[np.ndarray, np.ndarray]:
    found, parents = edit_graph(rule).list_neighbors(np.arange(423_624))
    return parents, found.astype(np.int64)


@pytest.mark.parametrize(("rule", "count", "most"), [("graph", 6_394_262, 31), ("stranding", 9_154_556, 52_602)])
def test_known_numbers(rule: str, count: int, most: int) -> None:
    parents, found = pairs(rule)
    degree = np.bincount(parents, minlength=423_624)
    assert len(found) == count
    assert degree.max() == most
    # Every edit can be undone: neighbors' random weights add up to the same, whichever way one looks.
    weights = np.random.default_rng(0).integers(0, 1 << 30, 423_624).astype(float)
    there, back = np.bincount(parents, weights[found], 423_624), np.bincount(found, weights[parents], 423_624)
    assert np.array_equal(there, back)


def test_no_edit_of_the_graph_rule_changes_the_number_of_vertices(interior: np.ndarray) -> None:
    parents, found = pairs("graph")
    assert np.array_equal(interior[parents], interior[found])
    assert np.bincount(interior[parents], minlength=6).tolist() == [0, 18, 588, 30_338, 944_796, 5_418_522]
    assert len(found) / 423_624 == pytest.approx(15.094, abs=5e-4)


def test_components() -> None:
    sizes = sorted(np.bincount(edit_graph("graph").components).tolist(), reverse=True)
    assert len(sizes) == 13
    assert sizes[:3] == [358_506, 62_010, 2_441]
    seven_vertices = sorted(set(sizes[3:]) - {84, 6, 1}, reverse=True)
    assert seven_vertices[0] == 108
    assert seven_vertices[-1] == 45
    assert edit_graph("stranding").components.max() == 0


def test_kinds_of_edit(space: NASBench101, rng: np.random.Generator) -> None:
    """An edit of an operation keeps the edges; both kinds together are all."""
    x = space.sample(500, rng)
    every = space.all_neighbors(x)
    kinds = [space.with_edits(kind).all_neighbors(x) for kind in ("operation", "edge")]
    edges = [x[near.parents, :21].sum(axis=1).astype(int) - near.genotypes[:, :21].sum(axis=1) for near in kinds]
    assert (edges[0] == 0).all()
    assert (np.abs(edges[1]) == 1).all()
    assert len(every.parents) == len(kinds[0].parents) + len(kinds[1].parents)
    shape = [(x[near.parents, 21:] < 3).sum(axis=1) for near in kinds]
    assert np.bincount(kinds[0].parents).max() <= 2 * shape[0].max()


def test_neighbors_are_what_editing_a_matrix_gives(space: NASBench101, rng: np.random.Generator) -> None:
    """One by one, from the definition: change an operation; add an edge in either direction; remove one."""
    for row in space.sample(15, rng):
        size = int((row[21:] < 3).sum()) + 2
        place = [*range(size - 1), 6]
        full = np.zeros((7, 7), dtype=int)
        for bit, gene in zip(row, space.genes, strict=False):
            if gene.name.startswith("edge"):
                full[tuple(map(int, gene.name.split("_")[1:]))] = bit
        adjacency, operations = full[np.ix_(place, place)], row[21 : 21 + size - 2].astype(int)
        expected = set()
        for vertex in range(size - 2):
            for operation in range(3):
                changed = operations.copy()
                changed[vertex] = operation
                expected.add(int(space.ids_from_matrix(adjacency[None], changed[None])[0]))
        for i in range(size):
            for j in range(size):
                flipped = adjacency.copy()
                flipped[i, j] ^= 1
                power = np.linalg.matrix_power(flipped + np.eye(size, dtype=int), size)
                acyclic = np.trace(np.linalg.matrix_power(flipped, 2)) == 0 and np.array_equal(np.diag(power), np.ones(size))
                on_way = (power[0] > 0).all() and (power[:, -1] > 0).all()
                if i != j and acyclic and on_way and flipped.sum() <= 9:
                    expected.add(int(space.ids_from_matrix(flipped[None], operations[None])[0]))
        own = int(space.ids(row[None])[0])
        assert set(space.ids(space.all_neighbors(row[None]).genotypes).tolist()) == expected - {own}


def test_rings_of_seven_vertices(space: NASBench101, interior: np.ndarray, rng: np.random.Generator) -> None:
    """15.2 / 131 / 766 cells at exactly 1 / 2 / 3 edits on average."""
    seven = np.flatnonzero(interior == 5)
    ball = space.ball(space.genotypes_of(rng.choice(seven, 2000, replace=False)), 3)
    counts = np.bincount(ball.edits)[1:] / 2000
    np.testing.assert_allclose(counts, [15.2, 131, 766], rtol=0.03)


@pytest.mark.parametrize(("edits", "without"), [(1, 1), (2, 1), (3, 7), (4, 7)])
def test_cells_with_nothing_at_a_distance(space: NASBench101, interior: np.ndarray, edits: int, without: int) -> None:
    """Cells of the large components all have some; every fortieth is asked where that takes longer."""
    component = edit_graph("graph").components
    small = np.flatnonzero(np.bincount(component)[component] < 1000)
    large = np.setdiff1d(np.arange(space.cardinality), small)[:: 1 if edits < 3 else 40]
    near = space.neighbors(space.genotypes_of(small), edits, np.random.default_rng(0))
    missing = np.setdiff1d(np.arange(len(small)), near.parents)
    assert len(missing) == without
    assert len(space.neighbors(space.genotypes_of(large), edits, np.random.default_rng(0)).parents) == len(large)


def test_cells_with_nothing_far_away(space: NASBench101) -> None:
    """At 8 edits it is 691 cells, 24 of them in the components of more than a thousand."""
    component = edit_graph("graph").components
    small = space.genotypes_of(np.flatnonzero(np.bincount(component)[component] < 1000))
    counts = [len(small) - len(space.neighbors(small, d, np.random.default_rng(0)).parents) for d in range(1, 8)]
    assert counts == [1, 1, 7, 7, 52, 637, 667]
    assert len(small) == 667


@pytest.mark.parametrize("rule", ["graph", "edge", "stranding"])
def test_draws_are_uniform_at_every_distance(rule: str, interior: np.ndarray) -> None:
    """All cells of five vertices or fewer: near draws and far ones against a breadth-first search."""
    from scipy.special import chdtrc

    space = nasbench101(edits=rule)
    start = space.genotypes_of(np.flatnonzero(interior == 2)[:1] if rule != "stranding" else np.flatnonzero(interior == 4)[5:6])
    radius = 6 if rule != "stranding" else 2
    ball = space.ball(start, radius)
    for edits in range(1, radius + 1):
        ring = space.ids(ball.genotypes[ball.edits == edits])
        n = max(20 * len(ring), 100)
        batch = np.repeat(start, min(n, 60_000), axis=0)
        drawn = space.ids(space.neighbors(batch, edits, np.random.default_rng(edits)).genotypes)
        assert len(drawn) == (len(batch) if len(ring) else 0)
        assert np.isin(drawn, ring).all()
        if 1 < len(ring) <= 3000:
            counts = np.bincount(np.searchsorted(np.sort(ring), drawn), minlength=len(ring))
            expected = counts.sum() / len(ring)
            assert chdtrc(len(ring) - 1, ((counts - expected) ** 2 / expected).sum()) > 1e-6


def test_far_draws_agree_with_near_ones(space: NASBench101, rng: np.random.Generator) -> None:
    from lissnas.spaces.nasbench101.search import draw_at_distance, draw_far

    graph = edit_graph("graph")
    start = space.ids(space.sample(1, rng))
    ring = space.ball(space.genotypes_of(start), 2)
    members = np.sort(space.ids(ring.genotypes[ring.edits == 2]))
    ids = np.repeat(start, 10 * len(members))
    for draw in (draw_at_distance, draw_far):
        drawn = np.empty(len(ids), dtype=np.int64)
        draw(graph.first, graph.last, graph.neighbors, ids, 2, np.uint64(7), drawn)
        counts = np.bincount(np.searchsorted(members, drawn), minlength=len(members))
        assert np.isin(drawn, members).all()
        assert counts.min() > 0
        assert counts.max() < 32


@pytest.mark.parametrize("rule", list(RULES))
def test_distances(rule: str, rng: np.random.Generator) -> None:
    """Against balls; and what no edits connect is told apart from what they do."""
    space = nasbench101(edits=rule)
    x = space.sample(5, rng)
    ball = space.ball(x, 2)
    assert np.array_equal(space.distance(x[ball.parents], ball.genotypes), ball.edits)
    a, b = space.sample(200, rng), space.sample(200, rng)
    far = space.distance(a, b)
    assert np.array_equal(far, space.distance(b, a))
    if space.unreachable is None:
        assert far.max() <= RULES[rule].longest
        return
    assert far[far != space.unreachable].max(initial=0) <= RULES[rule].longest
    component = edit_graph(rule).components
    assert np.array_equal(far == space.unreachable, component[space.ids(a)] != component[space.ids(b)])
    assert len(space.neighbors(a, space.unreachable, rng).parents) == 0
