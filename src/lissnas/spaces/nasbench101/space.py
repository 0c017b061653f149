"""NAS-Bench-101 as a search space."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.base import Ball, Costs, Neighbors, SearchSpace
from lissnas.spaces.diagram import Diagram
from lissnas.spaces.gene import Gene
from lissnas.spaces.nasbench101.costs import CellLayout, shape_costs
from lissnas.spaces.nasbench101.drawings import (
    EDGES,
    INACTIVE,
    INTERIOR,
    MAX_EDGES,
    OPERATIONS,
    OUT,
    SHIFT,
    count_edges,
    mask_of,
    prune,
)
from lissnas.spaces.nasbench101.edits import RULES, EditGraph, edit_graph
from lissnas.spaces.nasbench101.hashes import official_hashes
from lissnas.spaces.nasbench101.kernels import count_paths, find_canonical, identify_genotypes
from lissnas.spaces.nasbench101.reading import identify, identify_drawings, read_drawings
from lissnas.spaces.nasbench101.search import draw_at_distance, draw_far, list_ball, measure_distances
from lissnas.spaces.nasbench101.tables import CellTables, cell_tables
from lissnas.spaces.nasbench101.texts import format_genotypes, parse_texts

__all__ = ["NASBench101"]

CELLS = 423_624
PATHS = sum(len(OPERATIONS) ** length for length in range(INTERIOR + 1))  # 364 sequences of up to 5 operations

_NAME = "nasbench101"
_ROWS = 1 << 20  # searches at a time


class NASBench101(SearchSpace):
    """The 423,624 cells: IN, OUT, up to 5 vertices between them that each do one of three operations, at most 9 edges.

    A genotype is the 21 edges of a drawing with 7 places (5-6, 4-6, ..., 0-1; IN at 0, OUT at 6, the others from 1 on), and
    5 operations, inactive where there is no vertex. Of all drawings of a cell the one with the smallest code stands for it,
    which is the one that the official list has; cells are numbered in the order of their codes (:meth:`ids`). A genotype with
    a stranded vertex, which pruning would remove, is no architecture: :meth:`canonicalize` refuses it, and :meth:`from_matrix`
    prunes it.

    An edit is made between graphs, whatever their drawings, and can be undone by another. What counts as one is a rule:

    * ``graph``: one operation changed, or one edge added or removed such that no vertex is stranded. The number of vertices
      never changes, and the cells fall into 13 components.
    * ``stranding``: also an edge whose removal strands vertices, which are pruned away, and the reverse of that.
    * ``operation``, ``edge``: only the one kind of edit of ``graph``.

    :meth:`with_edits` gives the same space under another rule. Distances are exact, the fewest edits; neighbors are uniform
    over all cells at that distance, up to the longest there is, and a row is missing only where there is none.

    Text form: the adjacency matrix row by row, a colon, the operations of the vertices between IN and OUT.
    ``0110001000010000:conv3x3-bn-relu,maxpool3x3`` has 4 vertices. Any drawing can be read so, and so can an official hash.

    Args:
        edits: the rule.
        layout: the network around the cell.

    Raises:
        UserError: no such rule.
    """

    encodings = 2 ** len(EDGES) * len(OPERATIONS) ** INTERIOR
    cardinality = CELLS
    max_edits = MAX_EDGES
    distance_by_search = True
    isomorphisms = "folds all drawings of one cell: orders of its vertices, and vertices on no way from input to output"
    paper = "Ying et al., NAS-Bench-101: Towards Reproducible Neural Architecture Search, ICML 2019 (arXiv 1902.09635)"
    cost_names = ("flops", "params")
    feature_kinds = ("one-hot", "ordinal", "op-coded", "path", "path-count")
    edit_kinds = ("operation", "edge")  # rules that locality is measured under one by one

    def __init__(self, edits: str = "graph", layout: CellLayout | None = None) -> None:
        if edits not in RULES:
            raise UserError(f"edits of '{_NAME}' follow one of the rules {', '.join(RULES)}, but got {edits!r}")
        self.edits = edits
        self.name = _NAME if edits == "graph" else f"{_NAME}-{edits}"
        self.layout: CellLayout = layout or CellLayout()
        self.unreachable = None if RULES[edits].connected else RULES[edits].longest + 1
        edges = [Gene(f"edge_{i}_{j}", (0, 1), ordered=True) for i, j in EDGES]
        into = [" + ".join(f"edge_{i}_{j}" for i in range(j)) for j in range(1, OUT)]
        self.genes = (*edges, *(Gene(f"op_{j + 1}", OPERATIONS, active=f"{sum_in} > 0") for j, sum_in in enumerate(into)))

    def definition(self) -> dict[str, Any]:
        options = {
            "edits": self.edits,
            "resolution": self.layout.resolution,
            "classes": self.layout.classes,
            "stem_channels": self.layout.stem_channels,
        }
        if self.layout.cells != CellLayout.cells:
            options["cells"] = self.layout.cells
        return {"kind": "published", "name": _NAME, "options": options}

    def with_edits(self, edits: str) -> NASBench101:
        """The same cells and costs, under another rule of what one edit is."""
        return NASBench101(edits, self.layout)

    @property
    def _tables(self) -> CellTables:
        return cell_tables()

    @property
    def _graph(self) -> EditGraph:
        return edit_graph(self.edits)

    # -- cells by number --------------------------------------------------------------------------------------------

    def ids(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """int64[n]: the number of each cell, 0 to 423,623 in the order of codes: the row of a table of all cells.

        Raises:
            UserError: a row that is no canonical architecture.
        """
        if getattr(genotypes, "dtype", None) != np.uint8 or genotypes.shape[1:] != (self.length,):
            self.check(genotypes)  # alleles that do not exist are no cell's, and found below
        ids = self._identify(genotypes, canonical=True)
        if len(ids) and ids.min() < 0:
            self.require_valid(genotypes)
        return ids

    def genotypes_of(self, ids: NDArray[np.integer[Any]]) -> Genotypes:
        """uint8[n, 26]: the cells of these numbers, the reverse of :meth:`ids`."""
        ids = np.asarray(ids)
        if ids.ndim != 1 or ids.dtype.kind not in "iu" or (len(ids) and not 0 <= ids.min() <= ids.max() < CELLS):
            raise UserError(f"cells of '{self.name}' are whole numbers from 0 to {CELLS - 1}, but got {_shown(ids)}")
        return self._rows(ids)

    def _rows(self, ids: NDArray[Any]) -> Genotypes:
        return np.take(self._tables.genotypes, ids, axis=0)

    def _identify(self, genotypes: Genotypes, canonical: bool) -> NDArray[np.int64]:
        ids = np.empty(len(genotypes), dtype=np.int64)
        tables = self._tables
        find = find_canonical if canonical else identify_genotypes
        find(_plain(genotypes), tables.drawings, tables.cells, tables.codes, ids)
        return ids

    # -- raw drawings and official hashes ---------------------------------------------------------------------------

    def from_matrix(self, adjacency: Any, operations: Any) -> Genotypes:
        """The genotypes uint8[n, 26] of raw drawings, pruned: see :meth:`ids_from_matrix`; one drawing gives one row."""
        return self._rows(self.ids_from_matrix(adjacency, operations))

    def ids_from_matrix(self, adjacency: Any, operations: Any) -> NDArray[np.int64]:
        """int64[n]: the cells of raw drawings, whose vertices may stand in any order and may be stranded.

        A batch uint8[n, V, V] with operations uint8[n, V - 2] takes about 40 ns a drawing.

        Args:
            adjacency: one matrix, an array [n, V, V], or a list of matrices of any sizes up to 7; the first vertex is IN, the
                last OUT.
            operations: for each drawing the names of its interior vertices' operations, with or without "input" and
                "output" around them; or whole numbers, the official labels 0 conv3x3, 1 conv1x1, 2 maxpool3x3.

        Raises:
            UserError: a cycle, more than 9 edges after pruning, no way from IN to OUT, an unknown operation, a wrong shape;
                with the row.
        """
        return identify_drawings(adjacency, operations)

    def drawing_params(self, adjacency: Any, operations: Any) -> NDArray[np.float64]:
        """float64[n]: the parameters of the network that raw drawings make, vertices in the order of the drawing.

        Spare channels go by the order of vertices, so that some drawings of a cell differ from the canonical one by up to 1.2%.
        The official counts are those of :meth:`cost`. Arguments as in :meth:`ids_from_matrix`; all edges
        must lead forward.
        """
        groups = read_drawings(adjacency, operations)
        params = np.empty(sum(len(group.rows) for group in groups))
        for group in groups:
            identify(group)  # what is no cell is named
            matrices, codes = group.placed()
            backward = np.flatnonzero(np.tril(matrices).any(axis=(1, 2)))
            if len(backward):
                raise UserError(
                    f"row {group.rows[backward[0]]}: parameters depend on the order of vertices, so edges must lead from "
                    "earlier to later ones"
                )
            masks, shapes = np.unique(prune(mask_of(matrices))[0], return_inverse=True)
            params[group.rows] = shape_costs(masks, self.layout).total(shapes, codes)[1]
        return params

    def official_hash(self, genotypes: Genotypes) -> list[str]:
        """The official hash of each cell: 32 hexadecimal digits."""
        return official_hashes(self.ids(genotypes))

    # -- genotypes --------------------------------------------------------------------------------------------------

    def _sample(self, n: int, rng: np.random.Generator) -> Genotypes:
        return self._rows(rng.integers(0, CELLS, size=n))

    def enumerate(self, block: int = 1 << 16) -> Iterator[Genotypes]:
        for low in range(0, CELLS, block):
            yield self._tables.genotypes[low : low + block].copy()

    def _is_valid(self, genotypes: Genotypes) -> NDArray[np.bool_]:
        valid: NDArray[np.bool_] = self._identify(genotypes, canonical=True) >= 0
        return valid

    def _canonicalize(self, genotypes: Genotypes) -> Genotypes:
        ids = self._identify(genotypes, canonical=False)
        if len(ids) and ids.min() < 0:
            row = int(np.flatnonzero(ids < 0)[0])
            raise UserError(
                f"row {row} ({_shown(genotypes[row])}) is no cell of '{self.name}': {self._explain(genotypes[row])}"
            )
        return self._rows(ids)

    def _recognize(self, genotypes: Genotypes) -> Neighbors:
        ids = self._identify(genotypes, canonical=False)
        rows = np.flatnonzero(ids >= 0)
        return Neighbors(self._rows(ids[rows]), rows)

    def require_valid(self, genotypes: Genotypes) -> Genotypes:
        """Return ``genotypes``, or name the first row that is no canonical architecture, and what is wrong with it."""
        valid = self.is_valid(genotypes)
        if not valid.all():
            row = int(np.flatnonzero(~valid)[0])
            raise UserError(
                f"row {row} ({_shown(genotypes[row])}) is no canonical architecture of '{self.name}': "
                f"{self._explain(genotypes[row])}"
            )
        return genotypes

    def _explain(self, genotype: NDArray[np.uint8]) -> str:
        mask = sum(int(bit) << int(SHIFT[i, j]) for bit, (i, j) in zip(genotype, EDGES, strict=False))
        left, inside = prune(np.array([mask]))
        if left[0] == 0:
            return "no way leads from the input to the output"
        for vertex in range(1, OUT):
            has_edges = any(genotype[e] for e, edge in enumerate(EDGES) if vertex in edge)
            active = genotype[len(EDGES) + vertex - 1] != INACTIVE
            on_way = bool(inside[0] >> (vertex - 1) & 1)
            if on_way and not active:
                return f"vertex {vertex} has edges but no operation"
            if not on_way and (active or has_edges):
                return f"vertex {vertex} is stranded, on no way from input to output: .from_matrix() prunes it"
        if count_edges(left)[0] > MAX_EDGES:
            return f"a cell has at most {MAX_EDGES} edges, but this has {count_edges(left)[0]}"
        return "it is another drawing of a cell: see .canonicalize()"

    def format(self, genotypes: Genotypes) -> list[str]:
        return format_genotypes(genotypes, self._tables.interior[self._tables.shape_of[self.ids(genotypes)]])

    def parse(self, texts: Sequence[str]) -> Genotypes:
        return self._rows(parse_texts(texts, self.name))

    def diagram(self, genotype: Genotypes) -> Diagram:
        row = self.require_valid(np.asarray(genotype, dtype=np.uint8)[None])[0]
        places = [0, *(v for v in range(1, OUT) if row[len(EDGES) + v - 1] != INACTIVE), OUT]
        labels = ["in", *(OPERATIONS[row[len(EDGES) + v - 1]].removesuffix("-bn-relu") for v in places[1:-1]), "out"]
        edges = [(places.index(i), places.index(j), "") for bit, (i, j) in zip(row, EDGES, strict=False) if bit]
        return Diagram(tuple(labels), tuple(edges))

    # -- edits ------------------------------------------------------------------------------------------------------

    def _all_neighbors(self, genotypes: Genotypes) -> Neighbors:
        found, parents = self._graph.list_neighbors(self.ids(genotypes))
        return Neighbors(self._rows(found), parents)

    def _neighbors(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        ids = self.ids(genotypes)
        drawn = np.full(len(ids), -1, dtype=np.int64)
        rule, graph = RULES[self.edits], self._graph
        draw = draw_at_distance if edits < rule.far else draw_far
        order = np.argsort(
            ids, kind="stable"
        )  # cells of near numbers have near neighbors: memory is read in places, not all over
        for low in range(0, len(ids) if edits <= rule.longest else 0, _ROWS):
            rows = order[low : low + _ROWS]
            part = np.empty(len(rows), dtype=np.int64)
            seed = rng.integers(0, 1 << 64, dtype=np.uint64, endpoint=False)
            draw(graph.first, graph.last, graph.neighbors, ids[rows], edits, seed, part)
            drawn[rows] = part
        found = np.flatnonzero(drawn >= 0)
        return Neighbors(self._rows(drawn[found]), found)

    def _distance(self, a: Genotypes, b: Genotypes) -> NDArray[np.int64]:
        graph = self._graph
        distances = np.empty(len(a), dtype=np.int64)
        measure_distances(
            graph.first,
            graph.last,
            graph.neighbors,
            graph.components,
            self.ids(a),
            self.ids(b),
            -1 if self.unreachable is None else self.unreachable,
            distances,
        )
        return distances

    def _ball(self, genotypes: Genotypes, edits: int) -> Ball:
        graph, ids = self._graph, self.ids(genotypes)
        edits = min(edits, RULES[self.edits].longest)
        sizes = np.empty(len(ids), dtype=np.int64)
        nothing = np.empty(0, dtype=np.int64)
        list_ball(graph.first, graph.last, graph.neighbors, ids, edits, sizes, nothing, nothing)
        found, travelled = np.empty(sizes.sum(), dtype=np.int64), np.empty(sizes.sum(), dtype=np.int64)
        if len(found):
            list_ball(graph.first, graph.last, graph.neighbors, ids, edits, sizes, found, travelled)
        return Ball(self._rows(found), np.repeat(np.arange(len(ids)), sizes), travelled)

    # -- features and costs -----------------------------------------------------------------------------------------

    def _features(self, genotypes: Genotypes, kind: str) -> NDArray[np.float32]:
        """``path``: which of the 364 sequences of up to 5 operations lead from IN to OUT; ``path-count``: on how many ways."""
        if kind not in ("path", "path-count"):
            return super()._features(genotypes, kind)
        counts = np.zeros((len(genotypes), PATHS), dtype=np.float32)
        count_paths(self._tables.codes[self.ids(genotypes)].astype(np.int64), counts)
        return counts if kind == "path-count" else np.minimum(counts, 1)

    def embed(self, genotypes: Genotypes) -> NDArray[np.float32]:
        """The op-coded adjacency of the paper's Appendix D, float32[n, 21]: 0 where there is no edge, else what the vertex does
        that the edge leads to: 1 conv3x3, 2 conv1x1, 3 maxpool3x3; 1 for edges to OUT (reconstruction B.1).
        """
        self.check(genotypes)
        coded = np.ones((len(genotypes), OUT), dtype=np.float32)
        coded[:, :-1] = genotypes[:, len(EDGES) :] + 1
        return genotypes[:, : len(EDGES)] * coded[:, [j - 1 for _, j in EDGES]]

    def _cost(self, genotypes: Genotypes) -> Costs:
        ids = self.ids(genotypes)
        flops, params = self._all_costs
        return Costs({"flops": flops[ids], "params": params[ids]})

    @cached_property
    def _all_costs(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        tables = self._tables
        operations = tables.genotypes[:, len(EDGES) :].astype(np.intp)
        return shape_costs(tables.masks, self.layout).total(tables.shape_of, operations)


def _plain(genotypes: Genotypes) -> Genotypes:
    """As compiled loops take it: one kind of array, so that each loop is compiled once."""
    return genotypes if genotypes.flags.c_contiguous and genotypes.flags.writeable else genotypes.copy(order="C")


def _shown(values: NDArray[Any]) -> str:
    return " ".join(str(value) for value in values.ravel()[:30].tolist())
