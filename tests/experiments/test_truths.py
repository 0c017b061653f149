"""Networks that are trained alone to judge a supernet: each once, also by a run that was stopped on the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from lissnas.experiments.truths import Trained
from lissnas.formats import get_space
from lissnas.oneshot.data import digits
from lissnas.oneshot.recipe import Recipe
from lissnas.spaces import ExplicitSpace, sample_distinct

SPACE = get_space("digits-shuffle")
RECIPE = Recipe(epochs=1, batch_size=32, ghost=None)


def trained(directory: Path, stop: int | None = None) -> Trained:
    def on_progress(done: int, total: int) -> None:
        assert 1 <= done <= total
        if done == stop:
            raise KeyboardInterrupt

    data = digits(train=64, validation=50)
    return Trained(SPACE, data, RECIPE, seed=3, workers=1, directory=directory, on_progress=on_progress)


@pytest.fixture(autouse=True)
def _on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a training is the same each time."""
    import torch

    monkeypatch.setattr("lissnas.oneshot.devices.best_device", lambda: torch.device("cpu"))


def kept(directory: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in directory.glob("*.safetensors")}


def test_a_run_that_is_stopped_among_them_trains_none_twice(tmp_path: Path) -> None:
    networks = SPACE.sample(4, np.random.default_rng(0))
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "run", stop=2).scores(networks)
    before = kept(tmp_path / "run")
    assert len(before) == 2
    scores = trained(tmp_path / "run").scores(networks)
    after = kept(tmp_path / "run")
    assert len(after) == 4
    assert before.items() <= after.items()
    assert scores.tolist() == trained(tmp_path / "other").scores(networks).tolist()


def test_a_network_of_two_lists_is_trained_once(tmp_path: Path) -> None:
    networks = SPACE.sample(3, np.random.default_rng(1))
    first, second = trained(tmp_path).scores_of([networks, networks[::-1]])
    assert len(kept(tmp_path)) == 3
    assert first.tolist() == second[::-1].tolist()


def test_those_that_are_left_out_are_replaced_by_others(tmp_path: Path) -> None:
    small = ExplicitSpace.of(SPACE, sample_distinct(SPACE, 12, np.random.default_rng(2)))
    listed = np.concatenate(list(small.enumerate()))
    elsewhere = SPACE.sample(50, np.random.default_rng(3))
    without = np.concatenate([listed[:4], elsewhere[~small.is_valid(elsewhere)]])
    rest = set(SPACE.format(listed[4:]))
    for seed in range(5):
        drawn = SPACE.format(trained(tmp_path).draw(small, 6, np.random.default_rng(seed), without))
        assert len(drawn) == len(set(drawn)) == 6
        assert set(drawn) <= rest
    everything = SPACE.format(trained(tmp_path).draw(small, 9, np.random.default_rng(0), without))
    assert sorted(everything) == sorted(rest)
