"""A space with costs beside its own: otherwise the same space, in memory and on disk."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.formats import load_space
from lissnas.spaces import SPACES, ConstrainedSpace, ExplicitSpace, FormulaCost, Gene, PricedSpace, ProductSpace, TableCost
from lissnas.spaces.extremes import cheapest
from lissnas.testing import SpaceContract


def root():
    genes = [Gene("width", (8, 16, 32)), *(Gene(f"op_{i}", ("conv", "pool", "skip")) for i in range(3))]
    return ProductSpace("root", genes, costs=[FormulaCost("size", "width * 2")])


def priced():
    table = np.array([[1.0, 2, 3], [0.5, 0.25, 0], [0.5, 0.25, 0], [0.5, 0.25, 0]])
    return PricedSpace(root(), [TableCost("latency_ms", 1.5, table), FormulaCost("worth", "latency_ms + size + width")])


class TestPriced(SpaceContract):
    space = staticmethod(priced)


def test_costs_of_its_own_come_behind_the_others():
    space = priced()
    one = space.parse(["width=16 op_0=conv op_1=pool op_2=skip"])
    assert space.cost_names == ("size", "latency_ms", "worth")
    assert {name: values[0] for name, values in space.cost(one).items()} == {
        "size": 32,
        "latency_ms": 1.5 + 2 + 0.5 + 0.25,
        "worth": 4.25 + 32 + 16,
    }


def test_limits_and_lists_know_them():
    space = ConstrainedSpace(priced(), ["latency_ms <= 2.5"])
    assert space.cardinality == 1  # the narrowest, with nothing but skips
    assert cheapest(priced(), "latency_ms")[:2] == (2.5, True)
    listed = ExplicitSpace.of(priced(), priced().sample(5, np.random.default_rng(0)))
    assert "latency_ms" in listed.cost(listed.genotypes)


def test_it_is_saved_with_them(tmp_path):
    priced().save(tmp_path / "p.parquet")
    again = load_space(tmp_path / "p.parquet")
    assert again.fingerprint == priced().fingerprint
    assert again.root.fingerprint == root().fingerprint  # the same weights fit
    x = again.sample(20, np.random.default_rng(0))
    assert (again.cost(x)["worth"] == priced().cost(x)["worth"]).all()


def test_a_name_that_is_taken():
    with pytest.raises(UserError, match="has a gene or cost 'size' already"):
        PricedSpace(root(), [FormulaCost("size", "width")])


def test_it_is_priced_where_the_parent_is_published():
    space = PricedSpace(SPACES.get("nasbench201")(), [TableCost("latency_ms", 1.0, np.ones((6, 5)))])
    assert (space.cost(space.sample(3, np.random.default_rng(0)))["latency_ms"] == 7).all()
