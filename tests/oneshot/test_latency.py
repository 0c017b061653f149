"""Latency tables, with a clock that counts what a module computes: no real time is looked at."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lissnas.errors import UserError
from lissnas.formats import get_space
from lissnas.formats.latency import read_latency
from lissnas.oneshot.latency import LatencyTable, Stopwatch, check_table, measure_networks, measure_table
from lissnas.oneshot.network import count_network
from lissnas.spaces import PricedSpace


class Counting(Stopwatch):
    """A millisecond per thousand multiply-adds: what a table should then say is known."""

    def time(self, module, images):
        with torch.inference_mode():
            return count_network(module, images)[0] / 1000


def test_blocks_add_up_to_the_flops_of_the_network(small):
    table = measure_table(small, np.random.default_rng(0), Counting())
    x = small.sample(64, np.random.default_rng(0))
    assert table.cost().evaluate(x, {}) == pytest.approx(small.cost(x).flops / 1000)
    error = check_table(small, table.cost(), x[:8], Counting())
    assert error.relative == pytest.approx(0, abs=1e-12)
    assert error.kendall == error.repeated == 1
    with pytest.raises(UserError, match="2 networks or more, but got 1"):
        check_table(small, table.cost(), x[:1], Counting())


def test_a_clock_that_cannot_tell_networks_apart_is_said(small):
    """By a clock that forgets what it timed, the order of two measurements has nothing in common."""

    class Forgetful(Counting):
        rng = np.random.default_rng(0)

        def time(self, module, images):
            return Forgetful.rng.random()

    table = measure_table(small, np.random.default_rng(0), Counting())
    error = check_table(small, table.cost(), small.sample(100, np.random.default_rng(1)), Forgetful())
    assert abs(error.repeated) < 0.25
    assert "one measurement orders the other with" in str(error)


def test_a_table_is_fitted_where_networks_are_no_chains():
    space = get_space("nasbench201")
    rows = space.sample(8, np.random.default_rng(5))

    class ByCost(Counting):
        """Of networks of this size even counting takes long: the space knows."""

        drawn = iter(())

        def time(self, module, images):
            return float(next(ByCost.drawn))

    drawn = space.sample(75, np.random.default_rng(0))
    ByCost.drawn = iter(space.cost(drawn).flops / 1e6)
    table = measure_table(space, np.random.default_rng(0), ByCost())  # 3 * (1 + 6 * 4) networks, the same draw
    assert table.cost().evaluate(rows, {}) == pytest.approx(space.cost(rows).flops / 1e6)


def test_a_table_is_written_and_read_again(small, tmp_path):
    table = LatencyTable(1.5, np.arange(12.0).reshape(3, 4), "by hand")
    table.write(tmp_path / "t.csv", small)
    x = small.sample(20, np.random.default_rng(0))
    again = read_latency(tmp_path / "t.csv", small)
    assert (again.evaluate(x, {}) == table.cost().evaluate(x, {})).all()
    assert (PricedSpace(small, [again]).cost(x)["latency_ms"] >= 1.5).all()


def test_a_real_clock_gives_milliseconds_and_says_how(small):
    taken = measure_networks(small, small.sample(2, np.random.default_rng(0)), Stopwatch(warmup=1, repeats=3))
    assert taken.shape == (2,)
    assert (taken > 0).all()
    assert str(Stopwatch(threads=2)) == "median of 15 passes after 3, batches of 1, cpu, 2 threads"
    with pytest.raises(UserError, match="repeats and threads must be 1 or more"):
        Stopwatch(repeats=0)
