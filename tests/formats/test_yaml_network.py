"""The network of a space file: what it builds, and how each mistake in it is answered."""

from __future__ import annotations

import jsonschema
import numpy as np
import pytest
import yaml

from lissnas.errors import UserError
from lissnas.formats import get_space, space_from_text, space_schema
from lissnas.spaces import ChainLayout, ConstrainedSpace, ProductSpace, Site, from_definition
from lissnas.testing import SpaceContract

SMALL = """\
name: small
genes:
  width_block: [k3, k5]
  op:
    alleles: [mb_k3e3, mb_k5e3_se, skip]
    repeat: 4
    skip: skip
    movable: [[1, 2]]
network:
  resolution: 16
  channels: 1
  classes: 10
  activation: relu6
  dropout: 0.1
  stem: {channels: 8, stride: 2}
  blocks: {k3: shuffle_k3, k5: shuffle_k5}
  sites:
    - {block: mb_k3e1, channels: 8}
    - {block: width_block, channels: 16, stride: 2}
    - {block: op, channels: 24, stride: 2, repeat: 3}
    - {block: op, channels: 32}
  head: 64
costs:
  mega: flops / 1e6
"""


def product(text: str) -> ProductSpace:
    space = space_from_text(text, "small.yaml")
    assert isinstance(space, ProductSpace)
    return space


class TestContract(SpaceContract):
    """Small enough for every check."""

    def space(self) -> ProductSpace:
        return product(SMALL)


class TestProxylessContract(SpaceContract):
    def space(self) -> ProductSpace:
        return get_space("proxyless")  # type: ignore[return-value]


def test_sites_take_genes_in_order() -> None:
    layout = product(SMALL).layout
    both = ("mb_k3e3", "mb_k5e3_se")
    assert layout == ChainLayout(
        16,
        1,
        (8, 2),
        (
            Site(8, 8, 1, ("mb_k3e1",)),
            Site(8, 16, 2, ("shuffle_k3", "shuffle_k5")),
            Site(16, 24, 2, both),
            Site(24, 24, 1, (*both, "skip")),
            Site(24, 24, 1, (*both, "skip")),
            Site(24, 32, 1, both),
        ),
        64,
        10,
        dropout=0.1,
        activation="relu6",
        classifier_bias=True,
        counts_norms=True,
    )


def test_costs_are_counted_and_may_be_used() -> None:
    space = product(SMALL)
    assert space.cost_names == ("flops", "params", "mega")
    cost = space.cost(space.sample(10, np.random.default_rng(0)))
    assert (cost.mega == cost.flops / 1e6).all()
    limited = space_from_text(SMALL + 'constraints: ["flops <= 1.1e5"]\n')
    assert isinstance(limited, ConstrainedSpace)
    assert 0 < limited.cardinality < space.cardinality
    without = product(SMALL.partition("costs:")[0])
    assert without.cost_names == ("flops", "params")


def test_networks_and_supernets_need_no_code() -> None:
    torch = pytest.importorskip("torch")
    from lissnas.oneshot import Supernet, count_network

    space = product(SMALL)
    supernet = Supernet(space, seed=0).eval()
    images = torch.randn(4, 1, 16, 16)
    x = space.sample(5, np.random.default_rng(0))
    cost = space.cost(x)
    for row, flops, params in zip(x, cost.flops, cost.params, strict=True):
        assert count_network(space.to_torch(row), images, norms=space.layout.counts_norms) == (flops, params)
        torch.testing.assert_close(supernet.subnet(row)(images), supernet(images, row))


def test_the_definition_brings_the_network_back() -> None:
    space = product(SMALL)
    again = from_definition(space.definition())
    assert again.layout == space.layout
    assert again.fingerprint == space.fingerprint


