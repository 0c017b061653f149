"""DARTS' space: published counts and costs, which drawings are one network, exact edits, and how cells are written."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path

from lissnas.errors import UserError
from lissnas.spaces import from_definition
from lissnas.spaces.darts import OPERATIONS, DartsSpace, darts
from lissnas.spaces.darts.cells import cell_tables
from lissnas.spaces.darts.edits import cell_distance, cell_edits
from lissnas.testing import SpaceContract

# The cells that DARTS found [quark0/darts cnn/genotypes.py], and those of PC-DARTS.
DARTS_V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 1), "
    "('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), "
    "('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), ('skip_connect', 2), "
    "('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"
)
PC_DARTS = (
    "Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 0), ('dil_conv_3x3', 1), ('sep_conv_5x5', 0), "
    "('sep_conv_3x3', 1), ('avg_pool_3x3', 0), ('dil_conv_3x3', 1)], normal_concat=range(2, 6), reduce=[('sep_conv_5x5', 1), "
    "('max_pool_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_5x5', 2), ('sep_conv_3x3', 0), ('sep_conv_3x3', 3), "
    "('sep_conv_3x3', 1), ('sep_conv_3x3', 2)], reduce_concat=range(2, 6))"
)
FEW = ("sep_conv_3x3", "skip_connect")


class TestDartsContract(SpaceContract):
    space = staticmethod(darts)


class TestSmallContract(SpaceContract):
    """Two nodes and two operations: few enough for a breadth-first search."""

    def space(self) -> DartsSpace:
        return darts(nodes=2, operations=FEW)


class TestSymmetricContract(SpaceContract):
    """One node and no choice of inputs."""

    def space(self) -> DartsSpace:
        return darts(nodes=1, operations=OPERATIONS[:3])


def test_counts() -> None:
    space = darts()
    assert space.encodings == 1_076_746_950_455_072_400 == (180 * 7**8) ** 2
    assert space.cardinality == 146_021_935_250_523_556 == 382_128_166**2
    assert space.max_edits == 16
    assert len(space.code_layout.words) == 1


@pytest.mark.parametrize(("nodes", "operations", "count"), [(4, 7, 382_128_166), (4, 1, 79), (3, 2, 712), (2, 3, 207)])
def test_cells_by_burnside_over_named_nodes(nodes: int, operations: int, count: int) -> None:
    """All ways to give named nodes two inputs without a cycle, those that a renaming leaves as they are, over all renamings."""
    names = range(2, 2 + nodes)
    fixed = 0
    choices = [list(itertools.combinations([v for v in range(2 + nodes) if v != node], 2)) for node in names]
    for inputs in itertools.product(*choices):
        if _has_cycle(inputs):
            continue
        for order in itertools.permutations(names):
            new = dict(zip(names, order, strict=True)) | {0: 0, 1: 1}
            renamed = {new[node]: tuple(sorted(new[i] for i in pair)) for node, pair in zip(names, inputs, strict=True)}
            if all(renamed[node] == pair for node, pair in zip(names, inputs, strict=True)):
                moved = {(i, node): (new[i], new[node]) for node, pair in zip(names, inputs, strict=True) for i in pair}
                fixed += operations ** _count_cycles(moved)
    assert fixed % len(list(itertools.permutations(names))) == 0
    assert fixed // len(list(itertools.permutations(names))) == count == cell_tables(nodes, operations).cardinality


def _has_cycle(inputs: tuple[tuple[int, ...], ...]) -> bool:
    done = {0, 1}
    waiting = dict(enumerate(inputs, 2))
    while ready := [node for node, pair in waiting.items() if done.issuperset(pair)]:
        done.update(ready)
        for node in ready:
            del waiting[node]
    return bool(waiting)


def _count_cycles(moved: dict[tuple[int, int], tuple[int, int]]) -> int:
    seen: set[tuple[int, int]] = set()
    count = 0
    for edge in moved:
        count += edge not in seen
        while edge not in seen:
            seen.add(edge)
            edge = moved[edge]
    return count


@pytest.mark.parametrize(("nodes", "operations"), [(1, 3), (2, 3), (3, 2), (4, 1)])
def test_drawings_of_a_cell_are_those_that_renaming_gives(nodes: int, operations: int) -> None:
    """Against a plain search for the smallest of all renamed drawings."""
    tables = cell_tables(nodes, operations)
    cells = np.arange(len(tables.sources) * tables.labellings)
    structure, labels = tables.split(cells)
    expected = [
        _smallest(tables.sources[s].reshape(-1, 2).tolist(), row.reshape(-1, 2).tolist())
        for s, row in zip(structure, labels, strict=True)
    ]
    found = tables.find(structure, labels)
    shown = list(zip(map(tuple, tables.sources[found // tables.labellings]), map(tuple, tables.split(found)[1]), strict=True))
    assert [(tuple(map(int, a)), tuple(map(int, b))) for a, b in shown] == expected
    assert np.array_equal(np.unique(found), tables.enumerate())


def _smallest(inputs: list[list[int]], labels: list[list[int]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    best = None
    names = range(2, 2 + len(inputs))
    for order in itertools.permutations(names):
        new = dict(zip(names, order, strict=True)) | {0: 0, 1: 1}
        drawn = {
            new[node]: sorted((new[i], o) for i, o in zip(pair, ops, strict=True))
            for node, pair, ops in zip(names, inputs, labels, strict=True)
        }
        if any(i >= node for node, edges in drawn.items() for i, _ in edges):
            continue
        edges = [edge for node in names for edge in drawn[node]]
        candidate = (tuple(i for i, _ in edges), tuple(o for _, o in edges))
        best = candidate if best is None else min(best, candidate)
    assert best is not None
    return best


@pytest.mark.parametrize(("nodes", "operations"), [(3, 2), (4, 1), (2, 3)])
def test_cells_are_drawn_equally_often(nodes: int, operations: int, rng: np.random.Generator) -> None:
    tables = cell_tables(nodes, operations)
    cells = tables.enumerate()
    place = np.searchsorted(cells, tables.sample(100 * len(cells), rng))
    counts = np.bincount(place, minlength=len(cells))
    assert len(counts) == len(cells)
    spread = ((counts - 100) ** 2 / 100).sum() / len(cells)
    assert abs(spread - 1) < 6 * np.sqrt(2 / len(cells))


@pytest.mark.parametrize(("nodes", "operations", "farthest"), [(1, 3, 2), (2, 3, 5), (3, 2, 9), (4, 2, 13)])
def test_distance_is_that_of_a_breadth_first_search(nodes: int, operations: int, farthest: int) -> None:
    tables, edits = cell_tables(nodes, operations), cell_edits(nodes, operations)
    cells = tables.enumerate()
    near, parents = edits.neighbors(cells)
    place = np.searchsorted(cells, near)
    assert np.array_equal(cells[place], near)
    graph = csr_array((np.ones(len(near)), (parents, place)), shape=(len(cells), len(cells)))
    assert (graph != graph.T).nnz == 0
    assert graph.diagonal().sum() == 0
    rows = np.unique(np.linspace(0, len(cells) - 1, 12).astype(int))
    steps = shortest_path(graph, unweighted=True, indices=rows)
    ours = cell_distance(tables, np.repeat(cells[rows], len(cells)), np.tile(cells, len(rows))).reshape(len(rows), -1)
    assert np.array_equal(steps, ours)
    assert steps.max() == farthest


def test_neighbors_are_those_of_any_drawing(rng: np.random.Generator) -> None:
    """All edits of all drawings that the alleles allow, made one by one."""
    space = darts(nodes=3, operations=OPERATIONS[:2])
    (x,) = space.sample(1, rng)
    expected = set()
    for drawing in {tuple(row) for row in space.drawings(np.repeat(x[None], 200, axis=0), rng).tolist()}:
        for gene, kind in enumerate(space.genes):
            for allele in range(kind.radix):
                changed = np.array(drawing, dtype=np.uint8)
                changed[gene] = allele
                same = len(set(kind.alleles[allele].split("_")) & set(kind.alleles[drawing[gene]].split("_")))
                if kind.name.endswith("inputs") and same != 1:
                    continue
                expected.update(_readings(space, drawing, changed, gene))
    expected.discard(tuple(x.tolist()))
    assert {tuple(row) for row in space.all_neighbors(x[None]).genotypes.tolist()} == expected


def _readings(space: DartsSpace, drawing: tuple[int, ...], changed: np.ndarray, gene: int) -> set[tuple[int, ...]]:
    """The networks of a changed drawing; where an input was re-routed, its operation and the other edge's stay with them."""
    if space.genes[gene].name.endswith("inputs"):
        cell, node, _ = space.genes[gene].name.split("_")
        before, after = (space.genes[gene].alleles[row[gene]].split("_") for row in (drawing, changed))
        (kept,) = set(before) & set(after)
        if before.index(kept) != after.index(kept):  # the edge that stays has another place
            first = next(g for g, other in enumerate(space.genes) if other.name == f"{cell}_{node}_first")
            changed[[first, first + 1]] = changed[[first + 1, first]]
    return {tuple(space.canonicalize(changed[None])[0].tolist())}


