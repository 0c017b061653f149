import numpy as np
import pytest

from lissnas import NaiveTop, QueryAll, UserError
from lissnas.testing import ShrinkerContract
from lissnas.testing.toys import Oracle, toy_space


class TestNaiveContract(ShrinkerContract):
    def shrinker(self):
        return NaiveTop(queries=3000)


class TestQueryAllContract(ShrinkerContract):
    def shrinker(self):
        return QueryAll(queries=30_000)


def test_naive_keeps_the_share_asked_for():
    space = toy_space()
    result = NaiveTop(queries=2000, share=0.2).shrink(space, Oracle.of(space), np.random.default_rng(0))
    assert result.space.cardinality == round(0.2 * result.ledger.queries)


def test_query_all_needs_a_budget_that_covers_the_space():
    space = toy_space()
    with pytest.raises(UserError, match="more than the 100 queries"):
        QueryAll(queries=100).shrink(space, Oracle.of(space), np.random.default_rng(0))
