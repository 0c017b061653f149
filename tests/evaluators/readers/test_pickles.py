"""Pickles of plain data are read whatever wrote them; anything else is refused by name, and nothing runs."""

from __future__ import annotations

import bz2
import collections
import io
import os
import pickle
import struct
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.evaluators.readers.pickles import Tensor, load_pickle

PLAIN: dict[str, Any] = {
    "numbers": [1, -2.5, True, None, 10**30, 1 + 2j],
    "texts": ("a", "ü", b"bytes", bytearray(b"more")),
    "containers": collections.OrderedDict(a={1, 2}, b=frozenset([3]), c={("cifar10", 777): []}),
    "scalars": [np.float32(1.5), np.int64(-3), np.bool_(True)],
}
ARRAYS = [
    np.arange(6.0).reshape(2, 3),
    np.asfortranarray(np.arange(6).reshape(2, 3)),
    np.array(["ab", "c"]),
    np.array([True, False]),
    np.zeros((0, 3), dtype=np.float16),
    np.arange(3, dtype=">i4"),
]


class Calls:
    """Pickles as a call."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.function, self.arguments


def load(tmp_path: Path, data: bytes) -> Any:
    (tmp_path / "file").write_bytes(data)
    return load_pickle(tmp_path / "file")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("pack", [bytes, bz2.compress])
def test_plain_data_come_back(tmp_path: Path, protocol: int, pack: Callable[[bytes], bytes]) -> None:
    assert load(tmp_path, pack(pickle.dumps(PLAIN, protocol=protocol))) == PLAIN
    for array, found in zip(ARRAYS, load(tmp_path, pack(pickle.dumps(ARRAYS, protocol=protocol))), strict=True):
        assert isinstance(found, np.ndarray)
        assert found.dtype.newbyteorder("=") == array.dtype.newbyteorder("=")  # older protocols are read in native order
        np.testing.assert_array_equal(found, array)


def test_an_array_alone_comes_back(tmp_path: Path) -> None:
    np.testing.assert_array_equal(load(tmp_path, pickle.dumps(ARRAYS[0])), ARRAYS[0])


@pytest.mark.parametrize("zipped", [True, False])
def test_files_of_torch(tmp_path: Path, zipped: bool) -> None:
    torch = pytest.importorskip("torch")
    base = torch.arange(12.0).reshape(3, 4)
    saved = {"weights": base, "view": base.t()[1:], "half": torch.ones(2, dtype=torch.float16), "n": 3, "list": [base.long()]}
    torch.save(saved, tmp_path / "file", _use_new_zipfile_serialization=zipped)
    found = load_pickle(tmp_path / "file")
    assert found["n"] == 3
    assert isinstance(found["view"], Tensor)
    assert found["view"].shape == (3, 3)
    for name in ("weights", "view", "half"):
        np.testing.assert_array_equal(found[name].numpy(), saved[name].numpy())
    np.testing.assert_array_equal(found["list"][0].numpy(), saved["list"][0].numpy())


def test_a_truncated_file_of_torch_is_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    stream = io.BytesIO()
    torch.save(torch.arange(100), stream, _use_new_zipfile_serialization=False)
    with pytest.raises(UserError, match="ends before"):
        load(tmp_path, stream.getvalue()[:-8])


@pytest.mark.parametrize(
    ("thing", "name"),
    [
        (os.system, f"{os.name}.system"),
        (Calls(os.system, "true"), f"{os.name}.system"),
        (Calls(subprocess.Popen, ["true"]), ".Popen"),
        (Calls(eval, "1"), "builtins.eval"),
        (Calls(getattr, 1, "real"), "builtins.getattr"),
        (Path("x"), "pathlib.PosixPath"),
        (collections.Counter("a"), "collections.Counter"),
        (collections.defaultdict(list), "collections.defaultdict"),
        (np.array([1, "a", None], dtype=object), "an array of 'O8'"),
        (np.zeros(2, dtype=[("a", "i4")]), "an array of 'V4'"),
        (np.random.default_rng(0), "numpy.random"),
        (Calls(bytearray, 10**13), "bytes made of something else"),
        (Calls(list, "ab", "cd"), "list made of something else"),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_anything_else_is_refused_by_name(tmp_path: Path, thing: object, name: str, protocol: int) -> None:
    with pytest.raises(UserError, match="it is not read") as refused:
        load(tmp_path, pickle.dumps({"first": 1, "thing": thing}, protocol=protocol))
    assert name in str(refused.value)
    assert str(tmp_path / "file") in str(refused.value)


def test_nothing_runs(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    for pack in (bytes, bz2.compress):
        with pytest.raises(UserError, match="system"):
            load(tmp_path, pack(pickle.dumps([Calls(os.system, f"touch {mark}")])))
    assert not mark.exists()


@pytest.mark.parametrize("flags", [63, 1])
def test_a_type_that_is_said_to_hold_objects_is_refused(tmp_path: Path, flags: int) -> None:
    """A pickle may change a type after making it."""
    text = pickle.dumps(np.array([b"abcdefgh"]), protocol=2)
    changed = text.replace(b"K\x08K\x01K\x00t", bytes([75, 8, 75, 1, 75, flags, 116]))
    assert changed != text
    with pytest.raises(UserError, match="array of objects"):
        load(tmp_path, changed)


def _long(number: int) -> bytes:
    return b"J" + struct.pack("<i", number)


@pytest.mark.parametrize("made", [b"cnumpy._core.multiarray\n_reconstruct\n", b"cnumpy._core.numeric\n_frombuffer\n"])
def test_a_type_that_grows_after_its_array_is_made_changes_nothing(tmp_path: Path, made: bytes) -> None:
    """An array that shared the type would read memory that is not its own."""
    state = b"(K\x03X\x01\x00\x00\x00|NNN%sK\x01K\x00tb"  # of a type, its length left open
    dtype = b"cnumpy\ndtype\n(X\x02\x00\x00\x00S1tRq\x01" + state % _long(1)
    if b"_reconstruct" in made:
        array = made + b"(cnumpy\nndarray\n(K\x00tX\x01\x00\x00\x00btR(K\x01(K\x02th\x01\x89C\x02abtb"
    else:
        array = made + b"(C\x02abh\x01(K\x02tX\x01\x00\x00\x00CtR"
    _, array_read, changed = load(tmp_path, b"\x80\x04(" + dtype + array + b"h\x01" + state % _long(10**8) + b"t.")
    assert changed.itemsize == 10**8  # the pickle does what it is here to do
    assert array_read.tolist() == [b"a", b"b"]


@pytest.mark.parametrize(
    "tensor",
    [
        {"shape": (1000,), "stride": (0,)},  # more numbers than there are
        {"shape": (5,)},
        {"offset": 4},
        {"changed": {"offset": -4, "shape": (8,)}},
        {"changed": {"stride": (-(10**9),)}},
    ],
    ids=str,
)
def test_a_tensor_beyond_its_storage_is_refused(tmp_path: Path, tensor: dict[str, Any]) -> None:
    shape, stride = (
        b"(" + b"".join(map(_long, tensor.get(name, one))) + b"t" for name, one in (("shape", (4,)), ("stride", (1,)))
    )
    storage = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ"
    made = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + _long(tensor.get("offset", 0)) + shape + stride + b"tR"
    changes = pickle.dumps(tensor["changed"], protocol=2)[2:-1] + b"b" if "changed" in tensor else b""
    with zipfile.ZipFile(tmp_path / "file", "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + made + changes + b".")
        archive.writestr("archive/data/0", np.arange(4, dtype=np.float32).tobytes())
    with pytest.raises(UserError):
        load_pickle(tmp_path / "file").numpy()


@pytest.mark.parametrize("name", [b"c_codecs\nencode\n", b"cnumpy\nndarray\n", b"ctorch._utils\n_rebuild_tensor_v2\n"])
def test_what_makes_data_cannot_be_changed(tmp_path: Path, name: bytes) -> None:
    """A pickle can set attributes of whatever it holds, and a function's defaults would stay set."""
    with pytest.raises(UserError, match="a change of what makes its data"):
        load(tmp_path, b"\x80\x02" + name + b"N}X\x0c\x00\x00\x00__defaults__(K\x01ts\x86b.")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"arch,val\n1,2\n",
        b"\x80\x04\x95",
        b"\x80\x02K",
        b"PK\x03\x04and so on",
        b"BZh9and so on",
        bz2.compress(pickle.dumps(PLAIN))[:-20],
        b"\x80\x04\x8e" + b"\xff" * 7 + b"\x00abc.",
        b"\x80\x02PX\n.",
    ],
)
def test_what_is_no_pickle_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UserError) as refused:
        load(tmp_path, data)
    assert "\n" not in str(refused.value)


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(bz2.compress(pickle.dumps(bytes(3 << 20))))
    assert len(load_pickle(path)) == 3 << 20
    with pytest.raises(UserError, match="more than 1 MiB"):
        load_pickle(path, limit=1 << 20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(bytes(3 << 20)))
    with pytest.raises(UserError, match="more than 1 MiB"):
        load_pickle(path, limit=1 << 20)


def test_other_zip_files_and_no_file(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other", "w") as archive:
        archive.writestr("some.txt", "hello")
    with pytest.raises(UserError, match="none that torch"):
        load_pickle(tmp_path / "other")
    with pytest.raises(UserError, match="there is no file"):
        load_pickle(tmp_path / "none")
