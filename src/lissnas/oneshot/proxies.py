"""Zero-cost proxies: what an untrained network tells of itself, computed on the network as it is built.

None sees an image of a data set: images are ones (synflow) or normal noise, labels are drawn. Higher is better. Their names are
in ``shrinkers.zero_cost.PROXIES``. Rules are those of Abdelfattah et al., Zero-Cost Proxies for Lightweight NAS, ICLR 2021, and
Mellor et al., NAS without Training, ICML 2021 (naswot).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.oneshot.network import build_network, layout_of
from lissnas.spaces.base import SearchSpace

__all__ = ["NASWOT", "GradNorm", "NetworkProxy", "Snip", "Synflow"]


@dataclass(frozen=True)
class NetworkProxy(ABC):
    """A proxy of every architecture it is asked for: ``Synflow(space)(genotypes)`` -> float64[n].

    Each network is built once, its weights from the seed alone, so that a value depends on nothing but the architecture. It
    takes a tenth of a second and more: ask for thousands, not for millions.

    Args:
        space: a space with a layout.
        batch: images of normal noise, where the proxy wants some.
        seed: of weights, images and labels.

    Raises:
        UserError: a space that says nothing of layers.
    """

    space: SearchSpace
    batch: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        layout_of(self.space)
        if self.batch < 2:
            raise UserError(f"batch must be 2 images or more, but got {self.batch}")

    def __call__(self, genotypes: Genotypes) -> NDArray[np.float64]:
        layout = layout_of(self.space)
        generator = torch.Generator().manual_seed(self.seed)
        images = torch.randn((self.batch, layout.in_channels, layout.resolution, layout.resolution), generator=generator)
        labels = torch.randint(layout.classes, (self.batch,), generator=generator)
        values = [self.measure(build_network(self.space, row, seed=self.seed).train(), images, labels) for row in genotypes]
        return np.array(values, dtype=np.float64)

    @abstractmethod
    def measure(self, network: nn.Module, images: Tensor, labels: Tensor) -> float:
        """The proxy of one network, which may be changed."""


class Synflow(NetworkProxy):
    """Logarithm of the summed |weight * gradient| where weights are taken without sign, norms are left out, and the image is 1.

    In double precision: the sum of a deep network passes what a float can hold.
    """

    def measure(self, network: nn.Module, images: Tensor, labels: Tensor) -> float:  # noqa: ARG002 - one image of ones will do
        _leave_norms_out(network)
        network.double()
        with torch.no_grad():
            for weights in network.parameters():
                weights.abs_()
        return _log(_saliency(network, network(torch.ones_like(images[:1], dtype=torch.float64)).sum()))


class Snip(NetworkProxy):
    """Logarithm of the summed |weight * gradient| of the loss."""

    def measure(self, network: nn.Module, images: Tensor, labels: Tensor) -> float:
        return _log(_saliency(network, functional.cross_entropy(network(images), labels)))


class GradNorm(NetworkProxy):
    """Sum of the Euclidean norms of the layers' gradients of the loss."""

    def measure(self, network: nn.Module, images: Tensor, labels: Tensor) -> float:
        functional.cross_entropy(network(images), labels).backward()  # type: ignore[no-untyped-call]
        return sum(float(gradient.norm()) for _, gradient in _weights(network))


class NASWOT(NetworkProxy):
    """Log-determinant of how often two images switch the same ReLUs on and off (Mellor et al. 2021, Eq. 2).

    One is added to the diagonal, since two images that switch all of them alike would make the matrix singular.
    """

    def measure(self, network: nn.Module, images: Tensor, labels: Tensor) -> float:  # noqa: ARG002 - activations only
        agreed = torch.eye(len(images), dtype=torch.float64)

        def watch(_: nn.Module, inputs: tuple[Tensor, ...], __: Tensor) -> None:
            on = (inputs[0].flatten(1) > 0).double()
            agreed.add_(on @ on.T + (1 - on) @ (1 - on).T)

        for module in network.modules():
            if isinstance(module, (nn.ReLU, nn.ReLU6)):
                module.inplace = False  # else what is watched has been overwritten
                module.register_forward_hook(watch)
        with torch.no_grad():
            network(images)
        return float(torch.linalg.slogdet(agreed)[1])


def _weights(network: nn.Module) -> list[tuple[Tensor, Tensor]]:
    """Weights of convolutions and linear layers with their gradients, where the loss reaches them."""
    layers = [module for module in network.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    return [(layer.weight.detach(), layer.weight.grad) for layer in layers if layer.weight.grad is not None]


def _saliency(network: nn.Module, loss: Tensor) -> float:
    loss.backward()  # type: ignore[no-untyped-call]
    return sum(float((weight * gradient).abs().sum()) for weight, gradient in _weights(network))


def _log(total: float) -> float:
    """Through a cell of ``none`` nothing flows: the least number that a double holds."""
    return float(np.log(max(total, np.finfo(np.float64).tiny)))


def _leave_norms_out(network: nn.Module) -> None:
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
