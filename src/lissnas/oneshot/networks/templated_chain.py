"""Chains whose blocks several genes choose together, in torch: Once-for-All's MobileNetV3 and spaces like it."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from lissnas.errors import UserError
from lissnas.oneshot.blocks import ACTIVATIONS, NormFactory, build_block, convolutions
from lissnas.spaces import SearchSpace, Site
from lissnas.spaces.chain_blocks import Conv
from lissnas.spaces.templated_chain import TemplatedChainLayout, TemplatedSite

__all__ = ["build_stem", "build_tail", "build_templated_chain", "build_templated_site"]


def build_templated_chain(space: SearchSpace, path: Sequence[int], norm: NormFactory) -> nn.Sequential:
    """The network of one architecture; sites that are switched off are left out."""
    layout = space.layout
    if not isinstance(layout, TemplatedChainLayout):
        raise UserError(f"'{space.name}' has no chain of blocks with templates, so no such network can be built of it")
    network = nn.Sequential()
    network.add_module("stem", build_stem(layout, norm))
    for index, (kind, site) in enumerate(zip(layout.kinds(path), layout.sites, strict=True)):
        if kind is not None:
            network.add_module(f"site_{index}", build_templated_site(kind, site, layout, norm))
    network.add_module("tail", build_tail(layout, norm))
    return network


def build_stem(layout: TemplatedChainLayout, norm: NormFactory) -> nn.Sequential:
    """The 3x3 convolution in front."""
    return convolutions([Conv(3, layout.in_channels, *layout.stem)], norm, layout.activation)


def build_templated_site(kind: str, site: TemplatedSite, layout: TemplatedChainLayout, norm: NormFactory) -> nn.Module:
    """The block of ``kind`` at a site."""
    place = Site(site.in_channels, site.out_channels, site.stride, (kind,))
    return build_block(kind, place, norm, layout.activation)


def build_tail(layout: TemplatedChainLayout, norm: NormFactory) -> nn.Sequential:
    """The 1x1 convolution behind, average pooling, the layer of features where there is one, dropout, and a classifier."""
    tail = convolutions([Conv(1, layout.sites[-1].out_channels, layout.head)], norm, layout.activation)
    tail.append(nn.AdaptiveAvgPool2d(1))
    if layout.features:
        tail.append(nn.Conv2d(layout.head, layout.features, 1, bias=False))
        tail.append(ACTIVATIONS[layout.activation]())
    tail.append(nn.Flatten())
    if layout.dropout:
        tail.append(nn.Dropout(layout.dropout))
    tail.append(nn.Linear(layout.features or layout.head, layout.classes, bias=layout.classifier_bias))
    return tail
