"""Cells with an operation on every edge between four nodes: what NAS-Bench-201 and TransNAS-Bench-101's micro space share."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.chain import Conv
from lissnas.spaces.cost import Cost
from lissnas.spaces.diagram import Diagram
from lissnas.spaces.gene import Gene
from lissnas.spaces.layouts import Layout
from lissnas.spaces.product import ProductSpace

__all__ = ["EDGES", "PATHS", "EdgeCellSpace", "conv_with_norm", "edges_into", "read_texts"]

NODES = 4
# In the order of the official strings: node by node, each from all nodes before it.
EDGES = tuple((start, end) for end in range(1, NODES) for start in range(end))


def _paths() -> tuple[tuple[int, ...], ...]:
    """Every way from the first node to the last, as indices of edges; short ones first."""
    ways = []
    for stops in range(NODES - 1):
        for between in itertools.combinations(range(1, NODES - 1), stops):
            way = (0, *between, NODES - 1)
            ways.append(tuple(EDGES.index(edge) for edge in itertools.pairwise(way)))
    return tuple(ways)


PATHS = _paths()


def edges_into(node: int) -> list[tuple[int, int]]:
    """(index of the edge, node it comes from) of the edges that lead to ``node``."""
    return [(index, start) for index, (start, end) in enumerate(EDGES) if end == node]


def conv_with_norm(kernel: int, in_channels: int, out_channels: int, resolution: int, stride: int = 1) -> NDArray[np.float64]:
    """Multiply-adds of a convolution, and its parameters with those of the batch norm behind it: float64[2]."""
    flops, weights = Conv(kernel, in_channels, out_channels, stride).cost(resolution)
    return np.array([flops, weights + 2 * out_channels])


def read_texts(texts: Sequence[str], read: Callable[[str], Sequence[int]], length: int) -> Genotypes:
    """``read`` on each of ``texts``: uint8[n, length].

    Raises:
        UserError: not a list of texts, or one that cannot be read, named by its row.
    """
    if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
        raise UserError(f"parse takes a list of architecture strings, but got {str(texts)[:60]!r}")
    x = np.empty((len(texts), length), dtype=np.uint8)
    for row, text in enumerate(texts):
        try:
            x[row] = read(text.strip())
        except UserError as error:
            raise UserError(f"row {row}: {error}") from None
    return x


class EdgeCellSpace(ProductSpace):
    """A gene per edge of a cell of four nodes; a node is the sum of what the edges into it bring.

    Every encoding is an architecture of its own. One edit changes the operation on one edge. Besides the encodings of every
    space there is ``path``: for each sequence of operations that can lie on a way through the cell, whether one does (White
    et al., BANANAS, 2021; a ``none`` on the way cuts it).

    Args:
        name: a name of ``SPACES``.
        operations: what can be on an edge; the first is ``none``.
        skip: the operation that leaves what it is given as it is.
        reduces: whether some cells reduce what comes in, so that a skip from the first node is an operation there.
        options: what the registered function is called with to make this space again.
    """

    def __init__(
        self,
        name: str,
        operations: Sequence[str],
        *,
        skip: str,
        costs: Sequence[Cost],
        layout: Layout,
        options: Mapping[str, Any],
        paper: str,
        reduces: bool = False,
    ) -> None:
        genes = [Gene(f"edge_{start}_{end}", tuple(operations)) for start, end in EDGES]
        super().__init__(name, genes, costs=costs, layout=layout, paper=paper)
        self.operations = tuple(operations)
        self.skip = self.operations.index(skip)
        self.reduces = reduces
        self.options = dict(options)
        self.isomorphisms = "none: the benchmark holds a training for every encoding"
        self.feature_kinds = (*self.feature_kinds, "path")

    def definition(self) -> dict[str, Any]:
        return {"kind": "published", "name": self.name, "options": self.options}

    @abstractmethod
    def _write(self, row: Sequence[int]) -> str:
        """The official string of the alleles of one cell."""

    @abstractmethod
    def _read(self, text: str) -> Sequence[int]:
        """The alleles that a string names.

        Raises:
            UserError: which part of it is wrong.
        """

    def format(self, genotypes: Genotypes) -> list[str]:
        return [self._write(row) for row in self.check(genotypes).tolist()]

    def parse(self, texts: Sequence[str]) -> Genotypes:
        return read_texts(texts, self._read, self.length)

    def merged_keys(self, genotypes: Genotypes) -> list[tuple[str, ...]]:
        """What each cell computes: the sorted terms of its output's sum, each an operation on a sum of terms.

        A skip brings the terms of its node, and ``none``, or an operation on a node without any term, brings nothing.
        """
        keys = []
        for row in self.check(genotypes).tolist():
            nodes: list[tuple[str, ...]] = [("in",)]
            for node in range(1, NODES):
                terms: list[str] = []
                for edge, start in edges_into(node):
                    operation, source = row[edge], nodes[start]
                    if operation == self.skip and not (self.reduces and start == 0):
                        terms += source
                    elif operation and source:
                        terms.append(f"{self.operations[operation]}({'+'.join(source)})")
                nodes.append(tuple(sorted(terms)))
            keys.append(nodes[-1])
        return keys

    def _features(self, genotypes: Genotypes, kind: str) -> NDArray[np.float32]:
        if kind != "path":
            return super()._features(genotypes, kind)
        choices = len(self.operations) - 1
        lengths = sorted({len(path) for path in PATHS})
        first = dict(zip(lengths, np.cumsum([0, *(choices**length for length in lengths[:-1])]), strict=True))
        features = np.zeros((len(genotypes), sum(choices**length for length in lengths)), dtype=np.float32)
        for path in PATHS:
            rows = np.flatnonzero((genotypes[:, path] > 0).all(axis=1))
            place = np.zeros(len(rows), dtype=np.intp)
            for edge in path:
                place = place * choices + genotypes[rows, edge] - 1
            features[rows, first[len(path)] + place] = 1
        return features

    def diagram(self, genotype: Genotypes) -> Diagram:
        (row,) = self.require_valid(np.asarray(genotype, dtype=np.uint8)[None]).tolist()
        edges = [(start, end, self.operations[op]) for (start, end), op in zip(EDGES, row, strict=True) if op > 0]
        return Diagram(("in", *(str(node) for node in range(1, NODES - 1)), "out"), tuple(edges))
