"""DARTS cells as a search space (reconstruction B.2; automl/nasbench301)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.base import Costs, Neighbors, SearchSpace
from lissnas.spaces.darts.cells import INPUTS, Cells, cell_tables
from lissnas.spaces.darts.edits import CellEdits, cell_distance, cell_edits
from lissnas.spaces.darts.layout import OPERATIONS, DartsLayout
from lissnas.spaces.darts.notation import KINDS, Cell, config_of, genotype_of, read_config, read_genotype
from lissnas.spaces.darts.paths import path_features
from lissnas.spaces.diagram import Diagram
from lissnas.spaces.draw import walk_to_distance
from lissnas.spaces.gene import Gene

__all__ = ["DartsSpace", "darts"]

_BLOCK = 1 << 13
_MAX_LISTED = 1 << 24


def darts(
    init_channels: int = 32,
    layers: int = 8,
    resolution: int = 32,
    classes: int = 10,
    *,
    nodes: int = 4,
    operations: Sequence[str] = OPERATIONS,
) -> DartsSpace:
    """The 1.46e17 networks of NAS-Bench-301: a normal and a reduction cell of DARTS, at the size that it trained on CIFAR-10.

    Args:
        init_channels, layers, resolution, classes: of the network; DARTS itself evaluates 36 channels in 20 layers.
        nodes, operations: fewer of them make a space that can be listed.
    """
    return DartsSpace(DartsLayout(resolution, 3, classes, init_channels, layers, nodes, tuple(operations)))


class DartsSpace(SearchSpace):
    """Two cells, ``normal`` and ``reduce``, of nodes that each add up two edges from earlier nodes or the cell's two inputs.

    A genotype holds for each cell the pair of inputs of its nodes (node 2 has but one), then the operations of all edges in
    the order of nodes, the edge from the smaller input first. Networks that differ only in the names of intermediate nodes are
    one: of all drawings the canonical one has the smallest genotype. (The output concatenates the nodes, so drawings have the
    same weights in another order.) A *drawing* is any row of alleles; all are allowed, and ``canonicalize`` reads them.

    One edit changes an operation, or takes an input from another node that does not depend on this one: one edit in some
    drawing of the network, so it can be undone and does not depend on the drawing. Distances are exact.

    ``neighbors`` is uniform over the distinct networks at distance 1. Further away it walks, each step one of all edits that
    lead one edit further, so that networks which more walks lead to come more often; in a space of more than 4,096 networks a
    row whose walks all fell short is left out.

    ``features`` offers ``path`` too: which sequences of operations lead from an input to the output, 11,200 columns. ``embed``
    is the op-coded adjacency: a number for each edge that there could be, 28, the operation counted from 1 where there is one.

    Costs are those of the evaluated network (see :class:`DartsLayout`), auxiliary head excluded; parameters include those of
    batch norms, as DARTS counts them.
    """

    cost_names = ("flops", "params")
    isomorphisms = "folds the names of a cell's intermediate nodes"
    paper = (
        "Liu, Simonyan, Yang: DARTS: Differentiable Architecture Search, ICLR 2019; Zela, Siems et al.: Surrogate NAS "
        "Benchmarks: Going Beyond the Limited Search Spaces of Tabular NAS Benchmarks (NAS-Bench-301), ICLR 2022"
    )
    feature_kinds = ("one-hot", "ordinal", "op-coded", "path")

    def __init__(self, layout: DartsLayout) -> None:
        self.name = "darts"
        self.layout: DartsLayout = layout
        self.tables = cell_tables(layout.nodes, len(layout.operations))
        self.genes = tuple(gene for kind in KINDS for gene in self._genes_of(kind))
        self.encodings = (len(self.tables.sources) * self.tables.labellings) ** 2
        self.cardinality = self.tables.cardinality**2
        self.max_edits = 2 * self.tables.edges
        self._base_cost, self._edge_cost = layout.costs()
        # the nodes that have a choice of inputs are genes
        self._chosen = [node for node, pairs in enumerate(self.tables.pairs) if len(pairs) > 1]

    def _genes_of(self, kind: str) -> Iterator[Gene]:
        for node, pairs in enumerate(self.tables.pairs):
            if len(pairs) > 1:
                yield Gene(f"{kind}_{INPUTS + node}_inputs", tuple(f"{a}_{b}" for a, b in pairs))
        for node in range(self.tables.nodes):
            for which in ("first", "second"):
                yield Gene(f"{kind}_{INPUTS + node}_{which}", self.layout.operations)

    def definition(self) -> dict[str, Any]:
        layout = self.layout
        options = {name: getattr(layout, name) for name in ("init_channels", "layers", "resolution", "classes", "nodes")}
        return {"kind": "published", "name": self.name, "options": {**options, "operations": list(layout.operations)}}

    # -- genotypes and cells ----------------------------------------------------------------------------------------

    def drawn(self, genotypes: Genotypes) -> list[tuple[NDArray[np.int64], Genotypes]]:
        """Of each cell, as it is drawn: its structure int64[n], and the operations of its edges uint8[n, E]."""
        half, chosen = self.length // 2, len(self._chosen)
        cells = []
        for part in (genotypes[:, :half], genotypes[:, half:]):
            choices = np.zeros((len(part), self.tables.nodes), dtype=np.uint8)
            choices[:, self._chosen] = part[:, :chosen]
            cells.append((self.tables.structures_of(choices), part[:, chosen:]))
        return cells

    def _cells(self, genotypes: Genotypes) -> Cells:
        """int64[n, 2], the two cells of each row, canonical."""
        cells = np.empty((len(genotypes), 2), dtype=np.int64)
        for low in range(0, len(genotypes), _BLOCK):
            for index, (structure, labels) in enumerate(self.drawn(genotypes[low : low + _BLOCK])):
                cells[low : low + _BLOCK, index] = self.tables.find(structure, labels)
        return cells

    def _rows(self, cells: Cells) -> Genotypes:
        """uint8[n, L], the genotypes of canonical cells int64[n, 2]."""
        half, chosen = self.length // 2, len(self._chosen)
        genotypes = np.empty((len(cells), self.length), dtype=np.uint8)
        for low in range(0, len(cells), _BLOCK):
            for index in range(2):
                structure, labels = self.tables.split(cells[low : low + _BLOCK, index])
                part = genotypes[low : low + _BLOCK, index * half : (index + 1) * half]
                part[:, :chosen] = self.tables.choices[structure][:, self._chosen]
                part[:, chosen:] = labels
        return genotypes

    def _sample(self, n: int, rng: np.random.Generator) -> Genotypes:
        return self._rows(np.stack([self.tables.sample(n, rng) for _ in KINDS], axis=1))

    def _canonicalize(self, genotypes: Genotypes) -> Genotypes:
        return self._rows(self._cells(genotypes))

    def _is_valid(self, genotypes: Genotypes) -> NDArray[np.bool_]:
        valid = np.ones(len(genotypes), dtype=bool)
        for low in range(0, len(genotypes), _BLOCK):
            for structure, labels in self.drawn(genotypes[low : low + _BLOCK]):
                valid[low : low + _BLOCK] &= self.tables.is_canonical(structure, labels)
        return valid

    def drawings(self, genotypes: Genotypes, rng: np.random.Generator) -> Genotypes:
        """One drawing of each network, uint8[n, L], uniform over the orders of its nodes in which inputs come first.

        What reads one drawing of a network (the surrogate of NAS-Bench-301 does) can be studied with it.
        """
        half, chosen = self.length // 2, len(self._chosen)
        drawings = self.check(genotypes).copy()
        for index, (structure, labels) in enumerate(self.drawn(genotypes)):
            new, edge = self.tables.redraw(structure, rng)
            part = drawings[:, index * half : (index + 1) * half]
            part[:, :chosen] = self.tables.choices[new][:, self._chosen]
            part[:, chosen:] = np.take_along_axis(labels, edge, axis=1)
        return drawings

    def enumerate(self, block: int = 1 << 16) -> Iterator[Genotypes]:
        if self.cardinality > _MAX_LISTED:
            yield from super().enumerate(block)
        cells = self.tables.enumerate()
        for low in range(0, self.cardinality, block):
            index = np.arange(low, min(low + block, self.cardinality))
            yield self._rows(cells[np.stack(np.divmod(index, len(cells)), axis=1)])

    # -- strings ----------------------------------------------------------------------------------------------------

    def format(self, genotypes: Genotypes) -> list[str]:
        return [genotype_of(cells) for cells in self._written(genotypes)]

    def parse(self, texts: Sequence[str]) -> Genotypes:
        return self.canonicalize(self.parse_drawings(texts))

    def parse_drawings(self, texts: Sequence[str]) -> Genotypes:
        """The drawings uint8[n, L] in the texts of genotypes, as they are written down."""
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise UserError(f"parse takes a list of architecture strings, but got {str(texts)[:60]!r}")
        return self._read(texts, read_genotype)

    def to_config(self, genotypes: Genotypes) -> list[dict[str, str]]:
        """Each network in the names of NAS-Bench-301's ConfigSpace (``NetworkSelectorDatasetInfo:darts:edge_normal_0`` ...)."""
        return [config_of(cells) for cells in self._written(genotypes)]

    def from_config(self, configs: Sequence[Mapping[str, Any]]) -> Genotypes:
        """The genotypes uint8[n, L] of configurations of NAS-Bench-301, the inverse of :meth:`to_config`.

        Raises:
            UserError: a configuration that draws no cells, by its row.
        """
        return self.canonicalize(self._read(configs, read_config))

    def _written(self, genotypes: Genotypes) -> list[list[Cell]]:
        """Each cell as nodes of two edges (operation, source)."""
        self.check(genotypes)
        names = self.layout.operations
        cells: list[list[Cell]] = [[] for _ in genotypes]
        for structure, labels in self.drawn(genotypes):
            for row, (sources, alleles) in enumerate(
                zip(self.tables.sources[structure].tolist(), labels.tolist(), strict=True)
            ):
                edges = [(names[allele], source) for source, allele in zip(sources, alleles, strict=True)]
                cells[row].append([edges[2 * node : 2 * node + 2] for node in range(self.tables.nodes)])
        return cells

    def _read(self, written: Sequence[Any], read: Any) -> Genotypes:
        drawings = np.empty((len(written), self.length), dtype=np.uint8)
        for row, item in enumerate(written):
            try:
                cells = read(item, self.tables.nodes)
                drawings[row] = [
                    allele for kind, cell in zip(KINDS, cells, strict=True) for allele in self._alleles(kind, cell)
                ]
            except UserError as error:
                raise UserError(f"row {row}: {error}") from None
        return drawings

    def _alleles(self, kind: str, cell: Cell) -> list[int]:
        """The genes of one cell."""
        choices, labels = [], []
        for node, edges in enumerate(cell):
            ordered = sorted(edges, key=lambda edge: edge[1])
            pair = (ordered[0][1], ordered[1][1])
            if pair not in self.tables.pairs[node]:
                raise UserError(
                    f"node {INPUTS + node} of the {kind} cell takes two different inputs from 0 to {INPUTS + node - 1}, "
                    f"but has {pair[0]} and {pair[1]}"
                )
            if node in self._chosen:
                choices.append(self.tables.pairs[node].index(pair))
            for operation, _ in ordered:
                if operation not in self.layout.operations:
                    raise UserError(f"unknown operation '{operation}': there are {', '.join(self.layout.operations)}")
                labels.append(self.layout.operations.index(operation))
        return choices + labels

    # -- edits ------------------------------------------------------------------------------------------------------

    def _neighbors(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        if not len(genotypes) or edits > 4 * self.max_edits or self.cardinality == 1:
            return Neighbors(genotypes[:0].copy(), np.zeros(0, dtype=np.intp))
        if edits > 1:
            return walk_to_distance(self, genotypes, edits, rng, self._step, self._count_edits)
        cells = self._cells(genotypes)
        rows = []
        for low in range(0, len(cells), _BLOCK):
            block = cells[low : low + _BLOCK]
            near = []
            for index in range(2):  # who asks for many neighbors of one row has its cells listed once
                own, which = np.unique(block[:, index], return_inverse=True)
                found, parents = self._edits.neighbors(own)
                count = np.bincount(parents, minlength=len(own))
                near.append((found, (np.cumsum(count) - count)[which], count[which]))
            first = near[0][2]
            total = first + near[1][2]
            pick = rng.integers(0, np.maximum(total, 1))
            second = (pick >= first).astype(np.intp)
            for index, (found, start, _) in enumerate(near):
                row = np.flatnonzero((second == index) & (total > 0))
                block[row, index] = found[start[row] + pick[row] - (first[row] if index else 0)]
            rows.append(low + np.flatnonzero(total))
        drawn = np.concatenate(rows)
        return Neighbors(self._rows(cells[drawn]), drawn)

    @property
    def _edits(self) -> CellEdits:
        return cell_edits(self.tables.nodes, self.tables.operations)

    def _count_edits(self, genotypes: Genotypes) -> NDArray[np.float64]:
        """float64[n], at least as many as there are neighbors."""
        cells = self._cells(genotypes)
        return (self._edits.count_edits(cells[:, 0]) + self._edits.count_edits(cells[:, 1])).astype(np.float64)

    def _step(self, genotypes: Genotypes, rng: np.random.Generator) -> Genotypes:
        """A random edit of each row."""
        cells = self._cells(genotypes)
        counts = [self._edits.count_edits(cells[:, index]) for index in range(2)]
        number = rng.integers(0, counts[0] + counts[1])
        second = number >= counts[0]
        for index, rows in enumerate((np.flatnonzero(~second), np.flatnonzero(second))):
            cells[rows, index] = self._edits.edit(cells[rows, index], number[rows] - (counts[0][rows] if index else 0))
        return self._rows(cells)

    def _all_neighbors(self, genotypes: Genotypes) -> Neighbors:
        cells = self._cells(genotypes)
        found, parents = [], []
        for index in range(2):
            near, parent = self._edits.neighbors(cells[:, index])
            block = cells[parent]
            block[:, index] = near
            found.append(block)
            parents.append(parent)
        order = np.argsort(np.concatenate(parents), kind="stable")
        return Neighbors(self._rows(np.concatenate(found)[order]), np.concatenate(parents)[order])

    def _distance(self, a: Genotypes, b: Genotypes) -> NDArray[np.int64]:
        left, right = self._cells(a), self._cells(b)
        normal, reduce = (cell_distance(self.tables, left[:, index], right[:, index]) for index in range(2))
        return normal + reduce

    # -- what predictors and users see ------------------------------------------------------------------------------

    def _features(self, genotypes: Genotypes, kind: str) -> NDArray[np.float32]:
        if kind != "path":
            return super()._features(genotypes, kind)
        return np.concatenate([path_features(self.tables, *cell) for cell in self.drawn(genotypes)], axis=1)

    def embed(self, genotypes: Genotypes) -> NDArray[np.float32]:
        vectors = []
        for structure, labels in self.drawn(self.check(genotypes)):
            vector = np.zeros((len(genotypes), int(self.tables.places.max()) + 1), dtype=np.float32)
            np.put_along_axis(vector, self.tables.places[structure], labels + np.float32(1), axis=1)
            vectors.append(vector)
        return np.concatenate(vectors, axis=1)

    def _cost(self, genotypes: Genotypes) -> Costs:
        totals = np.empty((2, len(genotypes)))
        for low in range(0, len(genotypes), _BLOCK):
            total = np.repeat(self._base_cost[:, None], len(genotypes[low : low + _BLOCK]), axis=1)
            for index, (structure, labels) in enumerate(self.drawn(genotypes[low : low + _BLOCK])):
                tables = self._edge_cost[:, index].reshape(2, -1)
                outside = self.tables.sources.T < INPUTS
                for edge in range(self.tables.edges):
                    entry = outside[edge][structure] * np.intp(self.tables.operations) + labels[:, edge]
                    total += tables[:, entry]
            totals[:, low : low + _BLOCK] = total
        return Costs(dict(zip(self.cost_names, totals, strict=True)))

    def diagram(self, genotype: Genotypes) -> Diagram:
        """The two cells side by side, a label on each edge for its operation."""
        labels: list[str] = []
        edges: list[tuple[int, int, str]] = []
        groups: list[str] = []
        (cells,) = self._written(self.require_valid(np.asarray(genotype, dtype=np.uint8)[None]))
        for kind, cell in zip(("normal cell", "reduction cell"), cells, strict=True):
            first = len(labels)
            labels += ["k-2", "k-1", *(str(INPUTS + node) for node in range(len(cell))), "concat"]
            for node, inputs in enumerate(cell):
                edges += [(first + source, first + INPUTS + node, operation) for operation, source in inputs]
            edges += [(first + INPUTS + node, len(labels) - 1, "") for node in range(len(cell))]
            groups += [kind] * (len(labels) - first)
        return Diagram(tuple(labels), tuple(edges), tuple(groups))
