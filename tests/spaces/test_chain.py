"""Chains of blocks: what a kind's name spells out, what its layers cost, what a layout says of itself."""

from __future__ import annotations

import pytest

from lissnas.errors import UserError
from lissnas.spaces import ChainLayout, Site
from lissnas.spaces.chain import Conv, stage_sites
from lissnas.spaces.chain_blocks import InvertedResidual, SqueezeExcite, block_branches, inverted_residual, sum_branches
from lissnas.spaces.shufflenetv2 import shufflenetv2


@pytest.mark.parametrize(
    ("kind", "block"),
    [
        ("mb_k3e6", InvertedResidual(3, 6)),
        ("mb_k5e3_se", InvertedResidual(5, 3, squeeze=0)),
        ("mb_k7e6_se50_swish", InvertedResidual(7, 6, squeeze=50, activation="swish")),
        ("mb_k3e1_relu6", InvertedResidual(3, 1, activation="relu6")),
        ("mb_k3e1_pw", InvertedResidual(3, 1, widens=True)),
        ("mb_k5e1_g2", InvertedResidual(5, 1, groups=2)),
        ("mb_k5e3_g4_se50_swish", InvertedResidual(5, 3, squeeze=50, activation="swish", groups=4)),
        ("shuffle_k3", None),
        ("mb_k3", None),
        ("mb_k3e6_elu", None),
        ("xmb_k3e6", None),
        ("mb_k3e1_pw_g2", None),
        ("mb_k3e1_se_g2", None),
        ("mb_k3e1_g", None),
    ],
)
def test_kinds_spell_out_inverted_residuals(kind: str, block: InvertedResidual | None) -> None:
    assert inverted_residual(kind) == block


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("mb_k4e6", "the kernel of 'mb_k4e6' must be odd"),
        ("mb_k99e6", "at most 31, but is 99"),
        ("mb_k3e0", "the expansion of 'mb_k3e0' must be 1 to 32"),
        ("mb_k3e6_se0", "squeezes to nothing"),
        ("mb_k3e6_g1", "the groups of 'mb_k3e6_g1' must be 2 to 32, but are 1"),
        ("mb_k3e6_g33", "must be 2 to 32, but are 33"),
        ("mb_k3e6_g3", "a block in 3 groups needs channels they divide, but leads from 16 to 16"),
        ("conv_k2", "unknown block kind 'conv_k2': there are .*conv_k1"),
        ("convolution", "unknown block kind 'convolution': there are shuffle_k3.*mb_k3e6"),
    ],
)
def test_kinds_that_cannot_be(kind: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        block_branches(kind, 16, 16, 1)


@pytest.mark.parametrize(
    ("kind", "layers"),
    [
        ("mb_k5e3", [Conv(1, 16, 48), Conv(5, 48, 48, 2, groups=48), Conv(1, 48, 24)]),
        ("mb_k3e1", [Conv(3, 16, 16, 2, groups=16), Conv(1, 16, 24)]),
        ("mb_k3e1_pw", [Conv(1, 16, 16), Conv(3, 16, 16, 2, groups=16), Conv(1, 16, 24)]),
        ("mb_k3e3_pw", [Conv(1, 16, 48), Conv(3, 48, 48, 2, groups=48), Conv(1, 48, 24)]),
        ("mb_k3e1_g2", [Conv(1, 16, 16, groups=2), Conv(3, 16, 16, 2, groups=16), Conv(1, 16, 24, groups=2)]),
        ("mb_k3e3_g4", [Conv(1, 16, 48, groups=4), Conv(3, 48, 48, 2, groups=48), Conv(1, 48, 24, groups=4)]),
        ("conv_k1", [Conv(1, 16, 24, 2)]),
        ("mb_k3e3_se50", [Conv(1, 16, 48), Conv(3, 48, 48, 2, groups=48), SqueezeExcite(48, 8, hard=False), Conv(1, 48, 24)]),
        ("mb_k3e6_se", [Conv(1, 16, 96), Conv(3, 96, 96, 2, groups=96), SqueezeExcite(96, 24, hard=True), Conv(1, 96, 24)]),
    ],
)
def test_layers_of_an_inverted_residual(kind: str, layers: list[object]) -> None:
    assert block_branches(kind, 16, 24, 2) == [layers]


def test_squeezed_widths_are_rounded_as_published() -> None:
    def squeezed(kind: str, channels: int) -> int:
        (branch,) = block_branches(kind, channels, channels, 1)
        return next(layer.squeezed for layer in branch if isinstance(layer, SqueezeExcite))

    assert [squeezed("mb_k3e3_se", c) for c in (16, 24, 40, 56)] == [16, 24, 32, 40]  # 12, 18, 30, 42 in steps of 8
    assert [squeezed("mb_k3e6_se25", c) for c in (2, 30, 40)] == [1, 8, 10]


def test_cost_of_squeeze_and_excitation_by_hand() -> None:
    layer = SqueezeExcite(96, 24, hard=True)
    assert layer.cost(7) == layer.cost(112) == (2 * 96 * 24, 2 * 96 * 24 + 24 + 96)
    with_norms = sum_branches([[Conv(1, 16, 96), layer]], 7, norms=True)
    assert with_norms == (49 * 16 * 96 + 2 * 96 * 24, 16 * 96 + 2 * 96 + 2 * 96 * 24 + 24 + 96)


@pytest.mark.parametrize(
    ("channels", "width", "message"),
    [(15, 32, "an even number of channels, but gets 15"), (64, 32, "must have more than those"), (2, 3, "must have more than")],
)
def test_where_a_shuffle_block_cannot_stand(channels: int, width: int, message: str) -> None:
    with pytest.raises(UserError, match=message):
        block_branches("shuffle_k3", channels, width, 1)


def test_stages_become_sites() -> None:
    sites = list(stage_sites(8, ((2, 16, 2), (1, 32, 1)), ("mb_k3e3", "skip"), ("mb_k3e3",)))
    assert sites == [
        Site(8, 16, 2, ("mb_k3e3",)),
        Site(16, 16, 1, ("mb_k3e3", "skip")),
        Site(16, 32, 1, ("mb_k3e3",)),
    ]


def chain(**options: object) -> ChainLayout:
    sites = (Site(8, 16, 2, ("mb_k3e3", "mb_k5e3")), Site(16, 16, 1, ("mb_k3e3", "skip")))
    return ChainLayout(32, 3, (8, 2), sites, 32, 10, **options)  # type: ignore[arg-type]


def test_a_layout_survives_its_definition() -> None:
    layout = chain(activation="relu6", classifier_bias=True, counts_norms=True)
    assert ChainLayout.from_definition(layout.definition()) == layout
    assert layout != chain()


def test_definitions_of_old_name_nothing_new() -> None:
    """Fingerprints of saved spaces stay what they are."""
    assert shufflenetv2().fingerprint == "1d42dc13ef1bcfa3"


def test_bias_and_norms_add_to_parameters_only() -> None:
    (flops, params), (more_flops, more_params) = chain().costs(), chain(classifier_bias=True, counts_norms=True).costs()
    assert flops.base == more_flops.base
    assert (flops.table == more_flops.table).all()
    assert more_params.base - params.base == 10 + 2 * 8 + 2 * 32
    assert (more_params.table - params.table).tolist() == [[2 * (24 + 24 + 16)] * 2, [2 * (48 + 48 + 16), 0]]


def test_an_unknown_activation() -> None:
    with pytest.raises(UserError, match="unknown activation 'elu': there are relu, relu6"):
        chain(activation="elu")


def test_a_kind_that_cannot_stand_at_its_site() -> None:
    with pytest.raises(UserError, match="a skip keeps its input"):
        ChainLayout(32, 3, (8, 2), (Site(8, 16, 1, ("skip",)),), 32, 10)


def test_the_diagram_leaves_skips_out() -> None:
    nodes, edges, groups = chain().diagram([1, 1], ["k5", "nothing"])
    assert nodes == ("conv 3x3 /2", "k5 /2", "conv 1x1", "classifier")
    assert edges == ((0, 1, ""), (1, 2, ""), (2, 3, ""))
    assert groups == ("stem", "stage 1: 16 channels", "head", "head")
