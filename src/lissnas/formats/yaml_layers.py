"""The single values of a space file's ``network``: sizes, strides, what stands in front of the blocks and behind them."""

from __future__ import annotations

from dataclasses import dataclass

from lissnas.formats.yaml_nodes import Node
from lissnas.spaces.chain_blocks import ACTIVATIONS

__all__ = ["Frame", "read_channels", "read_classes", "read_frame", "read_resolution", "read_stride"]

NEEDED = {
    "resolution": "resolution: 224",
    "classes": "classes: 1000",
    "stem": "stem: {channels: 32, stride: 2}",
    "sites": "sites: [{block: op, channels: 64, stride: 2, repeat: 4}]",
    "head": "head: 1280",
}
MAX_RESOLUTION = 1 << 12
MAX_CHANNELS = 1 << 16
MAX_CLASSES = 1 << 20
MAX_STRIDE = 8


@dataclass(frozen=True)
class Frame:
    """What stands around the sites of a chain, as the section has it."""

    resolution: int
    in_channels: int
    stem: tuple[int, int]
    head: int
    classes: int
    dropout: float
    activation: str
    classifier_bias: bool


def read_frame(node: Node) -> Frame:
    """Everything of a chain but its sites.

    Raises:
        UserError: with the line: a missing key, or a value that cannot be.
    """
    keys = node.mapping("")
    for key, example in NEEDED.items():
        if key not in keys:
            raise node.error(f"the network needs '{key}': {example}", at_key=True)
    return Frame(
        read_resolution(keys["resolution"]),
        read_channels(keys["channels"]) if "channels" in keys else 3,
        read_stem(keys["stem"]),
        read_channels(keys["head"]),
        read_classes(keys["classes"]),
        read_dropout(keys["dropout"]) if "dropout" in keys else 0.0,
        read_activation(keys["activation"]) if "activation" in keys else "relu",
        read_flag(keys["classifier_bias"]) if "classifier_bias" in keys else True,
    )


def read_resolution(node: Node) -> int:
    """The side of the images."""
    return node.whole(f"'resolution' must be a whole number from 1 to {MAX_RESOLUTION}", 1, MAX_RESOLUTION)


def read_classes(node: Node) -> int:
    """The outputs of the classifier."""
    return node.whole(f"'classes' must be a whole number from 1 to {MAX_CLASSES}", 1, MAX_CLASSES)


def read_stem(node: Node) -> tuple[int, int]:
    """Channels and stride of the stem."""
    node.require_keys("the stem", ("channels", "stride"))
    keys = node.mapping("")
    if "channels" not in keys:
        raise node.error("the stem needs 'channels': {channels: 32, stride: 2}")
    return read_channels(keys["channels"]), read_stride(keys["stride"]) if "stride" in keys else 1


def read_channels(node: Node) -> int:
    """A number of channels."""
    return node.whole(f"channels must be a whole number from 1 to {MAX_CHANNELS}", 1, MAX_CHANNELS)


def read_stride(node: Node) -> int:
    """A stride."""
    return node.whole(f"'stride' must be a whole number from 1 to {MAX_STRIDE}", 1, MAX_STRIDE)


def read_activation(node: Node) -> str:
    """The name of an activation."""
    if node.value not in ACTIVATIONS:
        raise node.error(f"'activation' must be one of {', '.join(ACTIVATIONS)}, but got {node.shown()}")
    return str(node.value)


def read_dropout(node: Node) -> float:
    """A probability."""
    value = node.number("'dropout' must be a number")
    if not 0 <= value < 1:
        raise node.error(f"'dropout' must be at least 0 and below 1, but got {node.shown()}")
    return value


def read_flag(node: Node) -> bool:
    """Whether the classifier has a bias."""
    if not isinstance(node.value, bool):
        raise node.error(f"'classifier_bias' must be true or false, but got {node.shown()}")
    return node.value
