"""A space of one's own: what a file means, and how each mistake in it is answered."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import numpy as np
import pytest
import yaml

from lissnas.errors import UserError
from lissnas.formats import get_space, packaged, read_space, space_from_text, space_schema
from lissnas.spaces import ConstrainedSpace, LearnedCost, Movable, ProductSpace

EXAMPLE = Path(packaged.__file__).parent / "gpt-s.yaml"

DESIGN = """\
name: gpt-s
genes:
  embed:  [192, 384, 768]
  layers: [10, 11, 12]
  bias:   [false, true]
  heads:  {alleles: [4, 8, 12], repeat: 12, active: "index < layers"}
  mlp:    {alleles: [2, 3, 4],  repeat: 12, active: "index < layers"}
costs:
  width_cost: "embed * layers"
"""

SHORT = "name: small\ngenes:\n  depth: 20 x [k3, k5, k7, xception]\n"

MOBILE = """\
name: mobile
genes:
  op:
    alleles: [k3, k5, identity]
    repeat: 8
    skip: identity
    movable: [[1, 2, 3], [5, 6, 7]]
costs:
  ms: {table: {op: {k3: 1, k5: 2, identity: 0}, op_4: {k3: 10, k5: 20}}, base: 0.5}
"""


def product(text: str) -> ProductSpace:
    space = space_from_text(text)
    assert isinstance(space, ProductSpace)
    return space


def genes_of(space: ProductSpace, **values: str) -> np.ndarray:
    """The architecture whose genes hold ``values``, the others their first allele."""
    row = [gene.index(values[gene.name]) if gene.name in values else 0 for gene in space.genes]
    return space.canonicalize(np.array([row], dtype=np.uint8))


def test_the_example_of_the_design() -> None:
    space = product(DESIGN)
    assert space.name == "gpt-s"
    assert [g.name for g in space.genes[:5]] == ["embed", "layers", "bias", "heads_0", "heads_1"]
    assert space.genes[-1].name == "mlp_11"
    assert space.cardinality == 3 * 2 * (9**10 + 9**11 + 9**12)
    assert space.genes[2].alleles == (False, True)
    assert space.cost(genes_of(space, embed="768", layers="11"))["width_cost"].tolist() == [768 * 11]


def test_index_is_the_position_and_a_condition_that_always_holds_is_dropped() -> None:
    by_name = {gene.name: gene for gene in product(DESIGN).genes}
    assert by_name["heads_9"].active is None  # 9 < layers holds for 10, 11 and 12
    assert by_name["heads_10"].active == "10 < layers"
    assert by_name["mlp_11"].active == "11 < layers"


def test_the_short_form_of_a_repeated_gene() -> None:
    space = product(SHORT)
    assert space.cardinality == 4**20
    assert space.genes[19].name == "depth_19"
    assert space.genes[0].alleles == ("k3", "k5", "k7", "xception")


def test_the_short_form_equals_the_long_one() -> None:
    long = "name: small\ngenes:\n  depth: {alleles: [k3, k5, k7, xception], repeat: 20}\n"
    assert product(SHORT).fingerprint == product(long).fingerprint


def test_an_identity_stands_only_where_it_may_move() -> None:
    space = product(MOBILE)
    with_identity = [g.name for g in space.genes if "identity" in g.alleles]
    assert with_identity == ["op_1", "op_2", "op_3", "op_5", "op_6", "op_7"]
    assert space.movable == (Movable("identity", ("op_1", "op_2", "op_3")), Movable("identity", ("op_5", "op_6", "op_7")))
    assert space.cardinality == 2 * 2 * (1 + 2 + 4 + 8) ** 2


def test_the_mobilenet_space_has_its_published_size() -> None:
    groups = "[[1, 2, 3], [5, 6, 7], [9, 10, 11], [13, 14, 15], [17, 18, 19]]"
    text = f"name: mobilenet\ngenes:\n  op: {{alleles: [a, b, c, d, e, f, id], repeat: 21, skip: id, movable: {groups}}}\n"
    space = product(text)
    assert space.encodings == 7**15 * 6**6
    assert space.cardinality == 6**6 * 259**5


def test_a_table_costs_by_repeated_gene_and_by_position() -> None:
    space = product(MOBILE)
    x = genes_of(space, op_0="k5", op_1="identity", op_4="k5")
    # op_0 k5 2, op_4 k5 20 by its own entry, op_2 op_3 op_5 op_6 op_7 k3 1 each, op_1 nothing
    assert space.cost(x)["ms"].tolist() == [0.5 + 2 + 20 + 5]


def test_a_table_matches_alleles_by_value() -> None:
    genes = "name: a\ngenes:\n  g: [1, 2.5, true2]\n  h: [false, true]\n"
    text = genes + "costs:\n  c: {table: {g: {1.0: 5, '2.50': 6, true2: 7}, h: {0: 1, true: 2}}}\n"
    space = product(text)
    assert space.cost(np.array([[1, 1], [0, 0]], dtype=np.uint8))["c"].tolist() == [8, 6]


def test_a_formula_may_use_the_costs_above_it() -> None:
    space = product("name: a\ngenes:\n  g: [1, 2]\ncosts:\n  twice: 2 * g\n  more: twice + 1\n  same: 7\n")
    costs = space.cost(np.array([[1]], dtype=np.uint8))
    assert {name: values[0] for name, values in costs.items()} == {"twice": 4, "more": 5, "same": 7}


def test_a_learned_cost_names_its_column() -> None:
    space = product("name: a\ngenes:\n  g: [1, 2]\ncosts:\n  ms: {learn: latency_ms}\n")
    (cost,) = space.costs
    assert isinstance(cost, LearnedCost)
    assert cost.column == "latency_ms"


def test_constraints_make_a_constrained_space() -> None:
    space = space_from_text(DESIGN + 'constraints: ["width_cost <= 2112", "not bias"]\n')
    assert isinstance(space, ConstrainedSpace)
    assert space.limits == ("width_cost <= 2112", "not bias")
    x = space.sample(50, np.random.default_rng(0))
    assert (space.cost(x)["width_cost"] <= 2112).all()
    assert (x[:, 2] == 0).all()


def test_scalars_mean_what_yaml_1_2_says() -> None:
    space = product("name: a\ngenes:\n  g: [no, on, 010, 1e3, 0.5, '7', 2020-01-01, none]\n")
    assert space.genes[0].alleles == ("no", "on", 10, 1000.0, 0.5, "7", "2020-01-01", "none")


def test_a_text_is_compared_in_a_condition() -> None:
    space = product("name: a\ngenes:\n  kind: [conv, pool]\n  kernel: {alleles: [3, 5], active: \"kind == 'conv'\"}\n")
    assert space.cardinality == 3


def test_a_chain_of_conditions() -> None:
    space = product(
        "name: a\ngenes:\n  c: {alleles: [1, 2], active: b == 2}\n  b: {alleles: [1, 2], active: a == 2}\n  a: [1, 2]\n"
    )
    assert space.cardinality == 1 + 1 + 2
    assert [g.active for g in space.genes] == ["b == 2", "a == 2", None]


def test_a_space_past_two_to_the_64() -> None:
    space = product("name: fbnet\ngenes:\n  op: 22 x [a, b, c, d, e, f, g, h, i]\n")
    assert space.cardinality == 9**22
    x = space.sample(100, np.random.default_rng(0))
    assert (space.decode(space.encode(x)) == x).all()


def test_the_example_reads_and_its_formulas_hold(test_data: Path) -> None:
    from lissnas.formats import read_scores

    space = read_space(EXAMPLE)
    measured = read_scores(test_data / "hwgpt" / "gpt_s.csv", space, "perplexity")
    assert measured.genotypes.shape == (10_000, 27)
    assert measured.merged == 0
    costs = space.cost(measured.genotypes)
    for name in ("params", "macs"):
        assert (costs[name] == measured.columns[name]).all()
    first = dict(zip([g.name for g in space.genes], measured.genotypes[0].tolist(), strict=True))
    assert (first["embed"], first["layers"], first["bias"]) == (1, 0, 0)
    assert space.genes[-1].label(first["mlp_11"]) == ""


def test_get_space_reads_a_yaml_file(tmp_path: Path) -> None:
    (tmp_path / "mine.yml").write_text(SHORT)
    assert get_space(tmp_path / "mine.yml").cardinality == 4**20
    assert get_space(str(tmp_path / "mine.yml")).name == "small"


# -- mistakes -----------------------------------------------------------------------------------------------------------

HEAD = "name: a\ngenes:\n"  # what follows begins in line 3
OP = "  op: 4 x [k3, k5]\n"

MISTAKES = {
    # text -> line, what the message must say
    "wrong key at the top": ("name: a\ngene:\n  x: [1]\n", 2, ["no key 'gene'", "did you mean genes?"]),
    "wrong key in a gene": (HEAD + "  x: {allele: [1]}\n", 3, ["gene 'x' has no key 'allele'", "did you mean alleles?"]),
    "wrong key in a block": (HEAD + "  x:\n    alleles: [1, 2]\n    repeats: 3\n", 5, ["'repeats'", "did you mean repeat?"]),
    "wrong key in a cost": (HEAD + "  x: [1]\ncosts:\n  c: {tabel: {}}\n", 5, ["no key 'tabel'", "did you mean table?"]),
    "empty alleles": (HEAD + "  x: []\n", 3, ["gene 'x' needs a list of at least one allele", "empty list"]),
    "no alleles": (HEAD + "  x: {repeat: 3}\n", 3, ["gene 'x' needs alleles"]),
    "nothing after the gene": (HEAD + "  x:\n  y: [1]\n", 3, ["gene 'x' must be a list", "got nothing"]),
    "no genes": ("name: a\ngenes:\n", 2, ["genes must be a mapping", "got nothing"]),
    "duplicate gene": (HEAD + "  x: [1]\n  y: [2]\n  x: [3]\n", 5, ["the gene 'x' stands twice", "first in line 3"]),
    "duplicate after repeating": (
        HEAD + "  x_1: [1]\n  x: 2 x [a, b]\n",
        4,
        ["the gene 'x_1' stands twice", "first in line 3"],
    ),
    "duplicate of a position": (HEAD + "  x: 2 x [a, b]\n  x_1: [1]\n", 4, ["the gene 'x_1' stands twice", "first in line 3"]),
    "duplicate allele": (HEAD + "  x:\n    - 1\n    - 2\n    - 1.0\n", 6, ["gene 'x' lists the allele 1.0 twice", "line 4"]),
    "duplicate by value": (HEAD + "  x: [0, false]\n", 3, ["lists the allele false twice"]),
    "duplicate cost": (HEAD + "  x: [1]\ncosts:\n  c: x\n  c: 2 * x\n", 6, ["the cost 'c' stands twice", "first in line 5"]),
    "cost with a gene's name": (HEAD + "  x: [1]\ncosts:\n  x: 3\n", 5, ["the name 'x' is taken by a gene (line 3)"]),
    "cyclic condition": (
        HEAD + "  a: {alleles: [1, 2], active: b > 1}\n  b: {alleles: [1, 2], active: a > 1}\n",
        3,
        ["in a circle (a -> b -> a)", "break it"],
    ),
    "a condition on itself": (HEAD + "  a: {alleles: [1, 2], active: a > 1}\n", 3, ["in a circle (a -> a)"]),
    "a longer circle": (
        HEAD + "  z: [1]\n" + "".join(f"  {a}: {{alleles: [1, 2], active: {b} > 1}}\n" for a, b in ("ab", "bc", "ca")),
        4,
        ["a -> b -> c -> a"],
    ),
    "unknown gene in a condition": (
        HEAD + "  layers: [1, 2]\n  x:\n    alleles: [1, 2]\n    active: layer > 1\n",
        6,
        ["'layer > 1' of gene 'x'", "names 'layer'", "did you mean layers?"],
    ),
    "a repeated gene in a condition": (
        HEAD + OP + "  x: {alleles: [1], active: op == 'k3'}\n",
        4,
        ["'op', which is repeated", "op_0 to op_3"],
    ),
    "index without repeat": (HEAD + "  n: [1, 2]\n  x: {alleles: [1], active: index < n}\n", 4, ["gene 'x' has no 'repeat'"]),
    "a condition on nothing": (HEAD + "  x: {alleles: [1], repeat: 2, active: index < 1}\n", 3, ["depends on no gene"]),
    "a condition that is no comparison": (
        HEAD + "  n: [1, 2]\n  x: {alleles: [1], active: n + 1}\n",
        4,
        ["'active' must compare"],
    ),
    "a condition that never holds": (
        HEAD + "  n: [1, 2]\n  x: {alleles: [1], repeat: 3, active: index < n}\n",
        4,
        ["gene 'x_2' is never active", "repeat it less often"],
    ),
    "a condition that cannot be read": (
        HEAD + "  n: [1]\n  x: {alleles: [1], active: 'n <'}\n",
        4,
        ["cannot read the formula 'n <'"],
    ),
    "a function call": (HEAD + "  n: [1]\n  x: {alleles: [1], active: 'open(n)'}\n", 4, ["'open(n)' is not allowed"]),
    "an attribute": (HEAD + "  n: [1]\ncosts:\n  c: n.__class__\n", 5, ["'n.__class__' is not allowed"]),
    "text against number": (HEAD + "  n: [a, b]\n  x: {alleles: [1], active: n < 3}\n", 4, ["mixes text and numbers"]),
    "an allele that is not there": (
        HEAD + "  k: [c, p]\n  x: {alleles: [1], active: k == 'q'}\n",
        4,
        ["compares 'k' with 'q'", "c, p"],
    ),
    "active is a flag": (HEAD + "  x: {alleles: [1], active: true}\n", 3, ["'active' must be a condition", "got true"]),
    "unknown name in a cost": (
        HEAD + "  embed: [1]\ncosts:\n  c: 2 * embad\n",
        5,
        ["cost 'c' names 'embad'", "did you mean embed?"],
    ),
    "a repeated gene in a cost": (HEAD + OP + "costs:\n  c: 2 * op\n", 5, ["names 'op', which is repeated"]),
    "a cost that stands below": (HEAD + "  x: [1]\ncosts:\n  c: 2 * d\n  d: x\n", 5, ["cost 'd', which does not stand above"]),
    "a cost that is text": (HEAD + "  x: [a, b]\ncosts:\n  c: x\n", 5, ["cost 'c' must be a number"]),
    "a division by zero": (HEAD + "  x: [0, 1]\ncosts:\n  c: 1 / x\n", 5, ["cost 'c' is inf for x=0"]),
    "a cost that is a list": (HEAD + "  x: [1]\ncosts:\n  c: [1]\n", 5, ["cost 'c' must be a formula", "got a list"]),
    "a table with a wrong gene": (
        HEAD + "  gene: [1]\ncosts:\n  c:\n    table:\n      gne: {1: 2}\n",
        7,
        ["'gne', which is no gene", "gene?"],
    ),
    "a table with a wrong allele": (
        HEAD + "  g: [a, b]\ncosts:\n  c: {table: {g: {a: 1, b: 2, z: 3}}}\n",
        5,
        ["'g' has no allele 'z'", "a, b"],
    ),
    "a table without an allele": (
        HEAD + "  g: [a, b]\ncosts:\n  c: {table: {g: {a: 1}}}\n",
        5,
        ["no number for allele 'b' of 'g'"],
    ),
    "a table with a text": (
        HEAD + "  g: [a]\ncosts:\n  c: {table: {g: {a: x}}}\n",
        5,
        ["cost of allele 'a' of 'g' must be a number", "'x'"],
    ),
    "an allele twice in a table": (
        HEAD + "  g: [1]\ncosts:\n  c: {table: {g: {1: 2, 1.0: 3}}}\n",
        5,
        ["allele '1.0' of 'g' is given twice"],
    ),
    "a table and a column": (
        HEAD + "  g: [1]\ncosts:\n  c: {table: {g: {1: 2}}, learn: y}\n",
        5,
        ["either 'table' or 'learn'", "both"],
    ),
    "a base without a table": (HEAD + "  g: [1]\ncosts:\n  c: {base: 1}\n", 5, ["either 'table' or 'learn'", "neither"]),
    "skip without movable": (HEAD + "  x: {alleles: [a, id], repeat: 3, skip: id}\n", 3, ["'skip' and no 'movable'"]),
    "movable without skip": (HEAD + "  x: {alleles: [a, id], repeat: 3, movable: [[1]]}\n", 3, ["'movable' and no 'skip'"]),
    "skip without repeat": (HEAD + "  x: {alleles: [a, id], skip: id, movable: [[0]]}\n", 3, ["'skip' is for repeated genes"]),
    "skip is no allele": (
        HEAD + "  x: {alleles: [a, b], repeat: 3, skip: id, movable: [[1]]}\n",
        3,
        ["'skip' must name one", "a, b", "'id'"],
    ),
    "a position too far": (
        HEAD + "  x: {alleles: [a, id], repeat: 3, skip: id, movable: [[1, 2, 3]]}\n",
        3,
        ["from 0 to 2", "got 3"],
    ),
    "positions apart": (
        HEAD + "  x: {alleles: [a, id], repeat: 4, skip: id, movable: [[1, 3]]}\n",
        3,
        ["must follow one another", "[1, 3]"],
    ),
    "a position in two groups": (
        HEAD + "  x: {alleles: [a, id], repeat: 4, skip: id, movable: [[1, 2], [2, 3]]}\n",
        3,
        ["position 2", "two movable groups"],
    ),
    "movable and active": (
        HEAD + "  n: [1, 2]\n  x: {alleles: [a, id], repeat: 2, skip: id, movable: [[0, 1]], active: index < n}\n",
        4,
        ["cannot have both 'movable' and 'active'"],
    ),
    "a condition on a movable gene": (
        HEAD + "  x: {alleles: [a, id], repeat: 2, skip: id, movable: [[0, 1]]}\n  y: {alleles: [1, 2], active: x_0 == 'a'}\n",
        4,
        ["'x_0', which holds a movable identity"],
    ),
    "repeat is no number": (
        HEAD + "  x: {alleles: [1], repeat: many}\n",
        3,
        ["repeat must be a whole number from 1 to 1000", "'many'"],
    ),
    "repeat zero": (HEAD + "  x: 0 x [a, b]\n", 3, ["repeated 1 to 1000 times", "got 0"]),
    "too many genes": (HEAD + "  x: 999 x [a, b]\n  y: 2 x [a, b]\n", 4, ["at most 1,000 genes"]),
    "too many alleles": (HEAD + f"  x: {list(range(300))}\n", 3, ["at most 254 alleles", "300"]),
    "ordered is no flag": (HEAD + "  x: {alleles: [1], ordered: maybe}\n", 3, ["'ordered' must be true or false", "'maybe'"]),
    "a reserved name": (HEAD + "  index: [1]\n", 3, ["'index' has a meaning in formulas"]),
    "a keyword": (HEAD + "  lambda: [1]\n", 3, ["'lambda' has a meaning"]),
    "a name with a dash": (HEAD + "  kernel-size: [1]\n", 3, ["letters, digits and _", "'kernel-size'"]),
    "an allele with a space": (HEAD + "  x: [a b]\n", 3, ["text without spaces", "'a b'"]),
    "an empty allele": (HEAD + "  x: [a, '']\n", 3, ["text without spaces"]),
    "a missing allele": (HEAD + "  x: [a, null]\n", 3, ["must be a text, a number or a boolean", "nothing"]),
    "an allele that is a list": (HEAD + "  x: [a, [b]]\n", 3, ["got a list"]),
    "an infinite allele": (HEAD + "  x: [1, .inf]\n", 3, ["must be finite"]),
    "a huge number": (HEAD + f"  x: [1, {'9' * 400}]\n", 3, ["must be smaller than 1e+100"]),
    "a gene that is a text": (HEAD + "  x: k3\n", 3, ["gene 'x' must be a list of alleles", "20 x [k3, k5]", "'k3'"]),
    "a short form that cannot be read": (HEAD + "  x: 3 x [a, b}]\n", 3, ["alleles [a, b}] cannot be read"]),
    "no name": ("genes:\n  x: [1]\n", 1, ["a space file needs 'name'"]),
    "a name that is a list": ("name: [a]\ngenes:\n  x: [1]\n", 1, ["the name of a space must be", "got a list"]),
    "a list at the top": ("- a\n- b\n", 1, ["a space file must be a mapping", "got a list"]),
    "an empty file": ("", 1, ["the file is empty"]),
    "only comments": ("# nothing\n\n", 1, ["the file is empty"]),
    "a constraint on a learned cost": (
        HEAD + "  x: [1]\ncosts:\n  ms: {learn: t}\n  twice: 2 * ms\nconstraints:\n  - twice <= 3\n",
        8,
        ["needs the cost 'twice', which is learned", "--limit 'twice <= 3'"],
    ),
    "a constraint on nothing known": (
        HEAD + "  x: [1]\ncosts:\n  params: x\nconstraints:\n  - parms <= 3\n",
        7,
        ["'parms'", "did you mean params?"],
    ),
    "a constraint that does not compare": (
        HEAD + "  x: [1]\nconstraints: [x + 1]\n",
        4,
        ["a constraint must compare", "'x + 1'"],
    ),
    "a constraint that nothing meets": (
        HEAD + "  x: [1, 2]\ncosts:\n  c: x\nconstraints: [c > 5]\n",
        6,
        ["no architecture of 'a' meets c > 5"],
    ),
    "constraints that are a text": (HEAD + "  x: [1]\nconstraints: x > 0\n", 4, ["must be a list of limits", "'x > 0'"]),
    "not YAML": ("name: a\ngenes:\n  x: [1, 2\n  y: [3]\n", 4, ["this is not YAML"]),
    "a tab": ("name: a\ngenes:\n\tx: [1]\n", 3, ["this is not YAML", "check indentation"]),
    "two documents": ("name: a\n---\nname: b\n", 2, ["this is not YAML"]),
    "a control character": ("name: a\ngenes: \x07\n", 2, ["not a YAML text"]),
    "an alias": ("name: a\ngenes:\n  x: &ops [1, 2]\n  y: *ops\n", 4, ["an alias (*ops)", "write the value out"]),
    "a tag": ("name: !!python/object/apply:os.system [ls]\ngenes:\n  x: [1]\n", 1, ["a tag (!!python/object/apply:os.system)"]),
    "a merge": ("name: a\n<<: {x: 1}\n", 2, ["no key '<<'"]),
    "nested too deep": ("[" * 5000, 1, ["nests too deep"]),
    "a key that is a list": ("? [a]\n: b\n", 1, ["a name must be a text"]),
    "a huge file": (HEAD + f"  x: [{'a' * 300_000}]\n", 1, ["at most 262,144 bytes"]),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_answered_with_its_line(case: str) -> None:
    text, line, parts = MISTAKES[case]
    with pytest.raises(UserError) as caught:
        space_from_text(text, "my-space.yaml")
    message = str(caught.value)
    assert message.startswith(f"my-space.yaml:{line}: ")
    assert "\n" not in message
    for part in parts:
        assert part in message


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    levels = "\n".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 12))
    with pytest.raises(UserError, match=r"space.yaml:2: an alias \(\*l0\)"):
        space_from_text(f"l0: &l0 [x]\n{levels}\n")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no-space\.yaml' \(no such file or directory\)"):
        read_space(tmp_path / "no-space.yaml")
    with pytest.raises(UserError, match="is a directory"):
        read_space(tmp_path)


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("name: a\ngenes:\n  größe: [1]\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"latin\.yaml:3: .*UTF-8"):
        read_space(path)


def test_a_file_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "windows.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SHORT.replace("\n", "\r\n").encode())
    assert read_space(path).cardinality == 4**20


# -- the schema ---------------------------------------------------------------------------------------------------------


def schema_accepts(text: str) -> bool:
    schema = space_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    # a table's keys are texts in JSON, whatever YAML makes of them
    data = yaml.load(text, Loader=yaml.SafeLoader)
    return jsonschema.Draft202012Validator(schema).is_valid(data)


@pytest.mark.parametrize("text", [DESIGN, SHORT, MOBILE, DESIGN + 'constraints: ["width_cost <= 9000"]\n'])
def test_the_schema_accepts_what_the_reader_accepts(text: str) -> None:
    assert schema_accepts(text)
    space_from_text(text)


def test_the_schema_accepts_the_example() -> None:
    assert schema_accepts(EXAMPLE.read_text())


@pytest.mark.parametrize(
    "case",
    [
        *("wrong key at the top", "wrong key in a gene", "wrong key in a block", "wrong key in a cost", "empty alleles"),
        *(
            "no alleles",
            "nothing after the gene",
            "no genes",
            "active is a flag",
            "a cost that is a list",
            "a table with a text",
        ),
        *(
            "a table and a column",
            "a base without a table",
            "skip without movable",
            "movable without skip",
            "skip without repeat",
        ),
        *("repeat is no number", "too many alleles", "ordered is no flag", "a reserved name", "a name with a dash"),
        *("an allele with a space", "an empty allele", "a missing allele", "an allele that is a list", "no name"),
        *("a name that is a list", "a list at the top", "constraints that are a text"),
    ],
)
def test_the_schema_rejects_what_it_can(case: str) -> None:
    assert not schema_accepts(MISTAKES[case][0])


def test_the_schema_knows_the_keys_of_the_reader() -> None:
    from lissnas.formats import yaml_genes, yaml_space

    schema = space_schema()
    assert set(schema["properties"]) == set(yaml_space.KEYS)
    long_form = schema["$defs"]["gene"]["anyOf"][2]
    assert set(long_form["properties"]) == set(yaml_genes.KEYS)
    assert long_form["properties"]["repeat"]["maximum"] == yaml_genes.MAX_GENES
    assert schema["$defs"]["name"]["not"]["enum"] == list(yaml_genes.RESERVED)
