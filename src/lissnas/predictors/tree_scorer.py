"""The fast way through an ensemble of trees: scores of genotypes, and of all one-edit neighbors of genotypes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.engines import map_chunks, split
from lissnas.predictors.tree_masks import Forest, TreeTables, make_tables
from lissnas.spaces import Neighbors, SearchSpace

__all__ = ["TreeScorer"]

CHUNK = 1 << 14  # rows to a thread at a time
PARENT_CHUNK = 1 << 10


class TreeScorer:
    """Scores of an ensemble of trees, without XGBoost.

    Scores are exact sums of leaves rounded to a billionth of the largest sum there can be; they are the same bits for a row
    alone or among others, for one thread or many, and for a neighbor however it is asked for.

    Args:
        space: whose genotypes are scored.
        forest: the trees.

    Raises:
        UnfitTrees: the trees ask for something else than single genes, or have more than 64 leaves.
    """

    def __init__(self, space: SearchSpace, forest: Forest) -> None:
        self.tables: TreeTables = make_tables(space, forest)
        self._groups = (0,) * len(self.tables.first)  # its length is what the kernels are compiled for

    def predict(self, genotypes: Genotypes, threads: int = 1) -> NDArray[np.float64]:
        """float64[n]: the sum of leaves of each row of uint8[n, L]."""
        sums = np.zeros(len(genotypes), dtype=np.int32)
        _in_threads(lambda rows: self._sum(genotypes[rows], sums[rows]), split(len(genotypes), CHUNK), threads)
        return self._scale(sums)

    def predict_neighbors(self, genotypes: Genotypes, neighbors: Neighbors, threads: int = 1) -> NDArray[np.float64]:
        """float64[m]: the sum of leaves of ``neighbors``, found from those of ``genotypes``, whose neighbors they are.

        Any rows can be given as neighbors: those that differ from their parent in more than one gene are summed themselves.
        """
        found = np.zeros(len(neighbors.genotypes), dtype=np.int32)
        parents = np.asarray(neighbors.parents)
        order = slice(None) if (parents[1:] >= parents[:-1]).all() else np.argsort(parents, kind="stable")
        children, parents = neighbors.genotypes[order], parents[order]
        chunks = split(len(genotypes), PARENT_CHUNK)
        bounds = np.searchsorted(parents, [chunk.start for chunk in chunks] + [len(genotypes)])
        ordered = np.zeros(len(children), dtype=np.int32)

        def score(index: int) -> None:
            rows, some = chunks[index], slice(bounds[index], bounds[index + 1])
            self._sum_neighbors(genotypes[rows], children[some], parents[some] - rows.start, ordered[some])

        _in_threads(score, list(range(len(chunks))), threads)
        found[order] = ordered
        return self._scale(found)

    def _sum(self, genotypes: Genotypes, sums: NDArray[np.int32]) -> None:
        from lissnas.predictors.kernels import sum_rows

        sum_rows(self.tables.tables, self.tables.leaves, self._encode(genotypes), sums, self._groups)

    def _sum_neighbors(
        self, genotypes: Genotypes, neighbors: Genotypes, parents: NDArray[np.intp], result: NDArray[np.int32]
    ) -> None:
        from lissnas.predictors.kernels import pick_neighbors, sum_neighbors

        t = self.tables
        own_pairs = genotypes[:, t.columns] + t.first_pair.astype(np.uint16)
        sums = np.zeros(len(genotypes), dtype=np.int32)
        changes = np.zeros((len(genotypes), len(t.pair_gene)), dtype=np.int32)
        sum_neighbors(t.masks, t.leaves, t.start, t.turns, t.pair_gene, own_pairs, sums, changes, (0,) * len(t.columns))
        several = pick_neighbors(genotypes, neighbors, parents, t.columns, t.first_pair, sums, changes, result)
        if several.any():
            rest = np.zeros(int(several.sum()), dtype=np.int32)
            self._sum(neighbors[several], rest)
            result[several] = rest

    def _encode(self, genotypes: Genotypes) -> NDArray[np.uint16]:
        from lissnas.predictors.kernels import encode_rows

        t = self.tables
        codes = np.empty((len(genotypes), len(t.first)), dtype=np.uint16)
        encode_rows(genotypes, t.columns, t.group, t.stride, t.first, codes)
        return codes

    def _scale(self, sums: NDArray[np.int32]) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = self.tables.base + sums * np.float64(self.tables.unit)
        return scores


def _in_threads(function: Callable[[Any], None], chunks: Sequence[Any], threads: int) -> None:
    for _ in map_chunks(function, chunks, workers=threads, threads=True):
        pass
