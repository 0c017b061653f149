"""The spaces that come as YAML files: their published sizes and costs, and that the wheel carries the files."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.formats import get_space, space_from_text
from lissnas.formats.packaged import read_packaged
from lissnas.spaces import ProductSpace, from_definition
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


@pytest.mark.parametrize("name", ["nats-size", "ofa-mobilenetv3"])
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
