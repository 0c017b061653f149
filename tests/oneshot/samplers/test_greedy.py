"""Candidates, pool, epsilon and stop rule of GreedyNAS."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.oneshot import Recipe, Supernet, train_supernet
from lissnas.oneshot.samplers.greedy import GreedySampler
from lissnas.quality.shrink_index import probability_of_good
from lissnas.spaces.shufflenetv2 import digits_shuffle


@pytest.fixture(scope="module")
def space():
    return digits_shuffle()


def loss(paths):
    """Known, and the same at each step: the fewer and the earlier its large alleles, the better."""
    return paths.astype(float) @ np.linspace(1, 2, paths.shape[-1])


def run(sampler, steps, rng):
    for _ in range(steps):
        (paths,) = sampler.draw(1, rng)
        sampler.observe(paths, loss(paths))
    return sampler


def test_the_theorem(space, rng):
    assert probability_of_good(0.6, 10, 5) == pytest.approx(0.8338, abs=5e-5)
    paths = GreedySampler(space, pool=20).draw(20_000, rng)
    assert paths.shape == (20_000, 10, 9)
    known = np.concatenate([loss(block) for block in space.enumerate()])
    order = np.argsort(known, kind="stable")[: round(0.6 * len(known))]  # 60 percent of the space, in the order of its codes
    good = np.isin(space.encode(paths.reshape(-1, 9)), order).reshape(20_000, 10).sum(axis=1)
    assert (good >= 5).mean() == pytest.approx(0.8338, abs=0.012)


def test_the_published_settings(space):
    sampler = GreedySampler(space)
    assert (sampler.paths, sampler.trains, sampler.pool, sampler.alpha) == (10, 5, 1000, 0.08)
    assert [sampler.epsilon(step) for step in (0, 10_000, 77_180, 144_360, 150_000)] == [0, 0, pytest.approx(0.4), 0.8, 0.8]


def test_the_pool_holds_the_best_that_were_seen_with_their_last_loss(space, rng):
    sampler = GreedySampler(space, pool=50)
    seen = {}
    for _ in range(40):
        (paths,) = sampler.draw(1, rng)
        sampler.observe(paths, loss(paths))
        seen |= {tuple(path): value for path, value in zip(paths.tolist(), loss(paths), strict=True)}
    state = sampler.state()
    assert np.sort(state["losses"]) == pytest.approx(sorted(seen.values())[:50])
    held = space.decode(state["codes"])
    assert loss(held) == pytest.approx(state["losses"])
    sampler.observe(held[:1], np.array([-1.0]))
    assert sampler.state()["losses"].min() == -1
    assert len(sampler.state()["codes"]) == 50
    worst = np.argsort(state["losses"])[-1]
    sampler.observe(held[worst : worst + 1], np.array([1e9]))  # nothing better is known, so it stays
    assert sampler.state()["losses"].max() == 1e9


def test_epsilon_is_the_share_that_comes_from_the_pool(space, rng):
    sampler = run(GreedySampler(space, pool=50, starts=20, ends=60, epsilon=0.5), 60, rng)
    pool = space.decode(sampler.state()["codes"])
    drawn = sampler.draw(300, rng).reshape(-1, 9)
    share = (drawn[:, None] == pool[None]).all(axis=2).any(axis=1).mean()
    assert share == pytest.approx(0.5, abs=0.04)


def test_limits_hold_for_all_candidates(space, rng):
    sampler = run(GreedySampler(space, pool=50, starts=0, ends=10, limits=["flops <= 100e3"]), 20, rng)
    assert space.cost(sampler.draw(100, rng).reshape(-1, 9)).flops.max() <= 100e3


def test_training_ends_when_the_pool_no_longer_changes(space, rng):
    sampler = GreedySampler(space, pool=30, starts=50, ends=100, window=25, alpha=0.1)
    ended = []
    for _ in range(24):
        run(sampler, 25, rng)
        ended.append(sampler.finished())
    assert not any(ended[:2])
    assert ended[-1]
    assert not run(GreedySampler(space, pool=30, starts=50, ends=100, window=25, alpha=None), 400, rng).finished()
    assert not run(GreedySampler(space, pool=30, starts=5000, ends=9000, window=25, alpha=0.1), 400, rng).finished()


def test_options_that_make_no_sense_are_refused(space, small):
    for options, words in (
        ({"keeps": 11}, "keeps <= paths"),
        ({"starts": 10, "ends": 5}, "starts <= ends"),
        ({"epsilon": 1.5}, "epsilon must be 0 to 1, but got 1.5"),
        ({"alpha": -1}, "alpha must be 0 to 1"),
        ({"paths": "ten"}, "paths must be a whole number from 1 on, but got 'ten'"),
    ):
        with pytest.raises(UserError, match=words):
            GreedySampler(space, **options)
    with pytest.raises(UserError, match="pool must be less than the 64 networks of 'small', but got 64"):
        GreedySampler(small, pool=64)
    assert GreedySampler(small).pool == 6
    with pytest.raises(UserError, match="no architecture of 'digits-shuffle' meets flops <= 1"):
        GreedySampler(space, limits=["flops <= 1"])


def test_a_training_that_was_cut_off_ends_in_the_same_bytes(small, data, tmp_path):
    def train(folder, stop=None):
        def on_progress(progress):
            if progress.epoch == stop:
                raise InterruptedError

        supernet = Supernet(small, seed=0)
        sampler = GreedySampler(small, paths=4, keeps=2, pool=10, starts=2, ends=6, window=3, alpha=None)
        recipe = Recipe(epochs=4, batch_size=32, ghost=16, checkpoint_epochs=2)
        history = train_supernet(supernet, sampler, data, recipe, seed=3, checkpoint_dir=folder, on_progress=on_progress)
        return supernet, history

    whole, losses = train(tmp_path / "whole")
    with pytest.raises(InterruptedError):
        train(tmp_path / "cut", stop=3)
    again, same = train(tmp_path / "cut")
    assert (losses == same).all()
    assert all((value == whole.state_dict()[name]).all() for name, value in again.state_dict().items())
