"""AnyNetX A to E: sizes by formula and by enumeration, the contract, published costs of its blocks, bad input."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.spaces import SPACES, ConstrainedSpace, from_definition
from lissnas.spaces.anynet import RULES, AnyNetX, anynetx, count_encodings
from lissnas.testing import SpaceContract

# Few enough to be listed and searched, with widths that some groups do not fit.
REDUCED: dict[str, dict[str, Any]] = {
    "a": {"depths": (1, 2), "widths": (8, 12, 16), "bottlenecks": (1, 2), "groups": (1, 8), "stages": 2},
    "b": {"depths": (1, 2), "widths": (8, 12, 16), "bottlenecks": (1, 2, 4), "groups": (1, 4), "stages": 2},
    "c": {"depths": (1, 2), "widths": (8, 12, 16), "bottlenecks": (1, 2), "groups": (1, 8), "stages": 3},
    "d": {"depths": (1, 2), "widths": (8, 12, 16, 24), "bottlenecks": (1, 2, 4), "groups": (1, 2, 8), "stages": 3},
    "e": {"depths": (1, 2, 3), "widths": (8, 12, 16, 24), "bottlenecks": (1, 2, 4), "groups": (1, 8), "stages": 3},
}
LETTERS = list(RULES)


def reduced(letter: str) -> AnyNetX:
    return anynetx(letter=letter, resolution=16, classes=10, **REDUCED[letter])


class TestFullAContract(SpaceContract):
    space = staticmethod(anynetx)


class TestFullBContract(SpaceContract):
    space = staticmethod(SPACES.get("anynetx-b"))


class TestFullCContract(SpaceContract):
    space = staticmethod(SPACES.get("anynetx-c"))


class TestFullDContract(SpaceContract):
    space = staticmethod(SPACES.get("anynetx-d"))


class TestFullEContract(SpaceContract):
    space = staticmethod(SPACES.get("anynetx-e"))


class TestReducedAContract(SpaceContract):
    def space(self) -> AnyNetX:
        return reduced("a")


class TestReducedBContract(SpaceContract):
    def space(self) -> AnyNetX:
        return reduced("b")


class TestReducedCContract(SpaceContract):
    def space(self) -> AnyNetX:
        return reduced("c")


class TestReducedDContract(SpaceContract):
    def space(self) -> AnyNetX:
        return reduced("d")


class TestReducedEContract(SpaceContract):
    def space(self) -> AnyNetX:
        return reduced("e")


def test_published_sizes() -> None:
    sizes = {letter: SPACES.get(f"anynetx-{letter}")().encodings for letter in LETTERS}
    assert sizes == {
        "a": (16 * 128 * 3 * 6) ** 4,
        "b": (16 * 128 * 6) ** 4 * 3,
        "c": (16 * 128) ** 4 * 18,
        "d": 16**4 * math.comb(131, 4) * 18,
        "e": math.comb(19, 4) * math.comb(131, 4) * 18,
    }
    assert [f"{size:.1e}" for size in sizes.values()] == ["1.8e+18", "6.8e+16", "3.2e+14", "1.4e+13", "8.2e+11"]
    # The paper divides by 4! where values must not fall, as if none were equal.
    assert [f"{sizes['c'] / 24:.1e}", f"{sizes['c'] / 24**2:.1e}"] == ["1.3e+13", "5.5e+11"]


def test_how_many_fit() -> None:
    """A stage's width is a multiple of ratio times group, and of 8: 1024 / max(8, b g) of them."""
    fitting = {(b, g): 1024 // max(8, b * g) for b in (1, 2, 4) for g in (1, 2, 4, 8, 16, 32)}
    per_ratio = [sum(fitting[b, g] for g in (1, 2, 4, 8, 16, 32)) for b in (1, 2, 4)]
    assert per_ratio == [608, 496, 376]
    expected = {
        "a": (16 * sum(per_ratio)) ** 4,
        "b": 16**4 * sum(n**4 for n in per_ratio),
        "c": 16**4 * sum(n**4 for n in fitting.values()),
        "d": 16**4 * sum(math.comb(n + 3, 4) for n in fitting.values()),
        "e": math.comb(19, 4) * sum(math.comb(n + 3, 4) for n in fitting.values()),
    }
    assert {letter: SPACES.get(f"anynetx-{letter}")().cardinality for letter in LETTERS} == expected
    assert expected["a"] == 314_432_039_157_760_000


@pytest.mark.parametrize("letter", LETTERS)
def test_formula_equals_enumeration(letter: str) -> None:
    """All tuples of values, written out and filtered by the rules in plain Python."""
    options, space, rules = REDUCED[letter], reduced(letter), RULES[letter]
    stages = options["stages"]
    encodings, architectures = 0, set()
    bottlenecks = itertools.product(options["bottlenecks"], repeat=1 if rules.shared_bottleneck else stages)
    groups = itertools.product(options["groups"], repeat=1 if rules.shared_group else stages)
    depths = itertools.product(options["depths"], repeat=stages)
    widths = itertools.product(options["widths"], repeat=stages)
    for d, w, b, g in itertools.product(list(depths), list(widths), list(bottlenecks), list(groups)):
        if (rules.depths_rise and list(d) != sorted(d)) or (rules.widths_rise and list(w) != sorted(w)):
            continue
        encodings += 1
        pairs = zip(w, b * (stages // len(b)), g * (stages // len(g)), strict=True)
        if all(width % ratio == 0 and (width // ratio) % group == 0 for width, ratio, group in pairs):
            architectures.add((*d, *w, *b, *g))
    counts = [len(options[name]) for name in ("depths", "widths", "bottlenecks", "groups")]
    assert space.encodings == count_encodings(letter, *counts, stages) == encodings
    assert space.cardinality == len(architectures) < encodings
    listed = np.concatenate(list(space.enumerate()))
    assert {tuple(row.values()) for row in space.to_dicts(listed)} == architectures


def test_every_architecture_is_another_network() -> None:
    space = reduced("b")
    listed = np.concatenate(list(space.enumerate()))
    stages = space.stages_of(listed)
    assert len({tuple(stages.row(row)) for row in range(len(listed))}) == len(listed)


def test_stages_costs_and_drawing() -> None:
    """RegNetX-400MF's stages, of which AnyNetX has all but the 22 blocks' regularity: 397.7M and 5,157,512 as published."""
    space = SPACES.get("anynetx-c")()
    text = "depth_1=1 depth_2=2 depth_3=7 depth_4=12 width_1=32 width_2=64 width_3=160 width_4=384 bottleneck=1 group=16"
    x = space.parse([text])
    assert space.format(x) == [text]
    assert (space.cost(x).flops[0], space.cost(x).params[0]) == (397_677_568, 5_157_512)
    assert [tuple(stage) for stage in space.stages_of(x).row(0)][-1] == (12, 384, 384, 16)
    assert space.diagram(x[0]).nodes == (
        "3x3 conv, 32",
        "1 x 32 wide",
        "2 x 64 wide",
        "7 x 160 wide",
        "12 x 384 wide",
        "1000 classes",
    )


def test_shrinks_like_any_space(rng: np.random.Generator) -> None:
    small = ConstrainedSpace(SPACES.get("anynetx-e")(), ["flops <= 400e6", "width_4 >= 256"])
    x = small.sample(20, rng)
    assert (small.cost(x).flops <= 400e6).all()
    assert from_definition(small.definition()).fingerprint == small.fingerprint


def test_names() -> None:
    assert SPACES.get("anynetx")().name == "anynetx"
    for letter in LETTERS:
        space = SPACES.get(f"anynetx-{letter}")()
        assert (space.name, space.letter) == (f"anynetx-{letter}", letter)
        assert space.max_edits == {"a": 16, "b": 13}.get(letter, 10)
        assert from_definition(space.definition()).fingerprint == space.fingerprint
    assert from_definition(anynetx(letter="d").definition()).letter == "d"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("width_1=32>width_1=1024", "its widths must not fall"),
        ("depth_4=12>depth_4=1", "its depths must not fall"),
        ("group=16>group=32", "in stage 1, 32 channels / 4 are no whole number of groups of 32"),
        ("group=16>group=3", "gene 'group' has no allele '3'"),
        ("group=16>", "names no allele for the gene 'group'"),
    ],
)
def test_wrong_strings(change: str, message: str) -> None:
    text = "depth_1=1 depth_2=2 depth_3=7 depth_4=12 width_1=32 width_2=64 width_3=160 width_4=384 bottleneck=4 group=16"
    space = SPACES.get("anynetx-e")()
    with pytest.raises(UserError, match=message):
        space.parse([text.replace(*change.split(">"))])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"letter": "f"}, "AnyNetX has the spaces a, b, c, d, e, but got 'f'"),
        ({"depths": (2, 1)}, "the depths must be rising whole numbers"),
        ({"widths": ()}, "the widths must be rising"),
        ({"groups": (2, 3)}, "each must divide the next"),
        ({"bottlenecks": (2, 3)}, "each must divide the next"),
        ({"widths": (8,), "groups": (3,)}, "none is a multiple"),
        ({"stages": 0}, "at least one stage"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        anynetx(**options)
