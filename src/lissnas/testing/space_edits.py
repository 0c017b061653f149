"""What a space promises about edits: neighbors at the exact distance, all of them, each equally likely; distance a metric."""

from __future__ import annotations

import numpy as np

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces import Neighbors, ProductSpace, SearchSpace
from lissnas.testing.checks import Check, SkipCheck, assert_uniform, ensure
from lissnas.testing.listing import distinct, listing, parents_in_order, searched

__all__ = ["EDIT_CHECKS"]

FEW = 8  # rows of a large space whose neighbors are listed
FEW_ENOUGH = 3_000  # one-edit neighbors whose own neighbors are listed
DRAWS_EACH = 300  # per neighbor, where draws are counted


def check_neighbors_exact(space: SearchSpace, rng: np.random.Generator) -> None:
    """``neighbors(x, d)`` are valid, never the row itself, at distance d by the space's own measure."""
    x = space.sample(200, rng)
    for edits in sorted({1, 2, 3, min(5, space.max_edits), space.max_edits, space.max_edits + 3}):
        if edits < 1:
            continue
        near = space.neighbors(x, edits, rng)
        _ensure_well_formed(space, x, near, one_each=True)
        far = space.distance(x[near.parents], near.genotypes)
        ensure((far == edits).all(), f"a neighbor at {edits} edits is {far[far != edits][:1]} edits away")


def check_neighbors_searched(space: SearchSpace, rng: np.random.Generator) -> None:
    """``neighbors(x, d)`` are d steps away by breadth-first search, and only a row that has none is left out."""
    members, rows, steps = searched(space)
    x = members.genotypes[rows]
    reachable = steps[np.isfinite(steps)]
    deepest = int(reachable.max())
    for edits in sorted({*range(1, min(4, deepest) + 1), deepest, deepest + 1} - {0}):
        near = space.neighbors(x, edits, rng)
        _ensure_well_formed(space, x, near, one_each=True)
        met = steps[near.parents, members.place(near.genotypes)]
        ensure(
            (met == edits).all(), f"a neighbor at {edits} edits is {met[met != edits][:1]} steps away by breadth-first search"
        )
        left_out = np.delete(np.arange(len(rows)), near.parents)
        missed = left_out[(steps[left_out] == edits).any(axis=1)]
        if edits > 1 and _may_miss(space):
            continue
        ensure(
            not len(missed),
            f"a row that has neighbors at {edits} edits was left out: {' '.join(map(str, x[missed[:1]].ravel()))}",
        )


def check_neighbors_uniform(space: SearchSpace, rng: np.random.Generator) -> None:
    """At one edit, every neighbor of a row is drawn equally often, also where a row comes many times in a batch."""
    for row in space.sample(3, rng):
        try:
            near = space.all_neighbors(row[None])
        except UserError as reason:
            raise SkipCheck(str(reason)) from None
        if not 1 < len(near.genotypes) <= 500:
            continue
        batch = np.repeat(row[None], DRAWS_EACH * len(near.genotypes), axis=0)
        drawn = space.neighbors(batch, 1, rng)
        ensure(len(drawn.parents) == len(batch), "a row with neighbors was left out")
        codes, count = np.unique(space.encode(drawn.genotypes), axis=0, return_counts=True)
        ensure(len(codes) <= len(near.genotypes), "neighbors drew an architecture that all_neighbors does not name")
        counts = np.zeros(len(near.genotypes), dtype=np.int64)
        counts[: len(count)] = count
        assert_uniform(counts, "neighbors at one edit")


