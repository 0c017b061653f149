"""One record of NAS-Bench-101's files: a JSON list of the cell's hash, the epochs, its drawing and what was measured.

``google-research/nasbench``, ``nasbench/api.py`` (``NASBench.__init__``): ``[module_hash, epochs, raw_adjacency,
raw_operations, raw_metrics]``, the matrix as a string of digits row by row, the operations separated by commas, the metrics as
a protobuf message in base64, with a line break after 76 characters.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from dataclasses import dataclass

from lissnas.evaluators.readers.protobuf import Metrics, read_metrics, write_metrics

__all__ = ["OPERATIONS", "VERTICES", "Payload", "read_payload", "write_payload"]

VERTICES = 7  # at most, in a cell
OPERATIONS = ("input", "conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3", "output")


@dataclass
class Payload:
    """One training of one cell.

    Attributes:
        module_hash: the cell's official hash, 32 hexadecimal digits.
        epochs: how long it was trained.
        adjacency: the drawing, rows of 0 and 1.
        operations: one of :data:`OPERATIONS` per vertex.
        metrics: what was measured.
    """

    module_hash: str
    epochs: int
    adjacency: list[list[int]]
    operations: list[str]
    metrics: Metrics


def read_payload(payload: bytes) -> Payload:
    """The content of a record.

    Raises:
        ValueError: what is wrong with it.
    """
    content = json.loads(payload)
    if not isinstance(content, list) or [type(part) for part in content] != [str, int, str, str, str]:
        raise ValueError("it is not a list of hash, epochs, matrix, operations and metrics")
    module_hash, epochs, matrix, names, message = content
    operations = names.split(",")
    vertices = math.isqrt(len(matrix))
    if len(module_hash) != 32 or not all(c in "0123456789abcdef" for c in module_hash):
        raise ValueError(f"'{module_hash}' is no hash of 32 hexadecimal digits")
    if vertices**2 != len(matrix) or not 2 <= vertices <= VERTICES or set(matrix) - {"0", "1"}:
        raise ValueError(f"'{matrix}' is no matrix of 2 to {VERTICES} vertices in 0 and 1")
    unknown = [name for name in operations if name not in OPERATIONS]
    if len(operations) != vertices or unknown:
        raise ValueError(f"'{names}' are not the operations of {vertices} vertices")
    try:
        metrics = read_metrics(base64.b64decode(message))
    except binascii.Error as error:
        raise ValueError(f"the metrics are no base64 ({error})") from None
    adjacency = [[int(digit) for digit in matrix[row * vertices : (row + 1) * vertices]] for row in range(vertices)]
    return Payload(module_hash, epochs, adjacency, operations, metrics)


def write_payload(payload: Payload) -> bytes:
    """The record, as the official files have it."""
    matrix = "".join(str(edge) for row in payload.adjacency for edge in row)
    message = base64.encodebytes(write_metrics(payload.metrics)).decode()
    return json.dumps([payload.module_hash, payload.epochs, matrix, ",".join(payload.operations), message]).encode()
