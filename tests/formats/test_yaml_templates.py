"""Blocks that several genes choose together, and networks known by name: what is built, and how each mistake is answered."""

from __future__ import annotations

import jsonschema
import numpy as np
import pytest
import yaml

from lissnas.errors import UserError
from lissnas.formats import space_from_text, space_schema
from lissnas.formats.packaged import read_packaged
from lissnas.spaces.templated_chain import TemplatedChainLayout, TemplatedSite

CHAIN = """\
name: small
genes:
  kernel: [3, 5]
  expand: {alleles: [3, 6], repeat: 3, active: "index < depth"}
  depth: [2, 3]
  op: [mb_k3e3, mb_k5e6]
network:
  resolution: 16
  classes: 10
  stem: {channels: 8, stride: 2}
  sites:
    - {block: "mb_k{kernel}e{expand}", channels: 8, repeat: 3}
    - {block: op, channels: 16, stride: 2}
  head: 32
"""
NAMED = """\
name: widths
notation: "-"
genes:
  channels: {alleles: [4, 8], repeat: 5}
network: {kind: nats-size, resolution: 8, classes: 3, channels: 1}
"""


def test_a_chain() -> None:
    layout = space_from_text(CHAIN).layout
    assert isinstance(layout, TemplatedChainLayout)
    assert layout.sites[1] == TemplatedSite(8, 8, 1, "mb_k{}e{}", (0, 2), (("3", "5"), ("3", "6")), (False, False))
    assert layout.sites[2].optional == (False, True)
    assert layout.sites[3] == TemplatedSite(8, 16, 2, "{}", (5,), (("mb_k3e3", "mb_k5e6"),), (False,))
    assert layout.kinds([1, 0, 1, 2, 0, 0]) == ["mb_k5e3", "mb_k5e6", None, "mb_k3e3"]
    assert TemplatedChainLayout.from_definition(layout.definition()) == layout


def test_a_kernel_for_all_sites_costs_what_each_of_them_does() -> None:
    space = space_from_text(CHAIN)
    x = space.parse(["kernel=3 expand_0=3 expand_1=3 depth=2 op=mb_k3e3", "kernel=5 expand_0=3 expand_1=3 depth=2 op=mb_k3e3"])
    params = space.cost(x).params
    assert params[1] - params[0] == 2 * (25 - 9) * 24


def test_a_network_by_name() -> None:
    space = space_from_text(NAMED)
    assert space.format(np.zeros((1, 5), dtype=np.uint8)) == ["4-4-4-4-4"]
    assert (space.layout.resolution, space.layout.classes, space.layout.in_channels) == (8, 3, 1)


@pytest.mark.parametrize("text", [CHAIN, NAMED, *(f"{name}.yaml" for name in ("ofa-mobilenetv3", "nats-size"))])
def test_the_schema_takes_them(text: str) -> None:
    if text.endswith(".yaml"):
        from importlib.resources import files

        assert read_packaged(text.removesuffix(".yaml"))
        text = files("lissnas.formats.packaged").joinpath(text).read_text("utf-8")
    jsonschema.validate(yaml.safe_load(text), space_schema())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{kernel}e", "{kernal}e", "small.yaml:12: '{kernal}' is no gene: did you mean"),
        ("{kernel}e{expand}", "{kernel}e{kernel}", "12: 'mb_k{kernel}e{kernel}' names the gene 'kernel' twice"),
        ("{kernel}e", "{kernel}{e", "12: 'mb_k{kernel}{e{expand}' has a brace without its other half"),
        ("mb_k{", "mx_k{", "12: unknown block kind 'mx_k3e3'"),
        ("repeat: 3}\n    -", "repeat: 4}\n    -", "12: gene 'expand' has 3 positions, and all stand at sites already"),
        ("channels: 8, repeat: 3", "channels: 12, repeat: 2", "11: gene 'expand_2' stands at no site"),
        ("channels: 8, repeat: 3", "channels: 8, stride: 2, repeat: 1", "11: gene 'expand_1' stands at no site"),
        ("    - {block: op, channels: 16, stride: 2}\n", "", "11: gene 'op' stands at no site"),
        ("  head: 32", "  tail: 32", "the network has no key 'tail'"),
        ("  head: 32\n", "", "the network needs 'head'"),
        ("[3, 5]", "[3, 4]", "12: the kernel of 'mb_k4e3' must be odd"),
        ('"index < depth"', '"index < depth - 1"', "a block that can be switched off must keep its input"),
    ],
)
def test_mistakes_in_a_chain(old: str, new: str, message: str) -> None:
    text = CHAIN.replace(old, new)
    if "keep its input" in message:
        text = text.replace("channels: 8, repeat: 3", "channels: 12, repeat: 3")
        text = text.replace("depth: [2, 3]", "depth: [1, 2, 3, 4]")
    assert text != CHAIN
    with pytest.raises(UserError) as caught:
        space_from_text(text, "small.yaml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("nats-size", "nats-sise", "widths.yaml:5: unknown kind of network 'nats-sise': did you mean nats-size"),
        ("resolution: 8", "resolution: 10", "the resolution must be a multiple of 4"),
        ("repeat: 5", "repeat: 4", "needs five genes"),
        ("[4, 8]", "[4, wide]", "needs five genes whose alleles are numbers of channels"),
        ("classes: 3", "stem: 3", "a network with a 'kind' has no key 'stem'"),
        ('"-"', '"="', "widths.yaml:2: the notation of 'widths' must be"),
    ],
)
def test_mistakes_in_a_network_by_name(old: str, new: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        space_from_text(NAMED.replace(old, new), "widths.yaml")
    assert message in str(caught.value)