def test_drawings_of_a_network_are_all_of_it(rng: np.random.Generator) -> None:
    space = darts()
    x = space.sample(300, rng)
    drawings = space.drawings(x, rng)
    assert (drawings != x).any(axis=1).sum() > 100
    assert np.array_equal(space.canonicalize(drawings), x)
    assert not space.is_valid(drawings[(drawings != x).any(axis=1)]).any()
    assert np.array_equal(space.features(x, "path"), space.features(drawings, "path"))
    assert np.array_equal(space.cost(x).flops, space.cost(drawings).flops)
    assert np.array_equal(space.distance(x, drawings), np.zeros(300))


def test_published_costs() -> None:
    """36 channels, 20 layers: 3.349342 million parameters as DARTS prints them (3.3 in its Table 1), 3.6 of PC-DARTS."""
    space = darts(init_channels=36, layers=20)
    cost = space.cost(space.parse([DARTS_V2, PC_DARTS]))
    assert cost.params[0] == 3_349_342
    assert round(cost.params[1] / 1e6, 1) == 3.6
    assert round(cost.flops[0] / 1e6) == 528


def test_path_features() -> None:
    space = darts(nodes=2, operations=FEW)
    text = (
        "Genotype(normal=[('sep_conv_3x3', 0), ('skip_connect', 1), ('skip_connect', 0), ('sep_conv_3x3', 2)], "
        "normal_concat=[2, 3], reduce=[('skip_connect', 1), ('skip_connect', 0), ('skip_connect', 1), ('skip_connect', 0)], "
        "reduce_concat=[2, 3])"
    )
    features = space.features(space.parse([text]), "path")[0].reshape(2, 12)
    # 0 sep, 0 skip, 1 sep, 1 skip, then 0 sep sep, 0 sep skip, 0 skip sep, ..., 1 sep sep, 1 sep skip, 1 skip sep, 1 skip skip
    assert features[0].tolist() == [1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0]
    assert features[1].tolist() == [0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    assert darts().features(darts().parse([DARTS_V2]), "path").shape == (1, 11_200)


def test_embedding_is_the_op_coded_adjacency() -> None:
    vector = darts().embed(darts().parse([DARTS_V2]))[0]
    assert vector.shape == (28,)
    assert (vector > 0).sum() == 16
    assert vector[:5].tolist() == [4, 4, 3, 4, 0]  # sep, sep into node 2; of the equal nodes 3 and 4, the skip comes first


def test_genotypes_as_text() -> None:
    space = darts()
    x = space.parse([DARTS_V2])
    text = space.format(x)[0]
    assert text.startswith("Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('skip_connect', 0), ")
    assert text.count("range(2, 6)") == 2
    assert np.array_equal(space.parse([text, text.replace("range(2, 6)", "[2, 3, 4, 5]")]), np.repeat(x, 2, axis=0))
    drawn = space.parse_drawings([DARTS_V2])
    assert np.array_equal(space.canonicalize(drawn), x)
    assert not np.array_equal(drawn, x)


def test_configurations() -> None:
    space = darts()
    x = space.parse([DARTS_V2, PC_DARTS])
    configs = space.to_config(x)
    prefix = "NetworkSelectorDatasetInfo:darts:"
    assert len(configs[0]) == 16 + 6
    assert configs[0][f"{prefix}edge_normal_0"] == "sep_conv_3x3"
    assert configs[0][f"{prefix}inputs_node_normal_5"] == "0_2"
    assert np.array_equal(space.from_config([{**c, "OptimizerSelector:optimizer": "sgd"} for c in configs]), x)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("sep_conv_3x3", "conv_9x9"), "row 0: unknown operation 'conv_9x9': there are max_pool_3x3"),
        (("('skip_connect', 0)", "('skip_connect', 7)"), "node 4 of the normal cell takes two different inputs from 0 to 3"),
        (("('skip_connect', 0)", "('skip_connect', 1)"), "node 4 of the normal cell takes two different inputs"),
        (("normal_concat=[2, 3, 4, 5]", "normal_concat=[2, 3, 4]"), r"normal_concat must be all nodes, range\(2, 6\)"),
        (("normal_concat=[2, 3, 4, 5]", "normal_concat=range(2, 10**9)"), "normal_concat must be all nodes"),
        (("('skip_connect', 0), ", ""), "normal must be a list of 8 pairs"),
        (("('skip_connect', 0)", "__import__('os')"), "normal must be a list of 8 pairs"),
        (("Genotype", "Genome"), "a DARTS genotype is written Genotype"),
        (("normal_concat=", "concat="), "has other fields"),
    ],
)
def test_wrong_genotypes_are_named(change: tuple[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        darts().parse([DARTS_V2.replace(*change)])


def test_wrong_configurations_are_named() -> None:
    space = darts()
    (config,) = space.to_config(space.parse([DARTS_V2]))
    inputs = "NetworkSelectorDatasetInfo:darts:inputs_node_normal_3"
    for change, message in (
        ({inputs: None}, f"row 0: a configuration of NAS-Bench-301 needs '{inputs}'"),
        ({inputs: "1_5"}, "must name two nodes before it like 0_1, but is '1_5'"),
        ({inputs: "0-1"}, "but is '0-1'"),
        ({"NetworkSelectorDatasetInfo:darts:edge_normal_13": "skip_connect"}, "but no node takes that input"),
        ({"NetworkSelectorDatasetInfo:darts:edge_normal_0": "none"}, "unknown operation 'none'"),
    ):
        with pytest.raises(UserError, match=message):
            space.from_config([{**config, **change}])
    with pytest.raises(UserError, match="row 1: a configuration of NAS-Bench-301 is names and values, but got int"):
        space.from_config([config, 5])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resolution": 30}, "must be a multiple of 4, but got 30"),
        ({"init_channels": 15}, "init_channels must be even, but got 15"),
        ({"layers": 0}, "layers of a DARTS network must be a whole number >= 1"),
        ({"nodes": 5}, "a cell has 1 to 4 nodes, but got 5"),
        ({"operations": ("none",)}, "operations of DARTS cells are different ones of max_pool_3x3"),
        ({"operations": ()}, "a cell has 1 to 7 operations, but got 0"),
    ],
)
def test_wrong_options_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        darts(**options)  # type: ignore[arg-type]


def test_variants_are_spaces_of_their_own() -> None:
    space = darts(init_channels=36, layers=20)
    assert from_definition(space.definition()).layout == space.layout
    assert space.fingerprint != darts().fingerprint
