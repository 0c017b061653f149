"""Two processes on the CPU do what one does; if one of them is killed the other stops in one line, and the training goes on."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from lissnas.errors import UserError
from lissnas.oneshot import Recipe, Supernet, distributed, train_supernet
from lissnas.oneshot.distributed import Ranks, joined
from lissnas.oneshot.weights import read_weights
from lissnas.spaces.shufflenetv2 import shuffle_chain

RECIPE = Recipe(epochs=3, batch_size=32, ghost=16, ema=0.9, clip_norm=1.0, checkpoint_epochs=1)
SCRIPT = Path(__file__).parent / "helpers" / "ranks.py"


class Interrupted(Exception):
    pass


@pytest.fixture(scope="module")
def even():
    """4^3 networks without dropout, whose masks would differ from rank to rank."""
    return shuffle_chain("even", resolution=8, in_channels=1, stem=(4, 1), stages=((2, 8, 2), (1, 16, 2)), head=16, classes=10)


@pytest.fixture(scope="module")
def alone(even, data):
    """What one process makes of it: weights and losses."""
    supernet = Supernet(even, seed=0)
    losses = train_supernet(supernet, even, data, RECIPE, seed=1)
    return supernet.state_dict(), losses


def same(supernet, losses, alone):
    torch.testing.assert_close(supernet.state_dict(), alone[0], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(losses, alone[1], rtol=1e-4)


def test_begun_by_one_process_and_ended_by_two(even, data, alone, tmp_path):
    def stop(progress):
        raise Interrupted

    with pytest.raises(Interrupted):
        train_supernet(Supernet(even, seed=0), even, data, RECIPE, seed=1, checkpoint_dir=tmp_path, on_progress=stop)
    supernet, seen = Supernet(even, seed=5), []
    losses = train_supernet(supernet, even, data, RECIPE, seed=1, checkpoint_dir=tmp_path, on_progress=seen.append, devices=2)
    same(supernet, losses, alone)
    assert [progress.epoch for progress in seen] == [2, 3]
    assert not multiprocessing.active_children()
    assert not torch.distributed.is_initialized()


def test_a_rank_that_is_killed_stops_the_others_and_one_process_ends_the_training(even, data, alone, tmp_path):
    def kill(progress):
        (other,) = multiprocessing.active_children()
        os.kill(other.pid, signal.SIGKILL)

    with pytest.raises(UserError, match=r"^rank 1 died \(SIGKILL.*\), so the others stopped: start the training again.*$"):
        train_supernet(Supernet(even, seed=0), even, data, RECIPE, seed=1, checkpoint_dir=tmp_path, on_progress=kill, devices=2)
    assert not multiprocessing.active_children()
    assert not torch.distributed.is_initialized()
    assert read_weights(tmp_path / "checkpoint.safetensors")[1]["epoch"] == 1
    supernet = Supernet(even, seed=5)
    losses = train_supernet(supernet, even, data, RECIPE, seed=1, checkpoint_dir=tmp_path)
    same(supernet, losses, alone)


def test_a_network_trained_by_ranks_that_others_started(tmp_path):
    """Statistics of a stand-alone network are averaged too, rank 0 alone reports, and at the end rank 1 kills itself."""
    ranks = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), str(tmp_path / "store"), str(tmp_path)],
            env={**os.environ, "WORLD_SIZE": "2", "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    (first, errors), (second, more) = (process.communicate(timeout=300) for process in ranks)
    assert first.splitlines()[:2] == ["equal: True", "told: 2"], errors
    said = r"mistake: rank 0 of 2 cannot reach the others \(.+\): start the training again"
    assert re.match(said, first.splitlines()[2]), errors
    assert second.splitlines() == ["equal: True", "told: 0"], more
    assert [process.returncode for process in ranks] == [0, -signal.SIGKILL]
    assert not list(tmp_path.glob("rank-1/*"))


def test_alone_nothing_is_exchanged():
    device = torch.device("cpu")
    with joined(device) as ranks:
        assert ranks == Ranks(device)
        tensor = torch.ones(2)
        ranks.average([tensor])
        ranks.follow([tensor])
        assert tensor.tolist() == [1.0, 1.0]
        assert ranks.same(3)


class Other:
    """A rank of which only how it ends matters."""

    def __init__(self, failure):
        self.why = failure

    def has_spoken(self):
        return True

    def failure(self):
        return self.why


@pytest.fixture
def ended(monkeypatch):
    """The codes that the process would have ended with."""
    codes = []

    def end(code):
        codes.append(code)
        sys.exit(code)

    monkeypatch.setattr(distributed, "PATIENCE", 0.01)
    monkeypatch.setattr(os, "_exit", end)
    return codes


def test_where_nobody_is_told_that_a_rank_failed_the_process_ends_and_says_why(ended, monkeypatch, capsys):
    monkeypatch.setattr(distributed, "FAREWELL", 0.01)
    lost = distributed.RankLostError("rank 2 of 3 cannot reach the others")
    watch = distributed._Watch([Other(None), Other(lost), Other(UserError("rank 1: 'a.jpeg' is damaged"))])
    with pytest.raises(SystemExit):
        watch.run()
    assert ended == [2]
    assert capsys.readouterr().err == "lissnas: rank 1: 'a.jpeg' is damaged\n"


def test_ranks_that_end_well_end_nothing(ended, monkeypatch, capsys):
    monkeypatch.setattr(distributed, "FAREWELL", 0.01)
    watch = distributed._Watch([Other(None)])
    watch.start()
    time.sleep(0.2)
    assert watch.is_alive()
    watch.leave()
    assert not watch.is_alive()
    assert ended == []
    assert capsys.readouterr().err == ""


def test_a_process_that_leaves_by_itself_is_left_alone(ended, capsys):
    """All ranks find a loss that is no number, and each stops with a line of its own."""
    watch = distributed._Watch([Other(UserError("the loss became nan"))])
    watch.start()
    time.sleep(0.2)
    watch.leave()
    assert not watch.is_alive()
    assert ended == []
    assert capsys.readouterr().err == ""


def test_each_process_takes_a_gpu_of_its_own_and_there_must_be_one(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with (
        pytest.raises(UserError, match="takes the GPU of its LOCAL_RANK, but this is 1 and torch sees 1 here: start 1 at most"),
        joined(torch.device("cpu")),
    ):
        pass


def test_why_a_rank_failed_can_be_asked_twice():
    """By the watch, and then by the process that has found out by itself meanwhile."""
    other = object.__new__(distributed._Other)
    other.rank, other._said = 1, None
    other.connection, theirs = multiprocessing.Pipe()
    theirs.send(UserError("'a.jpeg' is damaged"))
    theirs.close()
    assert str(other.failure()) == str(other.failure()) == "'a.jpeg' is damaged"
