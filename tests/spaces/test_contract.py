"""The contract tests themselves: each finds the mistake that it is there for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from lissnas.arrays import Genotypes
from lissnas.spaces import Costs, FormulaCost, Gene, Neighbors, ProductSpace
from lissnas.testing import SPACE_CHECKS, CheckResult, SpaceContract, run_checks


class Broken(ProductSpace):
    """A space of 96 architectures in which one method can be replaced."""

    def __init__(self, **methods: Callable[..., Any]) -> None:
        genes = [Gene("a", (1, 2, 3, 4)), Gene("b", (1, 2, 3)), Gene("c", (1, 2)), Gene("d", (1, 2, 3, 4))]
        super().__init__("broken", genes, costs=[FormulaCost("area", "a * b")])
        self._methods = methods

    def _call(self, name: str, *arguments: Any) -> Any:
        own = getattr(super(), name)
        return self._methods[name](own, *arguments) if name in self._methods else own(*arguments)

    def _sample(self, n: int, rng: np.random.Generator) -> Genotypes:
        return self._call("_sample", n, rng)

    def _canonicalize(self, genotypes: Genotypes) -> Genotypes:
        return self._call("_canonicalize", genotypes)

    def _neighbors(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        return self._call("_neighbors", genotypes, edits, rng)

    def _all_neighbors(self, genotypes: Genotypes) -> Neighbors:
        return self._call("_all_neighbors", genotypes)

    def _distance(self, a: Genotypes, b: Genotypes) -> Any:
        return self._call("_distance", a, b)

    def _cost(self, genotypes: Genotypes) -> Costs:
        return self._call("_cost", genotypes)

    def enumerate(self, block: int = 1 << 16) -> Iterator[Genotypes]:
        return self._call("enumerate", block)

    def format(self, genotypes: Genotypes) -> list[str]:
        return self._call("format", genotypes)

    def features(self, genotypes: Genotypes, kind: str | None = None) -> Any:
        return self._call("features", genotypes) if kind is None else super().features(genotypes, kind)


def ignore_edits(own: Callable, x: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
    return own(x, 1, rng)


def the_row_itself(own: Callable, x: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
    near = own(x, edits, rng)
    near.genotypes[::7] = x[near.parents[::7]]
    return near


def often_the_first_gene(own: Callable, x: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
    near = own(x, edits, rng)
    if edits == 1:
        near.genotypes[::3] = x[near.parents[::3]]
        near.genotypes[::3, 0] = (near.genotypes[::3, 0] + 1) % 4
    return near


def leave_some_out(own: Callable, x: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
    near = own(x, edits, rng)
    return Neighbors(near.genotypes[1:], near.parents[1:])


def parents_backwards(own: Callable, x: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
    near = own(x, edits, rng)
    return Neighbors(near.genotypes[::-1], near.parents[::-1])


def one_way(own: Callable, x: Genotypes) -> Neighbors:
    near = own(x)
    keep = ~((near.genotypes[:, 0] == 0) & (x[near.parents, 0] == 1))
    return Neighbors(near.genotypes[keep], near.parents[keep])


def twice(own: Callable, x: Genotypes) -> Neighbors:
    near = own(x)
    order = np.sort(np.concatenate([np.arange(len(near.parents)), np.arange(0, len(near.parents), 5)]))
    return Neighbors(near.genotypes[order], near.parents[order])


def a_biased_sample(own: Callable, n: int, rng: np.random.Generator) -> Genotypes:
    x = own(n, rng)
    x[:, 0] = np.where(rng.random(n) < 0.2, 0, x[:, 0])
    return x


def unseeded(own: Callable, n: int, rng: np.random.Generator) -> Genotypes:
    return own(n, np.random.default_rng())


def one_short(own: Callable, block: int) -> Iterator[Genotypes]:
    for x in own(block):
        yield x[1:]


def not_idempotent(own: Callable, x: Genotypes) -> Genotypes:
    x = own(x)
    x[:, 2] = 1 - x[:, 2]
    return x


def asymmetric(own: Callable, a: Genotypes, b: Genotypes) -> Any:
    return own(a, b) + ((a[:, 0] > b[:, 0]) & (a[:, 3] < b[:, 3]))


def infinite(own: Callable, x: Genotypes) -> Costs:
    return Costs({"area": own(x).area / (x[:, 1] > 0)})


def by_the_batch(own: Callable, x: Genotypes) -> Costs:
    area = own(x).area
    return Costs({"area": area - area.mean() if len(x) else area})


def drop_a_gene(own: Callable, x: Genotypes) -> list[str]:
    return [" ".join(t.split()[:3]) for t in own(x)]


def constant_features(own: Callable, x: Genotypes) -> Any:
    return own(x) * 0


@pytest.mark.parametrize(
    ("method", "mistake", "found_by"),
    [
        ("_neighbors", ignore_edits, "neighbors at exact distance"),
        ("_neighbors", the_row_itself, "neighbors at exact distance"),
        ("_neighbors", often_the_first_gene, "neighbors uniform"),
        ("_neighbors", leave_some_out, "neighbors by search"),
        ("_neighbors", parents_backwards, "neighbors at exact distance"),
        ("_all_neighbors", one_way, "all neighbors complete"),
        ("_all_neighbors", twice, "all neighbors"),
        ("_sample", a_biased_sample, "uniform sampling"),
        ("_sample", unseeded, "determinism"),
        ("_canonicalize", not_idempotent, "canonical form"),
        ("_distance", asymmetric, "distance a metric"),
        ("_cost", infinite, "costs"),
        ("_cost", by_the_batch, "costs"),
        ("enumerate", one_short, "enumerate"),
        ("format", drop_a_gene, "strings"),
        ("features", constant_features, "features"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_mistake_is_found(method: str, mistake: Callable, found_by: str) -> None:
    results = {r.name: r for r in run_checks(Broken(**{method: mistake}))}
    if found_by == "neighbors by search":  # the documentation of a product space excuses it beyond one edit, not at one
        assert "left out" in (Broken.__mro__[1].__doc__ or "")
    assert results[found_by].passed is False, results[found_by]
    assert results[found_by].detail
    assert "\n" not in results[found_by].detail


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    results = run_checks(Broken())
    assert [r.name for r in results if r.passed is False] == []
    assert [r.name for r in results] == [c.name for c in SPACE_CHECKS]
    assert all(isinstance(r, CheckResult) and r.promise.endswith(".") for r in results)
    skipped = [r for r in results if r.passed is None]
    assert [r.name for r in skipped] == ["refuses strangers"]
    assert skipped[0].detail


def test_a_contract_class_has_a_test_for_every_check() -> None:
    tests = [name for name in dir(SpaceContract) if name.startswith("test_")]
    assert len(tests) == len(SPACE_CHECKS) == len({c.name for c in SPACE_CHECKS})
    assert SpaceContract.test_uniform_sampling.__doc__


def test_a_contract_class_without_a_subject_says_so() -> None:
    with pytest.raises(NotImplementedError, match=r"def space\(self\)"):
        SpaceContract().test_codes()


class TestSubjectAsAttribute(SpaceContract):
    space = Broken()
