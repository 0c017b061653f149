"""Published spaces that need no code: a YAML file each, in the form of a space of one's own."""

from __future__ import annotations

from importlib.resources import files

from lissnas.formats.yaml_space import space_from_text
from lissnas.spaces import SearchSpace

__all__ = ["fbnet", "gpt_s", "nats_size", "ofa_mobilenetv3", "proxyless", "read_packaged"]


def read_packaged(name: str) -> SearchSpace:
    """The space in ``<name>.yaml`` of this folder, built anew."""
    return space_from_text(files(__name__).joinpath(f"{name}.yaml").read_text("utf-8"), f"{name}.yaml")


def gpt_s() -> SearchSpace:
    """The GPT-S space of HW-GPT-Bench: 1.9e12 language models, the subnets of one supernet."""
    return read_packaged("gpt-s")


def proxyless() -> SearchSpace:
    """ProxylessNAS's 7^15 * 6^6 chains of inverted residuals, Proxyless-Mobile among them."""
    return read_packaged("proxyless")


def fbnet() -> SearchSpace:
    """FBNet's 9^22 chains of inverted residuals, some in groups: more than 2^64."""
    return read_packaged("fbnet")


def ofa_mobilenetv3() -> SearchSpace:
    """Once-for-All's MobileNetV3 space: 2.2e19 networks of five stages, kernels, expansions and depths free."""
    return read_packaged("ofa-mobilenetv3")


def nats_size() -> SearchSpace:
    """NATS-Bench's size space: 8^5 = 32,768 networks, the channels of five layers free."""
    return read_packaged("nats-size")
