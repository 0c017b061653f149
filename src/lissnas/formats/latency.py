"""A lookup table of latency: milliseconds of each allele, from a CSV or Parquet file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lissnas.errors import UserError
from lissnas.formats.hints import nearest
from lissnas.formats.table import Table, read_table
from lissnas.spaces import SearchSpace, TableCost

__all__ = ["read_latency"]

COLUMNS = ("gene", "allele", "ms")


def read_latency(path: str | Path, space: SearchSpace, name: str = "latency_ms") -> TableCost:
    """The columns ``gene``, ``allele`` and ``ms`` as a cost of ``space``: a sum over genes. A row without a gene counts always.

    Raises:
        UserError: with the line: a column that is missing, a gene or an allele that is unknown, twice there or left out, a
            time that is no finite number.
    """
    table = read_table(path)
    for column in COLUMNS:
        if column not in table.columns:
            raise UserError(f"{table.path} has no column '{column}': a table of latency has {', '.join(COLUMNS)}")
    taken, _ = table.numbers("ms")
    genes, alleles = (_texts(table, column) for column in COLUMNS[:2])
    place = {gene.name: index for index, gene in enumerate(space.genes)}
    base = 0.0
    values = np.full((space.length, max(gene.radix for gene in space.genes)), np.nan)
    for row, (gene, allele) in enumerate(zip(genes, alleles, strict=True)):
        if not np.isfinite(taken[row]):
            raise UserError(f"{table.place(row)}: 'ms' must be a finite number")
        if not gene:
            base += float(taken[row])
            continue
        if gene not in place:
            raise UserError(f"{table.place(row)}: '{space.name}' has no gene '{gene}': {nearest(gene, list(place))}")
        try:
            index = space.genes[place[gene]].index(allele)
        except UserError as error:
            raise UserError(f"{table.place(row)}: {error}") from None
        if np.isfinite(values[place[gene], index]):
            raise UserError(f"{table.place(row)}: the allele {allele} of '{gene}' stands here twice: keep one row")
        values[place[gene], index] = taken[row]
    for gene_, row_ in zip(space.genes, values, strict=True):
        missing = np.flatnonzero(np.isnan(row_[: len(gene_.alleles)]))
        if len(missing):
            raise UserError(f"{table.path} has no row for the allele {gene_.label(int(missing[0]))} of the gene '{gene_.name}'")
    return TableCost(name, base, np.nan_to_num(values, nan=0.0))


def _texts(table: Table, column: str) -> list[str]:
    cells, index = table.distinct(column)
    return [str(cells[i]) for i in index]
