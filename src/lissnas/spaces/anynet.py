"""AnyNetX, the five design spaces A to E of "Designing Network Design Spaces" (reconstruction B.7; arXiv 2003.13678).

Each letter adds a rule to the one before: A none, B one bottleneck ratio for all stages, C one group width for all stages,
D widths that never fall, E depths that never fall.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.base import Costs, SearchSpace
from lissnas.spaces.composed import ComposedSpace
from lissnas.spaces.dependent import MonotoneGenes
from lissnas.spaces.diagram import Diagram
from lissnas.spaces.explicit import ExplicitSpace
from lissnas.spaces.gene import Gene
from lissnas.spaces.notation import format_rows, parse_rows
from lissnas.spaces.parts import FreeGenes, Part
from lissnas.spaces.stage_genes import StageGenes
from lissnas.spaces.tied import TiedSpace
from lissnas.spaces.xblock import Stages, XBlockLayout, stage_costs, stage_diagram

__all__ = [
    "AnyNetX",
    "anynetx",
    "anynetx_a",
    "anynetx_b",
    "anynetx_c",
    "anynetx_d",
    "anynetx_e",
    "count_encodings",
]

PAPER = "Radosavovic et al., Designing Network Design Spaces, CVPR 2020 (arXiv 2003.13678)"

_REGNETS = 1 << 20  # drawn, of which about 190,000 have four stages


class _Rules(NamedTuple):
    shared_bottleneck: bool
    shared_group: bool
    widths_rise: bool
    depths_rise: bool


RULES = {
    "a": _Rules(False, False, False, False),
    "b": _Rules(True, False, False, False),
    "c": _Rules(True, True, False, False),
    "d": _Rules(True, True, True, False),
    "e": _Rules(True, True, True, True),
}


class AnyNetX(ComposedSpace):
    """Stages of X blocks: each has a depth, a width, a bottleneck ratio and a group width; see the letters' rules above.

    ``encodings`` counts every combination that obeys the letter. Of these, ``cardinality`` counts the architectures: a stage's
    group width must divide its inner width, width / bottleneck ratio. Where it does not, pycls narrows the group or rounds the
    width when it builds the network, which makes it the network of another encoding, or gives it a group width that is none of
    the space's; so each network of listed widths and groups is there once, and nothing is left to fold.

    The paper's figure for D is C's divided by 4!, as if no two widths were equal (1.3e13 where there are 1.38e13), and for E
    divided by 4! again (5.5e11 where there are 8.2e11).

    One edit gives one gene another value, as long as the letter's rules and the group widths hold. The distance, the number of
    genes that differ, is exact (see ``StageGenes`` and ``MonotoneGenes``). ``neighbors`` is uniform at one edit and walks
    beyond; a row whose walks all fell short is left out.

    Args:
        name: what the space is called: its registry name, with which its definition builds it again.
        letter: a to e.
        depths: the blocks a stage can have.
        widths: its channels.
        bottlenecks: the ratios of width to inner width, each dividing the next.
        groups: the channels of a group, each dividing the next.
        stages: the number of stages.
        layout: what stands around the stages.

    Raises:
        UserError: an unknown letter, values that do not rise, ratios or groups that do not divide one another, or no
            combination that fits.
    """

    def __init__(
        self,
        name: str,
        letter: str,
        *,
        depths: Sequence[int] = range(1, 17),
        widths: Sequence[int] = range(8, 1025, 8),
        bottlenecks: Sequence[int] = (1, 2, 4),
        groups: Sequence[int] = (1, 2, 4, 8, 16, 32),
        stages: int = 4,
        layout: XBlockLayout | None = None,
    ) -> None:
        if letter not in RULES:
            raise UserError(f"AnyNetX has the spaces {', '.join(RULES)}, but got {letter!r}")
        if stages < 1:
            raise UserError(f"a network needs at least one stage, but got {stages}")
        self.name = name
        self.letter = letter
        self.stages = stages
        self.layout = XBlockLayout() if layout is None else layout
        self.paper = PAPER
        self.isomorphisms = (
            "none left to fold: a group width that does not divide the inner width, which would stand for another network, "
            "is none of the space"
        )
        self.cost_names = ("flops", "params")
        self._values = {
            "depth": _rising("depths", depths),
            "width": _rising("widths", widths),
            "bottleneck": _rising("bottlenecks", bottlenecks),
            "group": _rising("groups", groups),
        }
        rules = RULES[letter]
        self.genes = (
            *self._genes_of("depth", shared=False),
            *self._genes_of("width", shared=False),
            *self._genes_of("bottleneck", rules.shared_bottleneck),
            *self._genes_of("group", rules.shared_group),
        )
        self._columns = self._columns_by_stage(rules)
        depth, width, bottleneck, group = (len(values) for values in self._values.values())
        self.encodings = count_encodings(letter, depth, width, bottleneck, group, stages)
        self._compose(self._make_parts(rules))

    def _genes_of(self, kind: str, shared: bool) -> list[Gene]:
        names = [kind] if shared else [f"{kind}_{stage}" for stage in range(1, self.stages + 1)]
        return [Gene(name, self._values[kind], ordered=True) for name in names]

    def _columns_by_stage(self, rules: _Rules) -> dict[str, list[int]]:
        """For each kind of gene, the column that each stage reads."""
        last = 2 * self.stages  # depths and widths come first
        bottleneck = [last + (0 if rules.shared_bottleneck else s) for s in range(self.stages)]
        last = bottleneck[-1] + 1
        group = [last + (0 if rules.shared_group else s) for s in range(self.stages)]
        depth = list(range(self.stages))
        return {"depth": depth, "width": [self.stages + s for s in depth], "bottleneck": bottleneck, "group": group}

    def _make_parts(self, rules: _Rules) -> list[Part]:
        count = len(self._values["depth"])
        depth: Part = (
            MonotoneGenes(self._columns["depth"], count)
            if rules.depths_rise
            else FreeGenes(self._columns["depth"], [count] * self.stages)
        )
        values = [self._values[kind] for kind in ("width", "bottleneck", "group")]
        columns = list(zip(*(self._columns[kind] for kind in ("width", "bottleneck", "group")), strict=True))
        if rules.shared_bottleneck:
            return [depth, StageGenes(columns, *values, widths_rise=rules.widths_rise)]
        return [depth, *(StageGenes([stage], *values) for stage in columns)]  # no gene ties one stage to another

    def definition(self) -> dict[str, Any]:
        options: dict[str, Any] = {f"{kind}s": list(values) for kind, values in self._values.items()}
        options |= {"stages": self.stages, **self.layout.definition()}
        if self.name == "anynetx":
            options["letter"] = self.letter
        return {"kind": "published", "name": self.name, "options": options}

    def format(self, genotypes: Genotypes) -> list[str]:
        return format_rows(self.genes, self.check(genotypes), "named")

    def parse(self, texts: Sequence[str]) -> Genotypes:
        x = parse_rows(self.genes, texts, "named", self.name)
        wrong = np.flatnonzero(~self.is_valid(x))
        if len(wrong):
            row = int(wrong[0])
            raise UserError(f"row {row}: '{texts[row]}' is no architecture of '{self.name}': {self._what_is_wrong(x[row])}")
        return x

    def _what_is_wrong(self, row: Genotypes) -> str:
        rules = RULES[self.letter]
        for kind, rises in (("depth", rules.depths_rise), ("width", rules.widths_rise)):
            if rises and (np.diff(row[self._columns[kind]].astype(np.int64)) < 0).any():
                return f"its {kind}s must not fall from stage to stage"
        width, bottleneck, group = (
            np.array(self._values[kind])[row[self._columns[kind]]] for kind in ("width", "bottleneck", "group")
        )
        odd = int(np.argmax(width % (bottleneck * group) != 0))
        return f"in stage {odd + 1}, {width[odd]} channels / {bottleneck[odd]} are no whole number of groups of {group[odd]}"

    def _read(self, genotypes: Genotypes) -> Stages:
        """The stages of valid rows."""
        depth, width, bottleneck, group = (
            np.array(values, dtype=np.int64)[genotypes[:, self._columns[kind]]] for kind, values in self._values.items()
        )
        return Stages(depth, width, width // bottleneck, group)

    def simplifications(self) -> Iterator[SearchSpace]:
        """The steps that the paper takes from here: the letters that follow, and RegNet.

        Of RegNet those among 2^20 draws are listed that are architectures of this space, so with as many stages.
        """
        letters = list(RULES)
        for letter in letters[letters.index(self.letter) + 1 :]:
            options = {f"{kind}s": values for kind, values in self._values.items()}
            yield TiedSpace(self, AnyNetX(f"anynetx-{letter}", letter, stages=self.stages, layout=self.layout, **options))
        yield ExplicitSpace.of(self, self._regnets(), "regnet")

    def _regnets(self) -> Genotypes:
        from lissnas.spaces.regnet import RegNet  # which reads this file

        space = RegNet("regnet", bottlenecks=self._values["bottleneck"], groups=self._values["group"])
        found = []
        for seed in range(_REGNETS >> 16):
            drawn = space.sample(1 << 16, np.random.default_rng(seed))
            stages = space.stages_of(drawn)
            fits = np.count_nonzero(stages.depths, axis=1) == self.stages
            found.append(self.from_stages(Stages(*(field[fits, : self.stages] for field in stages))))
        return np.concatenate(found)

    def from_stages(self, stages: Stages) -> Genotypes:
        """The architectures that have these stages, uint8[m, L]; stages that none has are left out."""
        fields = {
            "depth": stages.depths,
            "width": stages.widths,
            "bottleneck": stages.widths // stages.inners,
            "group": stages.groups,
        }
        genotypes = np.zeros((len(stages.depths), self.length), dtype=np.uint8)
        known = np.ones(len(genotypes), dtype=bool)
        for kind, values in fields.items():
            listed = np.array(self._values[kind])
            place = np.minimum(np.searchsorted(listed, values), len(listed) - 1)
            known &= (listed[place] == values).all(axis=1)
            genotypes[:, self._columns[kind]] = place
        known[known] = self.is_valid(genotypes[known])
        genotypes = genotypes[known]
        # a gene that stages share was written by the last of them: what does not read back as it was is none of the space
        same = [mine == theirs[known] for mine, theirs in zip(self._read(genotypes), stages, strict=True)]
        return genotypes[np.all(same, axis=(0, 2))]

    def stages_of(self, genotypes: Genotypes) -> Stages:
        """The stages that networks are built from."""
        return self._read(self.require_valid(genotypes))

    def _cost(self, genotypes: Genotypes) -> Costs:
        return Costs(stage_costs(self._read(genotypes), self.layout))

    def diagram(self, genotype: Genotypes) -> Diagram:
        stages = self.stages_of(np.asarray(genotype, dtype=np.uint8)[None])
        return stage_diagram(stages.row(0), self.layout)


def anynetx(
    *,
    letter: str = "a",
    name: str = "anynetx",
    depths: Sequence[int] = range(1, 17),
    widths: Sequence[int] = range(8, 1025, 8),
    bottlenecks: Sequence[int] = (1, 2, 4),
    groups: Sequence[int] = (1, 2, 4, 8, 16, 32),
    stages: int = 4,
    resolution: int = 224,
    in_channels: int = 3,
    classes: int = 1000,
    stem: int = 32,
) -> AnyNetX:
    """One of the five spaces, A unless ``letter`` says otherwise; ``anynetx_a`` to ``anynetx_e`` are they by name.

    The ranges are the paper's (d <= 16, w <= 1024 by 8, b in {1, 2, 4}, g in {1, 2, ..., 32}): 1.8e18, 6.8e16, 3.2e14, 1.4e13
    and 8.2e11 encodings.
    """
    layout = XBlockLayout(resolution, in_channels, classes, stem)
    return AnyNetX(
        name, letter, depths=depths, widths=widths, bottlenecks=bottlenecks, groups=groups, stages=stages, layout=layout
    )


anynetx_a = partial(anynetx, letter="a", name="anynetx-a")
anynetx_b = partial(anynetx, letter="b", name="anynetx-b")
anynetx_c = partial(anynetx, letter="c", name="anynetx-c")
anynetx_d = partial(anynetx, letter="d", name="anynetx-d")
anynetx_e = partial(anynetx, letter="e", name="anynetx-e")


def count_encodings(letter: str, depths: int, widths: int, bottlenecks: int, groups: int, stages: int = 4) -> int:
    """How many combinations obey the letter's rules, given how many values each kind of gene has."""
    rules = RULES[letter]

    def count(values: int, rises: bool) -> int:
        return math.comb(values + stages - 1, stages) if rises else math.prod([values] * stages)

    bottleneck = bottlenecks if rules.shared_bottleneck else count(bottlenecks, False)
    group = groups if rules.shared_group else count(groups, False)
    return count(depths, rules.depths_rise) * count(widths, rules.widths_rise) * bottleneck * group


def _rising(name: str, values: Sequence[int]) -> tuple[int, ...]:
    """The values as a tuple, once they are positive and rise."""
    result = tuple(int(value) for value in values)
    if not result or result[0] < 1 or any(b <= a for a, b in itertools.pairwise(result)):
        raise UserError(f"the {name} must be rising whole numbers from 1 on, but got {list(result)[:8]}")
    return result
