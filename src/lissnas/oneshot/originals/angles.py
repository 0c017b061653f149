"""ABS's criterion: how far the weights of a path have turned from where they began (Hu et al., ECCV 2020; reconstruction C.1).

The angle is that between two vectors: all convolution weights of the path with its stem and classifier, before and after. Of a
cell, the weights along every way from its input to its output, so that an operation which two ways pass counts twice. A pooling
is a constant vector of 1 / k^2 in the shape of a convolution of its size, a skip adds nothing, and a way with a ``none`` is
none [megvii-model/AngleNAS NAS-Bench-201/exps/angle, DARTS/shrinking/angle.py].
"""

from __future__ import annotations

import copy
import itertools
import math

import numpy as np
from numpy.typing import NDArray
from torch import nn

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.evaluators import Evaluator
from lissnas.oneshot.originals.stages import StagedTraining
from lissnas.oneshot.supernet import Supernet
from lissnas.predictors import Predictor
from lissnas.spaces import SearchSpace
from lissnas.spaces.chain import ChainLayout
from lissnas.spaces.edge_cell import EDGES, PATHS, EdgeCellSpace

__all__ = ["PathAngles", "StagedAngles"]

Products = NDArray[np.float64]  # of two vectors: their inner product, and that of each with itself


class PathAngles:
    """The angle of each architecture in radians: uint8[n, L] -> float64[n].

    Args:
        initial, trained: one supernet before and after, neither of which changes any more.

    Raises:
        UserError: a space whose paths share parts of a weight (NAS-Bench-101), or other supernets.
    """

    def __init__(self, initial: Supernet, trained: Supernet) -> None:
        space = trained.space.root
        self._in_cells = isinstance(space, EdgeCellSpace)
        if not self._in_cells and not isinstance(space.layout, ChainLayout):
            raise UserError(
                f"angles are defined where a path has weights of its own: chains and cells of edges, not '{space.name}'"
            )
        if initial.space.root.fingerprint != space.fingerprint:
            raise UserError(f"angles compare one supernet before and after, but got one of '{initial.space.root.name}'")
        self._trained = trained
        self._products: dict[int, Products] = {}
        self._known: dict[tuple[int, ...], float] = {}
        for before, after in zip(initial.modules(), trained.modules(), strict=True):
            if isinstance(after, nn.Conv2d | nn.Linear) and isinstance(before, nn.Conv2d | nn.Linear):
                a, b = (layer.weight.detach().double().flatten() for layer in (before, after))
                self._products[id(after)] = np.array([float(a @ b), float(a @ a), float(b @ b)])

    def __call__(self, genotypes: Genotypes) -> NDArray[np.float64]:
        paths = [tuple(path) for path in genotypes.tolist()]
        for path in paths:
            if path not in self._known:
                self._known[path] = self._angle(list(path))
        return np.array([self._known[path] for path in paths])

    def _angle(self, alleles: list[int]) -> float:
        passes = _passes(alleles) if self._in_cells else {}
        total, channels = np.zeros(3), 0
        for part in self._trained.inherited(alleles):
            own, channels = self._of(part.module, channels)
            _, in_a_cell, edge = part.name.rpartition(".edges.")
            total += own * (passes.get(edge, 0) if in_a_cell else 1)
        inner, before, after = total
        return math.acos(min(1.0, max(-1.0, inner / math.sqrt(before * after))))

    def _of(self, module: nn.Module, channels: int) -> tuple[Products, int]:
        """The products of all layers of ``module``, and the channels that leave it; ``channels`` come in."""
        total = np.zeros(3)
        for layer in module.modules():
            if id(layer) in self._products:
                total = total + self._products[id(layer)]
                channels = layer.out_channels if isinstance(layer, nn.Conv2d) else channels
            elif isinstance(layer, nn.AvgPool2d | nn.MaxPool2d) and module is layer:
                size = layer.kernel_size if isinstance(layer.kernel_size, int) else layer.kernel_size[0]
                total = total + channels**2 * size**2 / size**4
        return total, channels


def _passes(alleles: list[int]) -> dict[str, int]:
    """How many ways through the cell pass each edge."""
    ways = [way for way in PATHS if all(alleles[edge] for edge in way)]
    counted = list(itertools.chain(*ways))
    return {f"{start}_{end}": counted.count(index) for index, (start, end) in enumerate(EDGES)}


class StagedAngles:
    """What a unit is worth: the mean angle of architectures that hold it. As ``unit_score`` it makes ABS the original.

    A supernet is trained on the given space, and a little more on what is left whenever some of it was dropped. Once more than
    ``restart`` units are gone, the angle is measured from the weights of that moment.

    Args:
        training: how; its ``later`` recipe for all stages but the first.
        restart: 50 in the original, where a space has 147 units; None: never.
    """

    def __init__(self, training: StagedTraining, restart: int | None = 50) -> None:
        self.training, self.restart = training, restart
        self.stages = 0
        self._at = ""
        self._supernet: Supernet | None = None
        self._initial: Supernet | None = None
        self._angles: PathAngles | None = None
        self._units = 0

    def __call__(
        self,
        space: SearchSpace,
        unit: tuple[int, int],  # noqa: ARG002 - all that matters is who holds it
        genotypes: Genotypes,
        scorer: Predictor | Evaluator,  # noqa: ARG002 - its place is taken
    ) -> float:
        if space.fingerprint != self._at:
            self._go_on(space)
        assert self._angles is not None
        return float(self._angles(genotypes).mean())

    def _go_on(self, space: SearchSpace) -> None:
        left = _units_of(space)
        if self._supernet is None:
            self._supernet = self.training.begin(space)
            self._initial, self._units = copy.deepcopy(self._supernet), left
        elif self.restart is not None and self._units - left > self.restart:
            self._initial, self.restart = copy.deepcopy(self._supernet), None
        assert self._initial is not None
        self.training.train(self._supernet, space, self.stages, on=self.stages > 0)
        self._angles = PathAngles(self._initial, self._supernet)
        self.stages, self._at = self.stages + 1, space.fingerprint


def _units_of(space: SearchSpace) -> int:
    """The alleles of all genes that are left."""
    at: SearchSpace | None = space
    while at is not None:
        kept = getattr(at, "kept", None)
        if kept is not None:
            return sum(len(alleles) for alleles in kept)
        at = getattr(at, "parent", None)
    return sum(len(gene.alleles) for gene in space.genes)
