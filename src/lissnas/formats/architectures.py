"""Architectures as a table: one column per gene, empty where the gene is inactive, and whatever else is known of them."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.disk import writing
from lissnas.errors import UserError
from lissnas.spaces import SearchSpace
from lissnas.spaces.gene import Allele, Gene

__all__ = ["allele_column", "export_space", "write_architectures_csv"]

_BLOCK = 1 << 16  # rows that are held as Python objects at a time
_WHOLE = 1 << 53  # whole numbers up to here are exact as float64


def write_architectures_csv(
    space: SearchSpace,
    genotypes: Genotypes,
    path: str | Path,
    extra_columns: Mapping[str, Sequence[Any] | NDArray[Any]] | None = None,
) -> None:
    """Write ``genotypes`` uint8[n, L] to ``path`` (``.csv``, or ``.parquet``), with ``extra_columns`` of length n behind them.

    With a column of scores among or added to them, :func:`~lissnas.formats.read_scores` reads the file back. NaN and None
    are written as empty cells, numbers with all their digits. The file appears whole or not at all.

    Raises:
        UserError: another ending, a column of the wrong length or with a gene's name, a path that cannot be written.
    """
    path = Path(path)
    space.require_valid(genotypes)
    extra = dict(extra_columns or {})
    genes = {gene.name for gene in space.genes}
    for name, column in extra.items():
        if len(column) != len(genotypes):
            raise UserError(
                f"the column '{name}' must have {len(genotypes)} values, one per architecture, but has {len(column)}"
            )
        if name in genes:
            raise UserError(f"'{name}' is a gene of '{space.name}', so no other column can have that name: rename it")
    match path.suffix.lower():
        case ".csv":
            _write_csv(space, genotypes, path, extra)
        case ".parquet":
            _write_parquet(space, genotypes, path, extra)
        case _:
            raise UserError(f"architectures are written as .csv or .parquet, but got '{path}': change its ending")


def export_space(space: SearchSpace, path: str | Path) -> None:
    """Write all architectures of ``space`` with their costs, as CSV or Parquet.

    Raises:
        UserError: the space is too large to be listed.
    """
    genotypes = np.concatenate(list(space.enumerate()))
    write_architectures_csv(space, genotypes, path, dict(space.cost(genotypes)))


def _write_csv(space: SearchSpace, genotypes: Genotypes, path: Path, extra: Mapping[str, Any]) -> None:
    labels = [np.array([gene.label(allele) for allele in range(gene.radix)], dtype=object) for gene in space.genes]
    with writing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*(gene.name for gene in space.genes), *extra])
        for low in range(0, len(genotypes), _BLOCK):
            block = genotypes[low : low + _BLOCK]
            columns = [label[block[:, index]].tolist() for index, label in enumerate(labels)]
            columns += [[_cell(value) for value in _as_list(column[low : low + _BLOCK])] for column in extra.values()]
            writer.writerows(zip(*columns, strict=True))


def _as_list(column: Any) -> list[Any]:
    return column.tolist() if isinstance(column, np.ndarray) else list(column)


def _cell(value: Any) -> Any:
    """As read_scores reads it: NaN is an empty cell, a whole float is written short."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < _WHOLE:
        return int(value)
    return value


def _write_parquet(space: SearchSpace, genotypes: Genotypes, path: Path, extra: Mapping[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {gene.name: allele_column(gene, genotypes[:, index]) for index, gene in enumerate(space.genes)}
    for name, column in extra.items():
        values = _as_list(column)
        try:
            columns[name] = pa.array(values, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise UserError(f"the column '{name}' must hold one kind of value ({str(error)[:80]}): make it all text") from None
    with writing(path) as temporary:
        pq.write_table(pa.table(columns), temporary, compression="zstd")


def allele_column(gene: Gene, alleles: NDArray[np.uint8]) -> Any:
    """A gene's column as a pyarrow array that reads without this package: typed alleles, null where it is inactive."""
    import pyarrow as pa

    values = list(gene.alleles)
    if not _one_type(gene.alleles):
        values = [gene.label(index) for index in range(len(values))]
    elif any(isinstance(value, float) for value in values):
        values = [float(value) for value in values]
    index = pa.array(np.minimum(alleles, len(values)).astype(np.int32), mask=alleles >= len(values))
    return pa.array(values).take(index)


def _one_type(alleles: Sequence[Allele]) -> bool:
    """Whether the alleles are all booleans, all texts, or all numbers that a 64-bit column holds exactly."""
    if any(isinstance(a, (bool, str)) for a in alleles):
        return len({type(a) for a in alleles}) == 1
    whole = all(isinstance(a, int) for a in alleles)
    return all(abs(a) < (1 << 63 if whole else _WHOLE) or isinstance(a, float) for a in alleles if not isinstance(a, str))
