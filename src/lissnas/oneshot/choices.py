"""Layers that leave something open, for a module of one's own: which of several modules, how wide, how large a kernel.

    stage = nn.Sequential(
        ChoiceBlock({"conv": conv(16, 16), "pool": nn.AvgPool2d(3, 1, 1), "skip": nn.Identity()}, name="first"),
        ElasticConv2d(16, (16, 24, 32), (3, 5), name="second"), nn.BatchNorm2d(32), nn.ReLU(),
    )

Each is a module that runs what is chosen at the moment, at first the first choice. :func:`~lissnas.oneshot.modules.from_module`
makes a search space and a supernet of a module that has such layers. Layers of one name are chosen alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from lissnas.errors import UserError
from lissnas.spaces.gene import Gene

__all__ = ["ChoiceBlock", "ChoiceLayer", "ElasticConv2d", "SlicedConv2d", "SlicedLinear", "choice_layers", "choose"]


class ChoiceLayer(nn.Module):
    """A layer that leaves something open."""

    def genes(self) -> list[Gene]:
        """What can be chosen."""
        raise NotImplementedError

    def choose(self, gene: str, allele: int) -> None:
        """From now on it runs with this allele of a gene of its own."""
        raise NotImplementedError


class ChoiceBlock(ChoiceLayer):
    """One of several modules, which take and give the same shapes.

    Args:
        alternatives: the modules, by the names of the alleles; a list's are called ``0``, ``1``, ...
        name: of the gene.

    Raises:
        UserError: fewer than two alternatives.
    """

    def __init__(self, alternatives: Mapping[str, nn.Module] | Sequence[nn.Module], name: str) -> None:
        super().__init__()
        if not isinstance(alternatives, Mapping):
            alternatives = {str(index): module for index, module in enumerate(alternatives)}
        if len(alternatives) < 2:
            raise UserError(f"the choice '{name}' needs two alternatives or more, but has {len(alternatives)}")
        self.name = name
        self.labels = tuple(alternatives)
        self.alternatives = nn.ModuleList(alternatives.values())
        self.choice = 0

    def genes(self) -> list[Gene]:
        return [Gene(self.name, self.labels)]

    def choose(self, gene: str, allele: int) -> None:  # noqa: ARG002 - there is one
        self.choice = allele

    @property
    def chosen(self) -> nn.Module:
        """The module that runs."""
        return self.alternatives[self.choice]

    def forward(self, *inputs: Any) -> Any:
        return self.chosen(*inputs)


class SlicedConv2d(nn.Conv2d):
    """A convolution that takes fewer channels than it has weights for: it uses the first of them.

    One that is depthwise (a filter per channel) gives as many as it takes; of other groups all must come.
    """

    def forward(self, input: Tensor) -> Tensor:
        return self._slice(input, self.out_channels, 0)

    def _slice(self, input: Tensor, out_channels: int, trim: int) -> Tensor:
        """With the first ``out_channels`` filters, and ``trim`` pixels less at each side of the kernel."""
        channels, groups = input.shape[1], self.groups
        weight = self.weight
        if groups == 1:
            weight = weight[:out_channels, :channels]
        elif self.in_channels == self.out_channels == groups:
            weight = weight[:channels]
            groups = channels
        if trim:
            weight = weight[:, :, trim:-trim, trim:-trim]
        bias = None if self.bias is None else self.bias[: len(weight)]
        assert not isinstance(self.padding, str)
        padding = tuple(side - trim for side in self.padding)
        return functional.conv2d(input, weight, bias, self.stride, padding, self.dilation, groups)


class SlicedLinear(nn.Linear):
    """A linear layer that takes fewer features than it has weights for: it uses the first of them."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.linear(input, self.weight[:, : input.shape[-1]], self.bias)


class ElasticConv2d(SlicedConv2d, ChoiceLayer):
    """A convolution whose kernel, number of filters, or both can be chosen: the first filters, the middle of the kernel.

    It keeps the resolution, or divides it by its stride. Layers behind it take as many channels as come: every convolution,
    linear layer and batch norm of the module does once it has become a supernet.

    Args:
        in_channels: at most.
        out_channels: the choices, or a single number; the gene is called ``<name>_channels``.
        kernel_size: the choices, odd numbers, or a single one; the gene is called ``<name>_kernel``.
        name: of the genes.
        groups: 1, or as many as ``in_channels`` and ``out_channels``, which then cannot be chosen.

    Raises:
        UserError: nothing to choose, kernels that are not odd, or other groups.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int | Sequence[int],
        kernel_size: int | Sequence[int],
        *,
        name: str,
        stride: int = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        widths = (out_channels,) if isinstance(out_channels, int) else tuple(out_channels)
        kernels = (kernel_size,) if isinstance(kernel_size, int) else tuple(kernel_size)
        if max(len(widths), len(kernels)) < 2:
            raise UserError(f"the convolution '{name}' leaves nothing open: give several out_channels or kernel sizes")
        if any(kernel % 2 == 0 for kernel in kernels):
            raise UserError(
                f"the kernels of '{name}' must be odd, so that one lies in the middle of another, but are {kernels}"
            )
        if groups != 1 and not (in_channels == groups and widths == (groups,)):
            raise UserError(
                f"the groups of '{name}' must be 1, or as many as its channels, which then are fixed, but are {groups}"
            )
        largest = max(kernels)
        super().__init__(in_channels, max(widths), largest, stride, padding=largest // 2, groups=groups, bias=bias)
        self.name, self.widths, self.kernels = name, widths, kernels
        self.width, self.kernel = widths[0], kernels[0]

    def genes(self) -> list[Gene]:
        kernels, widths = Gene(f"{self.name}_kernel", self.kernels), Gene(f"{self.name}_channels", self.widths)
        return [gene for gene in (kernels, widths) if len(gene.alleles) > 1]

    def choose(self, gene: str, allele: int) -> None:
        if gene.endswith("_kernel"):
            self.kernel = self.kernels[allele]
        else:
            self.width = self.widths[allele]

    def forward(self, input: Tensor) -> Tensor:
        return self._slice(input, self.width, (self.kernel_size[0] - self.kernel) // 2)


def choice_layers(module: nn.Module) -> Iterator[tuple[ChoiceLayer, tuple[tuple[str, str], ...]]]:
    """The layers of ``module`` that leave something open, from the outside in, and where each is reached.

    A layer inside an alternative of a :class:`ChoiceBlock` is reached where that is chosen: (gene, label) of each such block.
    """
    yield from _walk(module, ())


def _walk(module: nn.Module, reached: tuple[tuple[str, str], ...]) -> Iterator[tuple[ChoiceLayer, tuple[tuple[str, str], ...]]]:
    if isinstance(module, ChoiceLayer):
        yield module, reached
    if isinstance(module, ChoiceBlock):
        for label, alternative in zip(module.labels, module.alternatives, strict=True):
            yield from _walk(alternative, (*reached, (module.name, label)))
    else:
        for child in module.children():
            yield from _walk(child, reached)


def choose(module: nn.Module, genes: Sequence[Gene], path: Sequence[int]) -> None:
    """From now on ``module`` runs the architecture ``path``; what is not reached may be chosen in any way."""
    chosen = {gene.name: int(allele) for gene, allele in zip(genes, path, strict=True)}
    for layer in module.modules():
        if isinstance(layer, ChoiceLayer):
            for gene in layer.genes():
                layer.choose(gene.name, min(chosen[gene.name], len(gene.alleles) - 1))
