"""One word for any space."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lissnas.errors import UserError
from lissnas.formats import get_space


def test_a_space_is_itself() -> None:
    space = get_space("digits-shuffle")
    assert get_space(space) is space


def test_a_name() -> None:
    assert get_space("shufflenetv2").cardinality == 4**20


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(UserError, match=r"unknown space 'shuflenet': did you mean shufflenetv2"):
        get_space("shuflenet")
    with pytest.raises(UserError, match=r"unknown space 'zzz': there are shufflenetv2"):
        get_space("zzz")


def test_a_file_with_another_ending(tmp_path: Path) -> None:
    (tmp_path / "space.txt").write_text("name: a")
    with pytest.raises(UserError, match=r"must end in \.yaml or \.parquet, but got '.*space\.txt'"):
        get_space(tmp_path / "space.txt")


def test_something_else() -> None:
    with pytest.raises(UserError, match="a name, a path or a SearchSpace, but got int"):
        get_space(3)  # type: ignore[arg-type]


def test_the_room_loads_its_libraries_when_they_are_needed() -> None:
    script = (
        "import sys, lissnas.formats, lissnas.evaluators; lissnas.formats.get_space('digits-shuffle');"
        "print([m for m in ('yaml', 'pyarrow', 'pydantic') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_an_unknown_attribute() -> None:
    import lissnas.formats

    with pytest.raises(AttributeError, match="no attribute 'read_spice'"):
        lissnas.formats.read_spice  # noqa: B018
    for name in lissnas.formats.__all__:
        assert getattr(lissnas.formats, name) is not None
