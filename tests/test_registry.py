"""A name, and the thing it stands for."""

from __future__ import annotations

import pytest

from lissnas.errors import UserError
from lissnas.registry import Registry


def registry() -> Registry:
    return Registry("colour", {"red": "math:pi", "green": "math:tau", "dark-green": "no_such_module:thing"})


def test_names_and_membership() -> None:
    assert registry().names() == ["red", "green", "dark-green"]
    assert "red" in registry()
    assert "blue" not in registry()


def test_a_thing_is_loaded_when_it_is_asked_for() -> None:
    import math

    assert registry().get("red") == math.pi
    with pytest.raises(ModuleNotFoundError):
        registry().get("dark-green")


@pytest.mark.parametrize(
    ("asked", "near"), [("gren", "did you mean green"), ("RED", "did you mean red"), ("xyz", "there are: red, green")]
)
def test_an_unknown_name_is_answered_with_the_nearest(asked: str, near: str) -> None:
    with pytest.raises(UserError, match=f"unknown colour '{asked}'") as caught:
        registry().get(asked)
    assert near in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_is_taken_once() -> None:
    colours = registry()
    colours.add("blue", "math:e")
    assert colours.names()[-1] == "blue"
    with pytest.raises(UserError, match="a colour named 'blue' exists already"):
        colours.add("blue", "math:pi")


def test_registries_do_not_share_entries() -> None:
    entries = {"red": "math:pi"}
    colours = Registry("colour", entries)
    colours.add("blue", "math:e")
    assert entries == {"red": "math:pi"}
