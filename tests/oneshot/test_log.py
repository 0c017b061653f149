"""What a training writes down: a line per epoch, and event files that hold the same numbers."""

from __future__ import annotations

import importlib.util
import json
import struct
import sys

import pytest

from lissnas.errors import UserError
from lissnas.oneshot import Supernet, train_supernet
from lissnas.oneshot.log import Progress, TrainingLog


def test_a_line_per_epoch(small, data, recipe, tmp_path):
    losses = train_supernet(Supernet(small, seed=0), small, data, recipe, seed=0, on_progress=TrainingLog(tmp_path / "log"))
    lines = [json.loads(line) for line in (tmp_path / "log" / "training.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4]
    assert [line["loss"] for line in lines] == losses.tolist()
    assert [line["learning_rate"] for line in lines] == [recipe.rate(step, 3) for step in (2, 5, 8, 11)]
    assert all(line["images_per_second"] > 0 for line in lines)
    assert lines[-1]["seconds_left"] == 0
    assert lines[0]["seconds_left"] > 0
    assert [path.name for path in (tmp_path / "log").iterdir()] == ["training.jsonl"]


def test_progress_reads_as_a_line():
    assert str(Progress(3, 100, 2.10344, 0.19, 1234.4, 60.0, 300.0)) == (
        "epoch 3 of 100: loss 2.1034, learning rate 0.19, 1,234 images/s, 5 min left"
    )


@pytest.mark.skipif(importlib.util.find_spec("tensorboardX") is None, reason="the extra tensorboard is not installed")
def test_event_files_hold_the_same_numbers(tmp_path):
    log = TrainingLog(tmp_path, tensorboard=True)
    for epoch in (1, 2):
        log(Progress(epoch, 2, 1.5 / epoch, 0.25, 100.0))
    log.close()
    event = importlib.import_module("tensorboardX.proto.event_pb2").Event
    (file,) = tmp_path.glob("events.out.tfevents.*")
    data, found = file.read_bytes(), {}
    while data:  # a TFRecord: length, its checksum, the record, its checksum
        (length,) = struct.unpack("<Q", data[:8])
        record, data = event.FromString(data[12 : 12 + length]), data[16 + length :]
        for value in record.summary.value:
            found[value.tag, record.step] = value.simple_value
    assert found["training/loss", 1] == 1.5
    assert found["training/loss", 2] == 0.75
    assert found["training/learning_rate", 2] == 0.25
    assert found["training/images_per_second", 1] == 100


def test_event_files_without_the_extra_are_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(UserError, match=r"needs the package 'tensorboardX'.*lissnas\[tensorboard\]"):
        TrainingLog(tmp_path, tensorboard=True)