def check_all_neighbors(space: SearchSpace, rng: np.random.Generator) -> None:
    """``all_neighbors`` holds each architecture one edit away once per row, never the row itself; edits can be undone."""
    x = space.sample(FEW, rng)
    near = _all_neighbors(space, x)
    _ensure_well_formed(space, x, near, one_each=False)
    far = space.distance(x[near.parents], near.genotypes)
    ensure((far == 1).all(), f"all_neighbors gave one at {far[far != 1][:1]} edits")
    for row in range(len(x)):
        own = near.genotypes[near.parents == row]
        ensure(distinct(space.encode(own)) == len(own), "all_neighbors names a neighbor twice")
    drawn = space.neighbors(np.repeat(x, 50, axis=0), 1, rng)
    pairs = {(int(p), *g.tolist()) for p, g in zip(near.parents, near.genotypes, strict=True)}
    for parent, genotype in zip(drawn.parents // 50, drawn.genotypes, strict=True):
        ensure((int(parent), *genotype.tolist()) in pairs, "neighbors drew one that all_neighbors does not name")
    if len(near.genotypes):
        some = rng.choice(len(near.genotypes), size=min(40, len(near.genotypes)), replace=False)
        back = _all_neighbors(space, near.genotypes[some])
        home = {(int(p), *g.tolist()) for p, g in zip(back.parents, back.genotypes, strict=True)}
        for place, index in enumerate(some):
            origin = (place, *x[near.parents[index]].tolist())
            ensure(origin in home, "an edit cannot be undone: a row is no neighbor of its own neighbor")


def check_all_neighbors_complete(space: SearchSpace, rng: np.random.Generator) -> None:  # noqa: ARG001 - every check takes one
    """``all_neighbors`` holds every architecture at distance 1, and the relation is symmetric."""
    members, rows, steps = searched(space)
    x = members.genotypes[rows]
    n = len(members)
    far = space.distance(np.repeat(x, n, axis=0), np.tile(members.genotypes, (len(x), 1))).reshape(len(x), n)
    adjacent = members.adjacent
    ensure(np.array_equal(adjacent[rows], far == 1), "all_neighbors and distance disagree on what is one edit away")
    ensure(np.array_equal(adjacent, adjacent.T), "b is one edit from a, but a is not one edit from b")
    wrong = far != steps
    ensure(not wrong.any(), f"distance is {far[wrong][:1]}, but breadth-first search needs {steps[wrong][:1]} edits")


def check_ball(space: SearchSpace, rng: np.random.Generator) -> None:
    """A ball holds each architecture within its radius once, with its distance, the row itself first, rows in order."""
    x = space.sample(3, rng)
    for radius in (0, 1, 2):
        try:
            ball = space.ball(x, radius)
        except UserError as reason:
            raise SkipCheck(str(reason)) from None
        ensure(parents_in_order(ball.parents, len(x), strictly=False), "parents must be rows of the batch in order")
        ensure(space.is_valid(ball.genotypes).all(), "a ball holds one that is not valid")
        far = space.distance(x[ball.parents], ball.genotypes)
        ensure(np.array_equal(far, ball.edits), "a ball and distance disagree on how far an architecture is")
        ensure((far <= radius).all(), f"a ball of radius {radius} holds one {far.max()} edits away")
        keys = np.column_stack([ball.parents.astype(np.uint64), space.encode(ball.genotypes)])
        ensure(distinct(keys) == len(keys), "a ball holds an architecture twice")
        ensure(np.array_equal(ball.parents[ball.edits == 0], np.arange(len(x))), "a ball does not hold the row itself")
        if radius == 1:
            near = space.all_neighbors(x)
            ensure(
                len(near.parents) == np.count_nonzero(ball.edits == 1), "a ball of radius 1 is not the row and its neighbors"
            )


def check_metric(space: SearchSpace, rng: np.random.Generator) -> None:
    """Distance is a metric: zero between equal rows only, symmetric, and never longer than a detour."""
    a, b, c = (space.sample(1000, rng) for _ in range(3))
    near = space.neighbors(a, 1, rng)
    b[near.parents[::2]] = near.genotypes[::2]
    b[:20] = a[:20]
    ab, ba, bc, ac = space.distance(a, b), space.distance(b, a), space.distance(b, c), space.distance(a, c)
    ensure(ab.dtype == np.int64 and ab.shape == (1000,), f"distance gave {ab.dtype}{list(ab.shape)}")
    ensure(np.array_equal(ab, ba), "distance depends on the order of its two arguments")
    ensure(
        np.array_equal(ab == 0, (a == b).all(axis=1)) and (ab >= 0).all(),
        "distance is 0 between different rows, or not between equal ones",
    )
    ensure((ac <= ab + bc).all(), "a detour is shorter than the distance")
    ensure(np.array_equal(space.root.distance(a, b), ab), "a space and its root disagree on a distance")


def check_few_edits(space: SearchSpace, rng: np.random.Generator) -> None:  # noqa: ARG001
    """No two architectures of a small product space are more than ``max_edits`` apart."""
    _, _, steps = searched(space)
    listing(space)
    if space.root is not space:
        raise SkipCheck("members of a shrunk space can be further apart than the edits that it offers")
    if space.unreachable is None:
        ensure(np.isfinite(steps).all(), "edits do not lead from every architecture to every other")
    if not isinstance(space, ProductSpace):
        raise SkipCheck("only genes that are free of one another are as many as the most edits between two architectures")
    ensure(steps.max() <= space.max_edits, f"two architectures are {steps.max():.0f} edits apart; max_edits: {space.max_edits}")


def _all_neighbors(space: SearchSpace, x: Genotypes) -> Neighbors:
    try:
        return space.all_neighbors(x)
    except UserError as reason:
        raise SkipCheck(str(reason)) from None


def _ensure_well_formed(space: SearchSpace, x: Genotypes, near: Neighbors, one_each: bool) -> None:
    ensure(near.genotypes.dtype == np.uint8 and near.genotypes.shape == (len(near.parents), space.length), "neighbors' shape")
    ensure(
        parents_in_order(near.parents, len(x), strictly=one_each),
        f"parents must be rows of the batch in order: {near.parents[:9]}",
    )
    ensure(space.is_valid(near.genotypes).all(), "a neighbor is not valid")
    ensure(not (near.genotypes == x[near.parents]).all(axis=1).any(), "a neighbor is the row itself")


def _may_miss(space: SearchSpace) -> bool:
    """Whether the space, or one it was made from, documents that beyond one edit a row with neighbors can be left out."""
    while True:
        if "left out" in " ".join((type(space).__doc__ or "").split()) or "leaves a row out" in (type(space).__doc__ or ""):
            return True
        parent = getattr(space, "parent", None)
        if parent is None:
            return False
        space = parent


EDIT_CHECKS = (
    Check(
        "neighbors at exact distance", "A neighbor drawn at d edits is valid, and exactly d edits away.", check_neighbors_exact
    ),
    Check(
        "neighbors by search",
        "Breadth-first search agrees, and a row is left out only where it has none.",
        check_neighbors_searched,
    ),
    Check("neighbors uniform", "Every one-edit neighbor is drawn equally often.", check_neighbors_uniform),
    Check("all neighbors", "All one-edit neighbors are named, each once, and every edit can be undone.", check_all_neighbors),
    Check("all neighbors complete", "Exactly the architectures at distance 1 are neighbors.", check_all_neighbors_complete),
    Check("ball", "A ball holds all within its radius, each once and with its distance.", check_ball),
    Check("distance a metric", "Edit distance is a metric.", check_metric),
    Check("most edits", "No two architectures are further apart than the space says.", check_few_edits),
)
