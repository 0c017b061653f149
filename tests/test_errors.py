"""A user's mistake, and a package that is not there."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from lissnas.errors import UserError, require


def test_a_users_mistake_is_a_value_error() -> None:
    assert issubclass(UserError, ValueError)


def test_what_is_installed_is_imported() -> None:
    assert require("json", "report") is importlib.import_module("json")
    assert require("xml.dom", "report") is importlib.import_module("xml.dom")


@pytest.mark.parametrize("module", ["no_such_package", "no_such_package.part"])
def test_a_missing_package_names_its_extra(module: str) -> None:
    with pytest.raises(UserError, match=r"pip install 'lissnas\[oneshot\]'") as caught:
        require(module, "oneshot")
    assert "no_such_package" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_broken_package_is_no_missing_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "installed_but_broken.py").write_text("import a_part_that_is_missing\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="a_part_that_is_missing"):
        require("installed_but_broken", "oneshot")
