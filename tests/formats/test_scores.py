"""Measured networks: read by value, and every wrong row named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lissnas.errors import UserError
from lissnas.formats import get_space, read_scores, space_from_text
from lissnas.spaces import ExplicitSpace, SearchSpace

SPACE = """\
name: tiny
genes:
  embed: [192, 384]
  layers: [1, 2]
  bias: [false, true]
  op: {alleles: [k3, k5], repeat: 2, active: index < layers}
costs:
  width: embed * layers
  ms: {learn: latency_ms}
"""


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return space_from_text(SPACE)


def write(folder: Path, text: str) -> Path:
    path = folder / "measured.csv"
    path.write_text(text)
    return path


GOOD = """\
embed,layers,bias,op_0,op_1,top1
192,1,0,k3,,70.5
384.0,2,TRUE,k5,k3,71
192,2,False,k3,k3,69
"""


def test_alleles_match_by_value(tmp_path: Path, space: SearchSpace) -> None:
    measured = read_scores(write(tmp_path, GOOD), space)
    assert measured.score_name == "top1"
    assert measured.scores.tolist() == [70.5, 71, 69]
    assert measured.genotypes.tolist() == [[0, 0, 0, 0, 2], [1, 1, 1, 1, 0], [0, 1, 0, 0, 0]]
    assert measured.rows.tolist() == [2, 3, 4]
    assert measured.merged == 0


def test_columns_in_any_order_and_further_columns(tmp_path: Path, space: SearchSpace) -> None:
    text = "hash,top1,op_1,op_0,bias,layers,embed,latency_ms,date\nab,70,,k3,0,1,192,5,monday\ncd,71,k3,k3,0,2,192,,tuesday\n"
    measured = read_scores(write(tmp_path, text), space)
    assert measured.score_name == "top1"  # latency_ms is a cost of the space, so it is not the score unless asked for
    assert list(measured.columns) == ["latency_ms"]
    assert measured.columns["latency_ms"][0] == 5
    assert np.isnan(measured.columns["latency_ms"][1])


def test_equal_rows_count_once(tmp_path: Path, space: SearchSpace) -> None:
    measured = read_scores(write(tmp_path, GOOD + "192,1,0,k3,,70.5\n192,1,false,k3,,70.50\n"), space)
    assert measured.merged == 2
    assert measured.rows.tolist() == [2, 3, 4]


def test_architecture_strings(tmp_path: Path) -> None:
    space = get_space("shufflenetv2")
    x = space.sample(4, np.random.default_rng(0))
    rows = "".join(f'"{text}",{70 + i}\n' for i, text in enumerate(space.format(x)))
    measured = read_scores(write(tmp_path, "arch,acc\n" + rows), space)
    assert (measured.genotypes == x).all()
    assert measured.scores.tolist() == [70, 71, 72, 73]


def test_isomorphs_are_one_architecture(tmp_path: Path) -> None:
    space = space_from_text("name: m\ngenes:\n  op: {alleles: [a, b, id], repeat: 3, skip: id, movable: [[0, 1, 2]]}\n")
    text = "op_0,op_1,op_2,s\na,id,b,1\na,b,id,1\nid,id,b,2\n"
    measured = read_scores(write(tmp_path, text), space)
    assert measured.merged == 1
    assert space.format(measured.genotypes) == ["op_0=a op_1=b op_2=id", "op_0=b op_1=id op_2=id"]


def test_parquet_with_types(tmp_path: Path, space: SearchSpace) -> None:
    path = tmp_path / "measured.parquet"
    columns = {
        "embed": [192, 384],
        "layers": [1.0, 2.0],
        "bias": [False, True],
        "op_0": pa.array(["k3", "k5"]).dictionary_encode(),
        "op_1": [None, "k3"],
        "top1": pa.array([70.5, 71], pa.float32()),
    }
    pq.write_table(pa.table(columns), path)
    assert read_scores(path, space).genotypes.tolist() == [[0, 0, 0, 0, 2], [1, 1, 1, 1, 0]]
    columns["op_1"] = [None, "k9"]
    pq.write_table(pa.table(columns), path)
    with pytest.raises(UserError, match=r"measured\.parquet, row 2: gene 'op_1' has no allele 'k9'"):
        read_scores(path, space)


HEAD = "embed,layers,bias,op_0,op_1,top1\n"
FIRST = "192,1,0,k3,,70.5\n"

MISTAKES = {
    "missing gene": (
        "embed,layer,bias,op_0,op_1,top1\n" + FIRST,
        None,
        ["no column for the gene 'layers'", "did you mean layer?"],
    ),
    "no genes at all": ("a,b\n1,2\n", None, ["no column for the gene 'embed' and 4 more", "'arch'"]),
    "missing score": (HEAD + FIRST, "top2", ["no column 'top2'", "did you mean top1?"]),
    "a gene as score": (HEAD + FIRST, "bias", ["'bias'", "it is no score"]),
    "which score": ("embed,layers,bias,op_0,op_1,a,b\n192,1,0,k3,,1,2\n", None, ["which column", "a, b", "--score"]),
    "no numbers": ("embed,layers,bias,op_0,op_1,a\n192,1,0,k3,,x\n", None, ["which column", "no column of numbers"]),
    "unknown allele": (
        HEAD + FIRST + "\n256,1,0,k3,,71\n",
        None,
        ["measured.csv:4: ", "gene 'embed' has no allele '256'", "192, 384"],
    ),
    "unknown text": (HEAD + FIRST + "192,2,0,k3,k7,71\n", None, ["measured.csv:3: ", "'op_1' has no allele 'k7'", "k3, k5"]),
    "empty gene": (HEAD + FIRST + "192,1,,k3,,71\n", None, ["measured.csv:3: ", "'bias' is empty"]),
    "inactive with a value": (
        HEAD + FIRST + "192,1,0,k5,k3,71\n",
        None,
        ["csv:3: ", "'op_1' is inactive", "not 1 < layers", "holds k3"],
    ),
    "active and empty": (
        HEAD + FIRST + "192,2,0,k5,,71\n",
        None,
        ["csv:3: ", "'op_1' is empty, but it is active", "1 < layers"],
    ),
    "NaN score": (HEAD + FIRST + "192,2,0,k5,k3,nan\n", None, ["csv:3: ", "finite number", "'top1' is 'nan'"]),
    "empty score": (HEAD + FIRST + "192,2,0,k5,k3,\n", None, ["csv:3: ", "'top1' is empty"]),
    "text score": (HEAD + FIRST + "192,2,0,k3,k3,72\n192,2,0,k5,k3,failed\n", None, ["csv:4: ", "'top1' is 'failed'"]),
    "infinite score": (HEAD + FIRST + "192,2,0,k5,k3,inf\n", None, ["csv:3: ", "'top1' is 'inf'"]),
    "an underscore": (HEAD + FIRST + "192,2,0,k5,k3,7_0\n", "top1", ["csv:3: ", "'top1' is '7_0'"]),
    "two scores": (
        HEAD + FIRST + "384,1,0,k3,,60\n192.0,1,false,k3,,70.6\n",
        None,
        ["csv:4: ", "has the top1 70.6 here and 70.5 in line 2", "embed=192", "their mean"],
    ),
    "all equal": (HEAD + FIRST + "384,1,0,k3,,70.5\n", None, ["all 2 scores in the column 'top1'", "70.5"]),
    "ragged": (HEAD + FIRST + "1,2\n", None, ["csv:3: ", "6 cells"]),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_names_its_row(tmp_path: Path, space: SearchSpace, case: str) -> None:
    text, score, parts = MISTAKES[case]
    with pytest.raises(UserError) as caught:
        read_scores(write(tmp_path, text), space, score)
    assert "\n" not in str(caught.value)
    for part in ["measured.csv", *parts]:
        assert part in str(caught.value)


def test_a_wrong_architecture_string_names_its_row(tmp_path: Path) -> None:
    space = get_space("digits-shuffle")
    good = " ".join("0" * 9)
    for wrong in ("1 2 3", "9 0 0 0 0 0 0 0 0"):
        with pytest.raises(UserError, match=rf"measured\.csv:4: .*'{wrong}'"):
            read_scores(write(tmp_path, f"arch,s\n{good},1\n{good},1\n{wrong},3\n"), space)


def test_an_architecture_outside_a_smaller_space(tmp_path: Path, space: SearchSpace) -> None:
    path = write(tmp_path, GOOD)
    smaller = ExplicitSpace.of(space, read_scores(path, space).genotypes[:1])
    with pytest.raises(UserError, match=r"measured\.csv:3: .*is not in 'tiny-1' \(2 of 3 rows are not\)"):
        read_scores(path, smaller)


def test_the_measured_language_models(test_data: Path) -> None:
    space = get_space("gpt-s")
    measured = read_scores(test_data / "hwgpt" / "gpt_s.csv", space, score="perplexity")
    assert measured.genotypes.shape == (10_000, 27)
    assert set(measured.columns) == {"accuracy", "macs", "params", "latency_ms", "energy_mwh"}
    assert measured.scores[0] == 33.1216
