"""One decision of an architecture."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass

from lissnas.errors import UserError

__all__ = ["Allele", "Gene"]

Allele = str | int | float | bool

MAX_ALLELES = 254  # an allele is a byte, and one value is kept for a gene that is switched off


@dataclass(frozen=True)
class Gene:
    """One decision, and the values it can take.

    Attributes:
        name: unique in its space.
        alleles: the values, in the order of their steps.
        ordered: whether the order of the alleles means something (a depth, a width).
        active: the condition under which the gene matters, a formula over other genes; None: always. Where it does not
            hold, the gene has the one extra allele ``len(alleles)``, so that equal networks have equal genotypes.
    """

    name: str
    alleles: tuple[Allele, ...]
    ordered: bool = False
    active: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not re.fullmatch(r"[^\s=\"']+", self.name):
            raise UserError(f"a gene's name must be a text without spaces, quotes and '=', but got {self.name!r}")
        if not self.alleles:
            raise UserError(f"gene '{self.name}' needs at least one allele, but has none: list its values")
        if len(self.alleles) > MAX_ALLELES:
            raise UserError(f"gene '{self.name}' may have at most {MAX_ALLELES} alleles, but has {len(self.alleles)}: split it")
        seen: set[str] = set()
        for allele in self.alleles:
            if not isinstance(allele, (str, int, float)) or (isinstance(allele, str) and not allele.strip()):
                raise UserError(f"gene '{self.name}': an allele must be a text, a number or a boolean, but got {allele!r}")
            if isinstance(allele, float) and not math.isfinite(allele):
                raise UserError(f"gene '{self.name}': an allele must be a finite number, but got {allele}")
            text = allele_key(allele)
            if text in seen:
                raise UserError(f"gene '{self.name}' lists the allele {allele!r} twice: each value once")
            seen.add(text)

    @property
    def radix(self) -> int:
        """The number of values in a genotype's column: the alleles, and one for inactive where that can happen."""
        return len(self.alleles) + (self.active is not None)

    @property
    def is_ordinal(self) -> bool:
        """Whether a predictor should see it as a number: declared so, or its alleles are rising numbers."""
        if self.ordered:
            return True
        numbers = [a for a in self.alleles if isinstance(a, (int, float)) and not isinstance(a, bool)]
        return len(numbers) == len(self.alleles) > 2 and all(a < b for a, b in itertools.pairwise(numbers))

    def label(self, allele: int) -> str:
        """The text of an allele: ``"k3"``, ``"0.5"``, ``"true"``; empty where inactive."""
        return "" if allele >= len(self.alleles) else allele_text(self.alleles[allele])

    def index(self, text: str) -> int:
        """The allele that ``text`` names, by value: ``false`` = ``0`` = ``False``, ``3`` = ``3.0``; empty is inactive.

        Raises:
            UserError: no such allele.
        """
        if text == "" and self.active is not None:
            return len(self.alleles)
        key = allele_key(text)
        for index, allele in enumerate(self.alleles):
            if allele_key(allele) == key:
                return index
        raise UserError(f"gene '{self.name}' has no allele '{text}': it has {', '.join(map(allele_text, self.alleles))}")


def allele_text(allele: Allele) -> str:
    """How an allele is written to a file."""
    return str(allele).lower() if isinstance(allele, bool) else str(allele)


def allele_key(allele: Allele) -> str:
    """Equal for alleles that are equal by value, however they are written."""
    text = str(allele).strip()
    lowered = text.lower()
    if lowered in ("true", "false"):
        return "1" if lowered == "true" else "0"
    try:
        number = float(text if "_" not in text else "a text")  # to Python "3_3" is the number 33
    except ValueError:
        return text
    return repr(number + 0.0).removesuffix(".0") if math.isfinite(number) else text
