"""The protobuf message ``ModelMetrics`` of NAS-Bench-101: what one training of one network measured.

``google-research/nasbench``, ``nasbench/lib/model_metrics.proto``; EC-NAS extends it to ``ModelMetricsEnergy``
(``model_metrics_energy.proto`` of ``saintslab/EC-NAS-Bench``). Only what stands in these two is named here; every other field
is skipped, as the wire format intends.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

__all__ = ["EVALUATION_FIELDS", "MODEL_FIELDS", "Metrics", "read_metrics", "write_metrics"]

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

# Doubles of one evaluation by their number. From 6 on: EC-NAS (energy in kWh, CO2 equivalents in g, intensity in g per kWh,
# and what Carbontracker predicted for the whole training); NAS-Bench-101 itself has a string as field 6.
EVALUATION_FIELDS: Mapping[str, int] = {
    "current_epoch": 1,
    "training_time": 2,
    "train_accuracy": 3,
    "validation_accuracy": 4,
    "test_accuracy": 5,
    "energy": 6,
    "co2eq": 7,
    "avg_intensity": 8,
    "pred_energy": 11,
    "pred_co2eq": 12,
    "pred_training_time": 13,
    "pred_avg_intensity": 14,
}

# Doubles of the whole training; field 2 is the int32 ``trainable_parameters``.
MODEL_FIELDS: Mapping[str, int] = {"total_time": 3, "total_energy": 4, "total_co2eq": 5, "overall_avg_intensity": 8}
PARAMETERS = 2


@dataclass
class Metrics:
    """One training.

    Attributes:
        evaluations: at the start, halfway and at the end: a double for each name of :data:`EVALUATION_FIELDS` that is there.
        trainable_parameters: how many weights the network has; 0 if it is not said.
        totals: a double for each name of :data:`MODEL_FIELDS` that is there.
    """

    evaluations: list[dict[str, float]] = field(default_factory=list)
    trainable_parameters: int = 0
    totals: dict[str, float] = field(default_factory=dict)


def read_metrics(message: bytes) -> Metrics:
    """The message's content.

    Raises:
        ValueError: bytes that are no protobuf message, or a known field of another type than it has.
    """
    metrics = Metrics()
    totals = {number: name for name, number in MODEL_FIELDS.items()}
    for number, kind, value in fields(message):
        if number == 1 and isinstance(value, bytes):
            metrics.evaluations.append(_read_evaluation(value))
        elif number == PARAMETERS and kind == VARINT and isinstance(value, int):
            metrics.trainable_parameters = value
        elif number in totals and isinstance(value, float):
            metrics.totals[totals[number]] = value
    return metrics


def _read_evaluation(message: bytes) -> dict[str, float]:
    names = {number: name for name, number in EVALUATION_FIELDS.items()}
    return {names[number]: value for number, _, value in fields(message) if number in names and isinstance(value, float)}


def fields(message: bytes) -> Iterator[tuple[int, int, int | float | bytes]]:
    """The fields of a message: number, wire type, and the value: an integer, a double, or bytes.

    Raises:
        ValueError: bytes that are no protobuf message.
    """
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            integer, at = _read_varint(message, at)
            yield number, kind, integer
            continue
        size = {FIXED64: 8, FIXED32: 4}.get(kind, 0)
        if kind == BYTES:
            size, at = _read_varint(message, at)
        elif not size:
            raise ValueError(f"there is no wire type {kind}")
        if number == 0 or at + size > len(message):
            raise ValueError(f"the message ends within field {number}")
        value = message[at : at + size]
        at += size
        yield number, kind, struct.unpack("<d", value)[0] if kind == FIXED64 else value


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 70:
        byte = message[at]
        value |= (byte & 127) << shift
        at += 1
        shift += 7
        if byte < 128:
            return value, at
    raise ValueError("the message ends within a number")


def write_metrics(metrics: Metrics) -> bytes:
    """The message that holds ``metrics``, fields in the order of their numbers."""
    parts = []
    for evaluation in metrics.evaluations:
        body = b"".join(_double(EVALUATION_FIELDS[name], value) for name, value in evaluation.items())
        parts.append(bytes([1 << 3 | BYTES]) + _varint(len(body)) + body)
    parts.append(bytes([PARAMETERS << 3 | VARINT]) + _varint(metrics.trainable_parameters))
    parts += [_double(MODEL_FIELDS[name], value) for name, value in metrics.totals.items()]
    return b"".join(parts)


def _double(number: int, value: float) -> bytes:
    return bytes([number << 3 | FIXED64]) + struct.pack("<d", value)


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    parts.append(value)
    return bytes(parts)