def test_proxyless_holds_its_published_network() -> None:
    """Proxyless-Mobile: 4,080,512 parameters, 320M multiply-adds (mit-han-lab/proxylessnas)."""
    space = get_space("proxyless")
    assert space.encodings == 7**15 * 6**6
    assert space.cardinality == 6**6 * 259**5
    stages = ["k5e3 k3e3 skip skip", "k7e3 k3e3 k5e3 k5e3", "k7e6 k5e3 k5e3 k5e3", "k5e6 k5e3 k5e3 k5e3", "k7e6 k7e6 k7e3 k7e3"]
    blocks = " ".join([*stages, "k7e6"]).split()
    row = [g.index(b if b == "skip" else f"mb_{b}") for g, b in zip(space.genes, blocks, strict=True)]
    cost = space.cost(space.canonicalize(np.array([row], dtype=np.uint8)))
    assert cost.params[0] == 4_080_512
    assert round(cost.flops[0] / 1e6) == 320
    assert "ProxylessNAS" in space.paper


# -- mistakes -----------------------------------------------------------------------------------------------------------


def without(line: str) -> str:
    return "".join(one for one in SMALL.splitlines(keepends=True) if line not in one)


MISTAKES = {
    "wrong key": (SMALL.replace("  head: 64", "  haed: 64"), "small.yaml:22: the network has no key 'haed': did you mean head"),
    "no head": (without("head: 64"), "small.yaml:9: the network needs 'head': head: 1280"),
    "no sites": (without("  - {").replace("  sites:\n", ""), "small.yaml:9: the network needs 'sites'"),
    "empty sites": (without("  - {").replace("sites:", "sites: []"), "small.yaml:17: 'sites' must be a list of places"),
    "stem without channels": (SMALL.replace("{channels: 8, stride: 2}", "{stride: 2}"), "small.yaml:15: the stem needs 'chan"),
    "no such activation": (SMALL.replace("relu6", "elu"), "small.yaml:13: 'activation' must be one of relu, relu6"),
    "dropout of 1": (SMALL.replace("dropout: 0.1", "dropout: 1"), "small.yaml:14: 'dropout' must be at least 0 and below 1"),
    "resolution of 0": (SMALL.replace("resolution: 16", "resolution: 0"), "small.yaml:10: 'resolution' must be a whole number"),
    "half a class": (SMALL.replace("classes: 10", "classes: 9.5"), "small.yaml:12: 'classes' must be a whole number"),
    "a bias that is no flag": (
        SMALL.replace("head: 64", "head: 64\n  classifier_bias: 1"),
        "small.yaml:23: 'classifier_bias' must be true or false, but got 1",
    ),
    "a site without channels": (
        SMALL.replace("{block: op, channels: 32}", "{block: op}"),
        "small.yaml:21: a site needs 'channels'",
    ),
    "a wrong key at a site": (SMALL.replace("repeat: 3}", "repaet: 3}"), "small.yaml:20: a site has no key 'repaet'"),
    "a stride of 0": (SMALL.replace("24, stride: 2", "24, stride: 0"), "small.yaml:20: 'stride' must be a whole number"),
    "an unknown block": (
        SMALL.replace("block: mb_k3e1", "block: width_blok"),
        "small.yaml:18: 'width_blok' is neither a gene nor a block kind: did you mean width_block?",
    ),
    "a kernel that cannot be": (SMALL.replace("mb_k3e1", "mb_k4e1"), "small.yaml:18: the kernel of 'mb_k4e1' must be odd"),
    "an allele that is no block": (
        SMALL.replace("mb_k5e3_se", "mb_k5x3"),
        "small.yaml:20: allele 'mb_k5x3' of gene 'op_0': 'mb_k5x3' is no block kind: did you mean .*, or map it under 'blocks'",
    ),
    "a mapped block that is none": (
        SMALL.replace("k5: shuffle_k5", "k5: shuffle_k55"),
        "small.yaml:19: allele 'k5' of gene 'width_block': 'shuffle_k55' is no block kind: did you mean shuffle_k5",
    ),
    "a block that cannot stand there": (
        SMALL.replace("channels: 24, stride: 2, repeat: 3", "channels: 24, stride: 2, repeat: 2").replace(
            "{block: op, channels: 32}", "{block: op, channels: 32, repeat: 2}"
        ),
        "small.yaml:21: allele 'skip' of gene 'op_2': a skip keeps its input, so it cannot lead from 24 to 32",
    ),
    "a repeated gene asked too often": (
        SMALL.replace("{block: op, channels: 32}", "{block: op, channels: 32, repeat: 2}"),
        "small.yaml:21: gene 'op' stands at 4 sites already",
    ),
    "a gene at no site": (
        without("{block: op, channels: 32}"),
        "small.yaml:17: gene 'op_3' stands at no site: all genes of a space with a network do",
    ),
    "genes out of order": (
        SMALL.replace("{block: width_block", "{block: op_0"),
        "small.yaml:19: the next site with a choice must be that of 'width_block', but is that of 'op_0'",
    ),
    "a gene that can be switched off": (
        SMALL.replace("width_block: [k3, k5]", "width_block: {alleles: [k3, k5], active: \"op_0 == 'mb_k3e3'\"}"),
        "small.yaml:3: gene 'width_block' cannot be switched off where a network stands behind it",
    ),
    "a gene without a choice": (
        SMALL.replace("width_block: [k3, k5]", "width_block: [k3]"),
        "small.yaml:3: gene 'width_block' leaves no choice",
    ),
    "an identity that is none": (
        SMALL.replace("blocks: {", "blocks: {skip: mb_k3e6, "),
        "small.yaml:20: the movable identity 'skip' of gene 'op_1' must be a skip, but is mb_k3e6",
    ),
    "a cost that is counted already": (
        SMALL.replace("mega: flops", "flops: 3 *"),
        "small.yaml:24: the cost 'flops' is counted from the network",
    ),
    "a gene with the name of a cost": (
        SMALL.replace("width_block", "params"),
        "small.yaml:2: .* names the gene or cost 'params'",
    ),
    "too many sites": (
        SMALL.replace("block: mb_k3e1, channels: 8", "block: mb_k3e1, channels: 8, repeat: 1000"),
        "at most 1,000",
    ),
    "a network that is a list": (
        SMALL.partition("network:")[0] + "network: [1]\n",
        "small.yaml:9: the network must be a mapping",
    ),
    "a paper that is none": ("paper: 3\n" + SMALL, "small.yaml:1: 'paper' must say where the space was published"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_answered_with_their_line(case: str) -> None:
    text, message = MISTAKES[case]
    with pytest.raises(UserError, match=message) as caught:
        space_from_text(text, "small.yaml")
    assert "\n" not in str(caught.value)


def test_an_identity_cannot_move_between_sites_that_differ() -> None:
    text = SMALL.replace("movable: [[1, 2]]", "movable: [[1, 2, 3]]").replace(
        "{block: op, channels: 32}", "{block: op, channels: 24}"
    )
    assert product(text).cardinality == 2 * 2 * 15
    split = text.replace(
        "stride: 2, repeat: 3}",
        "stride: 2, repeat: 2}\n    - {block: shuffle_k3, channels: 48, stride: 2}\n    - {block: op, channels: 48}",
    )
    with pytest.raises(UserError, match="'op_2' and 'op_1' are in one movable group, so their sites must be alike"):
        product(split.replace("{block: op, channels: 24}\n  head", "{block: op, channels: 48}\n  head"))


# -- the schema ---------------------------------------------------------------------------------------------------------


def schema_accepts(text: str) -> bool:
    return jsonschema.Draft202012Validator(space_schema()).is_valid(yaml.load(text, Loader=yaml.SafeLoader))


def test_the_schema_accepts_a_network() -> None:
    assert schema_accepts(SMALL)


@pytest.mark.parametrize(
    "case",
    [
        *("wrong key", "no head", "empty sites", "stem without channels", "no such activation", "dropout of 1"),
        *("resolution of 0", "half a class", "a bias that is no flag", "a site without channels", "a wrong key at a site"),
        *("a stride of 0", "a network that is a list", "a paper that is none"),
    ],
)
def test_the_schema_refuses(case: str) -> None:
    assert not schema_accepts(MISTAKES[case][0])
