"""Layers as wide as any path needs them, of which a path runs the first channels."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn
from torch.nn import functional

from lissnas.oneshot.networks.edge_cell import ResidualBlock

__all__ = ["ElasticClassifier", "first", "sliced", "sliced_residual"]


def sliced(layers: Iterable[nn.Module], x: Tensor, channels: int) -> Tensor:
    """``layers`` one after the other, of each convolution the first ``channels`` filters, on as many channels as ``x`` has.

    Convolutions have no bias and are not grouped; norms take as many channels as come
    (:class:`~lissnas.oneshot.norm.GhostBatchNorm2d`), other layers have no channels.
    """
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            weight = layer.weight[:channels, : x.shape[1]]
            x = functional.conv2d(x, weight, None, layer.stride, layer.padding)
        else:
            x = layer(x)
    return x


def sliced_residual(block: ResidualBlock, x: Tensor, channels: int) -> Tensor:
    """A residual block that gives ``channels`` channels. A shortcut without layers is ``nn.Identity``."""
    first_half, second_half = block.main
    main = sliced(second_half, sliced(first_half, x, channels), channels)  # type: ignore[arg-type]
    shortcut = block.shortcut
    return main + (sliced(shortcut, x, channels) if isinstance(shortcut, nn.Sequential) else shortcut(x))


def first(x: Tensor, channels: int) -> Tensor:
    """The first ``channels`` channels."""
    return x if x.shape[1] == channels else x[:, :channels]


class ElasticClassifier(nn.Sequential):
    """Layers without channels or with as many as come, and a linear layer, whose first inputs are used."""

    def forward(self, x: Tensor) -> Tensor:
        *layers, linear = self
        for layer in layers:
            x = layer(x)
        assert isinstance(linear, nn.Linear)
        return functional.linear(x, linear.weight[:, : x.shape[1]], linear.bias)
