"""What the architectures of a module of one's own cost: layers counted by running them, once per choice that matters."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import nn

from lissnas.errors import UserError
from lissnas.oneshot.choices import ChoiceLayer, SlicedConv2d, choose
from lissnas.oneshot.module_layout import ModuleLayout
from lissnas.oneshot.networks.module import Size, measure, origins, prepare
from lissnas.oneshot.norm import GhostBatchNorm2d
from lissnas.spaces.cost import JointCost, JointTerm

__all__ = ["module_costs", "module_totals"]

NAMES = ("flops", "params")
CHECKED = 16  # random architectures that are counted as a whole
LARGEST = 1 << 12  # combinations of choices that one layer may depend on

Counts = dict[nn.Module, tuple[float, float]]


def module_costs(layout: ModuleLayout, rng: np.random.Generator) -> list[JointCost]:
    """FLOPs (multiply-adds of convolutions and linear layers) and parameters (all of them) as sums of tables.

    A layer's cost depends on the choices that it stands inside of, on its own, and on those that change how many channels or
    pixels come to it. The last are looked for by changing one gene at a time; a table then holds the layer's cost for every
    combination. That is exact, and checked on random architectures as wholes.

    Raises:
        UserError: the sums are not what whole architectures cost, or a layer depends on too many choices at once.
    """
    counter = _Counter(layout)
    paths = [[int(rng.integers(len(gene.alleles))) for gene in layout.genes] for _ in range(CHECKED)]
    depends = counter.enclosing()
    costs = _tables(layout, counter, depends)
    if not _exact(costs, counter, paths):
        costs = _tables(layout, counter, counter.probed(depends))
        if not _exact(costs, counter, paths):
            raise UserError(
                "the costs of this module's architectures are no sums over its layers: choices act on one another in ways that "
                "changing one at a time does not show, so give costs=False"
            )
    return costs


def module_totals(layout: ModuleLayout, path: Sequence[int]) -> tuple[float, float]:
    """FLOPs and parameters of one architecture, by running it."""
    return _total(_Counter(layout)(path))


class _Counter:
    """Runs architectures, and counts their layers."""

    def __init__(self, layout: ModuleLayout) -> None:
        self.genes = list(layout.genes)
        self.module = prepare(layout.prototype, track=True)
        self.images = layout.images(1)
        self.column = {gene.name: index for index, gene in enumerate(self.genes)}
        self._known: dict[tuple[int, ...], Counts] = {}

    def __call__(self, path: Sequence[int]) -> Counts:
        """FLOPs and parameters of each part that has any."""
        key = tuple(path)
        if key not in self._known:
            choose(self.module, self.genes, path)
            sizes = measure(self.module, self.images)
            self._known[key] = {part: _count(part, sizes.get(part)) for part in origins(self.module).values()}
        return self._known[key]

    def enclosing(self) -> dict[nn.Module, set[int]]:
        """The genes that each part stands inside of, and its own."""
        found: dict[nn.Module, set[int]] = {}

        def walk(part: nn.Module, genes: set[int]) -> None:
            own = genes | {self.column[gene.name] for gene in part.genes()} if isinstance(part, ChoiceLayer) else genes
            found[part] = found.get(part, set()) | own
            for child in part.children():
                walk(child, own)

        walk(self.module, set())
        return found

    def probed(self, depends: dict[nn.Module, set[int]]) -> dict[nn.Module, set[int]]:
        """``depends`` and the genes that change a part's cost where they alone change, in as many surroundings as alleles."""
        found = {part: set(genes) for part, genes in depends.items()}
        for background in range(max(len(gene.alleles) for gene in self.genes)):
            base = [min(background, len(gene.alleles) - 1) for gene in self.genes]
            counts = self(base)
            for column, gene in enumerate(self.genes):
                for allele in range(len(gene.alleles)):
                    changed = self([*base[:column], allele, *base[column + 1 :]])
                    for part in counts.keys() | changed.keys():
                        if counts.get(part) != changed.get(part):
                            found[part].add(column)
        return found


def _tables(layout: ModuleLayout, counter: _Counter, depends: dict[nn.Module, set[int]]) -> list[JointCost]:
    groups: dict[tuple[int, ...], list[nn.Module]] = {}
    for part, found in depends.items():
        groups.setdefault(tuple(sorted(found)), []).append(part)
    base = np.zeros(2)
    terms: list[tuple[tuple[int, ...], NDArray[np.float64]]] = []
    for columns, parts in groups.items():
        shape = [layout.genes[gene].radix for gene in columns]
        if np.prod(shape, dtype=object) > LARGEST:
            names = ", ".join(layout.genes[gene].name for gene in columns)
            raise UserError(f"a layer's cost depends on the choices {names} at once, too many to count each: give costs=False")
        table = np.zeros((*shape, 2))
        for alleles in itertools.product(*map(range, shape)):
            path = [0] * len(layout.genes)
            for gene, allele in zip(columns, alleles, strict=True):
                path[gene] = min(allele, len(layout.genes[gene].alleles) - 1)
            counts = counter(path)
            table[alleles] = np.sum([counts.get(part, (0.0, 0.0)) for part in parts], axis=0)
        if columns and table.any():
            terms.append((columns, table))
        elif not columns:
            base += table
    return [
        JointCost(name, float(base[which]), [JointTerm(genes, table[..., which]) for genes, table in terms])
        for which, name in enumerate(NAMES)
    ]


def _exact(costs: Sequence[JointCost], counter: _Counter, paths: Sequence[Sequence[int]]) -> bool:
    x = np.array(paths, dtype=np.uint8)
    sums = np.stack([cost.evaluate(x, {}) for cost in costs], axis=1)
    return np.array_equal(sums, [_total(counter(path)) for path in paths])


def _total(counts: Counts) -> tuple[float, float]:
    flops, params = np.sum(list(counts.values()) or [(0.0, 0.0)], axis=0)
    return float(flops), float(params)


def _count(part: nn.Module, size: Size | None) -> tuple[float, float]:
    """FLOPs and parameters of one part as it is run; one that is not run has its parameters nonetheless."""
    parameters = sum(p.numel() for p in part.parameters(recurse=False))
    if size is None or not isinstance(part, (nn.Conv2d, nn.Linear, GhostBatchNorm2d)):
        return 0.0, float(parameters)
    if isinstance(part, GhostBatchNorm2d):
        return 0.0, float(2 * size.inputs * part.affine)
    weights, bias = part.weight.numel(), 0 if part.bias is None else size.outputs
    if isinstance(part, nn.Linear):
        weights = size.inputs * size.outputs
    elif isinstance(part, SlicedConv2d):
        kernel = size.kernel**2 or part.weight[0, 0].numel()
        depthwise = part.groups == part.in_channels == part.out_channels and part.groups > 1
        weights = size.outputs * (1 if depthwise else size.inputs // part.groups) * kernel
    return float(size.positions * weights), float(weights + bias)
