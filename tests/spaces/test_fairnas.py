"""FairNAS's published numbers (reconstruction B.5; xiaomi-automl/FairNAS)."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.spaces import ProductSpace, from_definition
from lissnas.spaces.fairnas import fairnas, fairnas_se
from lissnas.testing import SpaceContract

# kernel and expansion of each of the 19 blocks [models/FairNAS_{A,B,C}.py]
A = "k7e3 k3e3 k7e3 k3e6 k7e6 k3e3 k3e3 k7e6 k7e6 k5e3 k3e6 k5e3 k5e3 k3e6 k3e6 k7e6 k3e6 k7e6 k5e6"
B = "k5e3 k3e3 k5e3 k3e3 k3e6 k5e3 k7e3 k3e3 k3e6 k5e3 k3e3 k3e6 k7e3 k3e3 k7e6 k5e6 k7e6 k3e6 k5e6"
C = "k5e3 k3e3 k7e3 k3e3 k3e3 k3e3 k3e3 k3e3 k3e3 k3e6 k3e3 k3e3 k3e3 k3e3 k7e6 k7e6 k3e6 k3e6 k5e6"


class TestFairNASContract(SpaceContract):
    space = staticmethod(fairnas)


class TestFairNASSEContract(SpaceContract):
    space = staticmethod(fairnas_se)


def architecture(space: ProductSpace, blocks: str) -> np.ndarray:
    return np.array([[gene.index(b) for gene, b in zip(space.genes, blocks.split(), strict=True)]], dtype=np.uint8)


@pytest.mark.parametrize(
    ("blocks", "mega_flops", "mega_params"),
    [
        (A, 388.12, 4.651),
        (B, 345.30, 4.506),
        (C, 321.02, 4.398),
        ("k3e3 " * 19, 247.13, 3.189),
        ("k7e6 " * 19, 557.41, 5.090),
    ],
    ids=["A", "B", "C", "all k3e3", "all k7e6"],
)
def test_published_costs(blocks: str, mega_flops: float, mega_params: float) -> None:
    space = fairnas()
    cost = space.cost(architecture(space, blocks))
    assert round(cost.flops[0] / 1e6, 2) == mega_flops
    assert round(cost.params[0] / 1e6, 3) == mega_params


@pytest.mark.parametrize(
    ("blocks", "percent", "params"),
    [
        (A, 100, 5_835_322),
        (B, 100, 5_603_242),
        (C, 100, 5_429_530),
        (A, 50, 4_613_730),
        (B, 50, 4_424_850),
        (C, 50, 4_283_586),
    ],
)
def test_published_parameters_with_squeeze_and_excitation(blocks: str, percent: int, params: int) -> None:
    """Transferred to CIFAR-10's ten classes [README.md of xiaomi-automl/FairNAS]."""
    space = fairnas_se(classes=10, squeeze_percent=percent)
    assert space.cost(architecture(space, blocks)).params[0] == params


def test_a_net_of_the_size_that_lissnas_reports() -> None:
    """329M and 6.1M (reconstruction F9), impossible without squeeze-and-excitation: 5.09M is the most there."""
    space = fairnas_se()
    cost = space.cost(space.parse(["(0, 4, 0, 1, 0, 2, 3, 2, 2, 3, 2, 4, 0, 2, 2, 5, 3, 1, 0)"]))
    assert (round(cost.flops[0] / 1e6), round(cost.params[0] / 1e6, 1)) == (329, 6.1)


def test_counts() -> None:
    for space in (fairnas(), fairnas_se()):
        assert space.cardinality == space.encodings == 6**19
        assert space.max_edits == 19


def test_options_make_spaces_of_their_own() -> None:
    small = fairnas(32, classes=10, stem_stride=1)
    assert from_definition(small.definition()).layout == small.layout
    assert len({s.fingerprint for s in (small, fairnas(), fairnas_se(), fairnas_se(squeeze_percent=50))}) == 4
    zero = np.zeros((1, 19), dtype=np.uint8)
    assert fairnas().cost(zero).params[0] - small.cost(zero).params[0] == 1281 * 990


@pytest.mark.parametrize("percent", [0, 101, 50.0, "50"])
def test_a_wrong_percentage(percent: object) -> None:
    with pytest.raises(UserError, match="squeeze_percent must be a whole number from 1 to 100"):
        fairnas_se(squeeze_percent=percent)  # type: ignore[arg-type]
