"""What the benchmarks of NAS-Bench-101's cells share: a table that is looked up by a cell's number, and cells from records."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.evaluators.readers.nasbench101_records import CellRecords
from lissnas.evaluators.table import TableEvaluator
from lissnas.spaces import ExplicitSpace, SearchSpace
from lissnas.spaces.nasbench101.space import NASBench101

__all__ = ["CellTable", "Identities", "cells_of", "root_cells"]

HASHES_CHECKED = 2000


def root_cells(space: SearchSpace) -> NASBench101:
    """The space of all cells that ``space`` is, or is a part of.

    Raises:
        UserError: it is another space.
    """
    root = space.root
    if not isinstance(root, NASBench101):
        raise UserError(f"this scores cells of 'nasbench101', but got the space '{space.name}': take get_space('nasbench101')")
    return root


class CellTable(TableEvaluator):
    """A table of cells. A cell is found by its number, 0 to 423,623: one gather."""

    @cached_property
    def _row_of_cell(self) -> NDArray[np.int32] | None:
        """The row of each cell, -1 where it has none; None where the row is the cell's number."""
        cells = root_cells(self.space)
        if len(self._codes) == cells.cardinality:
            return None
        rows = np.full(cells.cardinality, -1, dtype=np.int32)
        rows[cells.ids(self.genotypes)] = np.arange(len(self._codes), dtype=np.int32)
        return rows

    @cached_property
    def known(self) -> ExplicitSpace | None:
        """The cells that have a score; None where all of the space do."""
        found = super().known
        return None if found is None or found.cardinality == self.space.cardinality else found

    def evaluate(self, genotypes: Genotypes) -> NDArray[np.float64]:
        """As every evaluator: what is no cell is refused while its number is looked up, and not looked at twice."""
        if self.space is not self.space.root:
            return super().evaluate(genotypes)
        rows = self.rows(genotypes)
        scores: NDArray[np.float64] = np.take(self._scores, rows)
        if (self._row_of_cell is not None and len(rows) and rows.min() < 0) or np.isnan(scores.sum()):
            return super().evaluate(genotypes)
        self.evaluations += len(rows)
        return scores

    def rows(self, genotypes: Genotypes) -> NDArray[np.int64] | NDArray[np.int32]:
        """Where each of n cells stands in ``columns``, -1 where it does not."""
        ids = root_cells(self.space).ids(genotypes)
        return ids if self._row_of_cell is None else self._row_of_cell[ids]


def cells_of(space: NASBench101, records: CellRecords, path: Path) -> NDArray[np.int64]:
    """int64[n]: the number of each record's cell.

    Raises:
        UserError: a drawing that is no cell, named by its record and hash.
    """
    matrices, labels = records.drawings()
    try:
        return space.ids_from_matrix(matrices, labels)
    except UserError:
        for row in range(len(matrices)):
            try:
                space.ids_from_matrix(matrices[row : row + 1], labels[row : row + 1])
            except UserError as error:
                raise UserError(
                    f"record {records.first + row} of '{path}' ({records.hash_text(row)}) is no cell of NAS-Bench-101: "
                    f"{str(error).removeprefix('row 0: ')}"
                ) from None
        raise


class Identities:
    """That each cell has one hash and one number of weights in all records, and that hashes are what they should be."""

    def __init__(self, cells: NASBench101, path: Path) -> None:
        self._cells, self._path = cells, path
        self._seen = np.zeros(cells.cardinality, dtype=bool)
        self._hashes = np.zeros((cells.cardinality, 2), dtype=np.uint64)
        self.parameters = np.zeros(cells.cardinality, dtype=np.int64)
        self.checked = 0

    def add(self, block: CellRecords, ids: NDArray[np.int64]) -> None:
        """Take the hashes of a block's cells.

        Raises:
            UserError: a cell that had another hash, or another number of weights, in an earlier record.
        """
        new = ids[~self._seen[ids]]
        rows = np.flatnonzero(~self._seen[ids])
        self._hashes[new], self.parameters[new] = block.hashes[rows], block.parameters[rows]
        self._seen[new] = True
        differs = (self._hashes[ids] != block.hashes).any(axis=1) | (self.parameters[ids] != block.parameters)
        if differs.any():
            row = int(np.flatnonzero(differs)[0])
            raise UserError(
                f"record {block.first + row} of '{self._path}' ({block.hash_text(row)}) is a cell that another record has "
                "under another hash or with another number of parameters: the file is not consistent"
            )

    def finish(self) -> NDArray[np.intp]:
        """The cells there are, in order.

        Raises:
            UserError: a hash that is not the cell's own; 2,000 are computed, spread over all.
        """
        held = np.flatnonzero(self._seen)
        some = held[np.linspace(0, len(held) - 1, min(len(held), HASHES_CHECKED)).astype(np.intp)] if len(held) else held
        hashes = self._cells.official_hash(self._cells.genotypes_of(some)) if len(some) else []
        for cell, official in zip(some.tolist(), hashes, strict=True):
            written = "".join(f"{int(half):016x}" for half in self._hashes[cell])
            if written != official:
                raise UserError(f"'{self._path}' gives the hash {written} to the cell whose hash is {official}: is it broken?")
        self.checked = len(some)
        return held
