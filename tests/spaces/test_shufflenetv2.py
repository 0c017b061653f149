"""ShuffleNetV2's published numbers (reconstruction B.3), and the demo's space."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.spaces import SPACES, ProductSpace, from_definition, list_spaces
from lissnas.spaces.shufflenetv2 import digits_shuffle, shufflenetv2, shufflenetv2_cifar
from lissnas.testing import SpaceContract


class TestShuffleNetV2Contract(SpaceContract):
    space = staticmethod(shufflenetv2)


class TestCIFARContract(SpaceContract):
    space = staticmethod(shufflenetv2_cifar)


class TestDigitsContract(SpaceContract):
    space = staticmethod(digits_shuffle)


class TestTinyDigitsContract(SpaceContract):
    """The same blocks, few enough for a breadth-first search."""

    def space(self) -> ProductSpace:
        from lissnas.spaces.shufflenetv2 import shuffle_chain

        return shuffle_chain(
            "tiny", resolution=8, in_channels=1, stem=(8, 1), stages=((2, 16, 1), (2, 32, 2)), head=32, classes=10
        )


@pytest.mark.parametrize(
    ("text", "mega_flops", "mega_params"),
    [
        ("(2,1,0,1,2,0,2,0,2,0,2,3,0,0,0,0,3,2,3,3)", 322.92, 3.529),
        (f"({','.join('0' * 20)})", 295.84, 3.132),
        (f"({','.join('1' * 20)})", 313.65, None),
        (f"({','.join('2' * 20)})", 340.37, None),
        (f"({','.join('3' * 20)})", 358.83, 3.830),
    ],
)
def test_published_costs(text: str, mega_flops: float, mega_params: float | None) -> None:
    space = shufflenetv2()
    cost = space.cost(space.parse([text]))
    assert round(cost.flops[0] / 1e6, 2) == mega_flops
    if mega_params is not None:
        assert round(cost.params[0] / 1e6, 3) == mega_params


def test_counts() -> None:
    space = shufflenetv2()
    assert space.cardinality == space.encodings == 4**20 == 1_099_511_627_776
    assert space.max_edits == 20
    assert len(space.code_layout.words) == 1
    assert digits_shuffle().cardinality == 4**9 == 262_144


def test_flops_of_the_uniform_space(rng: np.random.Generator) -> None:
    """5/50/95% = 307/327/346M; 59% <= 330M; 99.7% in 290-360M."""
    space = shufflenetv2()
    flops = space.cost(space.sample(100_000, rng)).flops / 1e6
    assert np.round(np.quantile(flops, [0.05, 0.5, 0.95])).tolist() == [307, 327, 346]
    assert (flops <= 330).mean() == pytest.approx(0.59, abs=0.01)
    assert ((flops > 290) & (flops < 360)).mean() == pytest.approx(0.997, abs=0.002)


def test_strings_are_the_papers_tuples() -> None:
    space = shufflenetv2()
    x = space.parse(["(2, 1, 0, 1, 2, 0, 2, 0, 2, 0, 2, 3, 0, 0, 0, 0, 3, 2, 3, 3)"])
    assert x.tolist() == [[2, 1, 0, 1, 2, 0, 2, 0, 2, 0, 2, 3, 0, 0, 0, 0, 3, 2, 3, 3]]
    assert space.format(x) == ["(2, 1, 0, 1, 2, 0, 2, 0, 2, 0, 2, 3, 0, 0, 0, 0, 3, 2, 3, 3)"]
    assert space.to_dicts(x)[0]["block_0"] == "k7"


@pytest.mark.parametrize(("resolution", "stem_stride"), [(32, 1), (224, 2)])
def test_variants_are_spaces_of_their_own(resolution: int, stem_stride: int) -> None:
    space = shufflenetv2(resolution, classes=10, stem_stride=stem_stride)
    assert from_definition(space.definition()).layout == space.layout
    assert space.fingerprint != shufflenetv2().fingerprint
    zero = np.zeros((1, 20), dtype=np.uint8)
    assert shufflenetv2().cost(zero).params[0] - space.cost(zero).params[0] == 1024 * 990


def test_the_cifar_variant_halves_the_resolution_at_blocks_4_and_8() -> None:
    layout = shufflenetv2_cifar().layout
    assert [index for index, site in enumerate(layout.sites) if site.stride == 2] == [4, 8]
    assert (layout.stem, layout.resolution, layout.classes) == ((16, 1), 32, 10)


def test_registry_knows_both() -> None:
    assert list_spaces() == SPACES.names()
    assert {"shufflenetv2", "digits-shuffle"} <= set(list_spaces())
    for name in ("shufflenetv2", "digits-shuffle"):
        assert SPACES.get(name)().name == name
