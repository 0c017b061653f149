"""K-shot: K weight sets for every operation, of which each path mixes its own (Su et al., arXiv 2106.06442)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from lissnas.errors import UserError
from lissnas.oneshot.devices import device_of
from lissnas.oneshot.network import Path, require_path
from lissnas.oneshot.supernet import Block, Inherited, Supernet
from lissnas.spaces.base import SearchSpace

__all__ = ["KShotSupernet", "SimplexNet"]


class SimplexNet(nn.Module):
    """Path -> its code, float32[K]: the weights of a convex combination. One hidden layer on the path's one-hot alleles."""

    def __init__(self, space: SearchSpace, shots: int, hidden: int, generator: torch.Generator | None) -> None:
        super().__init__()
        radices = [gene.radix for gene in space.genes]
        self._starts = np.cumsum([0, *radices[:-1]]).tolist()
        self.first, self.second = nn.Linear(sum(radices), hidden), nn.Linear(hidden, shots)
        with torch.no_grad():
            for layer, inputs in ((self.first, space.length), (self.second, hidden)):
                layer.weight.normal_(0, inputs**-0.5, generator=generator)
                layer.bias.zero_()

    def forward(self, path: Path) -> Tensor:
        """Not negative, and 1 in sum."""
        places = [start + int(allele) for start, allele in zip(self._starts, path, strict=True)]
        device = self.first.weight.device
        index = torch.tensor(places, pin_memory=device.type == "cuda").to(device, non_blocking=True)  # else the host waits
        hidden = torch.relu(self.first.weight.index_select(1, index).sum(1) + self.first.bias)
        code: Tensor = self.second(hidden).float().softmax(0)
        return code


class KShotSupernet(Supernet):
    """K supernets with one stem and tail. A path runs with a convex combination of their weights, by a code that a small
    network makes of the path, so that paths share weights as far as they are alike.

    Weights and simplex network learn in turn: after every ``weight_steps`` steps of the weights, with codes as they are, comes
    one of the simplex network, with weights as they are, on a training batch like the others. A simplex of one corner leaves
    nothing to learn: ``shots=1`` is the plain supernet, to the bit.

    It is trained, recalibrated, scored and searched like any supernet; since each path has weights of its own, scoring shares
    no more than the stem's activations between paths.

    Args:
        space: any space whose networks have a supernet, full or shrunk.
        shots: K (the paper: 8).
        weight_steps: steps of the weights for each of the simplex network.
        hidden: width of the simplex network.
        seed: for the initial weights; the first of the K sets has those of ``Supernet(space, seed=seed)``.

    Raises:
        UserError: options that make no sense, or a space whose networks have no supernet.
    """

    def __init__(
        self, space: SearchSpace, *, shots: int = 4, weight_steps: int = 1, hidden: int = 64, seed: int | None = None
    ) -> None:
        nn.Module.__init__(self)
        for name, value in (("shots", shots), ("weight_steps", weight_steps), ("hidden", hidden)):
            if not isinstance(value, int) or value < 1:
                raise UserError(f"{name} must be a whole number from 1 on, but got {value!r}")
        self.space = space
        self.options = {"shots": shots, "weight_steps": weight_steps, "hidden": hidden}
        seeds = [None if seed is None else seed + (index << 32) for index in range(shots)]
        sets = [Supernet(space, seed=each) for each in seeds]
        stem, tail = sets[0].stem, sets[0].tail
        for each in sets:  # of which only what is between is wanted
            each.stem, each.tail = nn.Identity(), nn.Identity()
        self.stem, self.sets, self.tail = stem, nn.ModuleList(sets), tail  # in the order of a plain supernet
        generator = None if seed is None else torch.Generator().manual_seed(seed + (shots << 32))
        self.simplex = SimplexNet(space.root, shots, hidden, generator) if shots > 1 else None

    def code(self, path: Path) -> Tensor:
        """The share of each weight set in the weights of ``path``, float32[K]."""
        if self.simplex is None:
            return torch.ones(1, device=device_of(self))
        code: Tensor = self.simplex(path)
        return code

    def mixed(self, path: Path) -> dict[str, Tensor]:
        """The weights that ``path`` runs with between stem and tail, by their names in one set."""
        code = self.code(path).unbind()
        mixed = {}
        for same in zip(*(each.parameters_of(path) for each in self._sets), strict=True):
            total = code[0] * same[0]
            for share, weight in zip(code[1:], same[1:], strict=True):
                total = torch.addcmul(total, share, weight)
            mixed[self._names[id(same[0])]] = total
        return mixed

    @cached_property
    def _names(self) -> dict[int, str]:
        return {id(parameter): name for name, parameter in self._sets[0].named_parameters()}

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_names"}  # a copy has other parameters

    @property
    def _sets(self) -> list[Supernet]:
        return list(self.sets)  # type: ignore[arg-type]

    def blocks(self, path: Path) -> list[Block]:
        """One block: all that the path runs between stem and tail, with its own weights."""
        return [_MixedPath(self, tuple(int(allele) for allele in path))]

    def _inherited(self, path: list[int]) -> Iterator[Inherited]:
        return self._sets[0]._inherited(path)

    def parameters_of(self, path: Path) -> list[nn.Parameter]:
        live = {part.name for part in self._sets[0].inherited([int(allele) for allele in path]) if part.live}
        ends = [module for name, module in (("stem", self.stem), ("tail", self.tail)) if name in live]
        between = [parameter for each in self._sets for parameter in each.parameters_of(path)]
        simplex = [self.simplex] if self.simplex is not None and between else []
        return [*between, *(parameter for module in [*ends, *simplex] for parameter in module.parameters())]

    def resting(self, step: int) -> list[nn.Parameter]:
        """The parameters that do not learn in ``step``: the simplex network's, or all others."""
        if self.simplex is None:
            return []
        own = {id(parameter): parameter for parameter in self.simplex.parameters()}
        if step % (self.options["weight_steps"] + 1) < self.options["weight_steps"]:
            return list(own.values())
        return [parameter for parameter in self.parameters() if id(parameter) not in own]

    def subnet(self, path: Path) -> nn.Module:
        """The subnet ``path`` as a network of its own, with the weights that it runs with."""
        alleles = require_path(self.space.root, path)
        plain = Supernet(self.space.root, seed=0)
        with torch.no_grad():
            own = {**self._sets[0].state_dict(), **self.mixed(alleles)}
        for name in ("stem", "tail"):
            own |= {f"{name}.{key}": value for key, value in getattr(self, name).state_dict().items()}
        plain.load_state_dict(own)
        return plain.to(device_of(self)).train(self.training).subnet(alleles)


@dataclass(frozen=True)
class _MixedPath:
    supernet: KShotSupernet
    path: tuple[int, ...]

    def __call__(self, x: Tensor) -> Tensor:
        y: Tensor = functional_call(self.supernet._sets[0], self.supernet.mixed(self.path), (x, self.path))
        return y
