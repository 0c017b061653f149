"""The message ModelMetrics: bytes by hand, round trips, and what is no message."""

from __future__ import annotations

import struct

import pytest

from lissnas.evaluators.readers.protobuf import EVALUATION_FIELDS, Metrics, read_metrics, write_metrics

EVALUATION = {"current_epoch": 108.0, "training_time": 1251.9, "validation_accuracy": 0.925, "test_accuracy": 0.921}


def test_bytes_are_those_of_the_wire_format() -> None:
    message = write_metrics(Metrics([{"current_epoch": 1.0}], 300, {"total_time": 2.0}))
    assert message == b"\x0a\x09\x09" + struct.pack("<d", 1) + b"\x10\xac\x02\x19" + struct.pack("<d", 2)


def test_what_was_written_is_read() -> None:
    metrics = Metrics([EVALUATION, dict.fromkeys(EVALUATION_FIELDS, 0.5)], 8_555_530, {"total_time": 1.5, "total_energy": 0.25})
    assert read_metrics(write_metrics(metrics)) == metrics


def test_unknown_fields_are_skipped() -> None:
    unknown = [
        b"\x32\x05model",  # field 6, a string: checkpoint_path
        b"\xa0\x01\x96\x01",  # field 20, a number
        b"\xa5\x01abcd",  # field 20, four bytes
        b"\xa1\x01abcdefgh",  # field 20, a double
    ]
    evaluation = unknown[0] + b"\x09" + struct.pack("<d", 4) + b"".join(unknown[1:])
    message = b"".join(unknown[1:]) + b"\x0a" + bytes([len(evaluation)]) + evaluation + b"\x10\x07"
    assert read_metrics(message) == Metrics([{"current_epoch": 4.0}], 7, {})


@pytest.mark.parametrize("message", [b"\x0a", b"\x0a\x05ab", b"\x09abc", b"\x10\xff", b"\x0b", b"\xff" * 12, b"\x04"])
def test_broken_messages_are_refused(message: bytes) -> None:
    with pytest.raises(ValueError, match=r"message|wire type"):
        read_metrics(message)
