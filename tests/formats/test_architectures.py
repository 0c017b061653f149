"""Architectures as tables, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lissnas.errors import UserError
from lissnas.formats import export_space, get_space, read_scores, space_from_text, write_architectures_csv
from lissnas.spaces import ExplicitSpace, Gene, Movable, ProductSpace, SearchSpace
from lissnas.spaces.gene import allele_key


def _distinct(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, min_size=1, max_size=4, unique_by=allele_key)


_alleles = st.one_of(
    _distinct(st.integers(-(10**20), 10**20)),
    _distinct(st.floats(-1e6, 1e6)),
    _distinct(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=5)),
    st.just([False, True]),
    st.just([1, "auto", 2.5]),
)


@st.composite
def spaces(draw: st.DrawFn) -> SearchSpace:
    """Free genes of all kinds, some that a depth switches off, some with a movable identity."""
    genes = [Gene(f"g{i}", tuple(values)) for i, values in enumerate(draw(st.lists(_alleles, min_size=1, max_size=4)))]
    if draw(st.booleans()):
        genes += [Gene("depth", (1, 2)), Gene("d0", ("a", "b"), active="depth > 1"), Gene("d1", (1, 2, 3), active="depth > 1")]
    movable = []
    if draw(st.booleans()):
        genes += [Gene(f"m{i}", ("id", "x", "y")) for i in range(3)]
        movable = [Movable("id", ("m0", "m1", "m2"))]
    return ProductSpace("drawn", genes, movable=movable)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@settings(max_examples=60, deadline=None)
@given(space=spaces(), seed=st.integers(0, 1000))
def test_what_is_written_reads_back(
    tmp_path_factory: pytest.TempPathFactory, ending: str, space: SearchSpace, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x = ExplicitSpace.of(space, space.sample(20, rng)).genotypes
    scores = rng.standard_normal(len(x))
    path = tmp_path_factory.mktemp("written") / f"x.{ending}"
    write_architectures_csv(space, x, path, {"score": scores})
    measured = read_scores(path, space, "score")
    assert (measured.genotypes == x).all()
    assert (measured.scores == scores).all()


@pytest.fixture(scope="module")
def gpt() -> SearchSpace:
    return get_space("gpt-s")


def test_a_csv_to_measure(tmp_path: Path, gpt: SearchSpace, rng: np.random.Generator) -> None:
    x = gpt.sample(5, rng)
    path = tmp_path / "to_measure.csv"
    write_architectures_csv(gpt, x, path, dict(gpt.cost(x)))
    lines = path.read_text().splitlines()
    assert lines[0].startswith("embed,layers,bias,heads_0,")
    assert lines[0].endswith("heads_total,mlp_total,params,macs,latency_ms")
    row = dict(zip(lines[0].split(","), lines[1].split(","), strict=True))
    assert row["bias"] in ("true", "false")
    assert row["latency_ms"] == ""  # not learned yet
    assert row["params"].isdigit()
    assert (row["heads_11"] == "") == (row["layers"] != "12")
    # the user adds a column
    path.write_text("\n".join([f"{lines[0]},ppl", *(f"{line},{30 + i}" for i, line in enumerate(lines[1:]))]))
    measured = read_scores(path, gpt)
    assert measured.score_name == "ppl"
    assert (measured.genotypes == x).all()


def test_parquet_is_readable_without_this_package(tmp_path: Path, gpt: SearchSpace, rng: np.random.Generator) -> None:
    path = tmp_path / "x.parquet"
    x = gpt.sample(50, rng)
    write_architectures_csv(gpt, x, path, {"name": [f"n{i}" for i in range(50)]})
    table = pq.read_table(path)
    assert {str(table.schema.field(n).type) for n in ("embed", "bias", "heads_11", "name")} == {"int64", "bool", "string"}
    first = table.slice(0, 1).to_pylist()[0]
    assert {k: v for k, v in first.items() if v is not None and k != "name"} == gpt.to_dicts(x[:1])[0]


def test_export_writes_every_architecture(tmp_path: Path) -> None:
    space = space_from_text("name: a\ngenes:\n  g: [1, 2]\n  h: [x, y, z]\ncosts:\n  c: 2 * g\n")
    export_space(space, tmp_path / "all.csv")
    assert (tmp_path / "all.csv").read_text() == "g,h,c\n1,x,2\n1,y,2\n1,z,2\n2,x,4\n2,y,4\n2,z,4\n"
    with pytest.raises(UserError, match="too many to list"):
        export_space(get_space("shufflenetv2"), tmp_path / "big.csv")
    assert [p.name for p in tmp_path.iterdir()] == ["all.csv"]


def test_mistakes(tmp_path: Path, gpt: SearchSpace, rng: np.random.Generator) -> None:
    x = gpt.sample(3, rng)
    with pytest.raises(UserError, match=r"'score' must have 3 values.*has 2"):
        write_architectures_csv(gpt, x, tmp_path / "x.csv", {"score": [1, 2]})
    with pytest.raises(UserError, match="'bias' is a gene of 'gpt-s'"):
        write_architectures_csv(gpt, x, tmp_path / "x.csv", {"bias": [1, 2, 3]})
    with pytest.raises(UserError, match=r"written as \.csv or \.parquet, but got '.*x\.txt'"):
        write_architectures_csv(gpt, x, tmp_path / "x.txt")
    with pytest.raises(UserError, match="must be uint8"):
        write_architectures_csv(gpt, x.astype(np.int64), tmp_path / "x.csv")  # type: ignore[arg-type]
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot read or write '.*file"):
        write_architectures_csv(gpt, x, tmp_path / "file" / "x.csv")
    with pytest.raises(UserError, match="'mixed' must hold one kind of value"):
        write_architectures_csv(gpt, x, tmp_path / "x.parquet", {"mixed": [1, "a", None]})
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, gpt: SearchSpace, rng: np.random.Generator) -> None:
    path = tmp_path / "x.parquet"
    x = gpt.sample(3, rng)
    write_architectures_csv(gpt, x, path)
    before = path.read_bytes()

    class Broken:
        def __len__(self) -> int:
            return 3

        def __getitem__(self, index: object) -> object:
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        write_architectures_csv(gpt, x, tmp_path / "x.csv", {"b": Broken()})  # type: ignore[dict-item]
    assert [p.name for p in tmp_path.iterdir()] == ["x.parquet"]
    assert path.read_bytes() == before
