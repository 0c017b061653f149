"""What a space promises about mistakes: each is answered in one clear line."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import numpy as np

from lissnas.arrays import Genotypes
from lissnas.spaces import SearchSpace
from lissnas.testing.checks import Check, SkipCheck, ensure_refused

__all__ = ["REFUSAL_CHECKS"]


def check_refuses_genotypes(space: SearchSpace, rng: np.random.Generator) -> None:
    """Every function refuses a wrong shape, a wrong dtype and an allele that its gene does not have (row and gene named)."""
    x = space.sample(3, rng)
    excess = x.copy()
    excess[1, 0] = 255
    gene = space.genes[0].name
    for name, call in _functions(space, rng).items():
        ensure_refused(f"{name}() of a single row", partial(call, x[0]))
        ensure_refused(f"{name}() of rows that are too long", partial(call, np.pad(x, ((0, 0), (0, 1)))), str(space.length))
        ensure_refused(f"{name}() of int64", partial(call, x.astype(np.int64)), "uint8")
        ensure_refused(f"{name}() of float64", partial(call, x.astype(np.float64)), "uint8")
        ensure_refused(f"{name}() of a list", partial(call, x.tolist()))
        ensure_refused(f"{name}() of an allele that does not exist", partial(call, excess), "row 1", gene)


def check_refuses_strangers(space: SearchSpace, rng: np.random.Generator) -> None:
    """What is no architecture of the space is named by its row: in ``require_valid`` and wherever neighbors are asked for."""
    alleles = np.array([gene.radix for gene in space.genes])
    for _ in range(50):
        candidates = (rng.random((200, space.length)) * alleles).astype(np.uint8)
        strangers = candidates[~space.is_valid(candidates)]
        if len(strangers):
            break
    else:
        raise SkipCheck("every genotype that can be written down is an architecture of this space")
    batch = np.concatenate([space.sample(2, rng), strangers[:1]])
    ensure_refused("require_valid() of a stranger", lambda: space.require_valid(batch), "row 2")
    ensure_refused("neighbors() of a stranger", lambda: space.neighbors(batch, 1, rng), "row 2")
    ensure_refused("all_neighbors() of a stranger", lambda: space.all_neighbors(batch), "row 2")


def check_refuses_numbers(space: Any, rng: np.random.Generator) -> None:
    """Numbers that mean nothing are refused: a negative sample, no edits, a generator that is none, other lengths."""
    x = space.sample(3, rng)
    for n in (-1, 1.5, "3"):
        ensure_refused(f"sample({n!r})", partial(space.sample, n, rng))
    for stranger in (None, 0, np.random):
        ensure_refused(f"sample(3, {stranger!r})", partial(space.sample, 3, stranger))
        ensure_refused(f"neighbors(x, 1, {stranger!r})", partial(space.neighbors, x, 1, stranger))
    for edits in (0, -1, 1.5, "1"):
        ensure_refused(f"neighbors(x, {edits!r})", partial(space.neighbors, x, edits, rng))
    ensure_refused("distance() of 3 and 2 rows", lambda: space.distance(x, x[:2]), "3", "2")


def check_refuses_codes(space: Any, rng: np.random.Generator) -> None:
    """Codes of another shape, dtype or beyond the last genotype are refused."""
    codes = space.encode(space.sample(3, rng))
    ensure_refused("decode() of int64", lambda: space.decode(codes.astype(np.int64)), "uint64")
    ensure_refused("decode() of one-dimensional codes", lambda: space.decode(codes[0]))
    ensure_refused("decode() of a list", lambda: space.decode(codes.tolist()))
    ensure_refused("decode() of too many words", lambda: space.decode(np.pad(codes, ((0, 0), (0, 1)))))
    written = 1
    for gene in space.genes:
        written *= gene.radix
    if written < 1 << 64:
        codes[1, 0] = np.uint64(written)
        ensure_refused("decode() of a code beyond the last", lambda: space.decode(codes), "row 1")


def check_refuses_strings(space: SearchSpace, rng: np.random.Generator) -> None:
    """A string that names no architecture is refused, its row named."""
    good = space.format(space.sample(1, rng))[0]
    for bad in ("", "no such architecture", good + " and=more"):
        ensure_refused(f"parse() of {bad!r}", partial(space.parse, [good, bad]), "row 1")
    ensure_refused("parse() of a text that is not in a list", lambda: space.parse(good))
    ensure_refused("parse() of a number", partial(cast(Any, space.parse), [3]))


def _functions(space: SearchSpace, rng: np.random.Generator) -> dict[str, Callable[[Genotypes], Any]]:
    x = space.sample(3, rng)
    return {
        "canonicalize": space.canonicalize,
        "is_valid": space.is_valid,
        "require_valid": space.require_valid,
        "encode": space.encode,
        "format": space.format,
        "to_dicts": space.to_dicts,
        "features": space.features,
        "embed": space.embed,
        "cost": space.cost,
        "neighbors": lambda g: space.neighbors(g, 1, rng),
        "all_neighbors": space.all_neighbors,
        "distance": lambda g: space.distance(g, x),
        "distance to": lambda g: space.distance(x, g),
    }


REFUSAL_CHECKS = (
    Check("refuses wrong genotypes", "A wrong shape, dtype or allele is answered in one line.", check_refuses_genotypes),
    Check("refuses strangers", "A row that is no architecture of the space is named.", check_refuses_strangers),
    Check(
        "refuses wrong numbers", "Numbers and generators that make no sense are answered in one line.", check_refuses_numbers
    ),
    Check("refuses wrong codes", "Codes that are none are answered in one line.", check_refuses_codes),
    Check("refuses wrong strings", "A string that names no architecture is answered in one line.", check_refuses_strings),
)
