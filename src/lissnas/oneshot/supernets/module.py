"""The supernet of a module of one's own: the module itself, its choices set as the path says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import nn

from lissnas.errors import UserError
from lissnas.oneshot.blocks import NormFactory
from lissnas.oneshot.choices import ChoiceLayer, choose
from lissnas.oneshot.module_layout import ModuleLayout
from lissnas.oneshot.network import Path, initialise
from lissnas.oneshot.networks.module import origins, prepare
from lissnas.oneshot.supernet import Block, Inherited, Supernet
from lissnas.spaces.base import SearchSpace

__all__ = ["ModuleSupernet"]


class ModuleSupernet(Supernet):
    """Where the module is a chain (``nn.Sequential``), so is a path, and paths that begin alike share what that computes.

    Without a seed the weights are those that the module has.
    """

    def __init__(self, space: SearchSpace, *, seed: int | None = None) -> None:
        nn.Module.__init__(self)
        self.space = space
        self._build(space.root, nn.Identity)
        if seed is not None:
            initialise(self, seed)

    def _build(self, space: SearchSpace, norm: NormFactory) -> None:  # noqa: ARG002 - the module has its own norms
        layout = space.layout
        if not isinstance(layout, ModuleLayout):
            raise UserError(f"'{space.name}' is not made of a module, so it has no such supernet")
        self._choices = list(layout.genes)
        self.stem, self.tail = nn.Identity(), nn.Identity()
        self.module = prepare(layout.prototype, track=False)
        column = {gene.name: index for index, gene in enumerate(layout.genes)}
        self._parts: list[tuple[nn.Module, list[tuple[ChoiceLayer, str, int, int]]]] = []
        for part in _chain(self.module):
            layers = [m for m in part.modules() if isinstance(m, ChoiceLayer)]
            open_ = [(layer, g.name, column[g.name], len(g.alleles) - 1) for layer in layers for g in layer.genes()]
            self._parts.append((part, open_))

    def blocks(self, path: Path) -> list[Block]:
        """A block per part of the chain."""
        return [
            _Part(part, tuple((layer, gene, min(int(path[column]), last)) for layer, gene, column, last in choices))
            for part, choices in self._parts
        ]

    def _inherited(self, path: list[int]) -> Iterator[Inherited]:
        choose(self.module, self._choices, path)
        for name, part in origins(self.module).items():
            yield Inherited(name, part, deep=False)

    def inherited(self, path: list[int]) -> Iterator[Inherited]:
        """The module has all weights; stem and tail have none."""
        return self._inherited(path)


@dataclass(frozen=True)
class _Part:
    """A part of the chain, and how its layers are chosen."""

    part: nn.Module
    choices: tuple[tuple[ChoiceLayer, str, int], ...]

    def __call__(self, x: Any) -> Any:
        for layer, gene, allele in self.choices:
            layer.choose(gene, allele)
        return self.part(x)


def _chain(module: nn.Module) -> Iterator[nn.Module]:
    """The modules that run one after the other."""
    if isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward:
        for child in module:
            yield from _chain(child)
    else:
        yield module
