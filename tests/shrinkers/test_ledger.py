import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.shrinkers import Ledger, Pool
from lissnas.testing.toys import Oracle, toy_space


def test_ledger_refuses_what_is_not_there():
    ledger = Ledger(max_queries=10, max_evaluations=2)
    ledger.spend(queries=10)
    with pytest.raises(UserError, match="is spent"):
        ledger.spend(queries=1)
    with pytest.raises(UserError, match="is spent"):
        ledger.spend(evaluations=3)
    assert (ledger.queries, ledger.evaluations) == (10, 0)


def test_no_architecture_is_paid_for_twice(rng):
    space = toy_space()
    pool = Pool(space, Oracle.of(space), Ledger(max_queries=1000))
    codes = space.encode(space.sample(300, rng))
    first = pool.query(codes, rng)
    spent = pool.ledger.queries
    again = pool.query(np.concatenate([codes, codes]), rng)
    assert spent == len(first) == pool.ledger.queries
    assert np.array_equal(first, again)


def test_a_short_budget_takes_a_part(rng):
    space = toy_space()
    pool = Pool(space, Oracle.of(space), Ledger(max_queries=50))
    taken = pool.query(space.encode(space.sample(300, rng)), rng)
    assert len(taken) == 50 == len(pool.codes)
    assert pool.left == 0


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_best_respects_the_direction(sign, rng):
    space = toy_space()
    scorer = Oracle.of(space, sign)
    pool = Pool(space, scorer, Ledger(max_queries=500))
    pool.query(space.encode(space.sample(500, rng)), rng)
    scores = scorer.predict(space.decode(pool.codes))
    wanted = np.sort(sign * scores)[-20:]
    assert np.allclose(np.sort(sign * scorer.predict(space.decode(pool.best(20)))), wanted)
