"""NAS-Bench-201: the published counts, strings and costs, and the space in which equal networks are one."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.spaces import SearchSpace, from_definition
from lissnas.spaces.edge_cell import EDGES, PATHS
from lissnas.spaces.layouts import layout_definition, layout_from_definition
from lissnas.spaces.nasbench201 import EXAMPLE, OPERATIONS, nasbench201, nasbench201_unique
from lissnas.testing import SpaceContract

SPACE = nasbench201()
UNIQUE = nasbench201_unique()
MERGED = nasbench201_unique(merge_sums=True)
# The digits of the data's files: skip_connect, none, nor_conv_3x3, nor_conv_1x1, avg_pool_3x3 on 0->1, 0->2, 0->3, 1->2, ...
FILE_OPERATIONS = np.array([1, 0, 3, 2, 4], dtype=np.uint8)
FILE_EDGES = [0, 1, 3, 2, 4, 5]


class TestContract(SpaceContract):
    space = staticmethod(lambda: SPACE)


class TestUniqueContract(SpaceContract):
    space = staticmethod(lambda: UNIQUE)


class TestMergedContract(SpaceContract):
    space = staticmethod(lambda: MERGED)


def test_counts() -> None:
    assert SPACE.cardinality == SPACE.encodings == 15_625
    assert (UNIQUE.cardinality, UNIQUE.encodings) == (6_466, 15_625)
    assert (MERGED.cardinality, MERGED.encodings) == (4_930, 15_625)
    assert SPACE.max_edits == UNIQUE.max_edits == 6
    assert EDGES == ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
    assert len(PATHS) == 4


def test_official_strings() -> None:
    x = SPACE.parse([EXAMPLE])
    assert x.tolist() == [[3, 3, 4, 1, 3, 1]]
    assert SPACE.format(x) == [EXAMPLE]
    assert SPACE.to_dicts(x)[0] == {
        "edge_0_1": "nor_conv_3x3",
        "edge_0_2": "nor_conv_3x3",
        "edge_1_2": "avg_pool_3x3",
        "edge_0_3": "skip_connect",
        "edge_1_3": "nor_conv_3x3",
        "edge_2_3": "skip_connect",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("|none~0|+|none~0|none~1|", "row 1: a cell has three nodes joined by '\\+', .* has 2"),
        (EXAMPLE.replace("|skip_connect~0|nor", "|skip_connect~0|none~1|nor"), "node 3 must have 3 inputs"),
        (EXAMPLE.replace("|+|nor", "|+nor"), "node 2 must have 2 inputs"),
        (
            EXAMPLE.replace("avg_pool_3x3", "max_pool_3x3"),
            "node 2: unknown operation 'max_pool_3x3': there are none, skip_connect",
        ),
        (EXAMPLE.replace("avg_pool_3x3~1", "avg_pool_3x3~0"), "node 2: input 1 must end in '~1', but it is 'avg_pool_3x3~0'"),
        (EXAMPLE.replace("skip_connect~2", "skip_connect"), "node 3: input 2 must end in '~2'"),
    ],
)
def test_a_wrong_string_says_which_part_is_wrong(text: str, message: str) -> None:
    for space in (SPACE, UNIQUE):
        with pytest.raises(UserError, match=message):
            space.parse([EXAMPLE, text])


def test_official_costs() -> None:
    """All skips and all 3x3 [NATS-Bench API: 220.11969M with the classifier's 10 bias additions, 1.531546M parameters]."""
    cost = SPACE.cost(np.array([[1] * 6, [3] * 6], dtype=np.uint8))
    assert cost.flops.tolist() == [7_783_040, 220_119_680]
    assert cost.params.tolist() == [73_306, 1_531_546]


def test_published_costs(test_data: Path) -> None:
    """All 9,445 rows: parameters; FLOPs, which count 3 per value through ReLU and batch norm, 9 per value of a pool besides."""
    with (test_data / "nasbench201" / "zero_cost.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 9_445
    digits = np.array([[int(d) for d in row["arch"]] for row in rows])
    x = np.empty((len(rows), 6), dtype=np.uint8)
    x[:, FILE_EDGES] = FILE_OPERATIONS[digits]
    cost = SPACE.cost(x)
    params, flops = (np.array([float(row[name]) for row in rows]) for name in ("params", "flops"))
    assert np.allclose(cost.params / 1e6, params, rtol=5e-6, atol=0)
    values = sum(5 * channels * side**2 for channels, side in SPACE.layout.stages)
    convolutions = np.isin(x, (2, 3)).sum(axis=1)
    pools = (x == 4).sum(axis=1)
    theirs = cost.flops + 3 * values * convolutions + 9 * values * pools + 160_830  # the last: outside the cells
    assert np.allclose(theirs / 1e6, flops, rtol=5e-6, atol=0)


def test_layers_are_an_option() -> None:
    space = nasbench201(resolution=16, classes=120)
    assert from_definition(space.definition()).layout == space.layout
    assert layout_from_definition(layout_definition(space.layout)) == space.layout
    assert space.fingerprint != SPACE.fingerprint
    x = space.parse([EXAMPLE])
    assert space.cost(x).params[0] - SPACE.cost(x).params[0] == 110 * 65
    with pytest.raises(UserError, match="must be a multiple of 4, not 30"):
        nasbench201(resolution=30)


def test_what_is_folded() -> None:
    def same(space: SearchSpace, a: list[int], b: list[int]) -> bool:
        one, two = space.canonicalize(np.array([a, b], dtype=np.uint8))
        return bool((one == two).all())

    # what comes from a node without any input is nothing: whatever is on 1->2 and 1->3
    assert same(UNIQUE, [0, 3, 4, 1, 2, 3], [0, 3, 0, 1, 0, 3])
    # a node that leads nowhere is not seen, and a skip is what it leads from
    assert same(UNIQUE, [3, 0, 1, 0, 2, 0], [3, 3, 0, 0, 2, 0])
    assert same(UNIQUE, [3, 0, 0, 0, 1, 0], [0, 0, 0, 3, 0, 0])
    # published: a sum with nothing as a term is another one; merged: the same
    assert not same(UNIQUE, [3, 0, 1, 0, 0, 2], [3, 0, 0, 0, 2, 0])
    assert same(MERGED, [3, 0, 1, 0, 0, 2], [3, 0, 0, 0, 2, 0])
    # the same two ways, drawn through nodes 1 and 2 in either order
    assert same(MERGED, [3, 2, 0, 0, 4, 1], [2, 3, 0, 0, 1, 4])
    assert not same(MERGED, [3, 2, 0, 0, 4, 1], [3, 2, 0, 0, 1, 4])


def test_the_lowest_code_stands_for_all_encodings() -> None:
    for row in UNIQUE.members[::500]:
        drawings = UNIQUE.encodings_of(row)
        assert (UNIQUE.canonicalize(drawings) == row).all()
        assert (UNIQUE.encode(drawings)[:, 0] >= UNIQUE.encode(row[None])[0, 0]).all()


def test_equal_networks_compute_the_same(rng: np.random.Generator) -> None:
    """Cells as functions on numbers: what is merged is equal for all of them, what is not differs."""

    def output(row: list[int], weights: list[float]) -> float:
        nodes = [1.0]
        for end in (1, 2, 3):
            terms = []
            for index, (start, node) in enumerate(EDGES):
                if node == end:
                    value, op = nodes[start], row[index]
                    terms.append(0.0 if op == 0 else value if op == 1 else np.sin(weights[op] * value))
            nodes.append(sum(terms))
        return float(nodes[-1])

    weights = [0, 0, 1.3, 1.7, 2.3]
    codes = rng.integers(0, 15_625, size=3_000).astype(np.uint64)[:, None]
    x = SPACE.decode(codes)
    values = np.round([output(row, weights) for row in x.tolist()], 9)
    classes = MERGED.encode(MERGED.canonicalize(x))[:, 0]
    for one in (classes, values):
        other = values if one is classes else classes
        order = np.argsort(one, kind="stable")
        equal = one[order][1:] == one[order][:-1]
        assert (other[order][1:][equal] == other[order][:-1][equal]).all()


def test_edits_between_networks_are_edits_of_some_encoding(rng: np.random.Generator) -> None:
    x = UNIQUE.sample(5, rng)
    near = UNIQUE.all_neighbors(x)
    for row in range(len(x)):
        reached = set()
        for drawing, edge, op in itertools.product(UNIQUE.encodings_of(x[row]).tolist(), range(6), range(5)):
            changed = np.array([[*drawing[:edge], op, *drawing[edge + 1 :]]], dtype=np.uint8)
            reached.add(tuple(UNIQUE.canonicalize(changed)[0].tolist()))
        own = {tuple(g) for g in near.genotypes[near.parents == row].tolist()}
        assert own == reached - {tuple(x[row].tolist())}


def test_distances_by_search() -> None:
    """The whole table against scipy, on the merged space."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import shortest_path

    n = len(MERGED.members)
    graph = csr_array((np.ones(len(MERGED.graph.ends)), MERGED.graph.ends, MERGED.graph.starts), shape=(n, n))
    some = np.arange(0, n, 97)
    assert (shortest_path(graph, unweighted=True, indices=some) == MERGED.distances[some]).all()
    assert MERGED.distances.max() == 4
    assert UNIQUE.distances.max() == 5
    assert UNIQUE.distances.min() == 0


def test_path_features() -> None:
    x = SPACE.parse([EXAMPLE, "|none~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|"])
    features = SPACE.features(x, "path")
    assert features.shape == (2, 4 + 16 + 64)
    assert features.sum(axis=1).tolist() == [4, 1]
    # operations count from 0 without none: skip, 1x1, 3x3, pool
    assert set(np.flatnonzero(features[0])) == {0, 4 + 2 * 4 + 2, 4 + 2 * 4 + 0, 20 + (2 * 4 + 3) * 4 + 0}
    assert np.flatnonzero(features[1]).tolist() == [1]
    assert (UNIQUE.features(UNIQUE.canonicalize(x), "path")[1] == features[1]).all()


def test_the_drawing_leaves_out_what_is_none() -> None:
    (row,) = SPACE.parse(["|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|avg_pool_3x3~2|"])
    for space in (SPACE, UNIQUE):
        drawn = space.diagram(space.canonicalize(row[None])[0])
        assert drawn.nodes == ("in", "1", "2", "out")
    assert SPACE.diagram(row).edges == ((0, 1, "nor_conv_3x3"), (1, 2, "skip_connect"), (2, 3, "avg_pool_3x3"))


def test_operations_are_in_the_official_order() -> None:
    assert OPERATIONS == ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
