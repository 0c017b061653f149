"""A space saved and loaded: the same space, the same bytes, and no damage unnoticed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lissnas.errors import UserError
from lissnas.formats import get_space, load_space, packaged, read_header, save_space, space_from_text
from lissnas.spaces import (
    ConstrainedSpace,
    ExplicitSpace,
    Gene,
    PricedSpace,
    ProductSpace,
    RestrictedSpace,
    SearchSpace,
    TableCost,
)

EXAMPLE = Path(packaged.__file__).parent / "gpt-s.yaml"


def letters(alleles: int, genes: int) -> ProductSpace:
    return ProductSpace(f"{alleles}^{genes}", [Gene(f"op_{i}", tuple("abcdefghijklm"[:alleles])) for i in range(genes)])


@pytest.fixture(scope="module")
def gpt() -> SearchSpace:
    return get_space(EXAMPLE)


@pytest.mark.parametrize(
    "parent",
    [letters(9, 22), letters(13, 21), letters(2, 10), get_space(EXAMPLE), get_space("shufflenetv2")],
    ids=lambda space: space.name,
)
def test_an_explicit_space(tmp_path: Path, parent: SearchSpace, rng: np.random.Generator) -> None:
    space = ExplicitSpace.of(parent, parent.sample(300, rng), "small")
    space.save(tmp_path / "small.parquet")
    loaded = get_space(tmp_path / "small.parquet")
    assert isinstance(loaded, ExplicitSpace)
    assert loaded.fingerprint == space.fingerprint
    assert loaded.name == "small"
    assert (loaded.codes == space.codes).all()
    assert loaded.root.fingerprint == parent.fingerprint
    x = space.sample(20, rng)
    assert loaded.cost(x).keys() == space.cost(x).keys()
    assert loaded.format(x) == space.format(x)


def test_spaces_without_a_list(tmp_path: Path, rng: np.random.Generator) -> None:
    tiny = space_from_text("name: tiny\ngenes:\n  g: [1, 2, 3]\n  op: 6 x [a, b]\ncosts:\n  c: 2 * g\n")
    assert isinstance(tiny, ProductSpace)
    for space in (tiny, RestrictedSpace(tiny, {"g": [0, 2]}), ConstrainedSpace(tiny, ["c <= 4"], "cheap"), letters(9, 22)):
        path = tmp_path / "space.parquet"
        save_space(space, path)
        loaded = load_space(path)
        assert type(loaded) is type(space)
        assert loaded.fingerprint == space.fingerprint
        assert loaded.cardinality == space.cardinality
        assert (loaded.sample(5, np.random.default_rng(1)) == space.sample(5, np.random.default_rng(1))).all()
        assert pq.read_metadata(path).num_rows == 0


def test_a_space_shrunk_again_keeps_what_it_holds(tmp_path: Path, gpt: SearchSpace, rng: np.random.Generator) -> None:
    first = ExplicitSpace.of(gpt, gpt.sample(200, rng), "first")
    second = ExplicitSpace(first, first.codes[::2], "second")
    path = tmp_path / "second.parquet"
    second.save(path)
    alone = load_space(path)
    assert isinstance(alone, ExplicitSpace)
    assert (alone.codes == second.codes).all()
    assert alone.parent.fingerprint == gpt.fingerprint
    in_its_place = load_space(path, parent=first)
    assert in_its_place.fingerprint == second.fingerprint
    third = ConstrainedSpace(first, ["embed <= 384"], "third")
    save_space(third, tmp_path / "third.parquet")
    loaded = load_space(tmp_path / "third.parquet")
    assert loaded.cardinality == third.cardinality
    assert loaded.is_valid(third.sample(30, rng)).all()


def test_an_explicit_part_of_a_constrained_space(tmp_path: Path, rng: np.random.Generator) -> None:
    tiny = space_from_text("name: tiny\ngenes:\n  g: [1, 2, 3]\n  op: 6 x [a, b]\ncosts:\n  c: 2 * g\nconstraints: [c <= 4]\n")
    space = ExplicitSpace.of(tiny, tiny.sample(9, rng))
    space.save(tmp_path / "s.parquet")
    loaded = load_space(tmp_path / "s.parquet")
    assert loaded.fingerprint == space.fingerprint
    assert isinstance(loaded, ExplicitSpace)
    assert isinstance(loaded.parent, ConstrainedSpace)


def test_the_parent_given_is_the_parent(tmp_path: Path, rng: np.random.Generator) -> None:
    parent = space_from_text("name: tiny\ngenes:\n  g: [1, 2, 3]\ncosts:\n  ms: {learn: ms}\n")
    assert isinstance(parent, ProductSpace)
    path = tmp_path / "s.parquet"
    ExplicitSpace.of(parent, parent.sample(9, rng)).save(path)
    learned = parent.with_learned_costs({"ms": lambda x: x[:, 0] * 10.0})
    loaded = load_space(path, parent=learned)
    assert loaded.cost(np.array([[2]], dtype=np.uint8))["ms"].tolist() == [20]
    with pytest.raises(UserError, match=r"saved for 'tiny' \(fingerprint \w+\), but the space given is '2\^10' \(fingerprint"):
        load_space(path, parent=letters(2, 10))


def test_the_bytes_depend_on_the_space_alone(tmp_path: Path, gpt: SearchSpace, rng: np.random.Generator) -> None:
    x = gpt.sample(300, rng)
    for name, rows in (("a", x), ("b", x[::-1])):
        save_space(ExplicitSpace.of(gpt, rows, "small"), tmp_path / f"{name}.parquet", made_by={"seed": 1, "by": "test"})
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.parquet", "b.parquet"]


def test_the_file_is_readable_without_this_package(tmp_path: Path, gpt: SearchSpace, rng: np.random.Generator) -> None:
    space = ExplicitSpace.of(gpt, gpt.sample(40, rng), "small")
    save_space(space, tmp_path / "small.parquet", made_by={"method": "lissnas"})
    table = pq.read_table(tmp_path / "small.parquet")
    row = table.slice(0, 1).to_pylist()[0]
    assert row.pop("code_0") == int(space.codes[0, 0])
    assert {k: v for k, v in row.items() if v is not None} == space.to_dicts(space.genotypes[:1])[0]
    header = read_header(tmp_path / "small.parquet")
    assert header["made_by"] == {"method": "lissnas"}
    assert header["fingerprint"] == space.fingerprint
    assert header["base"] == json.loads(json.dumps(gpt.definition()))


def test_a_gene_may_be_called_as_the_codes_are(tmp_path: Path) -> None:
    parent = ProductSpace("c", [Gene("code_0", ("a", "b")), Gene("code_1", (1, 2))])
    space = ExplicitSpace.of(parent, parent.sample(3, np.random.default_rng(0)))
    space.save(tmp_path / "c.parquet")
    assert load_space(tmp_path / "c.parquet").fingerprint == space.fingerprint


# -- damage -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path: Path, gpt: SearchSpace, rng: np.random.Generator) -> Path:
    path = tmp_path / "small.parquet"
    ExplicitSpace.of(gpt, gpt.sample(3000, rng), "small").save(path)
    return path


def rewrite(path: Path, change: Any) -> None:
    """Write the file again after ``change(header, columns)``."""
    table = pq.read_table(path)
    header = json.loads(table.schema.metadata[b"lissnas"])
    columns = {name: table.column(name) for name in table.column_names}
    change(header, columns)
    pq.write_table(pa.table(columns).replace_schema_metadata({b"lissnas": json.dumps(header).encode()}), path)


def test_codes_that_were_changed(saved: Path) -> None:
    def change(header: dict[str, Any], columns: dict[str, Any]) -> None:
        codes = columns["code_0"].to_numpy().copy()
        codes[7] += np.uint64(1)
        columns["code_0"] = pa.array(codes)

    rewrite(saved, change)
    with pytest.raises(UserError, match=r"small\.parquet was changed.*architectures do not match their checksum"):
        load_space(saved)


def test_rows_that_were_removed(saved: Path) -> None:
    rewrite(saved, lambda header, columns: columns.update({n: c.slice(0, 100) for n, c in columns.items()}))
    with pytest.raises(UserError, match="architectures do not match their checksum"):
        load_space(saved)


def test_a_definition_that_was_changed(saved: Path) -> None:
    rewrite(saved, lambda header, columns: header["base"]["genes"][0].update(alleles=[1, 2, 3]))
    with pytest.raises(UserError, match="its definition does not match its fingerprint"):
        load_space(saved)


def test_a_name_that_was_changed(saved: Path) -> None:
    rewrite(saved, lambda header, columns: header.update(name="other"))
    with pytest.raises(UserError, match="its header does not match its fingerprint"):
        load_space(saved)


def test_a_header_that_lacks_something(saved: Path) -> None:
    rewrite(saved, lambda header, columns: header.pop("codes_sha256"))
    with pytest.raises(UserError, match="its header lacks codes_sha256"):
        load_space(saved)


def test_codes_that_are_gone(saved: Path) -> None:
    rewrite(saved, lambda header, columns: columns.pop("code_0"))
    with pytest.raises(UserError, match=r"small\.parquet"):
        load_space(saved)


def test_a_newer_version(saved: Path) -> None:
    rewrite(saved, lambda header, columns: header.update(format=99, version="7.0"))
    with pytest.raises(UserError, match=r"small\.parquet was written by lissnas 7\.0, newer than this one .*upgrade"):
        load_space(saved)


@pytest.mark.parametrize("keep", [0, 3, 50, 0.5, 0.99])
def test_a_truncated_file(saved: Path, keep: float) -> None:
    data = saved.read_bytes()
    saved.write_bytes(data[: int(keep if keep > 1 or keep == 0 else keep * len(data))])
    with pytest.raises(UserError, match=r"small\.parquet is truncated or damaged") as caught:
        load_space(saved)
    assert "\n" not in str(caught.value)


def test_every_flipped_byte_of_the_codes_is_noticed(saved: Path, gpt: SearchSpace) -> None:
    data = saved.read_bytes()
    fine = load_space(saved).fingerprint
    for place in range(100, len(data) - 1, len(data) // 60):
        broken = bytearray(data)
        broken[place] ^= 0x55
        saved.write_bytes(bytes(broken))
        try:
            same = load_space(saved).fingerprint == fine
        except UserError:
            continue
        assert same, f"byte {place}"  # a byte of a column that only people read


def test_no_saved_space(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "scores.parquet")
    with pytest.raises(UserError, match=r"scores\.parquet is a Parquet file, but no saved space"):
        get_space(tmp_path / "scores.parquet")
    with pytest.raises(UserError, match=r"cannot read '.*none\.parquet' \(no such file or directory\)"):
        get_space(tmp_path / "none.parquet")


def test_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    space = letters(2, 3)
    with pytest.raises(UserError, match=r"saved as \.parquet, but got '.*x\.csv'"):
        save_space(space, tmp_path / "x.csv")
    with pytest.raises(UserError, match="plain JSON data"):
        save_space(space, tmp_path / "x.parquet", made_by={"rng": object()})
    with pytest.raises(UserError, match="plain JSON data"):
        save_space(space, tmp_path / "x.parquet", made_by={"mean": float("nan")})
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot read or write '.*file"):
        save_space(space, tmp_path / "file" / "x.parquet")


def test_a_list_with_a_cost_of_its_own_keeps_the_cost(tmp_path: Path, rng: np.random.Generator) -> None:
    """As ``lissnas latency`` makes it of a shrunk space, and as that is shrunk again."""
    parent = letters(4, 6)
    table = TableCost("ms", 1.0, rng.random((6, 4)))
    listed = ExplicitSpace.of(parent, parent.sample(200, rng), "small")
    priced = PricedSpace(listed, [table])
    for space in (priced, ExplicitSpace.of(priced, priced.sample(20, rng), "smaller")):
        space.save(tmp_path / "priced.parquet")
        loaded = get_space(tmp_path / "priced.parquet")
        assert loaded.cardinality == space.cardinality
        assert "ms" in loaded.cost_names
        some = space.sample(10, rng)
        assert loaded.cost(some)["ms"].tolist() == space.cost(some)["ms"].tolist()
        assert loaded.is_valid(some).all()
        assert loaded.root.fingerprint == parent.fingerprint
