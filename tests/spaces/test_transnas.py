"""TransNAS-Bench-101: counts, official strings and codes, edits within the limits, published costs."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.spaces import SearchSpace
from lissnas.spaces.edge_cell import EDGES
from lissnas.spaces.layouts import layout_definition, layout_from_definition
from lissnas.spaces.transnas_macro import digits_of, transnasbench101_macro
from lissnas.spaces.transnas_micro import transnasbench101_micro, transnasbench101_micro_unique
from lissnas.testing import SpaceContract

MACRO = transnasbench101_macro()
MICRO = transnasbench101_micro()
UNIQUE = transnasbench101_micro_unique()


class TestMacroContract(SpaceContract):
    space = staticmethod(lambda: MACRO)


class TestMicroContract(SpaceContract):
    space = staticmethod(lambda: MICRO)


class TestMicroUniqueContract(SpaceContract):
    space = staticmethod(lambda: UNIQUE)


def test_counts() -> None:
    def chains(r: int) -> int:
        return sum(math.comb(r, p) for p in range(1, 5)) * sum(math.comb(r, q) for q in range(1, 4))

    assert [chains(r) for r in (4, 5, 6)] == [210, 750, 2_296]
    assert MACRO.cardinality == MACRO.encodings == 3_256
    assert np.bincount([len(digits_of(row)) for row in MACRO.members.tolist()]).tolist()[4:] == [210, 750, 2_296]
    assert MICRO.cardinality == MICRO.encodings == 4_096
    assert (UNIQUE.cardinality, UNIQUE.encodings) == (1_229, 4_096)


def test_official_strings() -> None:
    macro = MACRO.parse(["64-224131-basic", "224131", "1114"])
    assert macro.tolist() == [[1, 1, 3, 0, 2, 0], [1, 1, 3, 0, 2, 0], [0, 0, 0, 3, 4, 4]]
    assert MACRO.format(macro[1:]) == ["64-224131-basic", "64-1114-basic"]
    assert MACRO.to_dicts(macro)[2] == {f"module_{i}": d for i, d in zip(range(1, 5), "1114", strict=True)}
    micro = MICRO.parse(["64-41414-3_12_013", "312013"])
    assert micro.tolist() == [[3, 1, 2, 0, 1, 3]] * 2
    assert MICRO.format(micro[:1]) == ["64-41414-3_12_013"]
    assert MICRO.to_dicts(micro)[0] == {
        "edge_0_1": "conv3x3",
        "edge_0_2": "skip",
        "edge_1_2": "conv1x1",
        "edge_0_3": "none",
        "edge_1_3": "skip",
        "edge_2_3": "conv3x3",
    }


@pytest.mark.parametrize(
    ("space", "text", "message"),
    [
        (MACRO, "64-1114", "three parts joined by '-'"),
        (MACRO, "32-1114-basic", "64 channels in front, but '32-1114-basic' starts with '32'"),
        (MACRO, "64-1114-3_33_333", "the cell 'basic', but '64-1114-3_33_333' names '3_33_333'"),
        (MACRO, "64-1154-basic", "digits from 1 to 4, .* has '5'"),
        (MACRO, "114", "4 to 6 modules, but has 3: '114'"),
        (MACRO, "1114111", "4 to 6 modules, but has 7"),
        (MACRO, "1112", "1 to 4 modules that halve the resolution \\(3 and 4\\), but has 0"),
        (MACRO, "333331", "1 to 4 modules that halve the resolution \\(3 and 4\\), but has 5"),
        (MACRO, "1113", "1 to 3 modules that double the channels \\(2 and 4\\), but has 0"),
        (MACRO, "2224", "1 to 3 modules that double the channels \\(2 and 4\\), but has 4"),
        (MICRO, "64-224131-basic", "the modules 41414, but '64-224131-basic' names '224131'"),
        (MICRO, "64-41414-basic", "a cell is written as a_bc_def, .* but got 'basic'"),
        (MICRO, "64-41414-33_3_333", "a cell is written as a_bc_def"),
        (MICRO, "64-41414-3_33_343", "edge 1 -> 3: an operation is a digit from 0 to 3, .* has '4'"),
        (MICRO, "31201", "a cell has 6 digits, .* has 5"),
    ],
)
def test_a_wrong_string_says_which_part_is_wrong(space: SearchSpace, text: str, message: str) -> None:
    good = space.format(space.sample(1, np.random.default_rng(0)))
    with pytest.raises(UserError, match=f"row 1: .*{message}"):
        space.parse([*good, text])


def test_a_macro_edit_changes_appends_or_removes_one_module() -> None:
    def near(text: str) -> set[str]:
        found = MACRO.all_neighbors(MACRO.parse([text])).genotypes
        return {name.split("-")[1] for name in MACRO.format(found)}

    assert near("1114") == {
        *("2114", "3114", "4114", "1214", "1314", "1414", "1124", "1134", "1144"),  # the last module has to do both
        *("11141", "11142", "11143", "11144"),
    }
    assert "11141" in near("111411")
    assert near("11141") >= {"1114", "111411", "111412", "111413", "111414"}
    # limits: 4 that halve and 3 that widen are the most, so what is appended is plain
    full = near("44431")
    assert {name for name in full if len(name) == 6} == {"444311"}
    assert {name for name in full if len(name) == 4} == {"4443"}


def test_macro_distances() -> None:
    """Every chain leads to every other, in at most six edits: no detour through the limits is longer than that."""
    distances = MACRO.distances
    assert distances.min() == 0
    assert distances.max() == 6
    digits = MACRO.members.astype(int)
    changed = (digits[:, None] != digits[None]).sum(axis=2)
    assert (distances >= changed).all()
    # in the limits' way: chains where the plain count of differing modules is not enough
    assert (distances > changed).sum() == (distances > changed).T.sum() > 0


def test_genotypes_that_are_no_chain_are_named() -> None:
    gap = np.array([[0, 0, 0, 3, 4, 4], [0, 0, 0, 3, 4, 0]], dtype=np.uint8)
    assert MACRO.is_valid(gap).tolist() == [True, False]
    with pytest.raises(UserError, match=r"row 1 .* is no architecture of 'transnasbench101-macro'"):
        MACRO.cost(gap)
    assert (MACRO.canonicalize(gap) == gap).all()


def test_skips_are_operations_where_a_cell_reduces() -> None:
    def same(one: str, two: str) -> bool:
        a, b = UNIQUE.parse([one, two])
        return bool((a == b).all())

    assert same("300010", "030001")  # a convolution out of the first node, by one inner node or the other
    assert same("300010", "000300")
    assert same("100010", "000100")  # one reduction, and nothing else
    assert same("300120", "300100") is False
    assert not same("100020", "000200")  # what the reduction gives is convolved, or the input itself


@pytest.mark.parametrize("name", ["macro", "micro"])
def test_published_costs(test_data: Path, name: str) -> None:
    """Parameters to the 6 digits that are published; FLOPs, which count batch norms (2), ReLUs and the pool too, to 1e-4."""
    space = MACRO if name == "macro" else MICRO
    with (test_data / "transnasbench101" / f"{name}.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["class_scene_mflops"]]
    assert len(rows) == {"macro": 662, "micro": 711}[name]
    x = space.parse([row["arch"] for row in rows])
    cost = space.cost(x)
    flops, params = (np.array([float(row[f"class_scene_m{what}"]) for row in rows]) for what in ("flops", "params"))
    assert np.allclose(cost.params / 1e6, params, rtol=5e-6, atol=0)
    besides = np.array([_beside_convolutions(space, row) for row in x.tolist()])
    assert np.allclose((cost.flops + besides) / 1e6, flops, rtol=2e-5 if name == "macro" else 1e-4, atol=0)
    assert (cost.flops / 1e6 < flops).all()


def _beside_convolutions(space: SearchSpace, row: list[int]) -> float:
    """Two for each value that a batch norm gives, one for each that a ReLU or the last pool reads."""
    digits = digits_of(row) if space is MACRO else [4, 1, 4, 1, 4]
    norms, read = 32 * 128**2 + 64 * 64**2, 32 * 128**2
    for block in space.layout.blocks(digits):
        before, after = block.in_channels * block.side**2, block.out_channels * block.out_side**2
        if space is MACRO:
            norms += (3 if block.reduces else 2) * after
            read += before + after
            continue
        for (start, _), op in zip(EDGES, row, strict=True):
            if op >= 2 or (op == 1 and start == 0 and block.reduces):
                norms += after
                read += before if start == 0 else after
    return 2 * norms + read + after


def test_layers_are_an_option() -> None:
    small = transnasbench101_macro(resolution=32, classes=10)
    assert layout_from_definition(layout_definition(small.layout)) == small.layout
    assert small.fingerprint != MACRO.fingerprint
    x = MACRO.parse(["224131"])
    assert MACRO.cost(x).params[0] - small.cost(x).params[0] == 53 * (512 + 1)
    assert MICRO.cost(MICRO.sample(1, np.random.default_rng(0))).params > 0
    with pytest.raises(UserError, match="resolution must be a whole number >= 1"):
        transnasbench101_micro(resolution=0)


def test_drawings() -> None:
    drawn = MACRO.diagram(MACRO.parse(["224131"])[0])
    assert drawn.nodes[0] == "stem"
    assert drawn.nodes[1:4] == ("128 x 64 x 64", "256 x 64 x 64", "512 x 32 x 32")
    assert [label for _, _, label in drawn.edges] == ["wider", "wider", "wider, halved", "plain", "halved", "plain", ""]
    cell = MICRO.diagram(MICRO.parse(["300012"])[0])
    assert cell.edges == ((0, 1, "conv3x3"), (1, 3, "skip"), (2, 3, "conv1x1"))
