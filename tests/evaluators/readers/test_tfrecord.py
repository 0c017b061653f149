"""TFRecord framing: known checksums, round trips, and what is wrong with a file."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lissnas.errors import UserError
from lissnas.evaluators.readers.checksum import TABLES, crc32c, masked
from lissnas.evaluators.readers.tfrecord import Records, write_records

PAYLOADS = [b"first", b"", b"the third, which is longer than eight bytes", bytes(range(256))]


def checksum(data: bytes) -> int:
    array = np.frombuffer(data or b"\0", dtype=np.uint8)
    return int(crc32c(array, 0, len(data), TABLES))


@pytest.mark.parametrize(
    ("data", "expected"),
    [  # RFC 3720, appendix B.4, and the check value of the algorithm
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (b"123456789", 0xE3069283),
        (b"", 0),
    ],
)
def test_checksums_are_the_published_ones(data: bytes, expected: int) -> None:
    assert checksum(data) == expected


@given(st.binary(max_size=40))
def test_eight_bytes_at_a_time_give_what_single_bits_do(data: bytes) -> None:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    assert checksum(data) == crc ^ 0xFFFFFFFF


def test_files_come_back(tmp_path: Path) -> None:
    path = tmp_path / "some.tfrecord"
    assert write_records(path, PAYLOADS) == len(PAYLOADS)
    assert list(Records(path)) == PAYLOADS
    blocks = list(Records(path).blocks(3))
    assert [(len(block.starts), block.first) for block in blocks] == [(3, 0), (1, 3)]


def test_the_layout_is_the_published_one(tmp_path: Path) -> None:
    path = tmp_path / "one.tfrecord"
    write_records(path, [b"abc"])
    length = struct.pack("<Q", 3)
    sums = [struct.pack("<I", int(masked(np.uint32(checksum(part))))) for part in (length, b"abc")]
    assert path.read_bytes() == length + sums[0] + b"abc" + sums[1]


def test_a_real_file_is_written_as_it_was(test_data: Path, tmp_path: Path) -> None:
    real = test_data / "ecnas" / "energy_5V9E.tfrecord"
    assert write_records(tmp_path / "again.tfrecord", Records(real)) == 2532
    assert (tmp_path / "again.tfrecord").read_bytes() == real.read_bytes()


def broken(tmp_path: Path, change: int | None = None, cut: int | None = None) -> Path:
    path = tmp_path / "broken.tfrecord"
    write_records(path, PAYLOADS)
    data = bytearray(path.read_bytes())
    if change is not None:
        data[change] ^= 1
    path.write_bytes(data[:cut])
    return path


@pytest.mark.parametrize(
    ("change", "cut", "words"),
    [
        (None, -1, ("record 3", "at byte 96", "ends within it")),
        (None, 25, ("record 1", "at byte 21", "ends within it")),
        (None, 40, ("record 2", "at byte 37", "ends within it")),
        (12, None, ("record 0", "at byte 0", "data")),
        (19, None, ("record 0", "at byte 0", "data")),
        (21, None, ("record 1", "at byte 21", "length")),
        (30, None, ("record 1", "at byte 21", "length")),
        (60, None, ("record 2", "at byte 37", "data")),
    ],
)
def test_a_broken_file_is_refused_with_the_byte(
    tmp_path: Path, change: int | None, cut: int | None, words: tuple[str, ...]
) -> None:
    path = broken(tmp_path, change, cut)
    with pytest.raises(UserError) as refused:
        list(Records(path))
    for word in (*words, str(path)):
        assert word in str(refused.value)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other"
    with pytest.raises(UserError, match="there is no file"):
        Records(path)
    path.write_bytes(b"")
    with pytest.raises(UserError, match="is empty"):
        Records(path)
    path.write_text("arch,val\n123456,91.5\n")
    with pytest.raises(UserError, match="no TFRecord file"):
        Records(path)
