"""The spaces that come as YAML files: their published sizes and costs, and that the wheel carries the files."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.formats import get_space, space_from_text
from lissnas.formats.packaged import read_packaged
from lissnas.spaces import ChainLayout, ProductSpace, from_definition
from lissnas.testing import SpaceContract


def packaged(name: str) -> ProductSpace:
    space = get_space(name)
    assert isinstance(space, ProductSpace)
    return space


class TestNATSSizeContract(SpaceContract):
    def space(self) -> ProductSpace:
        return packaged("nats-size")


class TestOFAContract(SpaceContract):
    def space(self) -> ProductSpace:
        return packaged("ofa-mobilenetv3")


class TestSmallOFAContract(SpaceContract):
    """One stage of it, small enough to be searched."""

    def space(self) -> ProductSpace:
        text = """
        name: small-ofa
        genes:
          depth: [1, 2]
          kernel: {alleles: [3, 5], repeat: 2, active: "index < depth"}
          expand: {alleles: [3, 4, 6], repeat: 2, active: "index < depth"}
        network:
          resolution: 16
          classes: 10
          stem: {channels: 8, stride: 2}
          sites: [{block: "mb_k{kernel}e{expand}_se", channels: 16, stride: 2, repeat: 2}]
          head: 32
          features: 64
        """
        return space_from_text(text)  # type: ignore[return-value]


class TestFBNetContract(SpaceContract):
    def space(self) -> ProductSpace:
        return packaged("fbnet")


@pytest.mark.parametrize("name", ["nats-size", "ofa-mobilenetv3", "fbnet"])
def test_what_it_is(name: str) -> None:
    space = packaged(name)
    assert space.name == name
    assert files("lissnas.formats.packaged").joinpath(f"{name}.yaml").is_file()
    assert read_packaged(name).fingerprint == space.fingerprint == from_definition(space.definition()).fingerprint
    assert {"flops", "params"} <= set(space.cost_names)
    assert space.paper


@pytest.mark.parametrize(
    ("text", "params"),
    [("8:8:8:8:8", 11_714), ("8:8:16:40:40", 107_826), ("64:64:64:64:64", 713_674)],
)
def test_nats_size_has_the_benchmarks_parameters(text: str, params: int) -> None:
    space = packaged("nats-size")
    x = space.parse([text])
    assert space.format(x) == [text]
    assert space.cost(x).params[0] == params


def test_nats_size() -> None:
    space = packaged("nats-size")
    assert space.encodings == space.cardinality == 8**5 == 32_768
    assert space.diagram(np.array([0, 1, 2, 3, 4], dtype=np.uint8)).groups[4] == "32 channels"
    with pytest.raises(UserError, match="gene 'channels_4' has no allele '65'"):
        space.parse(["64:64:64:64:65"])
    with pytest.raises(UserError, match=r"must hold 5 alleles like '8:8:8:8[.]{3}', but holds 4"):
        space.parse(["64:64:64:64"])


def test_ofa_counts_equal_networks_once(rng: np.random.Generator) -> None:
    space = packaged("ofa-mobilenetv3")
    assert space.cardinality == (9**2 + 9**3 + 9**4) ** 5 == 21_758_655_492_572_485_851
    assert space.encodings == (3 * 9**4) ** 5
    assert len(space.code_layout.words) == 2  # more than 2^64
    x = space.sample(200, rng)
    assert np.array_equal(space.decode(space.encode(x)), x)
    deeper = x.copy()
    deeper[:, 0] = 2
    shallow = np.flatnonzero(x[:, 0] == 0)
    assert (space.distance(x[shallow], space.canonicalize(deeper)[shallow]) == 1).all()


def test_ofa_costs(rng: np.random.Generator) -> None:
    """From the smallest to the largest network; that built networks count the same is tested with them."""
    space = packaged("ofa-mobilenetv3")
    largest = np.array([[len(gene.alleles) - 1 for gene in space.genes]], dtype=np.uint8)
    smallest = space.canonicalize(np.zeros((1, space.length), dtype=np.uint8))
    cost = space.cost(np.concatenate([smallest, largest]))
    assert (cost.flops[1], cost.params[1]) == (566_170_656, 7_664_760)
    flops = space.cost(space.sample(1000, rng)).flops
    assert ((flops >= cost.flops[0]) & (flops <= cost.flops[1])).all()


def test_fbnet_counts_equal_networks_once(rng: np.random.Generator) -> None:
    space = packaged("fbnet")
    assert space.length == space.max_edits == 22
    assert space.encodings == 9**22 > 2**64
    assert space.cardinality == 9**7 * (1 + 8 + 8**2 + 8**3) ** 5 == 327_700_343_401_999_790_625
    x = space.sample(200, rng)
    assert np.array_equal(space.decode(space.encode(x)), x)
    skips = np.full((1, 22), 8, dtype=np.uint8)
    moved = np.repeat(skips, 3, axis=0)
    moved[[0, 1, 2], [2, 3, 4]] = 3  # one block at each of the three places behind the first of a stage
    assert len(np.unique(space.canonicalize(moved), axis=0)) == 1
    moved[0, 1] = 3  # the first of a stage changes the shape
    assert len(np.unique(space.canonicalize(moved), axis=0)) == 2


@pytest.mark.parametrize(
    ("stages", "head", "flops", "params", "outside"),
    [
        (
            "skip  k3_e3 k3_e1 skip skip  k5_e6 k3_e3 k5_e1 k3_e3  k5_e6 k5_e3 k5_e1_g2 k5_e6  "
            "k3_e6 k5_e1_g2 k5_e3 k3_e1_g2  k5_e6 k5_e6 k5_e3 k5_e6  k5_e6",
            1504,
            249_921_848,
            4_286_480,
            (),
        ),
        (
            "k3_e1  k3_e6 k5_e1 k3_e1 k3_e1  k5_e6 k5_e3 k3_e6 k5_e6  k5_e6 k5_e1 skip k5_e3  "
            "k5_e6 k3_e1 k5_e1 k5_e3  k5_e6 k5_e1 k5_e6 k5_e6  k3_e6",
            1984,
            295_561_032,
            4_777_296,
            ((192, 28),),
        ),
        (
            "k3_e1  k3_e6 skip k3_e1 k3_e1  k5_e6 k5_e3 k5_e6 k3_e6  k5_e6 k5_e3 k5_e6 k5_e6  "
            "k5_e6 k5_e6 k5_e6 k5_e3  k5_e6 k5_e6 k5_e6 k5_e6  k3_e6",
            1984,
            382_984_480,
            5_520_784,
            ((192, 28), (672, 14)),
        ),
    ],
    ids="ABC",
)
def test_fbnet_has_the_released_costs(
    stages: str, head: int, flops: int, params: int, outside: tuple[tuple[int, int], ...]
) -> None:
    """FBNet-A, -B, -C of facebookresearch/mobile-vision (model_zoo model_info.json): 249.9M, 295.6M and 383.0M.

    Its parameters are the weights of convolutions and of the classifier. The released B and C have, outside the space, two
    depthwise 3x3 convolutions where a 5x5 stands here: 18 weights instead of 25 for each of so many channels.
    The second block of B's stage 4 is k5_e1, which those counts need, where the repository's list says k5_e6.
    """
    space = packaged("fbnet")
    assert isinstance(space.layout, ChainLayout)
    row = [
        gene.index("conv_k1" if block == "skip" and "conv_k1" in gene.alleles else block)
        for gene, block in zip(space.genes, stages.split(), strict=True)
    ]
    layout = replace(space.layout, head=head, counts_norms=False, classifier_bias=False)
    released = ProductSpace("fbnet", space.genes, movable=space.movable, costs=layout.costs(), layout=layout)
    cost = released.cost(released.canonicalize(np.array([row], dtype=np.uint8)))
    assert cost.flops[0] - sum(7 * channels * side**2 for channels, side in outside) == flops
    assert cost.params[0] - sum(7 * channels for channels, _ in outside) == params
