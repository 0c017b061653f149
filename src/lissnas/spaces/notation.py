"""How an architecture of genes and alleles is written: ``depth=3 op=k3``, ``(2, 1, 0)``, or ``64:64:32``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import numpy as np

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.gene import Gene

__all__ = ["SEPARATORS", "check_notation", "format_rows", "parse_rows"]

SEPARATORS = (":", ",", ";", "/", "|", "_", "-")

# name=value or name="a value with spaces"
_FIELD = re.compile(r'(?P<name>[^\s=]+)=?(?P<value>"(?:[^"\\]|\\.)*"|\S*)')


def check_notation(notation: str, genes: Sequence[Gene], space: str) -> str:
    """Return ``notation``, once it can write every architecture of ``genes``.

    ``named`` names each active gene's allele; ``indices`` gives the numbers of the alleles; a separator (``:``) gives the
    alleles themselves, nothing where a gene is inactive.

    Raises:
        UserError: an unknown notation, or a separator that stands within an allele.
    """
    if notation in ("named", "indices"):
        return notation
    if notation not in SEPARATORS:
        raise UserError(
            f"the notation of '{space}' must be named, indices, or one of the separators {' '.join(SEPARATORS)}, "
            f"but got {notation!r}"
        )
    for gene in genes:
        for allele in range(len(gene.alleles)):
            if notation in gene.label(allele):
                raise UserError(
                    f"the notation '{notation}' of '{space}' stands within the allele '{gene.label(allele)}' of '{gene.name}': "
                    "choose another separator"
                )
    return notation


def format_rows(genes: Sequence[Gene], genotypes: Genotypes, notation: str) -> list[str]:
    """One text per row of ``genotypes`` uint8[n, L]."""
    if notation == "indices":
        return [f"({', '.join(map(str, row))})" for row in genotypes.tolist()]
    if notation == "named":
        texts = [[f"{g.name}={_quoted(g.label(a))}" for a in range(g.radix)] for g in genes]
        inactive = [len(g.alleles) for g in genes]
        return [" ".join(texts[g][a] for g, a in enumerate(row) if a < inactive[g]) for row in genotypes.tolist()]
    labels = [[g.label(a) for a in range(g.radix)] for g in genes]
    return [notation.join(labels[g][a] for g, a in enumerate(row)) for row in genotypes.tolist()]


def parse_rows(genes: Sequence[Gene], texts: Sequence[str], notation: str, space: str) -> Genotypes:
    """The genotypes uint8[n, L] of texts, as they are written: not yet canonical.

    Raises:
        UserError: the first row that cannot be read, and why.
    """
    if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
        raise UserError(f"parse takes a list of architecture strings, but got {str(texts)[:60]!r}")
    x = np.empty((len(texts), len(genes)), dtype=np.uint8)
    for row, text in enumerate(texts):
        try:
            match notation:
                case "indices":
                    x[row] = _parse_indices(genes, text)
                case "named":
                    x[row] = _parse_named(genes, text, space)
                case separator:
                    x[row] = _parse_separated(genes, text, separator)
        except UserError as error:
            raise UserError(f"row {row}: {error}") from None
    return x


def _parse_indices(genes: Sequence[Gene], text: str) -> list[int]:
    fields = text.strip().strip("()[]").replace(",", " ").split()
    if len(fields) != len(genes) or not all(f.isdecimal() for f in fields):
        raise UserError(f"'{text}' must hold {len(genes)} allele numbers like '({', '.join(['0'] * min(3, len(genes)))}, ...)'")
    alleles = [int(f) for f in fields]
    for gene, allele in zip(genes, alleles, strict=True):
        if allele >= gene.radix:
            raise UserError(f"gene '{gene.name}' has alleles 0 to {gene.radix - 1}, but '{text}' holds {allele}")
    return alleles


def _parse_separated(genes: Sequence[Gene], text: str, separator: str) -> list[int]:
    fields = [field.strip() for field in text.split(separator)]
    if len(fields) != len(genes):
        example = separator.join(gene.label(0) for gene in genes[:4]) + ("..." if len(genes) > 4 else "")
        raise UserError(f"'{text}' must hold {len(genes)} alleles like '{example}', but holds {len(fields)}")
    return [gene.index(field) for gene, field in zip(genes, fields, strict=True)]


def _parse_named(genes: Sequence[Gene], text: str, space: str) -> list[int]:
    pairs = [(m["name"], _unquoted(m["value"])) for m in _FIELD.finditer(text)]
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise UserError(f"'{text}' names a gene twice: each gene once")
    unknown = fields.keys() - {g.name for g in genes}
    if unknown:
        some = ", ".join(gene.name for gene in genes[:8]) + (" ..." if len(genes) > 8 else "")
        raise UserError(f"'{space}' has no gene '{min(unknown)}': its genes are {some}")
    row = []
    for gene in genes:
        if gene.name not in fields and gene.active is None:
            raise UserError(f"'{text}' names no allele for the gene '{gene.name}'")
        row.append(gene.index(fields.get(gene.name, "")))
    return row


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if re.search(r"[\s\"]", text) else text


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    try:
        return str(json.loads(text))
    except ValueError:
        return text
