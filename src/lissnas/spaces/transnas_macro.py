"""TransNAS-Bench-101, macro: where a ResNet of four to six modules widens and halves its maps (reconstruction B.4)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import CodeLayout, Genotypes
from lissnas.errors import UserError
from lissnas.spaces.diagram import Diagram
from lissnas.spaces.edge_cell import read_texts
from lissnas.spaces.gene import Gene
from lissnas.spaces.listed import EditGraph, ListedSpace
from lissnas.spaces.transnas import BASE, PAPER, Block, TransNASLayout

__all__ = ["DIGITS", "TransNASMacroSpace", "digits_of", "transnasbench101_macro"]

DIGITS = ("1", "2", "3", "4")
NO_MODULE = len(DIGITS)  # the allele of a module that is not there
SHORTEST, LONGEST = 4, 6
GENES = tuple(
    Gene(f"module_{number}", DIGITS, active=None if number <= SHORTEST else f"modules >= {number}")
    for number in range(1, LONGEST + 1)
)


def digits_of(row: Sequence[int]) -> list[int]:
    """The digits of the modules that are there."""
    return [allele + 1 for allele in row if allele != NO_MODULE]


class TransNASMacroSpace(ListedSpace):
    """3,256 chains of 4 to 6 modules, of which 1 to 4 halve the resolution and 1 to 3 double the channels.

    A module's digit says which: 1 plain, 2 twice the channels, 3 half the resolution, 4 both. A genotype is six digits, the
    last two inactive where there is no module. Every chain is a network of its own, so none is folded, and ``encodings`` is
    the number of chains: most of the 4^6 genotypes are none. One edit changes the digit of a module, or appends a module or
    removes the last one, within the limits. ``64-224131-basic`` is the official string; ``224131`` is read too.
    """

    def __init__(self, layout: TransNASLayout, options: Mapping[str, Any]) -> None:
        members = _chains()
        codes = CodeLayout([gene.radix for gene in GENES])
        canonical = np.full(int(np.prod([gene.radix for gene in GENES])), -1, dtype=np.int32)
        canonical[codes.encode(members)[:, 0].astype(np.intp)] = np.arange(len(members))
        super().__init__(
            "transnasbench101-macro", GENES, members, canonical, _edits(members, canonical, codes), _costs(layout, members)
        )
        self.layout = layout
        self.options = dict(options)
        self.isomorphisms = "none: every chain of modules is a network of its own"
        self.paper = PAPER

    def definition(self) -> dict[str, Any]:
        return {"kind": "published", "name": self.name, "options": self.options}

    def format(self, genotypes: Genotypes) -> list[str]:
        return [f"{BASE}-{''.join(map(str, digits_of(row)))}-basic" for row in self.check(genotypes).tolist()]

    def parse(self, texts: Sequence[str]) -> Genotypes:
        return read_texts(texts, _read, self.length)

    def diagram(self, genotype: Genotypes) -> Diagram:
        (row,) = self.require_valid(np.asarray(genotype, dtype=np.uint8)[None]).tolist()
        digits = digits_of(row)
        last = [block for index, block in enumerate(self.layout.blocks(digits)) if index % 2]
        nodes = ("stem", *(f"{b.out_channels} x {b.out_side} x {b.out_side}" for b in last), "classifier")
        labels = [*({1: "plain", 2: "wider", 3: "halved", 4: "wider, halved"}[digit] for digit in digits), ""]
        return Diagram(nodes, tuple((i, i + 1, label) for i, label in enumerate(labels)))


def transnasbench101_macro(resolution: int = 256, classes: int = 63) -> TransNASMacroSpace:
    """The 3,256 chains. FLOPs are multiply-adds; parameters equal the published ones of the scene task."""
    return TransNASMacroSpace(TransNASLayout(resolution, classes), {"resolution": resolution, "classes": classes})


def _within_limits(digits: Sequence[int]) -> str | None:
    """What is wrong with a chain of modules, or None."""
    halved = sum(digit in (3, 4) for digit in digits)
    wider = sum(digit in (2, 4) for digit in digits)
    if not SHORTEST <= len(digits) <= LONGEST:
        return f"{SHORTEST} to {LONGEST} modules, but has {len(digits)}"
    if not 1 <= halved <= 4:
        return f"1 to 4 modules that halve the resolution (3 and 4), but has {halved}"
    if not 1 <= wider <= 3:
        return f"1 to 3 modules that double the channels (2 and 4), but has {wider}"
    return None


def _chains() -> Genotypes:
    """All chains, uint8[3256, 6], in the order of their codes."""
    rows = []
    for modules in range(SHORTEST, LONGEST + 1):
        for digits in itertools.product(range(1, 5), repeat=modules):
            if _within_limits(digits) is None:
                rows.append([*(digit - 1 for digit in digits), *[NO_MODULE] * (LONGEST - modules)])
    return np.array(sorted(rows), dtype=np.uint8)


def _edits(members: Genotypes, canonical: NDArray[np.int32], codes: CodeLayout) -> EditGraph:
    """One gene changed, to or from "no module" included: a gap between modules is no chain, so only the last can go."""
    starts, ends = [], []
    for column, gene in enumerate(GENES):
        for allele in range(gene.radix):
            changed = members.copy()
            changed[:, column] = allele
            place = canonical[codes.encode(changed)[:, 0].astype(np.intp)].astype(np.intp)
            starts.append(np.flatnonzero(place >= 0))
            ends.append(place[place >= 0])
    return EditGraph.of_pairs(np.concatenate(starts), np.concatenate(ends), len(members))


def _costs(layout: TransNASLayout, members: Genotypes) -> dict[str, NDArray[np.float64]]:
    known: dict[Block, NDArray[np.float64]] = {}
    totals = np.empty((len(members), 2))
    for index, row in enumerate(members.tolist()):
        digits = digits_of(row)
        totals[index] = layout.cost_around(digits)
        for block in layout.blocks(digits):
            if block not in known:
                shortcut = block.conv(1) if block.reduces else 0
                known[block] = block.conv(3) + block.conv(3, first=False) + shortcut
            totals[index] += known[block]
    return {"flops": totals[:, 0].copy(), "params": totals[:, 1].copy()}


def _read(text: str) -> Sequence[int]:
    example = f"'{BASE}-224131-basic' or '224131'"
    digits = text
    if "-" in text:
        parts = text.split("-")
        if len(parts) != 3:
            raise UserError(f"an architecture is three parts joined by '-', like {example}, but '{text[:60]}' has {len(parts)}")
        if parts[0] != str(BASE):
            raise UserError(f"the macro space has {BASE} channels in front, but '{text[:60]}' starts with '{parts[0]}'")
        if parts[2] != "basic":
            raise UserError(f"the macro space has the cell 'basic', but '{text[:60]}' names '{parts[2]}'")
        digits = parts[1]
    wrong = [digit for digit in digits if digit not in DIGITS]
    if wrong or not digits:
        raise UserError(
            f"modules are digits from 1 to 4, like {example}, but '{text[:60]}' has {wrong[0] if wrong else 'none'!r}"
        )
    rule = _within_limits([int(digit) for digit in digits])
    if rule is not None:
        raise UserError(f"a chain has {rule}: '{text[:60]}'")
    return [*(int(digit) - 1 for digit in digits), *[NO_MODULE] * (LONGEST - len(digits))]
