"""Predictors that learn from drawings: where several encodings are one network, all of them are shown.

Exact means of a space that folds encodings (``darts``, ``mobilenet``) are means over encodings, so the predictor is asked
about any drawing of a network. One that has learned from canonical rows alone has seen one drawing of each.
"""

from __future__ import annotations

from functools import singledispatch
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from lissnas.arrays import Genotypes
from lissnas.predictors.arguments import check_whole
from lissnas.predictors.base import Predictor, check_training
from lissnas.spaces import ProductSpace, SearchSpace
from lissnas.spaces.darts import DartsSpace
from lissnas.spaces.folded import FoldedSpace
from lissnas.spaces.laws import encodings_of
from lissnas.spaces.movable import MovableGroup

__all__ = ["draw_encodings", "fit_on_drawings"]

P = TypeVar("P", bound=Predictor)


@singledispatch
def draw_encodings(space: SearchSpace, genotypes: Genotypes, rng: np.random.Generator) -> Genotypes:  # noqa: ARG001
    """A random encoding uint8[n, L] of each row: the row itself, where the space folds none."""
    return genotypes.copy()


@draw_encodings.register
def _(space: DartsSpace, genotypes: Genotypes, rng: np.random.Generator) -> Genotypes:
    return space.drawings(genotypes, rng)


@draw_encodings.register
def _(space: ProductSpace, genotypes: Genotypes, rng: np.random.Generator) -> Genotypes:
    """Identities at random places of their group."""
    drawn = genotypes.copy()
    for part in space.parts:
        if isinstance(part, MovableGroup):
            x = genotypes[:, part.columns]
            length = np.count_nonzero(x != part.identity, axis=1)[:, None]
            rank = rng.random(x.shape).argsort(axis=1).argsort(axis=1)
            moved = np.full_like(x, part.identity)
            moved[rank < length] = x[np.arange(x.shape[1]) < length]
            drawn[:, part.columns] = moved
    return drawn


@draw_encodings.register
def _(space: FoldedSpace, genotypes: Genotypes, rng: np.random.Generator) -> Genotypes:
    """Any of the encodings of each network, with equal chances."""
    order = np.argsort(space.canonical, kind="stable")
    place = space._place(genotypes)
    first, end = (np.searchsorted(space.canonical[order], place, side=side) for side in ("left", "right"))
    picked = order[first + rng.integers(0, end - first)]
    return space.code_layout.decode(picked.astype(np.uint64)[:, None])


def fit_on_drawings(
    predictor: P,
    space: SearchSpace,
    genotypes: Genotypes,
    scores: ArrayLike,
    *,
    copies: int = 4,
    higher_is_better: bool = True,
    seed: int = 0,
) -> P:
    """Fit ``predictor`` to ``copies`` random drawings of each measured network, and return it.

    It has no ``assess``: drawings of one network would stand on both sides.

    Args:
        space, genotypes, scores, higher_is_better, seed: as for :meth:`Predictor.fit`.
        copies: how many drawings of each; 1 where the space folds none.

    Raises:
        UserError: as :meth:`Predictor.fit`.
    """
    check_whole("copies", copies, 1, 1000)
    values = check_training(space, genotypes, scores)
    rng = np.random.default_rng([seed, 1])
    found = encodings_of(space.root)
    copies = copies if found is not None and found.folds else 1
    drawn = np.concatenate([draw_encodings(space.root, genotypes, rng) for _ in range(copies)])
    predictor.space, predictor.higher_is_better = space, bool(higher_is_better)
    predictor._fit(space, drawn, np.tile(values, copies), seed)
    predictor._training, predictor._fitted = None, True
    return predictor
