"""The contract of a shrinker, as checks. See :class:`lissnas.shrinkers.Shrinker`."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from lissnas.arrays import Genotypes, unique
from lissnas.evaluators import Evaluator
from lissnas.shrinkers import Shrinkage, Shrinker
from lissnas.spaces import ExplicitSpace, SearchSpace, meets_limits
from lissnas.testing.checks import Check, add_tests, ensure
from lissnas.testing.space import run_checks
from lissnas.testing.toys import Oracle, TrueOracle, toy_space, toy_target

__all__ = ["SHRINKER_CHECKS", "ShrinkerContract"]


def check_smaller(shrinker: Shrinker, rng: np.random.Generator) -> None:
    """The result is a smaller space of the same root, and all its architectures are ones of the space that was given."""
    space = toy_space()
    result = shrinker.shrink(space, _oracle(shrinker, space), rng)
    for shrunk in _spaces(result):
        ensure(shrunk.root.fingerprint == space.fingerprint, "the result's root is not the space that was given")
        ensure(shrunk.cardinality < space.cardinality, f"from {space.cardinality:,} architectures to {shrunk.cardinality:,}")
        space.require_valid(_some(shrunk, rng))


def check_better(shrinker: Shrinker, rng: np.random.Generator) -> None:
    """By a scorer that knows the truth, the mean of the result is better, also where lower is better."""
    space = toy_space()
    full = toy_target(space, space.sample(2000, rng))
    for sign in (1.0, -1.0):
        result = shrinker.shrink(space, _oracle(shrinker, space, sign), np.random.default_rng(1))
        for shrunk in _spaces(result):
            gain = toy_target(space, _some(shrunk, rng)).mean() - full.mean()
            way = "higher" if sign > 0 else "lower"
            ensure(
                gain > 0,
                f"where {way} is better, the result's mean is {-sign * gain:.2f} on the wrong side of the full space's",
            )


def check_space_contract(shrinker: Shrinker, rng: np.random.Generator) -> None:
    """The result keeps the contract of a search space."""
    space = toy_space()
    for shrunk in _spaces(shrinker.shrink(space, _oracle(shrinker, space), rng)):
        broken = [f"{r.name} ({r.detail})" for r in run_checks(shrunk) if r.passed is False]
        ensure(not broken, f"the result breaks the contract of a space: {'; '.join(broken)}")


def check_ledger(shrinker: Shrinker, rng: np.random.Generator) -> None:
    """The ledger is not overdrawn, and every prediction that was asked for is in it, once per architecture."""
    space = toy_space()
    scorer = _oracle(shrinker, space)
    ledger = shrinker.shrink(space, scorer, rng).ledger
    ensure(ledger.queries <= ledger.max_queries, f"{ledger.queries:,} queries of {ledger.max_queries:,}")
    ensure(ledger.evaluations <= ledger.max_evaluations, f"{ledger.evaluations:,} evaluations of {ledger.max_evaluations:,}")
    true = isinstance(scorer, Evaluator)
    asked, booked = (scorer.evaluations, ledger.evaluations) if true else (scorer.asked, ledger.queries)
    ensure(asked <= booked, f"{asked:,} scores were asked for, but only {booked:,} are in the ledger")
    ensure(booked <= space.cardinality, f"{booked:,} asked in a space of {space.cardinality:,}: some were paid twice")


def check_repeats(shrinker: Shrinker, rng: np.random.Generator) -> None:
    """The same seed gives the same result and the same way down."""
    space = toy_space()
    seed = int(rng.integers(1 << 32))
    one, two = (shrinker.shrink(space, _oracle(shrinker, space), np.random.default_rng(seed)) for _ in range(2))
    same = [a.fingerprint == b.fingerprint for a, b in zip(_spaces(one), _spaces(two), strict=True)]
    ensure(all(same), "the same seed gave another space")
    ensure([_row(i) for i in one.iterations] == [_row(i) for i in two.iterations], "the same seed gave other iterations")


def check_limits(shrinker: Shrinker, rng: np.random.Generator) -> None:
    """Every architecture of the result meets the limits."""
    space = toy_space()
    limits = ["work <= 230", "bias or depth > 2"]
    for shrunk in _spaces(shrinker.shrink(space, _oracle(shrinker, space), rng, limits)):
        within = meets_limits(space, _some(shrunk, rng), limits)
        ensure(within.all(), f"{np.count_nonzero(~within)} of {len(within)} architectures of the result break {limits}")


def check_iterations(shrinker: Shrinker, rng: np.random.Generator) -> None:
    """``on_iteration`` hears of each iteration as it ends, in order, sizes falling and queries rising."""
    space = toy_space()
    heard: list[Any] = []
    result = shrinker.shrink(space, _oracle(shrinker, space), rng, on_iteration=heard.append)
    ensure(
        [_row(i) for i in heard] == [_row(i) for i in result.iterations],
        "on_iteration heard of other iterations than the result has",
    )
    ensure(len(heard) >= 1, "no iteration was reported")
    for index, (one, two) in enumerate(itertools.pairwise(heard)):
        ensure(two.index > one.index, f"iteration {two.index} comes after iteration {one.index}")
        ensure(two.queries >= one.queries, f"queries fall from {one.queries} to {two.queries} after iteration {index}")
        ensure(two.size <= one.size, f"the size rises from {one.size} to {two.size} after iteration {index}")
    last = heard[-1]
    ensure(
        np.isfinite([last.mean, last.best, last.p_good, last.shrink_index]).all(),
        "a number of the last iteration is not finite",
    )
    ensure(last.queries <= result.ledger.queries, "the last iteration has more queries than the ledger")
    ensure(isinstance(result.stopped, str) and result.stopped.strip(), "the result must say why it stopped")


def check_again(shrinker: Shrinker, rng: np.random.Generator) -> None:
    """A shrunk space can be shrunk: what comes out is a part of it."""
    space = toy_space()
    given = ExplicitSpace.of(space, space.sample(6000, rng))
    for shrunk in _spaces(shrinker.shrink(given, _oracle(shrinker, given), rng)):
        ensure(
            given.is_valid(_some(shrunk, rng)).all(),
            "shrinking a shrunk space brought back architectures that it does not hold",
        )
        ensure(shrunk.cardinality < given.cardinality, f"from {given.cardinality:,} architectures to {shrunk.cardinality:,}")
        ensure(shrunk.root.fingerprint == space.fingerprint, "the result's root is another space")


def _oracle(shrinker: Shrinker, space: SearchSpace, sign: float = 1.0) -> Any:
    """The scorer that knows the target: a predictor, or an evaluator for a method that needs one."""
    return Oracle.of(space, sign) if shrinker.spends == "queries" else TrueOracle(space, sign)


def _spaces(result: Shrinkage) -> list[SearchSpace]:
    """The spaces of a result: some methods part a space in several."""
    return list(result.space) if isinstance(result.space, (list, tuple)) else [result.space]


def _some(space: SearchSpace, rng: np.random.Generator) -> Genotypes:
    """All architectures of a space whose size is known and small, else 2,000 as it draws them."""
    if not space.cardinality_is_exact or space.cardinality > 50_000:
        return space.sample(2000, rng)
    return np.concatenate(list(space.enumerate()))


def _row(iteration: Any) -> tuple[Any, ...]:
    codes = iteration.codes
    members = None if codes is None else unique(codes).tobytes()
    return (iteration.index, iteration.size, iteration.mean, iteration.best, iteration.queries, iteration.shrink_index, members)


SHRINKER_CHECKS = (
    Check("smaller", "The result is a smaller part of the space that was given.", check_smaller),
    Check("better", "With a perfect scorer the result is better, in both directions.", check_better),
    Check("space contract", "The result is a search space like any other.", check_space_contract),
    Check("ledger", "The budget is not overdrawn, and everything asked is booked.", check_ledger),
    Check("repeats", "The same seed gives the same result.", check_repeats),
    Check("limits", "Every architecture of the result meets the limits.", check_limits),
    Check("iterations", "Every iteration is reported as it ends.", check_iterations),
    Check("again", "A shrunk space can be shrunk again.", check_again),
)


class ShrinkerContract:
    """Inherit, and say which: ``def shrinker(self): return MyShrinker(queries=3000)``. It shrinks 18,144 architectures."""


add_tests(ShrinkerContract, SHRINKER_CHECKS, "shrinker")
