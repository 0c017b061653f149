"""The weight-sharing network of a space: all of its networks in one set of weights, of which a path runs its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from lissnas.errors import UserError
from lissnas.oneshot.blocks import NormFactory
from lissnas.oneshot.devices import device_of
from lissnas.oneshot.network import Path, build_bare, initialise, layout_of, require_path
from lissnas.oneshot.norm import GhostBatchNorm2d
from lissnas.registry import Registry
from lissnas.spaces.base import SearchSpace

__all__ = ["SUPERNETS", "Block", "Inherited", "Supernet", "cut", "require_supernet"]

# Layout kind -> the class of its supernets; one file each.
SUPERNETS = Registry(
    "supernet",
    {
        "chain": "lissnas.oneshot.supernets.chain:ChainSupernet",
        "templated-chain": "lissnas.oneshot.supernets.templated_chain:TemplatedChainSupernet",
        "nasbench101": "lissnas.oneshot.supernets.nasbench101:NASBench101Supernet",
        "nasbench201": "lissnas.oneshot.supernets.nasbench201:NASBench201Supernet",
        "transnas": "lissnas.oneshot.supernets.transnas:TransNASSupernet",
        "darts": "lissnas.oneshot.supernets.darts:DartsSupernet",
        "module": "lissnas.oneshot.supernets.module:ModuleSupernet",
        "nats-size": "lissnas.oneshot.supernets.nats_size:NATSSizeSupernet",
    },
)

Block = Callable[[Any], Any]


class Inherited(NamedTuple):
    """Where a part of a subnet gets its weights.

    Attributes:
        name: of the part in the network that ``build_network`` builds.
        module: the shared module; the part's tensors are the first entries of its own (:func:`cut`).
        live: whether what the part computes reaches the classifier, and so whether it learns.
        deep: whether the parts of the part come with it.
    """

    name: str
    module: nn.Module
    live: bool = True
    deep: bool = True

    def tensors(self, module: nn.Module) -> dict[str, Tensor]:
        """What a subnet gets of ``module``; no statistics where nothing live runs, so that of nothing comes nothing."""
        found: dict[str, Tensor] = dict(module.named_parameters(recurse=self.deep))
        return {**found, **dict(module.named_buffers(recurse=self.deep))} if self.live else found


class Supernet(nn.Module):
    """All architectures of a space in one set of weights: a stem, what the path runs, a tail.

    ``Supernet(space)`` makes the one that ``SUPERNETS`` names for the space's layout. Weights belong to the space that others
    were shrunk from (``space.root``), so a supernet runs any architecture of that, and which of them it is trained on is the
    sampler's affair. Batch norms have no weights (SPOS), nor running statistics worth having before
    :func:`~lissnas.oneshot.evaluate.recalibrate`.

    A new kind is a file in ``supernets/`` and a line in ``SUPERNETS``: a class that sets ``stem``, ``tail`` and what is between
    in ``_build``, and has ``blocks`` and ``_inherited``. Its tests come with ``lissnas.testing.SupernetContract``.

    Args:
        space: a space with a layout, full or shrunk.
        seed: for the initial weights; None leaves chance to torch's own generator.

    Attributes:
        stem: images -> what the first block takes.
        tail: what the last block gives -> logits.
        options: what it was made with, beside space and seed, as plain JSON data.

    Raises:
        UserError: a space without a layout, or whose layout has no supernet.
    """

    stem: nn.Module
    tail: nn.Module
    options: Mapping[str, Any] = MappingProxyType({})

    def __new__(cls, *args: Any, **options: Any) -> Supernet:
        if cls is Supernet:  # a subclass is also made without arguments, when it is copied
            cls = require_supernet(args[0] if args else options["space"])
        return super().__new__(cls)

    def __init__(self, space: SearchSpace, *, seed: int | None = None) -> None:
        super().__init__()
        self.space = space
        self._build(space.root, partial(GhostBatchNorm2d, affine=False, track=False))
        initialise(self, seed)

    def _build(self, space: SearchSpace, norm: NormFactory) -> None:
        """Make the modules; their initial weights are set afterwards."""
        raise NotImplementedError

    def blocks(self, path: Path) -> list[Block]:
        """What the path (its alleles, not checked) runs between stem and tail, one after the other.

        Blocks that are equal (``==``, and so with one hash) compute the same of the same: paths that begin with equal blocks
        share what those gave.
        """
        raise NotImplementedError

    def _inherited(self, path: list[int]) -> Iterator[Inherited]:
        """Where the parts of a subnet between stem and tail get their weights."""
        raise NotImplementedError

    def inherited(self, path: list[int]) -> Iterator[Inherited]:
        """Where all parts of a subnet get their weights."""
        yield Inherited("stem", self.stem)
        yield from self._inherited(path)
        yield Inherited("tail", self.tail)

    def forward(self, images: Tensor, path: Path) -> Tensor:
        """Logits float32[n, classes] of the subnet ``path`` (uint8[L], or its alleles as a list, which is not checked)."""
        x = self.stem(images)
        for block in self.blocks(path):
            x = block(x)
        logits: Tensor = self.tail(x)
        return logits

    def parameters_of(self, path: Path) -> list[nn.Parameter]:
        """The parameters that a step on this path trains, each once. Of some only the first entries take part."""
        alleles = [int(allele) for allele in path]
        found = {id(p): p for part in self.inherited(alleles) if part.live for p in part.module.parameters(part.deep)}
        return list(found.values())

    def resting(self, step: int) -> list[nn.Parameter]:  # noqa: ARG002 - where parts learn in turn it says whose it is
        """The parameters that stay as they are in ``step`` of a training, whatever their gradients."""
        return []

    def subnet(self, path: Path) -> nn.Module:
        """The subnet ``path`` as a network of its own, on the same device, with a copy of the inherited weights and statistics.

        Raises:
            UserError: no architecture of the space that others were shrunk from.
        """
        alleles = require_path(self.space.root, path)
        network = build_bare(self.space.root, alleles, affine=False)
        with torch.no_grad():
            for part in self.inherited(alleles):
                shared = part.tensors(part.module)
                for name, tensor in part.tensors(network.get_submodule(part.name)).items():
                    tensor.copy_(cut(shared[name], tensor.shape))
        return network.to(device_of(self)).train(self.training)


def cut(shared: Tensor, shape: torch.Size) -> Tensor:
    """The part of a shared tensor that a tensor of ``shape`` inherits: the first channels, the middle of the kernel."""
    if shared.shape == shape:
        return shared
    starts = [0 if axis < 2 else (have - want) // 2 for axis, (have, want) in enumerate(zip(shared.shape, shape, strict=True))]
    return shared[tuple(slice(start, start + want) for start, want in zip(starts, shape, strict=True))]


def require_supernet(space: SearchSpace) -> type[Supernet]:
    """The class of supernets for ``space``.

    Raises:
        UserError: it has no layout, or its networks have no supernet.
    """
    kind = layout_of(space.root).kind
    if kind not in SUPERNETS:
        raise UserError(
            f"there is no supernet of '{space.name}', whose networks ({kind}) share no weights: "
            f"supernets are made of {', '.join(SUPERNETS.names())}"
        )
    found: type[Supernet] = SUPERNETS.get(kind)
    return found
