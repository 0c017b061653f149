"""Supernets of chains of blocks, and of widths."""

from __future__ import annotations

from importlib.resources import files

import pytest

from lissnas.errors import UserError
from lissnas.formats import packaged
from lissnas.formats.yaml_space import space_from_text
from lissnas.oneshot import Supernet
from lissnas.spaces import ProductSpace
from lissnas.spaces.fairnas import fairnas, fairnas_se
from lissnas.spaces.mobilenet import mobilenet, mobilenet_se
from lissnas.spaces.regnet import regnet
from lissnas.spaces.shufflenetv2 import digits_shuffle, shufflenetv2, shufflenetv2_cifar
from lissnas.testing import SupernetContract


def smaller(name: str, resolution: int):
    """A packaged space for small images."""
    text = files(packaged).joinpath(f"{name}.yaml").read_text("utf-8")
    return space_from_text(text.replace("resolution: 224", f"resolution: {resolution}"), name)


def narrow(space):
    """A chain of blocks with an eighth of the channels."""
    definition = space.definition()
    layout = definition["layout"]
    for site in layout["sites"]:
        site["in_channels"], site["out_channels"] = (-(-site[name] // 32) * 4 for name in ("in_channels", "out_channels"))
    layout["stem"] = [layout["sites"][0]["in_channels"], layout["stem"][1]]
    layout["head"] = 16
    return ProductSpace.from_definition(definition)


class TestDigits(SupernetContract):
    def supernet(self):
        return Supernet(digits_shuffle(), seed=0)


class TestShuffleNet(SupernetContract):
    def supernet(self):
        return Supernet(narrow(shufflenetv2(64, 10)), seed=0)


class TestFairNAS(SupernetContract):
    def supernet(self):
        return Supernet(narrow(fairnas_se(64, 10)), seed=0)


class TestMobileNet(SupernetContract):
    def supernet(self):
        return Supernet(narrow(mobilenet_se(64, 10)), seed=0)


class TestShuffleNetOnCIFAR(SupernetContract):
    def supernet(self):
        return Supernet(narrow(shufflenetv2_cifar()), seed=0)


class TestFairNASWithoutAttention(SupernetContract):
    def supernet(self):
        return Supernet(narrow(fairnas(64, 10)), seed=0)


class TestMobileNetWithoutAttention(SupernetContract):
    def supernet(self):
        return Supernet(narrow(mobilenet(64, 10)), seed=0)


class TestProxyless(SupernetContract):
    def supernet(self):
        return Supernet(narrow(smaller("proxyless", 64)), seed=0)


class TestFBNet(SupernetContract):
    """Skips, convolutions in groups, and channels that are shuffled between them."""

    def supernet(self):
        return Supernet(narrow(smaller("fbnet", 64)), seed=0)


class TestOnceForAll(SupernetContract):
    """Blocks that several genes choose together, and depths that are free."""

    def supernet(self):
        return Supernet(narrow(smaller("ofa-mobilenetv3", 64)), seed=0)


class TestNATSSize(SupernetContract):
    def supernet(self):
        return Supernet(
            space_from_text(files(packaged).joinpath("nats-size.yaml").read_text("utf-8").replace("32\n", "8\n")), seed=0
        )


def test_networks_without_a_supernet_are_refused():
    with pytest.raises(UserError, match=r"no supernet of 'regnet', whose networks \(x-blocks\).* made of chain, "):
        Supernet(regnet())
    with pytest.raises(UserError, match="says nothing of layers"):
        Supernet(packaged.gpt_s())
