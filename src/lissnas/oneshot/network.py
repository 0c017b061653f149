"""One architecture as a plain torch network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lissnas.errors import UserError
from lissnas.oneshot.blocks import NormFactory, build_block, convolutions
from lissnas.oneshot.norm import GhostBatchNorm2d
from lissnas.registry import Registry
from lissnas.spaces.base import SearchSpace
from lissnas.spaces.chain import ChainLayout, Conv
from lissnas.spaces.layouts import Layout

__all__ = [
    "NETWORKS",
    "build_bare",
    "build_chain",
    "build_network",
    "build_stem",
    "build_tail",
    "chain_of",
    "count_network",
    "initialise",
    "kinds_of",
    "layout_of",
    "require_path",
]

Path = Sequence[int] | NDArray[np.uint8]

# Layout kind -> builder(space, path, norm) -> the network of one architecture of ``space``, given as the list of its alleles.
NETWORKS = Registry(
    "network",
    {
        "chain": "lissnas.oneshot.network:build_chain",
        "x-blocks": "lissnas.oneshot.networks.xblocks:build_x_blocks",
        "templated-chain": "lissnas.oneshot.networks.templated_chain:build_templated_chain",
        "nats-size": "lissnas.oneshot.networks.nats_size:build_nats_size",
        "darts": "lissnas.oneshot.networks.darts:build_darts",
        "module": "lissnas.oneshot.networks.module:build_module",
        "nasbench101": "lissnas.oneshot.networks.nasbench101:build_nasbench101",
        "nasbench201": "lissnas.oneshot.networks.nasbench201:build_nasbench201",
        "transnas": "lissnas.oneshot.networks.transnas:build_transnas",
    },
)


def layout_of(space: SearchSpace) -> Layout:
    """The layers behind ``space``.

    Raises:
        UserError: the space says nothing of layers.
    """
    layout: Layout | None = space.layout
    if layout is None:
        raise UserError(f"'{space.name}' says nothing of layers, so no network can be built of it: use a space with a layout")
    return layout


def chain_of(space: SearchSpace) -> ChainLayout:
    """The chain of blocks behind ``space``.

    Raises:
        UserError: its networks are no chains of blocks, or it says nothing of layers.
    """
    layout = layout_of(space)
    if not isinstance(layout, ChainLayout):
        raise UserError(f"the networks of '{space.name}' are no chains of blocks")
    return layout


def require_path(space: SearchSpace, genotype: Path) -> list[int]:
    """The alleles of one architecture of ``space``, as a list.

    Raises:
        UserError: it is none of the space.
    """
    row = np.asarray(genotype)
    if row.ndim == 1 and row.dtype.kind in "iu" and len(row) and row.min() >= 0 and row.max() < 256:
        row = row.astype(np.uint8)
    if row.ndim != 1:
        raise UserError(f"one architecture is uint8[{space.length}], but got {row.dtype}{list(row.shape)}: take one row")
    return [int(allele) for allele in space.require_valid(row[None])[0]]


def kinds_of(layout: ChainLayout, path: Sequence[int]) -> list[str]:
    """The block kind at every site, fixed sites included."""
    alleles = iter(path)
    return [site.kinds[next(alleles)] if len(site.kinds) > 1 else site.kinds[0] for site in layout.sites]


def build_network(space: SearchSpace, genotype: Path, *, affine: bool = True, seed: int | None = None) -> nn.Module:
    """The network of one architecture, initialised as SPOS does: images float32[n, C, H, W] -> logits float32[n, classes].

    Args:
        space: a space with a layout.
        genotype: uint8[L], one architecture of it.
        affine: whether batch norms have weights; subnets of a supernet have none (SPOS).
        seed: for the initial weights; None leaves chance to torch's own generator.

    Raises:
        UserError: a space without a layout, or no architecture of it.
    """
    network = build_bare(space, require_path(space, genotype), affine=affine)
    initialise(network, seed)
    return network


def build_bare(space: SearchSpace, path: list[int], *, affine: bool) -> nn.Module:
    """As :func:`build_network`, for one who gives it weights: ``path`` is not checked, and weights are torch's own."""
    network: nn.Module = NETWORKS.get(layout_of(space).kind)(space.root, path, partial(GhostBatchNorm2d, affine=affine))
    return network


def build_chain(space: SearchSpace, path: Sequence[int], norm: NormFactory) -> nn.Sequential:
    """The network of one architecture of a chain of blocks."""
    layout = chain_of(space)
    network = nn.Sequential()
    network.add_module("stem", build_stem(layout, norm))
    for index, (kind, site) in enumerate(zip(kinds_of(layout, path), layout.sites, strict=True)):
        network.add_module(f"site_{index}", build_block(kind, site, norm, layout.activation))
    network.add_module("tail", build_tail(layout, norm))
    return network


def build_stem(layout: ChainLayout, norm: NormFactory) -> nn.Sequential:
    """The 3x3 convolution in front."""
    return convolutions([Conv(3, layout.in_channels, layout.stem[0], layout.stem[1])], norm, layout.activation)


def build_tail(layout: ChainLayout, norm: NormFactory) -> nn.Sequential:
    """The 1x1 convolution behind, average pooling, dropout, and a classifier."""
    tail = convolutions([Conv(1, layout.sites[-1].out_channels, layout.head)], norm, layout.activation)
    tail.extend([nn.AdaptiveAvgPool2d(1), nn.Flatten()])
    if layout.dropout:
        tail.append(nn.Dropout(layout.dropout))
    tail.append(nn.Linear(layout.head, layout.classes, bias=layout.classifier_bias))
    return tail


@torch.no_grad()
def initialise(network: nn.Module, seed: int | None) -> None:
    """Convolutions from N(0, 1/inputs of a filter), the first and the classifier from N(0, 0.01) [SPOS network.py].

    Biases start at 0. Batch norms keep weights 1 and biases 0.
    """
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            inputs = module.weight[0].numel()
            deviation = 0.01 if name.startswith("stem") else 1 / math.sqrt(inputs)
            module.weight.normal_(0, deviation, generator=generator)
        elif isinstance(module, nn.Linear):
            module.weight.normal_(0, 0.01, generator=generator)
        if isinstance(module, (nn.Conv2d, nn.Linear)) and module.bias is not None:
            module.bias.zero_()


def count_network(network: nn.Module, images: Tensor, *, norms: bool = False) -> tuple[int, int]:
    """FLOPs (multiply-adds of convolutions and linear layers on the first image, by watching it run) and their parameters.

    Args:
        norms: whether the weights of batch norms count as parameters too (``space.layout.counts_norms``).
    """
    flops = params = 0

    def watch(module: nn.Module, _: object, output: Tensor) -> None:
        nonlocal flops, params
        assert isinstance(module, (nn.Conv2d, nn.Linear))
        positions = output[0, 0].numel() if isinstance(module, nn.Conv2d) else 1
        flops += positions * module.weight.numel()
        params += sum(weights.numel() for weights in module.parameters())

    layers = [module for module in network.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    handles = [layer.register_forward_hook(watch) for layer in layers]
    training = network.training
    try:
        with torch.no_grad():
            network.eval()(images[:1])
    finally:
        network.train(training)
        for handle in handles:
            handle.remove()
    if norms:
        params += sum(w.numel() for m in network.modules() if isinstance(m, GhostBatchNorm2d) for w in m.parameters())
    return flops, params
