"""Measured networks: a table's rows as genotypes with their scores."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes, locate, unique_index
from lissnas.errors import UserError
from lissnas.formats.hints import nearest
from lissnas.formats.table import Table, read_table
from lissnas.spaces import LearnedCost, SearchSpace
from lissnas.spaces.gene import Gene

__all__ = ["Measured", "read_architectures", "read_scores"]

STRING_COLUMNS = ("arch", "architecture")


@dataclass(frozen=True)
class Measured:
    """Measured networks, each once, in the order of the file.

    Attributes:
        genotypes: uint8[n, L], canonical.
        scores: float64[n].
        columns: the other numeric columns by name, float64[n], NaN where a cell is empty.
        score_name: the column of the scores.
        rows: int64[n], where each stands in the file: its line in a CSV, its row in a Parquet file.
        merged: how many rows were left out because they repeat an architecture with the same score.
    """

    genotypes: Genotypes
    scores: NDArray[np.float64]
    columns: dict[str, NDArray[np.float64]]
    score_name: str
    rows: NDArray[np.int64]
    merged: int


def read_scores(path: str | Path, space: SearchSpace, score: str | None = None) -> Measured:
    """Read measured networks of ``space`` from a CSV or Parquet file.

    The file has one column per gene (empty where the gene is inactive), or one column ``arch`` or ``architecture`` of
    architecture strings; and a column of scores. Alleles match by value: ``false`` = ``0``, ``3`` = ``3.0``.

    Args:
        score: the column of the scores. It can be left out where only one column of numbers is neither gene nor cost.

    Raises:
        UserError: with the line: a column that is missing, an allele that is unknown, a gene that should be empty or should
            not, a score that is not a finite number, an architecture with two scores, scores that are all equal.
    """
    table = read_table(path)
    genotypes, used = _read_genotypes(table, space)
    name = _choose_score(table, space, score, used)
    scores = _read_score(table, name)
    columns = {}
    for other in table.columns:
        if other not in used and other != name:
            values, strange = table.numbers(other)
            if not strange.any():
                columns[other] = values
    kept = _merge(table, space, genotypes, scores, name)
    if len(kept) > 1 and (scores[kept] == scores[kept[0]]).all():
        raise UserError(
            f"all {len(kept):,} scores in the column '{name}' of {table.path} are {scores[0]:g}: nothing can be learned"
        )
    return Measured(
        genotypes[kept],
        scores[kept],
        {key: values[kept] for key, values in columns.items()},
        name,
        table.lines[kept],
        len(scores) - len(kept),
    )


def read_architectures(path: str | Path, space: SearchSpace) -> Genotypes:
    """The architectures of ``space`` in a CSV or Parquet file, uint8[n, L], each once, in the order of the file.

    Columns as in :func:`read_scores`; others are left alone.

    Raises:
        UserError: with the line: a column that is missing, an allele that is unknown, a network that is not in ``space``.
    """
    genotypes, _ = _read_genotypes(read_table(path), space)
    return genotypes[np.sort(unique_index(space.encode(genotypes))[1])]


# -- architectures ------------------------------------------------------------------------------------------------------


def _read_genotypes(table: Table, space: SearchSpace) -> tuple[Genotypes, set[str]]:
    """The canonical genotypes of all rows, and the columns they were read from."""
    names = [gene.name for gene in space.genes]
    strings = [name for name in STRING_COLUMNS if name in table.columns and name not in names]
    missing = [name for name in names if name not in table.columns]
    if not missing:
        written = _from_genes(table, space)
        used = {*names, *strings}
    elif strings and len(missing) == len(names):
        written = _from_strings(table, space, strings[0])
        used = set(strings)
    else:
        others = [name for name in table.columns if name not in names]
        also = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise UserError(
            f"{table.path} has no column for the gene '{missing[0]}'{also}: {nearest(missing[0], others)} "
            "(a column per gene, or one column 'arch')"
        )
    genotypes = space.canonicalize(written)
    if not missing:
        _require_activity(table, space, written, genotypes)
    outside = ~space.is_valid(genotypes)
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise UserError(
            f"{table.place(row)}: {space.format(genotypes[row : row + 1])[0]} is not in '{space.name}' "
            f"({np.count_nonzero(outside):,} of {len(outside):,} rows are not): remove these rows, or give the larger space"
        )
    return genotypes, used


def _from_genes(table: Table, space: SearchSpace) -> Genotypes:
    x = np.empty((len(table.lines), space.length), dtype=np.uint8)
    for column, gene in enumerate(space.genes):
        cells, index = table.distinct(gene.name)
        alleles = np.zeros(len(cells), dtype=np.uint8)
        used = np.bincount(index, minlength=len(cells)) > 0
        wrong: dict[int, str] = {}
        for place, cell in enumerate(cells):
            if not used[place]:
                continue
            try:
                alleles[place] = _allele(gene, str(cell))
            except UserError as error:
                wrong[place] = str(error)
        if wrong:
            row = int(np.flatnonzero(np.isin(index, list(wrong)))[0])
            raise UserError(f"{table.place(row)}: {wrong[int(index[row])]}")
        x[:, column] = alleles[index]
    return x


def _allele(gene: Gene, text: str) -> int:
    if text == "" and gene.active is None:
        raise UserError(f"the gene '{gene.name}' is empty, but every architecture has it: fill it in")
    return gene.index(text)


def _from_strings(table: Table, space: SearchSpace, name: str) -> Genotypes:
    cells, index = table.distinct(name)
    texts = [str(cell) for cell in cells]
    rows = np.unique(index, return_index=True)[1]
    order = index[np.sort(rows)]  # the distinct texts as the file has them, so that the first wrong one is found first
    place = np.empty(len(texts), dtype=np.int64)
    place[order] = np.arange(len(order))
    try:
        parsed = space.parse([texts[i] for i in order])
    except UserError as error:
        found = re.match(r"row (\d+): ", str(error))
        if found is None:
            raise
        row = int(np.sort(rows)[int(found[1])])
        raise UserError(f"{table.place(row)}: {str(error)[found.end() :]}") from None
    return parsed[place[index]]


def _require_activity(table: Table, space: SearchSpace, written: Genotypes, canonical: Genotypes) -> None:
    """A gene that its condition switches off must be empty, and no other may be."""
    off = np.array([len(gene.alleles) if gene.active is not None else 255 for gene in space.genes])
    differs = (written == off) != (canonical == off)
    rows = np.flatnonzero(differs.any(axis=1))
    if not len(rows):
        return
    row = int(rows[0])
    column = int(np.flatnonzero(differs[row])[0])
    gene = space.genes[column]
    if written[row, column] == off[column]:
        line = f"the gene '{gene.name}' is empty, but it is active in this architecture ({gene.active}): fill it in"
    else:
        held = gene.label(int(written[row, column]))
        line = f"the gene '{gene.name}' is inactive in this architecture (not {gene.active}), but holds {held}: leave it empty"
    raise UserError(f"{table.place(row)}: {line}")


# -- scores -------------------------------------------------------------------------------------------------------------


def _choose_score(table: Table, space: SearchSpace, score: str | None, used: set[str]) -> str:
    others = [name for name in table.columns if name not in used]
    if score is not None:
        if score not in table.columns:
            raise UserError(f"{table.path} has no column '{score}' for the score: {nearest(score, others)}")
        if score in used:
            raise UserError(
                f"the column '{score}' of {table.path} describes architectures, it is no score: {nearest(score, others)}"
            )
        return score
    costs = {*space.cost_names, *(c.column for c in getattr(space.root, "costs", ()) if isinstance(c, LearnedCost))}
    candidates = [name for name in others if name not in costs and _is_numeric(table, name)]
    if len(candidates) != 1:
        found = (
            f"its columns of numbers are {', '.join(candidates)}"
            if candidates
            else "it has no column of numbers beside genes and costs"
        )
        raise UserError(f"which column of {table.path} is the score? {found}: name one, --score COLUMN")
    return candidates[0]


def _is_numeric(table: Table, name: str) -> bool:
    """Whether a column is meant to hold numbers: most of what it holds are. A wrong cell is then found and named."""
    values, strange = table.numbers(name)
    return bool(np.count_nonzero(~np.isnan(values)) > np.count_nonzero(strange))


def _read_score(table: Table, name: str) -> NDArray[np.float64]:
    values, _ = table.numbers(name)
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        row = int(wrong[0])
        cells, index = table.distinct(name)
        held = str(cells[int(index[row])])
        got = f"is '{held[:40]}'" if held else "is empty or not a number (NaN)"
        also = f" ({len(wrong):,} such rows)" if len(wrong) > 1 else ""
        raise UserError(
            f"{table.place(row)}: a score must be a finite number, but '{name}' {got}{also}: measure it again or remove the row"
        )
    return values


def _merge(table: Table, space: SearchSpace, genotypes: Genotypes, scores: NDArray[np.float64], name: str) -> NDArray[np.intp]:
    """The rows to keep, in order: the first of each architecture."""
    codes = space.encode(genotypes)
    members, first = unique_index(codes)
    original = first[locate(members, codes)]
    conflict = np.flatnonzero(scores != scores[original])
    if len(conflict):
        row = int(conflict[0])
        before = int(original[row])
        raise UserError(
            f"{table.place(row)}: this architecture has the {name} {scores[row]:.10g} here and {scores[before]:.10g} in "
            f"{'line' if table.path.suffix.lower() == '.csv' else 'row'} {table.lines[before]} "
            f"({space.format(genotypes[row : row + 1])[0]}): keep one row, or their mean"
        )
    return np.sort(first)
