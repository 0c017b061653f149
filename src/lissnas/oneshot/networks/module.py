"""A module of one's own with nothing left open: the plain network of one architecture."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from lissnas.errors import UserError
from lissnas.oneshot.blocks import NormFactory
from lissnas.oneshot.choices import ChoiceBlock, ElasticConv2d, SlicedConv2d, SlicedLinear, choose
from lissnas.oneshot.module_layout import ModuleLayout
from lissnas.oneshot.norm import GhostBatchNorm2d
from lissnas.spaces.base import SearchSpace

__all__ = ["Size", "build_module", "measure", "origins", "prepare"]


class Size(NamedTuple):
    """How large a layer is run: channels (or features) in and out, side of the kernel (0: it has none), positions."""

    inputs: int
    outputs: int
    kernel: int
    positions: int


def build_module(space: SearchSpace, path: Sequence[int], norm: NormFactory) -> nn.Module:  # noqa: ARG001 - it has its own norms
    """The network of one architecture: no choices are left in it, and layers are as large as they are run."""
    layout = space.layout
    if not isinstance(layout, ModuleLayout):
        raise UserError(f"'{space.name}' is not made of a module, so no such network can be built of it")
    module = prepare(layout.prototype, track=True)
    choose(module, layout.genes, path)
    return _plain(module, measure(module, layout.images(2)))


def prepare(module: nn.Module, *, track: bool) -> nn.Module:
    """A copy whose batch norms can be recalibrated, and whose layers take as many channels as come."""
    copied = copy.deepcopy(module)

    def replace(layer: nn.Module) -> nn.Module:
        match layer:
            case SlicedConv2d() | SlicedLinear() | GhostBatchNorm2d():
                return layer
            case nn.Conv2d() if (
                type(layer) is nn.Conv2d and layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
            ):
                new: nn.Module = SlicedConv2d(
                    *_conv_arguments(layer, layer.in_channels, layer.out_channels, layer.kernel_size, layer.padding)
                )
            case nn.Linear() if type(layer) is nn.Linear:
                new = SlicedLinear(layer.in_features, layer.out_features, layer.bias is not None)
            case nn.BatchNorm2d():
                new = GhostBatchNorm2d(layer.num_features, affine=layer.affine, track=track)
                new.eps, new.momentum = layer.eps, layer.momentum
            case _:
                return layer
        new.load_state_dict(layer.state_dict())
        return new

    return _replaced(copied, replace)


def measure(module: nn.Module, images: Tensor) -> dict[nn.Module, Size]:
    """The sizes of the layers that ``module`` runs as it is chosen; positions are those of all runs."""
    sizes: dict[nn.Module, Size] = {}

    def watch(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(layer, nn.Linear):
            size = Size(inputs[0].shape[-1], output.shape[-1], 0, output[0].numel() // output.shape[-1])
        else:
            kernel = layer.kernel if isinstance(layer, ElasticConv2d) else 0
            size = Size(inputs[0].shape[1], output.shape[1], kernel, output[0, 0].numel())
        before = sizes[layer].positions if layer in sizes else 0
        sizes[layer] = size._replace(positions=before + size.positions)

    layers = [layer for layer in module.modules() if isinstance(layer, (nn.Conv2d, nn.Linear, GhostBatchNorm2d))]
    handles = [layer.register_forward_hook(watch) for layer in layers]
    training = module.training
    try:
        with torch.no_grad():
            module.eval()(images)
    finally:
        module.train(training)
        for handle in handles:
            handle.remove()
    return sizes


def origins(module: nn.Module) -> dict[str, nn.Module]:
    """For each part of the plain network that has tensors of its own, by its name there, the part of ``module`` behind it."""
    found: dict[str, nn.Module] = {}

    def walk(part: nn.Module, name: str) -> None:
        while isinstance(part, ChoiceBlock):
            part = part.chosen
        if part._parameters or part._buffers:
            found[name] = part
        for child_name, child in part.named_children():
            walk(child, f"{name}.{child_name}" if name else child_name)

    walk(module, "")
    return found


def _plain(module: nn.Module, sizes: dict[nn.Module, Size]) -> nn.Module:
    """``module`` as it is chosen, with layers of the sizes that it was run with."""

    def replace(layer: nn.Module) -> nn.Module:
        while isinstance(layer, ChoiceBlock):
            layer = layer.chosen
        size = sizes.get(layer)
        match layer:
            case SlicedConv2d():
                inputs, outputs, kernel, _ = size or Size(layer.in_channels, layer.out_channels, 0, 0)
                own = (kernel, kernel) if kernel else layer.kernel_size
                padding = (kernel // 2, kernel // 2) if kernel else layer.padding
                return nn.Conv2d(*_conv_arguments(layer, inputs, outputs, own, padding))
            case SlicedLinear():
                return nn.Linear(size.inputs if size else layer.in_features, layer.out_features, layer.bias is not None)
            case GhostBatchNorm2d():
                new = GhostBatchNorm2d(size.inputs if size else layer.num_features, affine=layer.affine)
                new.eps, new.momentum = layer.eps, layer.momentum
                return new
        return layer

    return _replaced(module, replace)


def _replaced(module: nn.Module, replace: Callable[[nn.Module], nn.Module]) -> nn.Module:
    """``module`` with each part replaced, from the outside in; a part that stands in two places stays one part."""
    done: dict[nn.Module, nn.Module] = {}

    def walk(part: nn.Module) -> nn.Module:
        if part not in done:
            new = done[part] = replace(part)
            for name, child in new._modules.items():
                if child is not None:
                    new._modules[name] = walk(child)
        return done[part]

    return walk(module)


def _conv_arguments(layer: nn.Conv2d, inputs: int, outputs: int, kernel: Any, padding: Any) -> tuple[Any, ...]:
    """What a convolution like ``layer`` is made of, with other channels and kernel; a depthwise one stays depthwise."""
    depthwise = layer.groups == layer.in_channels == layer.out_channels
    groups = inputs if depthwise and layer.groups > 1 else layer.groups
    return inputs, outputs, kernel, layer.stride, padding, layer.dilation, groups, layer.bias is not None
