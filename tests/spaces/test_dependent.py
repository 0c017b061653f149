"""Genes that restrict one another: every value listed and searched, draws uniform, the distance what a search finds."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from lissnas.spaces.dependent import DependentGenes, MonotoneGenes, draw_rising
from lissnas.spaces.parts import grid
from lissnas.spaces.stage_genes import StageGenes
from lissnas.testing.checks import assert_uniform

WIDTHS, RATIOS, GROUPS = (8, 12, 16, 32), (1, 2, 4), (1, 2, 8)
SHARED = [(stage, 3, 4) for stage in range(3)]
OWN = [(0, 2, 4), (1, 3, 5)]
OWN_GROUPS = [(0, 2, 3), (1, 2, 4)]

PARTS = {
    "monotone": MonotoneGenes(range(3), 5),
    "monotone, one gene": MonotoneGenes([0], 4),
    "monotone, one allele": MonotoneGenes(range(3), 1),
    "shared, rising": StageGenes(SHARED, WIDTHS, RATIOS, GROUPS, widths_rise=True),
    "shared": StageGenes(SHARED, WIDTHS, RATIOS, GROUPS),
    "own groups": StageGenes(OWN_GROUPS, WIDTHS, RATIOS, GROUPS),
    "all their own": StageGenes(OWN, WIDTHS, RATIOS[:2], GROUPS[:2]),
}


@pytest.fixture(params=PARTS.values(), ids=PARTS)
def part(request: pytest.FixtureRequest) -> DependentGenes:
    return request.param


def test_the_values_are_those_that_are_valid(part: DependentGenes) -> None:
    everything = grid(part.counts)
    valid = everything[part.is_valid(everything)]
    states = part.states()
    assert part.cardinality == len(valid) == len(states)
    assert np.array_equal(np.unique(states, axis=0), valid)


def test_the_distance_is_what_a_search_finds(part: DependentGenes) -> None:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import shortest_path

    states = part.states()
    index = {tuple(state): place for place, state in enumerate(states.tolist())}
    near = part.all_neighbors(states)
    ends = [index[tuple(value)] for value in near.values.tolist()]
    links = csr_array((np.ones(len(ends)), (near.parents, ends)), shape=(len(states), len(states)))
    assert links.max() <= 1  # each once
    assert (links != links.T).nnz == 0
    some = np.linspace(0, len(states) - 1, 40).astype(int)
    steps = shortest_path(links, unweighted=True, indices=some)
    for place, row in zip(some, steps, strict=True):
        assert np.array_equal(part.distance(np.repeat(states[place : place + 1], len(states), axis=0), states), row)


def test_draws_are_uniform(part: DependentGenes, rng: np.random.Generator) -> None:
    index = {tuple(state): place for place, state in enumerate(part.states().tolist())}
    drawn = [index[tuple(value)] for value in part.sample(100 * len(index), rng).tolist()]
    assert_uniform(np.bincount(drawn, minlength=len(index)), "values")


def test_neighbors_are_drawn_from_all_of_them(part: DependentGenes, rng: np.random.Generator) -> None:
    states = part.states()
    counts = part.count_neighbors(states)
    near = part.all_neighbors(states)
    assert np.array_equal(np.bincount(near.parents, minlength=len(states)), counts)
    if not counts.any():
        return
    home = states[int(np.argmax(counts))]
    drawn = part.draw_neighbors(np.repeat(home[None], 100 * int(counts.max()), axis=0), rng)
    seen, times = np.unique(drawn, axis=0, return_counts=True)
    assert np.array_equal(seen, np.unique(near.values[near.parents == np.argmax(counts)], axis=0))
    assert_uniform(times, "neighbors")


def test_counts_of_rising_rows(rng: np.random.Generator) -> None:
    assert MonotoneGenes(range(4), 128).cardinality == math.comb(131, 4) == 11_716_640
    drawn = draw_rising(np.array([1, 3, 200] * 50), 4, rng)
    assert (np.diff(drawn, axis=1) >= 0).all()
    assert (drawn.max(axis=1) < np.array([1, 3, 200] * 50)).all()
    rows = list(itertools.combinations_with_replacement(range(3), 2))
    many = draw_rising(np.full(6000, 3), 2, rng).tolist()
    assert_uniform(np.array([many.count(list(row)) for row in rows]), "rising rows")
