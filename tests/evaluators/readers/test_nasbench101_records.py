"""The compiled reader of NAS-Bench-101's records gives what the general one does, and hands it what it does not know."""

from __future__ import annotations

import base64
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.evaluators.readers import nasbench101_records as reader
from lissnas.evaluators.readers.nasbench101_payload import OPERATIONS, Payload, read_payload, write_payload
from lissnas.evaluators.readers.protobuf import Metrics, write_metrics
from lissnas.evaluators.readers.tfrecord import Records, write_records

HASH = "00005c142e6f48ac74fdcf73e3439874"
EPOCHS = (0.0, 54.0, 108.0)
METRICS = Metrics(
    [
        {"current_epoch": e, "training_time": e * 2, "validation_accuracy": 0.25, "test_accuracy": 0.5}
        for e in (0.0, 54.0, 108.0)
    ],
    8_555_530,
    {"total_time": 1800.0},
)
PAYLOAD = Payload(HASH, 108, [[0, 1, 0], [0, 0, 1], [0, 0, 0]], ["input", "maxpool3x3", "output"], METRICS)


def read(path: Path, *payloads: bytes) -> reader.CellRecords:
    write_records(path, payloads)
    (block,) = reader.read_cell_records(path)
    return block


def test_one_record(tmp_path: Path) -> None:
    block = read(tmp_path / "one", write_payload(PAYLOAD))
    assert block.hash_text(0) == HASH
    assert (block.epochs[0], block.vertices[0], block.parameters[0]) == (108, 3, 8_555_530)
    assert block.matrices[0, :3, :3].tolist() == PAYLOAD.adjacency
    assert not block.matrices[0, 3:].any()
    assert [OPERATIONS[code] for code in block.operations[0, :3]] == PAYLOAD.operations
    assert block.at(2, "test_accuracy").tolist() == [0.5]
    assert block.at(1, "training_time").tolist() == [108.0]
    assert np.isnan(block.at(2, "train_accuracy")).all()
    assert block.total("total_time").tolist() == [1800.0]
    matrices, labels = block.drawings()
    assert np.argwhere(matrices[0]).tolist() == [[0, 1], [1, 6]]
    assert labels.tolist() == [[2, 0, 0, 0, 0]]


def test_the_real_file_reads_as_the_general_reader_has_it(test_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = test_data / "ecnas" / "energy_5V9E.tfrecord"
    fast = next(reader.read_cell_records(path, 400))
    monkeypatch.setattr(reader, "read_all", lambda *_: None)
    slow = next(reader.read_cell_records(path, 400))
    for field in dataclasses.fields(fast):
        np.testing.assert_array_equal(getattr(fast, field.name), getattr(slow, field.name))


def rewritten(payload: bytes, **changes: object) -> bytes:
    content = json.loads(payload)
    for position, value in changes.items():
        content[int(position[1:])] = value
    return json.dumps(content).encode()


def test_other_json_is_read_as_well(tmp_path: Path) -> None:
    plain = write_payload(PAYLOAD)
    message = base64.b64encode(write_metrics(METRICS) + b"\xa0\x01\x96\x01").decode()
    variants = [
        plain,
        b" " + plain.replace(b", ", b" ,\t") + b"\n",
        json.dumps(json.loads(plain), indent=1).encode(),
        plain.replace(b"maxpool", b"\\u006daxpool"),
        plain.replace(b"/", b"\\/"),
        rewritten(plain, p4=message),  # no line breaks, and a field that nobody knows
    ]
    block = read(tmp_path / "many", *variants)
    for field in dataclasses.fields(block)[1:]:
        values = getattr(block, field.name)
        np.testing.assert_array_equal(values, np.repeat(values[:1], len(variants), axis=0), err_msg=field.name)


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"hello", "Expecting value"),
        (b"[1, 2]", "list of hash"),
        (b"\xff\xfe", "record 1"),
        (b"[" * 100_000, "record 1"),
        (rewritten(write_payload(PAYLOAD), p0="xyz"), "no hash"),
        (rewritten(write_payload(PAYLOAD), p1=1.5), "list of hash"),
        (rewritten(write_payload(PAYLOAD), p2="0100"), "operations of 2 vertices"),
        (rewritten(write_payload(PAYLOAD), p2="010020000"), "no matrix"),
        (rewritten(write_payload(PAYLOAD), p3="input,conv5x5,output"), "conv5x5"),
        (rewritten(write_payload(PAYLOAD), p4="AAA"), "base64"),
        (rewritten(write_payload(PAYLOAD), p4="CnIJ"), "message ends"),
        (write_payload(dataclasses.replace(PAYLOAD, metrics=Metrics(METRICS.evaluations[:2]))), "2 evaluations"),
    ],
)
def test_a_record_of_another_kind_is_named(tmp_path: Path, payload: bytes, words: str) -> None:
    first = write_payload(PAYLOAD)
    with pytest.raises(UserError, match="record 1 of") as refused:
        read(tmp_path / "odd", first, payload)
    assert words in str(refused.value)
    assert f"at byte {len(first) + 16}" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_payloads_come_back() -> None:
    assert read_payload(write_payload(PAYLOAD)) == PAYLOAD


def test_written_as_the_real_file_is(test_data: Path) -> None:
    real = next(iter(Records(test_data / "ecnas" / "energy_5V9E.tfrecord")))
    head, _, _ = real.rpartition(b', "')
    assert write_payload(read_payload(real)).startswith(head)
